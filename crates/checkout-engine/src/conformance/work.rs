//! The laws of claims, writes and nudges.

use super::{
    Clock, HELD, HOUR, LEASE, LIMIT, MILLI, Seen, Trial, Verdict, due, ended, holds, ids, lane, news, plain,
    row, row_of, same,
};
use crate::checkout::{Checkout, State};
use crate::store::{
    Decision, Due, Lease, Next, Nudge, Nudged, ReadMade, SUSPECT, Store, Target, Write, Written,
};
use checkout_tables::RateLimit;
use checkout_trust::replay::{Key, Scheme};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn claim_leases<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.insert(&row("a"), "watch", Duration::ZERO).await?;
    let kept = t.row("a").await?;
    let (mut last, mut late): (Option<Lease>, _) = (None, Duration::ZERO);
    for tries in 1..SUSPECT {
        let claimed = t.claim_one("of due work").await?;
        same("the claimed row", &claimed.checkout, &kept)?;
        same("the claimed watch", &claimed.watch.as_str(), &"watch")?;
        same("the tries", &claimed.tries, &tries)?;
        same("how late the work is", &claimed.late, &late)?;
        t.claim_none("in a lease").await?;
        t.pass(LEASE - MILLI).await?;
        t.claim_none("in the last millisecond of a lease").await?;
        late = MILLI * tries;
        t.pass(MILLI + late).await?;
        if let Some(last) = last.replace(claimed.lease.clone()) {
            holds(last.fence < claimed.lease.fence, "the fence of a takeover is not greater")?;
        }
    }
    let short = t.ask(&[lane("m")], 5, Duration::from_millis(40)).await?.due;
    same("the work at the end of a lease", &ids(&short), &vec!["a"])?;
    t.pass(Duration::from_millis(39)).await?;
    t.claim_none("in a short lease").await?;
    t.pass(MILLI).await?;
    t.claim_one("at the end of a short lease").await.map(drop)
}

pub(super) async fn fences_never_come_back<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let mut given: BTreeSet<i64> = BTreeSet::new();
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    let mut give = |lease: &Lease| {
        let grows = last.insert(lease.id.clone(), lease.fence).is_none_or(|last| last < lease.fence);
        holds(grows, "a later fence of the same work is not greater")?;
        holds(given.insert(lease.fence), "a fence was given twice")
    };
    for id in ["a", "b", "c"] {
        give(&t.insert(&row(id), "", LEASE).await?)?;
    }
    let mut old: Vec<Lease> = Vec::new();
    for round in 0..12 {
        t.pass(HOUR).await?;
        let claimed = t.claim(10).await?;
        for one in &claimed {
            give(&one.lease)?;
            match round % 4 {
                0 => t.give_up(&one.lease, Duration::ZERO, ReadMade::None).await?,
                1 => {
                    t.end(&one.lease).await?;
                    t.nudge(&one.lease.id).await?;
                }
                2 => {
                    let seen = t.row(&one.lease.id).await?;
                    for work in [false, true] {
                        let seen = if work { t.row(&one.lease.id).await? } else { seen.clone() };
                        let decision = Decision {
                            checkout: &seen,
                            work,
                            news: Vec::new(),
                            act: "release",
                            by: "Ada",
                            reason: "",
                        };
                        same("a decision", &t.store.decide(&decision).await?, &Written::Done)?;
                    }
                }
                // The process dies.
                _ => {}
            }
        }
        old.extend(claimed.into_iter().map(|due| due.lease));
    }
    holds(old.len() >= 20, "fewer claims than work was due")?;
    let current: Vec<i64> = last.into_values().collect();
    for lease in old.iter().filter(|lease| !current.contains(&lease.fence)) {
        t.lost("a write under the fence of an old claim", lease, &plain(ended(""), ReadMade::None)).await?;
    }
    Ok(())
}

pub(super) async fn earliest_comes_first<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let orders = [["c", "a", "e", "b", "d"], ["e", "d", "c", "b", "a"], ["b", "d", "a", "c", "e"]];
    for id in ["a", "b", "c", "d", "e"] {
        t.add(id).await?;
    }
    for order in orders {
        let mut claimed = t.claim(10).await?;
        for (turn, id) in (1..).zip(order) {
            let Some(at) = claimed.iter().position(|due| due.lease.id == id) else {
                return Err(Seen(format!("the work of {id:?} is not due")));
            };
            let lease = claimed.swap_remove(at).lease;
            t.give_up(&lease, MILLI * turn, ReadMade::None).await?;
        }
        t.pass(MILLI * 2).await?;
        let two = t.claim(10).await?;
        same("the work that is due, by its due", &ids(&two), &order.get(..2).unwrap_or_default().to_vec())?;
        for (turn, one) in (10..).zip(&two) {
            t.give_up(&one.lease, MILLI * turn, ReadMade::None).await?;
        }
        t.pass(Duration::from_millis(20)).await?;
        let [first, second, third, fourth, fifth] = order;
        let mut found = Vec::new();
        for most in [1, 2, 2] {
            found.extend(t.claim(most).await?);
        }
        let expected = vec![third, fourth, fifth, first, second];
        same("the work by its due, in three claims", &ids(&found), &expected)?;
        for one in found {
            t.give_up(&one.lease, Duration::ZERO, ReadMade::None).await?;
        }
    }
    Ok(())
}

pub(super) async fn lanes_take_turns<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    const OTHERS: usize = 9;
    for most in [1, 3, OTHERS + 1] {
        // The lane with much work has waited longest.
        let crowd = format!("crowd {most}");
        for turn in 0..100 {
            t.add_of(&crowd, &format!("{crowd} {turn}")).await?;
        }
        t.pass(MILLI).await?;
        let mut lanes = vec![lane(&crowd)];
        for turn in 0..OTHERS {
            let merchant = format!("other {most} {turn}");
            t.add_of(&merchant, &merchant).await?;
            lanes.push(lane(&merchant));
        }
        let (mut found, mut claims) = (0_usize, 0_usize);
        while claims < lanes.len() {
            claims = claims.saturating_add(most);
            let claimed = t.ask(&lanes, most, LEASE).await?.due;
            same("the work in a claim, with much due", &claimed.len(), &most)?;
            found = found.saturating_add(claimed.iter().filter(|due| due.checkout.merchant != crowd).count());
        }
        let what = format!("the other lanes served in {claims} places, {most} at a time");
        same(&what, &found, &OTHERS)?;
        // With nothing else to do, the crowd has all places.
        let claimed = t.ask(&lanes, 12, LEASE).await?.due;
        same("the work of the crowd alone", &claimed.len(), &12)?;
    }
    Ok(())
}

pub(super) async fn other_lanes_are_left<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    for merchant in ["m", "n", "M"] {
        t.add_of(merchant, &format!("of {merchant}")).await?;
    }
    same("the work for no lane", &ids(&t.ask(&[], 10, LEASE).await?.due), &Vec::new())?;
    let unknown = t.ask(&[lane("x"), "m".into(), String::new()], 10, LEASE).await?.due;
    same("the work of lanes that have none", &ids(&unknown), &Vec::new())?;
    same("the work of a lane", &ids(&t.ask(&[lane("n")], 10, LEASE).await?.due), &vec!["of n"])?;
    let rest = t.ask(&[lane("m"), lane("M"), lane("n"), lane("x")], 10, LEASE).await?.due;
    let mut rest = ids(&rest);
    rest.sort_unstable();
    same("the rest of the work", &rest, &vec!["of M", "of m"])
}

pub(super) async fn max_is_kept<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let lanes = [lane("m"), lane("n"), lane("o")];
    for turn in 0..4 {
        for merchant in ["m", "n", "o"] {
            t.add_of(merchant, &format!("{merchant} {turn}")).await?;
        }
    }
    let mut found = BTreeSet::new();
    for (most, expected) in [(0, 0), (1, 1), (2, 2), (5, 5), (100, 4), (100, 0)] {
        let claimed = t.ask(&lanes, most, LEASE).await?.due;
        same(&format!("the work for at most {most}"), &claimed.len(), &expected)?;
        found.extend(claimed.into_iter().map(|due| due.lease.id));
    }
    same("all the work", &found.len(), &12)
}

pub(super) async fn next_is_right<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let lanes = [lane("m"), lane("limited")];
    t.lane("limited", Some(RateLimit { requests: 1, ..LIMIT })).await?;
    let first = t.insert(&row("a"), "", LEASE).await?;
    let check = async |what: &str, most: Duration| {
        let claimed = t.ask(&lanes, 10, LEASE).await?;
        holds(claimed.due.is_empty(), &format!("with {what}, a claim found work"))?;
        let now = claimed.now;
        let Some(next) = claimed.next else { return Ok(()) };
        holds(next > now, &format!("with {what}, the next due is in the past, and nothing was claimed"))?;
        let late = next.saturating_since(now.saturating_add(most));
        same(&format!("with {what}, the next due is too late by"), &late, &Duration::ZERO)
    };
    check("an insert's lease", LEASE).await?;
    t.give_up(&first, Duration::from_secs(5), ReadMade::None).await?;
    check("work that waits", Duration::from_secs(5)).await?;
    t.add_of("limited", "b").await?;
    t.add_of("limited", "c").await?;
    let read = t.claim_one_of("limited", "of a lane with one place").await?.lease;
    check("a lane at its limit", Duration::from_secs(5)).await?;
    t.written("an end", &read, &plain(ended(""), ReadMade::Answered)).await?;
    t.pass(Duration::from_secs(5)).await?;
    t.end(&t.claim_one("at its due").await?.lease).await?;
    check("a lane at its limit alone", Duration::from_secs(56)).await?;
    t.pass(Duration::from_secs(56)).await?;
    let last = t.claim_one_of("limited", "when the place is free").await?.lease;
    t.end(&last).await?;
    same("the next due with no work", &t.ask(&lanes, 10, LEASE).await?.next, &None)
}

pub(super) async fn max_zero_looks<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let lanes = [lane("m"), lane("limited")];
    t.lane("limited", Some(RateLimit { requests: 1, ..LIMIT })).await?;
    // The span until the next due is at least the first and at most the second.
    let look = async |what: &str, spans: Option<(Duration, Duration)>, news: bool| {
        // A look changes nothing: the second one sees the same.
        for _ in 0..2 {
            let seen = t.ask(&lanes, 0, LEASE).await?;
            holds(seen.due.is_empty(), &format!("with {what}, a claim of at most nothing found work"))?;
            same(&format!("with {what}, that there is news"), &seen.news, &news)?;
            let span = seen.next.map(|next| next.saturating_since(seen.now));
            let right = match (spans, span) {
                (None, span) => span.is_none(),
                (Some(_), None) => false,
                (Some((least, most)), Some(span)) => least <= span && span <= most,
            };
            holds(right, &format!("with {what}, the next due is after {span:?}, and not {spans:?}"))?;
        }
        Ok::<(), Seen>(())
    };
    let now = Some((Duration::ZERO, Duration::ZERO));
    let within = |most| Some((MILLI, most));
    // Limits that the store itself does not keep may be left out of the answer: too early is no harm.
    let at_limit = |most| Some((Duration::ZERO, most));
    look("no work", None, false).await?;
    t.insert(&row("a"), "", LEASE).await?;
    look("an insert's lease", within(LEASE), false).await?;
    t.pass(LEASE).await?;
    look("due work", now, false).await?;
    let claimed = t.claim_one("after looks").await?;
    same("the tries after looks", &claimed.tries, &2)?;
    look("leased work", within(LEASE), false).await?;
    let write = Write { news: vec![news("n", "a")], ..plain(due(HOUR, ""), ReadMade::None) };
    t.written("a write with news", &claimed.lease, &write).await?;
    look("work that waits, and news", within(HOUR), true).await?;
    t.add_of("limited", "b").await?;
    t.add_of("limited", "c").await?;
    look("due work of a lane with a place", now, true).await?;
    let read = t.claim_one_of("limited", "after looks, which take no place").await?.lease;
    look("a lane whose place a claim has", at_limit(LEASE + HELD), true).await?;
    t.written("an end", &read, &plain(ended(""), ReadMade::Answered)).await?;
    look("a lane at its limit", at_limit(HELD), true).await?;
    t.pass(HELD).await?;
    look("a lane with a place again", now, true).await?;
    t.claim_one_of("limited", "after looks at a lane with a place again").await.map(drop)
}

/// A write that changes everything a write can change.
fn full(id: &str, next: Next, read: ReadMade) -> Write {
    let mut changed = row(id);
    (changed.state, changed.hold, changed.notes) = (State::Closed, Some("stolen".into()), "stolen".into());
    (changed.checkout_id, changed.page) = (Some("stolen".into()), Some("stolen".into()));
    Write {
        checkout: Some(changed),
        next,
        read,
        lane_wait: Some(HOUR),
        news: vec![news(&format!("stolen {id}"), id)],
    }
}

fn event(name: &str) -> Result<Key, Seen> {
    let scheme = Scheme::named("conformance").ok_or_else(|| Seen("no scheme".into()))?;
    Ok(Key::new(scheme, "m", [name], HOUR))
}

/// Every write under `old` is lost, and changes nothing.
async fn all_are_lost<S: Store, C: Clock>(t: &Trial<S, C>, old: &Lease, when: &str) -> Verdict {
    let id = old.id.as_str();
    let (before, figures) = (t.row(id).await?, super::rows::own_figures(t).await?);
    let nexts = [Next::Keep, due(Duration::ZERO, "stolen"), due(HOUR, "stolen"), ended("stolen")];
    // A caller that makes numbers up.
    let later = Lease { nudges: i64::MAX, ..old.clone() };
    for next in nexts {
        for read in [ReadMade::None, ReadMade::Sent, ReadMade::Answered] {
            for lease in [old, &later] {
                let what = format!("{when}, a write of {next:?} with a read {read:?}");
                t.lost(&what, lease, &full(id, next.clone(), read)).await?;
                t.lost(&what, lease, &plain(next.clone(), read)).await?;
            }
        }
    }
    same(&format!("{when}, the row after a lost write"), &t.row(id).await?, &before)?;
    same(&format!("{when}, the figures after a lost write"), &super::rows::own_figures(t).await?, &figures)?;
    holds(t.store.claim_news(10, LEASE).await?.is_empty(), &format!("{when}, a lost write told news"))
}

pub(super) async fn old_fence_is_lost<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let nudge = async |name: &str, target: &str| {
        let event = [event(name)?];
        Ok::<_, Seen>(t.store.nudge(&Nudge { target: Target::Id(target), event: &event }).await?)
    };
    // A limit with room for all claims: its places show in the end that no lost write has freed one.
    t.lane("m", Some(RateLimit { requests: 5, ..LIMIT })).await?;
    t.insert(&row("a"), "watch", Duration::ZERO).await?;
    same("an event", &nudge("first", "a").await?, &Nudged::Queued { id: "a".into() })?;
    let old = t.claim_one("of new work").await?.lease;
    t.pass(LEASE).await?;
    let new = t.claim_one("at the end of a lease").await?.lease;
    all_are_lost(t, &old, "taken over").await?;
    same("the event of a lost write", &nudge("first", "a").await?, &Nudged::Pending)?;
    let other = Lease { id: "b".into(), ..new.clone() };
    t.add("b").await?;
    all_are_lost(t, &other, "under the fence of another's lease").await?;
    let unknown = Lease { id: "unknown".into(), ..new.clone() };
    t.lost("a write of nothing", &unknown, &full("unknown", ended(""), ReadMade::Answered)).await?;
    same("the row of a lost write", &t.store.checkout("unknown").await?, &None)?;

    same("the work beside a lease", &t.claim_one("with two in the lane").await?.lease.id.as_str(), &"b")?;
    t.written("the holder's write", &new, &plain(due(MILLI, "new"), ReadMade::Sent)).await?;
    all_are_lost(t, &old, "given up by another").await?;
    all_are_lost(t, &new, "given up").await?;
    t.pass(MILLI).await?;
    let third = t.claim_one("after a write with a due").await?;
    same("the watch after lost writes", &third.watch.as_str(), &"new")?;
    same("the nudge after lost writes", &third.nudged, &true)?;
    t.written("the holder's write", &third.lease, &plain(ended("end"), ReadMade::Sent)).await?;
    all_are_lost(t, &third.lease, "ended").await?;
    t.nudge("a").await?;
    all_are_lost(t, &third.lease, "ended and nudged").await?;
    let fourth = t.claim_one("after a nudge").await?;
    same("the watch of ended work", &fourth.watch.as_str(), &"end")?;
    t.add("c").await?;
    t.claim_none("with all five places taken, lost writes having freed none").await?;
    all_are_lost(t, &third.lease, "ended, nudged and claimed").await?;
    let seen = t.row("a").await?;
    let decision =
        Decision { checkout: &seen, work: true, news: Vec::new(), act: "release", by: "Ada", reason: "" };
    same("a decision", &t.store.decide(&decision).await?, &Written::Done)?;
    all_are_lost(t, &fourth.lease, "decided").await
}

pub(super) async fn late_write_holds<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    let lease = t.claim_one("of new work").await?.lease;
    t.pass(HOUR).await?;
    t.nudge("a").await?;
    let changed = Checkout { state: State::Failed, ..row("a") };
    let write = Write { checkout: Some(changed), ..plain(due(HOUR, "late"), ReadMade::None) };
    t.written("a write an hour after the lease", &lease, &write).await?;
    same("the row after a late write", &t.row("a").await?.state, &State::Failed)?;
    let claimed = t.claim_one("after a late write, with a nudge").await?;
    same("the watch of a late write", &claimed.watch.as_str(), &"late")?;
    t.pass(LEASE).await?;
    t.end(&claimed.lease).await?;
    let late = t.insert(&row("b"), "", LEASE).await?;
    t.pass(HOUR).await?;
    t.end(&late).await
}

pub(super) async fn keep_keeps<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.insert(&row("a"), "watch", Duration::ZERO).await?;
    let first = t.claim_one("of new work").await?.lease;
    t.pass(LEASE / 2).await?;
    let mut changed = row("a");
    changed.notes = "kept".into();
    let write =
        Write { checkout: Some(changed), news: vec![news("n", "a")], ..plain(Next::Keep, ReadMade::None) };
    t.written("a write that keeps the lease", &first, &write).await?;
    same("the notes of a write that keeps the lease", &t.row("a").await?.notes, &"kept".into())?;
    same("the news of a write that keeps the lease", &t.store.claim_news(5, LEASE).await?.len(), &1)?;
    t.claim_none("in a kept lease").await?;
    t.pass(LEASE / 2 - MILLI).await?;
    t.claim_none("in the last millisecond of a kept lease").await?;
    t.nudge("a").await?;
    t.claim_none("in the last millisecond of a kept lease, with a nudge").await?;
    t.written("a second write that keeps the lease", &first, &write).await?;
    t.pass(MILLI).await?;
    let second = t.claim_one("at the end of a kept lease").await?;
    same("the watch of kept work", &second.watch.as_str(), &"watch")?;
    same("the tries of kept work", &second.tries, &2)?;
    t.end(&second.lease).await
}

pub(super) async fn keep_needs_the_lease<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    let claimed = t.claim_one("of new work").await?.lease;
    let inserted = t.insert(&row("b"), "", LEASE).await?;
    t.pass(LEASE).await?;
    for lease in [&claimed, &inserted] {
        let before = t.row(&lease.id).await?;
        let changed = Checkout { state: State::Failed, ..row(&lease.id) };
        let read = ReadMade::Answered;
        let write = Write { checkout: Some(changed), news: vec![news("n", "a")], ..plain(Next::Keep, read) };
        t.lost("a write that keeps a lease that is over", lease, &write).await?;
        same("the row after a lost write", &t.row(&lease.id).await?, &before)?;
        same("the news of a lost write", &t.store.claim_news(5, LEASE).await?.len(), &0)?;
        t.end(lease).await?;
    }
    Ok(())
}

pub(super) async fn due_comes_due<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    for (turn, after) in (0..).zip([MILLI, Duration::from_millis(2_500), HOUR, HOUR * 24 * 400]) {
        let read = if turn == 1 { ReadMade::Answered } else { ReadMade::Sent };
        let lease = t.claim_one("of due work").await?.lease;
        // The span counts from the write, not from the claim.
        t.pass(LEASE / 2).await?;
        let watch = format!("watch {turn}");
        t.written("a write with a due", &lease, &plain(due(after, &watch), read)).await?;
        t.claim_none("after a write with a due").await?;
        t.pass(after - MILLI).await?;
        t.claim_none("a millisecond before a due").await?;
        t.pass(MILLI).await?;
        let claimed = t.claim_one("at the due").await?;
        same("the watch at the due", &claimed.watch, &watch)?;
        same("the nudge at the due", &claimed.nudged, &false)?;
        t.give_up(&claimed.lease, Duration::ZERO, ReadMade::None).await?;
    }
    let soon = t.claim_one("of due work").await?.lease;
    t.give_up(&soon, MILLI, ReadMade::None).await?;
    t.add("b").await?;
    same("the work beside work that is due soon", &t.claim_one("of due work").await?.lease.id.as_str(), &"b")
}

pub(super) async fn ended_work_rests<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    for watch in ["one", "two", ""] {
        let lease = t.claim_one("of due work").await?.lease;
        t.written("a write of an end", &lease, &plain(ended(watch), ReadMade::Answered)).await?;
        t.claim_none("after an end").await?;
        t.pass(HOUR * 24 * 365).await?;
        t.claim_none("a year after an end").await?;
        t.nudge("a").await?;
        let claimed = t.claim_one("after an end and a nudge").await?;
        same("the watch of ended work", &claimed.watch.as_str(), &watch)?;
        same("the nudge of ended work", &claimed.nudged, &true)?;
        same("the tries of ended work", &claimed.tries, &1)?;
        t.give_up(&claimed.lease, Duration::ZERO, ReadMade::Answered).await?;
    }
    Ok(())
}

pub(super) async fn nudge_makes_due<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.insert(&row("a"), "watch", Duration::ZERO).await?;
    t.give_up(&t.claim_one("of new work").await?.lease, HOUR, ReadMade::None).await?;
    t.nudge("a").await?;
    let claimed = t.claim_one("after a nudge").await?;
    same("the nudge", &claimed.nudged, &true)?;
    t.give_up(&claimed.lease, MILLI, ReadMade::Answered).await?;
    // A nudge of work that is due already does not send the work to the end of the queue.
    t.pass(MILLI * 2).await?;
    t.add("b").await?;
    t.pass(MILLI).await?;
    t.nudge("a").await?;
    same("the work by its due", &ids(&t.claim(10).await?), &vec!["a", "b"])?;
    let nudged = t.store.nudge(&Nudge { target: Target::Id("c"), event: &[] }).await?;
    same("a nudge of nothing", &nudged, &Nudged::Unmatched)
}

pub(super) async fn nudge_spares_the_lease<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    let ends = [due(HOUR, "w"), due(Duration::MAX, "w"), ended("w")];
    for next in ends {
        for read in [ReadMade::None, ReadMade::Sent, ReadMade::Answered] {
            let what = format!("a write of {next:?} with a read {read:?}");
            let lease = t.claim_one("of due work").await?.lease;
            t.nudge("a").await?;
            t.nudge("a").await?;
            t.claim_none("in a lease, with a nudge").await?;
            t.pass(LEASE - MILLI).await?;
            t.claim_none("in the last millisecond of a lease, with a nudge").await?;
            t.written(&what, &lease, &plain(next.clone(), read)).await?;
            let claimed = t.claim_one(&format!("after a nudge in the lease and {what}")).await?;
            same(&format!("the nudge after {what}"), &claimed.nudged, &true)?;
            same(&format!("the watch after {what}"), &claimed.watch.as_str(), &"w")?;
            t.give_up(&claimed.lease, Duration::ZERO, ReadMade::Answered).await?;
        }
    }
    // The nudged write is once: the next span counts.
    let lease = t.claim_one("of due work").await?.lease;
    t.give_up(&lease, HOUR, ReadMade::Answered).await?;
    t.claim_none("after all nudges are answered").await
}

pub(super) async fn nudged_until_answered<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    let claim = async |when: &str, nudged: bool| {
        let claimed = t.claim_one(when).await?;
        same(&format!("{when}, a nudge waits"), &claimed.nudged, &nudged)?;
        Ok::<Due, Seen>(claimed)
    };
    let first = claim("of new work", false).await?;
    t.give_up(&first.lease, Duration::ZERO, ReadMade::None).await?;
    t.nudge("a").await?;
    let nudged = claim("after a nudge", true).await?;
    t.give_up(&nudged.lease, Duration::ZERO, ReadMade::None).await?;
    let again = claim("after no read", true).await?;
    t.give_up(&again.lease, Duration::ZERO, ReadMade::Sent).await?;
    claim("after a read without an answer", true).await?;
    t.pass(LEASE).await?;
    let crashed = claim("after a crash", true).await?;
    t.nudge("a").await?;
    t.give_up(&crashed.lease, Duration::ZERO, ReadMade::Answered).await?;
    let later = claim("after a nudge in the read", true).await?;
    t.written("a write that keeps", &later.lease, &plain(Next::Keep, ReadMade::Answered)).await?;
    t.give_up(&later.lease, Duration::ZERO, ReadMade::None).await?;
    let quiet = claim("after an answered write that kept the lease", false).await?;
    t.nudge("a").await?;
    t.written("an end", &quiet.lease, &plain(ended(""), ReadMade::Sent)).await?;
    let last = claim("after an end that no read answered", true).await?;
    t.end(&last.lease).await?;
    t.nudge("a").await?;
    claim("after an answered end and a nudge", true).await.map(drop)
}

fn named<'a>(lane: &'a str, checkout_id: Option<&'a str>, reference: Option<&'a str>) -> Target<'a> {
    Target::Named { lane, checkout_id, reference }
}

pub(super) async fn named_is_handed_over<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    let of = lane("m");
    let by = async |checkout_id: Option<&str>| {
        let target = named(&of, checkout_id, Some("reference of a"));
        let nudged = t.store.nudge(&Nudge { target, event: &[] }).await?;
        same("a nudge by the reference", &nudged, &Nudged::Queued { id: "a".into() })
    };
    let claim = async |when: &str, named: Option<&str>| {
        let claimed = t.claim_one(when).await?;
        same(&format!("{when}, the id that an event named"), &claimed.named.as_deref(), &named)?;
        Ok::<Lease, Seen>(claimed.lease)
    };
    by(None).await?;
    let lease = claim("after an event without an id", None).await?;
    by(Some("p1")).await?;
    t.give_up(&lease, HOUR, ReadMade::Answered).await?;
    claim("after an event with an id, within a lease", Some("p1")).await?;
    t.pass(LEASE).await?;
    let lease = claim("after a crash", Some("p1")).await?;
    let known = Checkout { checkout_id: Some("p1".into()), ..row("a") };
    let write = Write { checkout: Some(known), ..plain(ended(""), ReadMade::Answered) };
    t.written("a write of the named id", &lease, &write).await?;
    by(Some("p1")).await?;
    let lease = claim("after an event with the row's id", None).await?;
    t.end(&lease).await?;
    by(Some("p2")).await?;
    t.nudge("a").await?;
    let lease = claim("after an event with another id, and a nudge without", Some("p2")).await?;
    t.give_up(&lease, Duration::ZERO, ReadMade::Answered).await?;
    let lease = claim("after an answered write", None).await?;
    t.end(&lease).await
}

pub(super) async fn events_find_their_checkout<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let with = |merchant: &str, id: &str, named: Option<&str>| Checkout {
        checkout_id: named.map(str::to_owned),
        ..row_of(merchant, id)
    };
    t.insert(&with("m", "a", Some("p1")), "", Duration::ZERO).await?;
    t.insert(&with("m", "b", None), "", Duration::ZERO).await?;
    t.insert(&with("n", "c", Some("p1")), "", Duration::ZERO).await?;
    let (m, n) = (lane("m"), lane("n"));
    let find = async |target: Target<'_>, expected: Option<&str>| {
        let nudged = t.store.nudge(&Nudge { target, event: &[] }).await?;
        let expected = expected.map_or(Nudged::Unmatched, |id| Nudged::Queued { id: id.to_owned() });
        same(&format!("the checkout of {target:?}"), &nudged, &expected)
    };
    find(named(&m, Some("p1"), None), Some("a")).await?;
    find(named(&n, Some("p1"), None), Some("c")).await?;
    find(named(&m, Some("p1"), Some("reference of b")), Some("a")).await?;
    find(named(&m, None, Some("reference of b")), Some("b")).await?;
    find(named(&m, Some("p9"), Some("reference of b")), Some("b")).await?;
    find(named(&m, Some("p9"), Some("reference of c")), None).await?;
    find(named(&m, Some("a"), Some("a")), None).await?;
    find(named("x", Some("p1"), Some("reference of a")), None).await?;
    find(named(&m, None, None), None).await?;
    find(Target::Id("reference of a"), None).await?;
    find(Target::Id("p1"), None).await?;
    // A write gives the provider's id, and another one.
    let mut claimed = t.claim(10).await?;
    let at = claimed.iter().position(|due| due.lease.id == "b");
    let Some(lease) = at.map(|at| claimed.swap_remove(at).lease) else {
        return Err(Seen("the work of a checkout was not claimed".into()));
    };
    for id in ["p2", "p3"] {
        let write = Write { checkout: Some(with("m", "b", Some(id))), ..plain(Next::Keep, ReadMade::None) };
        t.written("a write of the provider's id", &lease, &write).await?;
        find(named(&m, Some(id), None), Some("b")).await?;
    }
    find(named(&m, Some("p2"), None), None).await?;
    t.end(&lease).await?;
    find(named(&m, Some("p3"), None), Some("b")).await
}

pub(super) async fn tries_are_counted<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    for next in [due(Duration::ZERO, ""), ended("")] {
        let mut last = None;
        for tries in 1..=5 {
            let claimed = t.claim_one("of due work").await?;
            same("the tries", &claimed.tries, &tries)?;
            t.pass(LEASE).await?;
            last = Some(claimed.lease);
        }
        if let Some(last) = last {
            t.written("a late write", &last, &plain(next, ReadMade::None)).await?;
        }
        t.nudge("a").await?;
        let claimed = t.claim_one("after a write").await?;
        same("the tries after a write", &claimed.tries, &1)?;
        t.give_up(&claimed.lease, Duration::ZERO, ReadMade::None).await?;
    }
    Ok(())
}

pub(super) async fn given_back_is_as_before<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.lane("m", Some(RateLimit { requests: 1, ..LIMIT })).await?;
    t.insert(&row("a"), "watch", Duration::ZERO).await?;
    // A first claim dies.
    t.claim_one("of due work").await?;
    t.pass(HOUR).await?;
    let lane = lane("m");
    let named = Target::Named { lane: &lane, checkout_id: Some("named"), reference: Some("reference of a") };
    t.store.nudge(&Nudge { target: named, event: &[] }).await?;
    for after in [Duration::ZERO, MILLI * 20] {
        let claimed = t.claim_one("of work that was given back").await?;
        same("the tries", &claimed.tries, &2)?;
        same("the watch", &claimed.watch.as_str(), &"watch")?;
        same("the name", &claimed.named.as_deref(), &Some("named"))?;
        same("that a nudge waits", &claimed.nudged, &true)?;
        // The place is free again: the lane has one.
        t.written("a giving back", &claimed.lease, &plain(Next::Back { after }, ReadMade::None)).await?;
        t.lost("a write of work that was given back", &claimed.lease, &plain(ended(""), ReadMade::None))
            .await?;
        if !after.is_zero() {
            t.pass(after - MILLI).await?;
            t.claim_none("a millisecond before the span is over").await?;
            t.pass(MILLI).await?;
        }
    }
    let claimed = t.claim_one("of work whose span is over").await?;
    // A nudge within the lease makes the work due at once.
    t.nudge("a").await?;
    t.written("a giving back", &claimed.lease, &plain(Next::Back { after: HOUR }, ReadMade::None)).await?;
    let claimed = t.claim_one("after a nudge within the lease").await?;
    same("the tries", &claimed.tries, &2)?;
    same("the name", &claimed.named.as_deref(), &Some("named"))
}

pub(super) async fn suspects_come_alone<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let lanes = [lane("m"), lane("n")];
    t.add("bad").await?;
    t.add_of("n", "worse").await?;
    for _ in 0..SUSPECT {
        let claimed = t.ask(&lanes, 10, LEASE).await?.due;
        same("the work that kills processes", &claimed.len(), &2)?;
        t.pass(LEASE).await?;
    }
    for id in ["a", "b"] {
        t.add_of("m", &format!("m {id}")).await?;
        t.add_of("n", &format!("n {id}")).await?;
    }
    let expected = ["bad", "m a", "m b", "n a", "n b", "worse"];
    let mut seen: Vec<String> = Vec::new();
    // A place for each, and claims for those that pass over a suspect.
    for _ in 0..expected.len() * 2 {
        let claimed = t.ask(&lanes, 10, HOUR).await?.due;
        let suspect = claimed.iter().any(|due| due.tries > SUSPECT);
        holds(
            claimed.len() == 1 || !suspect,
            &format!("work that was claimed {SUSPECT} times came with others: {:?}", ids(&claimed)),
        )?;
        for due in &claimed {
            let bad = ["bad", "worse"].contains(&due.lease.id.as_str());
            same("the tries", &due.tries, &if bad { SUSPECT.saturating_add(1) } else { 1 })?;
            seen.push(due.lease.id.clone());
        }
    }
    seen.sort_unstable();
    same("the work, suspects and others", &seen, &expected.map(str::to_owned).to_vec())?;
    // A suspect that writes is none.
    t.pass(HOUR).await?;
    for _ in 0..expected.len() * 2 {
        for due in t.ask(&lanes, 10, LEASE).await?.due {
            t.give_up(&due.lease, HOUR, ReadMade::None).await?;
        }
    }
    t.pass(HOUR).await?;
    let all = t.ask(&lanes, 10, LEASE).await?.due;
    same("the work after its writes", &all.len(), &expected.len())
}
