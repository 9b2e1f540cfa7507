//! Scripts without one of their comparisons, each of which a law or a test has to find.

use std::cell::RefCell;
use std::thread;

use checkout_engine::limits_conformance::{self as suite, Law};
use checkout_trust::replay::conformance as guard;

use crate::scripts::{MUTANT, PARTS};
use common::{Standing, Tested, failover, loss, make, runtime, url};

#[path = "../tests/common/mod.rs"]
mod common;

/// The one who notices a mutant.
#[derive(Clone, Copy)]
enum Judge {
    /// A law of limits.
    Law(Law),
    /// Random histories.
    Model,
    /// The laws of the replay guard.
    Guard,
    Test(fn() -> Tested),
}

use Judge::{Guard, Model, Test};
use Law::{
    LimitIsExact, PlaceIsGrantedOnce, RoomIsRight, UnusedPlaceIsFree, WaitBindsTheLane, WaitIsExact,
    ZeroClosesALane,
};

/// A comparison of a script, the text in its place, and who notices.
struct Mutation(&'static str, &'static str, &'static str, Judge);

const BACK: Judge =
    Test(failover::a_main_server_that_comes_back_without_the_last_places_of_the_other_is_noticed);
const APART: Judge =
    Test(failover::a_way_back_to_a_server_that_never_followed_is_noticed_by_who_comes_from_the_other);
const STAYED: Judge =
    Test(failover::what_a_process_took_on_a_server_that_others_had_left_is_waited_for_and_no_more);
const JUST: Judge =
    Test(failover::who_comes_from_elsewhere_is_noticed_also_where_the_server_was_just_looked_at);
const FLUSH: Judge = Test(loss::flushall_is_noticed_and_nothing_is_granted_until_what_was_lost_is_over);
const FIRST: Judge = Test(loss::nothing_is_granted_after_a_first_start_until_any_lease_and_any_span_are_over);
const CLOCK: Judge = Test(loss::a_clock_that_is_put_back_waits_and_does_not_wait_for_ever);
const POLICY: Judge = Test(loss::a_policy_that_evicts_is_noticed_at_run_time_and_all_counts_as_lost_then);
const EVICTED: Judge = Test(loss::evictions_between_two_looks_are_noticed);
const KEYS: Judge = Test(loss::keys_expire_by_themselves_and_the_epoch_does_not);
const SMALL: Judge = Test(loss::a_lane_keeps_no_more_places_than_its_limit);
const REFUSED: Judge =
    Test(loss::the_guard_refuses_claims_after_a_loss_for_as_long_as_a_key_can_be_played_back);

const MUTATIONS: &[Mutation] = &[
    Mutation("epoch", "if term ~= ARGV[1] then", "if not term then", JUST),
    Mutation("epoch", "not term or", "", FLUSH),
    Mutation("epoch", "string.match(info, 'maxmemory_policy:(%w+)') ~= 'noeviction'", "false", POLICY),
    Mutation("epoch", "redis.call('DEL', KEYS[2], KEYS[3])", "", POLICY),
    Mutation("epoch", " .. '-' .. string.match(info, 'evicted_keys:(%d+)')", "", EVICTED),
    Mutation("epoch", "string.match(term, '^[%w-]+') ~= id", "false", BACK),
    Mutation("epoch", "ARGV[1] ~= ''", "true", STAYED),
    Mutation("epoch", "and ARGV[1] ~= term", "", BACK),
    Mutation("epoch", "redis.call('LPOS', KEYS[3], ARGV[1])", "true", APART),
    Mutation("epoch", "redis.call('LPOS', KEYS[3], ARGV[1])", "false", STAYED),
    Mutation("epoch", "math.max(since or now, now - ARGV[2])", "since or now", STAYED),
    Mutation("epoch", "math.max(since or now, now - ARGV[2])", "now - ARGV[2]", APART),
    Mutation("epoch", "not since or", "", FIRST),
    Mutation("epoch", "since > now", "false", CLOCK),
    Mutation("epoch", "term == ARGV[1] and '' or term", "''", APART),
    Mutation("room", "requests > 0", "true", Judge::Law(RoomIsRight)),
    Mutation("room", "taken > 0", "false", Judge::Law(RoomIsRight)),
    Mutation("room", "taken >= requests", "false", Judge::Law(RoomIsRight)),
    Mutation("room", "wait == 0", "true", Judge::Law(WaitBindsTheLane)),
    Mutation("room", "math.max(since + lease + held, ", "math.max(", FIRST),
    Mutation("room", "tonumber(waits[i]) or now, ", "", Judge::Law(WaitBindsTheLane)),
    Mutation("room", ", now) - now", ") - now", Judge::Law(WaitBindsTheLane)),
    Mutation("room", "math.max(wait, free[2] - now)", "free[2] - now", Judge::Law(WaitBindsTheLane)),
    Mutation("room", "math.max(wait, free[2] - now)", "wait", Judge::Law(RoomIsRight)),
    Mutation("room", "'(' .. fmt(now)", "fmt(now)", Judge::Law(RoomIsRight)),
    Mutation("reserve", "requests > 0", "true", Judge::Law(ZeroClosesALane)),
    Mutation("reserve", "math.max(since + lease + held, ", "math.max(", FIRST),
    Mutation("reserve", "tonumber(waits[i]) or now, ", "", Judge::Law(WaitBindsTheLane)),
    Mutation("reserve", ", now) - now", ") - now", Judge::Law(WaitBindsTheLane)),
    Mutation(
        "reserve",
        "if taken >= requests then
      -- Places",
        "if false then
      -- Places",
        SMALL,
    ),
    Mutation(
        "reserve",
        "if taken >= requests then
      local",
        "if false then
      local",
        Judge::Law(LimitIsExact),
    ),
    Mutation("reserve", "math.max(wait, free[2] - now)", "wait", Judge::Law(WaitIsExact)),
    Mutation("reserve", "math.max(wait, free[2] - now)", "free[2] - now", Judge::Law(WaitBindsTheLane)),
    Mutation(
        "reserve",
        "if wait == 0 then
      if",
        "if true then
      if",
        Judge::Law(WaitIsExact),
    ),
    Mutation("reserve", "'NX', ", "", Model),
    Mutation("reserve", "place) == 0", "place) == 2", Judge::Law(PlaceIsGrantedOnce)),
    Mutation(
        "reserve",
        "math.max(redis.call('ZSCORE', lane, place) - now, 0)",
        "1",
        Judge::Law(PlaceIsGrantedOnce),
    ),
    Mutation(
        "reserve",
        "math.max(redis.call('ZSCORE', lane, place) - now, 0)",
        "redis.call('ZSCORE', lane, place) - now",
        Judge::Law(PlaceIsGrantedOnce),
    ),
    Mutation(
        "reserve",
        "if wait == 0 then
          redis",
        "if false then
          redis",
        Judge::Law(PlaceIsGrantedOnce),
    ),
    Mutation("reserve", "taken == 0", "false", KEYS),
    Mutation("reserve", "taken == 0", "true", KEYS),
    Mutation("reserve", ", 'GT'", "", KEYS),
    Mutation("end", "held == ''", "false", Judge::Law(UnusedPlaceIsFree)),
    Mutation("end", "longer ~= ''", "false", Judge::Law(LimitIsExact)),
    Mutation("end", "longer == ''", "true", Judge::Law(LimitIsExact)),
    Mutation("end", "longer == ''", "false", KEYS),
    Mutation("end", "'XX', ", "", KEYS),
    Mutation("end", "'LT', ", "", KEYS),
    Mutation("end", "over, place) == 0", "over, place) == 2", KEYS),
    Mutation("wait", "over > ", "now >= 0 or ", Judge::Law(WaitBindsTheLane)),
    Mutation("claim", "wait > 0", "false", REFUSED),
    Mutation("claim", "held[1] and not", "not", Guard),
    Mutation("claim", "not (held[2] < ARGV[3])", "true", Guard),
    Mutation("claim", "not (held[2] < ARGV[3])", "false", Guard),
    Mutation("claim", "held[1] == '1'", "true", Guard),
    Mutation("claim", "held[1] == '1'", "false", Guard),
    Mutation("claim", "math.max(tonumber(redis.call('GET', KEYS[5]) or '0') + 1, micros)", "micros", Guard),
    Mutation(
        "claim",
        "math.max(tonumber(redis.call('GET', KEYS[5]) or '0') + 1, micros)",
        "tonumber(redis.call('GET', KEYS[5]) or '0') + 1",
        REFUSED,
    ),
    Mutation("claim", "ARGV[5] == ''", "false", Guard),
    Mutation("commit", "held[1] and held[1] ~= ARGV[1]", "false", Guard),
    Mutation("commit", "held[1] and held[1] ~= ARGV[1]", "held[1] ~= ARGV[1]", Guard),
    Mutation("commit", "held[3] > kept", "false", Guard),
    Mutation("commit", "held[3] > kept", "true", Guard),
    Mutation("commit", "ARGV[3] == ''", "false", KEYS),
    Mutation("commit", "life ~= -1", "true", KEYS),
    Mutation("commit", "life < tonumber(ARGV[3])", "false", KEYS),
    Mutation("release", "held[1] == ARGV[1]", "true", Guard),
    Mutation("release", "held[2] == '0'", "true", Guard),
];

/// True if a judge finds nothing.
fn passes(judge: Judge, url: &str) -> bool {
    let (runtime, make) = (runtime(), async || make(url).await);
    match judge {
        Judge::Law(law) => runtime.block_on(suite::check_law(law, &make)).is_ok(),
        Model => (1..=3).all(|seed| runtime.block_on(suite::histories(seed, 1_000, &make)).is_ok()),
        Guard => {
            let kept: RefCell<Vec<Standing>> = RefCell::default();
            let make = || {
                let (redis, clock) = runtime.block_on(make());
                kept.borrow_mut().push(clock);
                redis
            };
            guard::check_async_store(make, |task| runtime.block_on(task)).is_ok()
        }
        Test(test) => test().is_ok(),
    }
}

/// The script with one occurrence of the text replaced, for each occurrence.
fn mutants(mutation: &Mutation) -> Vec<String> {
    let Mutation(part, text, neutral, _) = mutation;
    let whole = PARTS.iter().find(|(name, _)| name == part).map(|(_, whole)| *whole).unwrap();
    let mutant = |(place, _): (usize, &str)| {
        let (before, rest) = whole.split_at(place);
        format!("{before}{neutral}{}", &rest[text.len()..])
    };
    whole.match_indices(text).map(mutant).collect()
}

#[test]
fn a_law_or_a_test_finds_each_comparison_that_is_neutralised() {
    let Some(url) = url() else { return };
    assert!(passes(Guard, &url) && passes(Model, &url), "without a mutant");
    let mut unseen = Vec::new();
    for mutation in MUTATIONS {
        let Mutation(part, text, neutral, judge) = mutation;
        let mutants = mutants(mutation);
        assert!(!mutants.is_empty(), "{part} does not have {text:?}");
        for (number, mutant) in mutants.into_iter().enumerate() {
            let (judge, url) = (*judge, url.clone());
            // A test that fails panics.
            let judged = thread::spawn(move || {
                MUTANT.set(Some((part, mutant)));
                passes(judge, &url)
            });
            if judged.join().unwrap_or(false) {
                unseen.push(format!("{part}: {neutral:?} for {text:?}, occurrence {number}"));
            }
        }
    }
    assert_eq!(unseen, Vec::<String>::new());
}

/// Each comparison of a script is in the list.
#[test]
fn no_comparison_is_left_out() {
    for (part, whole) in PARTS {
        let listed =
            MUTATIONS.iter().filter(|Mutation(of, ..)| *of == part).map(|Mutation(_, text, ..)| *text);
        let mut left = whole.to_owned();
        let mut texts: Vec<&str> = listed.collect();
        // The longest first: a text can be a part of another one.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        for text in texts {
            assert!(whole.contains(text), "{part} does not have {text:?}");
            left = left.replace(text, "");
        }
        let code = left.lines().filter(|line| !line.trim_start().starts_with("--"));
        let left = code.collect::<Vec<_>>().join("\n");
        for sign in [
            " == ", " ~= ", " < ", " <= ", " > ", " >= ", "math.max", "math.min", "'NX'", "'GT'", "'('",
            " not ",
        ] {
            assert!(!left.contains(sign), "{part} has {sign:?}:\n{left}");
        }
    }
}
