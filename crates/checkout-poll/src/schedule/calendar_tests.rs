//! The calendar compared with a list that is searched.

use super::calendar::{Calendar, HORIZON, SOME};
use alloc::vec::Vec;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Act {
    Insert(u32, u64),
    Remove(u32),
    Go(u64),
    PopSome(u64),
    Restart(u64),
}

/// Spans that reach every level, and the edges between them.
fn span() -> impl Strategy<Value = u64> {
    let edges = [1u64 << 13, 1 << 22, 1 << 32];
    prop_oneof![
        4 => 0u64..200,
        4 => 0u64..20_000,
        2 => 0u64..10_000_000,
        1 => 0u64..4_000_000_000,
        2 => (0usize..3, 0u64..5).prop_map(move |(level, more)| edges[level] - 2 + more),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0u32..IDS, span()).prop_map(|(id, span)| Act::Insert(id, span)),
        2 => (0u32..IDS).prop_map(Act::Remove),
        3 => span().prop_map(Act::Go),
        2 => (0u64..300).prop_map(Act::PopSome),
        1 => span().prop_map(Act::Restart),
    ]
}

/// A calendar and a list that is searched, side by side.
fn check(from: u64, acts: Vec<Act>) {
    let mut calendar = Calendar::new(from);
    calendar.make_room(IDS as usize);
    let room = calendar.allocated();
    // An id is due once all ticks up to its own have passed.
    // `at` is the tick of the last id that came up; ids are inserted from there on.
    let (mut list, mut now, mut at) = (Vec::<(u64, u32)>::new(), from, from);
    for act in acts {
        match act {
            Act::Insert(id, span) if list.iter().all(|(_, other)| *other != id) => {
                calendar.insert(id, now + span);
                list.push(((now + span).clamp(at + 1, at + HORIZON), id));
            }
            Act::Insert(id, _) | Act::Remove(id) => {
                let before = list.len();
                list.retain(|(_, other)| *other != id);
                assert_eq!(calendar.remove(id), list.len() < before, "{act:?}");
            }
            Act::Go(span) => {
                now += span;
                while let Some(due) = pop(&mut calendar, &mut list, now) {
                    at = due;
                }
                at = now.max(at);
            }
            Act::PopSome(span) => {
                now += span;
                at = pop(&mut calendar, &mut list, now).unwrap_or(now);
            }
            Act::Restart(span) => {
                now = now.saturating_sub(span);
                at = now;
                calendar.restart(now);
                list.clear();
            }
        }
        assert_eq!(calendar.earliest(), list.iter().map(|(due, _)| *due).min(), "{act:?}");
        assert!((0..IDS).all(|id| calendar.contains(id) == list.iter().any(|(_, other)| *other == id)));
        assert_eq!(calendar.allocated(), room, "{act:?}");
    }
}

/// Checks that the ids that come up were due, and that none was due before. Returns their tick.
fn pop(calendar: &mut Calendar, list: &mut Vec<(u64, u32)>, now: u64) -> Option<u64> {
    let mut ids = [0; SOME];
    let some = calendar.pop(now, &mut ids);
    let earliest = list.iter().map(|(due, _)| *due).min();
    for id in &ids[..some] {
        let at = list.iter().position(|(_, other)| other == id).unwrap();
        let (due, _) = list.swap_remove(at);
        assert!(
            due <= now && Some(due) == earliest,
            "{id} is due at {due}, not at {now} or after {earliest:?}"
        );
    }
    assert!(some > 0 || list.iter().all(|(due, _)| *due > now), "{list:?} are left at {now}");
    earliest.filter(|_| some > 0)
}

#[test]
fn a_removed_entry_leaves_its_memory_to_the_next() {
    let mut calendar = Calendar::new(0);
    calendar.make_room(100_000);
    let room = calendar.allocated();
    for round in 0..30u64 {
        (0..100_000).for_each(|id| calendar.insert(id, 1 + (u64::from(id) * 7 + round) % 3_000_000));
        (0..100_000).for_each(|id| assert!(calendar.remove(id)));
        assert_eq!((calendar.earliest(), calendar.allocated()), (None, room));
    }
}

#[test]
fn an_entry_takes_13_bytes_where_there_are_many() {
    let mut calendar = Calendar::new(0);
    calendar.make_room(1 << 20);
    assert!((calendar.allocated() >> 20) < 13, "{}", calendar.allocated());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]
    #[test]
    fn the_calendar_gives_the_same_as_a_searched_list(
        from in prop_oneof![0u64..10_000, 170_000_000_000u64..170_010_000_000, Just(u64::from(u32::MAX) - 5)],
        acts in prop::collection::vec(act(), 1..120),
    ) {
        check(from, acts);
    }
}

const IDS: u32 = 40;
