//! The laws of limits.

use super::{
    Clock, HELD, HOUR, LEASE, LIMIT, MILLI, Trial, Verdict, due, ended, ids, lane, plain, row_of, same,
};
use crate::checkout::{Checkout, Provider};
use crate::store::{Decision, Lane, Lease, Next, ReadMade, Store, Write, Written};
use checkout_tables::{Moment, RateLimit};
use core::time::Duration;

/// A place, as the law counts it: the claim's, and free from a moment.
struct Place {
    lease: Lease,
    write_at: Option<Moment>,
    free: Moment,
}

pub(super) async fn limit_is_exact<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    for (requests, round) in [(1, 0_u64), (2, 1), (5, 2)] {
        let merchant = format!("m{requests}");
        let lanes = [lane(&merchant)];
        t.lane(&merchant, Some(RateLimit { requests, ..LIMIT })).await?;
        for turn in 0..12 {
            t.add_of(&merchant, &format!("{merchant} {turn}")).await?;
        }
        let most = usize::try_from(requests).unwrap_or(usize::MAX);
        let mut places: Vec<Place> = Vec::new();
        // Steps of uneven length: in them, leases end, windows end, and reads are slow.
        for step in 0..400_u64 {
            let turn = step.wrapping_mul(7).wrapping_add(round);
            let now = t.now().await?;
            for place in places.iter_mut().filter(|place| place.write_at.is_some_and(|at| at <= now)) {
                place.write_at = None;
                let read = if turn.is_multiple_of(3) { ReadMade::Sent } else { ReadMade::Answered };
                let write = plain(due(Duration::ZERO, ""), read);
                if t.store.write(&place.lease, &write).await? == Written::Done {
                    let held = now.saturating_add(HELD);
                    // A request without an answer may be on its way still.
                    place.free = if read == ReadMade::Sent { held.max(place.free) } else { held };
                }
            }
            places.retain(|place| place.free > now);
            let expected = most.saturating_sub(places.len());
            let what = format!("with {} of {requests} places taken, the work in claims", places.len());
            let mut claimed = Vec::new();
            // Several claims: a suspect comes alone.
            for _ in 0..=most * 2 {
                claimed.extend(t.ask(&lanes, 10, LEASE).await?.due);
            }
            same(&what, &claimed.len(), &expected)?;
            for (at, one) in (turn..).zip(claimed) {
                // Some reads take longer than the lease, and some never end.
                let takes = Duration::from_millis(at.wrapping_mul(977) % 34_000);
                let free = now.saturating_add(LEASE).saturating_add(HELD);
                let write_at = (at % 5 != 0).then(|| now.saturating_add(takes));
                places.push(Place { lease: one.lease, write_at, free });
            }
            let next = places.iter().map(|place| place.free).min();
            let exact = next.map(|next| next.saturating_since(now)).filter(|span| *span > MILLI);
            match (turn % 4, exact) {
                // To the millisecond before the next place is free, and to the moment itself.
                (0, Some(span)) => t.pass(span - MILLI).await?,
                (1, Some(span)) => t.pass(span).await?,
                _ => t.pass(Duration::from_millis(turn.wrapping_mul(331) % 9_000 + 1)).await?,
            }
        }
    }
    Ok(())
}

async fn add<S: Store, C: Clock>(t: &Trial<S, C>, merchant: &str, count: usize) -> Verdict {
    for turn in 0..count {
        t.add_of(merchant, &format!("{merchant} {turn}")).await?;
    }
    Ok(())
}

/// Claims what there are places for, and expects so many.
async fn places<S: Store, C: Clock>(
    t: &Trial<S, C>,
    when: &str,
    expected: usize,
) -> Result<Vec<Lease>, super::Seen> {
    let claimed = t.ask(&[lane("m")], 10, LEASE).await?.due;
    same(&format!("{when}, the places under a limit"), &claimed.len(), &expected)?;
    Ok(claimed.into_iter().map(|due| due.lease).collect())
}

pub(super) async fn unused_place_is_free<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.lane("m", Some(LIMIT)).await?;
    add(t, "m", 6).await?;
    for next in [due(HOUR, ""), ended("")] {
        let leases = places(t, "at the start", 2).await?;
        places(t, "with both places taken", 0).await?;
        for lease in &leases {
            t.written("a write without a read", lease, &plain(next.clone(), ReadMade::None)).await?;
        }
    }
    let leases = places(t, "after writes without a read", 2).await?;
    let [used, unused] = leases.as_slice() else { return Ok(()) };
    t.give_up(used, HOUR, ReadMade::Sent).await?;
    t.give_up(unused, HOUR, ReadMade::None).await?;
    t.add_of("m", "last").await?;
    t.add_of("m", "very last").await?;
    places(t, "after a read and a write without a read", 1).await.map(drop)
}

pub(super) async fn crashed_place_is_held<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.lane("m", Some(LIMIT)).await?;
    add(t, "m", 6).await?;
    places(t, "at the start", 2).await?;
    t.pass(LEASE).await?;
    places(t, "at the end of crashed leases", 0).await?;
    t.pass(HELD - MILLI).await?;
    places(t, "a millisecond before the span after the leases is over", 0).await?;
    t.pass(MILLI).await?;
    let leases = places(t, "when the span after the leases is over", 2).await?;
    // A write that keeps the lease keeps the place, whatever it says of a read.
    let [one, two] = leases.as_slice() else { return Ok(()) };
    for read in [ReadMade::None, ReadMade::Sent, ReadMade::Answered] {
        t.written("a write that keeps the lease", one, &plain(Next::Keep, read)).await?;
    }
    places(t, "after writes that keep the lease", 0).await?;
    // A late write that says no read was made frees its place, and a late read holds its place anew.
    t.pass(LEASE + HELD - MILLI).await?;
    t.give_up(two, HOUR, ReadMade::Sent).await?;
    t.pass(MILLI).await?;
    places(t, "after a late read, and a crash", 1).await?;
    t.pass(HELD - MILLI * 2).await?;
    places(t, "a millisecond before the span after a late read is over", 0).await?;
    t.pass(MILLI).await?;
    places(t, "when the span after a late read is over", 1).await.map(drop)
}

pub(super) async fn lost_claims_keep_their_place<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.lane("m", Some(RateLimit { requests: 1, ..LIMIT })).await?;
    add(t, "m", 1).await?;
    let leases = places(t, "at the start", 1).await?;
    let seen = t.row("m 0").await?;
    let decision =
        Decision { checkout: &seen, work: true, news: Vec::new(), act: "release", by: "Ada", reason: "" };
    same("a decision", &t.store.decide(&decision).await?, &Written::Done)?;
    places(t, "after a decision", 0).await?;
    for lease in &leases {
        t.lost("a write after a decision", lease, &plain(ended(""), ReadMade::None)).await?;
    }
    places(t, "after a lost write that says no read was made", 0).await?;
    t.pass(LEASE + HELD - MILLI).await?;
    places(t, "a millisecond before the span after a lost lease is over", 0).await?;
    t.pass(MILLI).await?;
    places(t, "when the span after a lost lease is over", 1).await.map(drop)
}

pub(super) async fn limits_are_of_their_lane<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let of = |provider: Provider, id: &str| Checkout { provider, ..row_of("m", id) };
    let peach = Lane::name_of(Provider::Peach, "m");
    let limits = [
        Lane { name: peach.clone(), limit: Some(LIMIT) },
        Lane { name: lane("other"), limit: Some(LIMIT) },
        Lane { name: lane("m"), limit: None },
    ];
    t.store.lanes(&limits).await?;
    for turn in 0..4 {
        t.insert(&of(Provider::Peach, &format!("one {turn}")), "", Duration::ZERO).await?;
        t.insert(&of(Provider::PeachV2, &format!("two {turn}")), "", Duration::ZERO).await?;
        t.insert(&of(Provider::AllScale, &format!("three {turn}")), "", Duration::ZERO).await?;
        t.add_of("other", &format!("four {turn}")).await?;
    }
    let claimed = t.ask(std::slice::from_ref(&peach), 10, LEASE).await?.due;
    same("the places of a merchant's two interfaces", &ids(&claimed).len(), &2)?;
    let all = t.ask(&[peach, lane("m"), lane("other")], 10, LEASE).await?.due;
    let count = |provider: Provider, merchant: &str| {
        let of = |due: &&super::Due| due.checkout.provider == provider && due.checkout.merchant == merchant;
        all.iter().filter(of).count()
    };
    same("the places of a lane without a limit", &count(Provider::AllScale, "m"), &4)?;
    same("the places of another lane", &count(Provider::AllScale, "other"), &2)?;
    same("the places of a merchant at the limit", &all.len(), &6)
}

pub(super) async fn lanes_stay_known<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add_of("m", "before its lane").await?;
    t.lane("m", Some(LIMIT)).await?;
    add(t, "m", 4).await?;
    let leases = places(t, "at the start", 2).await?;
    for lease in &leases {
        t.give_up(lease, HOUR, ReadMade::Answered).await?;
    }
    let write_wait = Duration::from_secs(600);
    t.lane("m", Some(LIMIT)).await?;
    t.store.lanes(&[]).await?;
    places(t, "after the lane was made known again", 0).await?;
    t.pass(HELD - MILLI).await?;
    t.lane("m", Some(LIMIT)).await?;
    places(t, "in the last millisecond of the span", 0).await?;
    t.pass(MILLI).await?;
    let leases = places(t, "when the span is over", 2).await?;
    for lease in &leases {
        let wait = Write { lane_wait: Some(write_wait), ..plain(ended(""), ReadMade::None) };
        t.written("a write with a wait", lease, &wait).await?;
    }
    t.lane("m", Some(LIMIT)).await?;
    places(t, "in a wait, after the lane was made known again", 0).await.map(drop)
}

pub(super) async fn zero_closes_a_lane<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.lane("m", Some(RateLimit { requests: 0, ..LIMIT })).await?;
    add(t, "m", 2).await?;
    places(t, "under a limit of zero", 0).await?;
    t.pass(HOUR).await?;
    places(t, "an hour under a limit of zero", 0).await?;
    t.lane("m", Some(LIMIT)).await?;
    places(t, "under a limit that was raised", 2).await.map(drop)
}

pub(super) async fn wait_binds_the_lane<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let minute = Duration::from_secs(60);
    for turn in 0..4 {
        t.add_of("m", &format!("m {turn}")).await?;
    }
    t.add_of("other", "other").await?;
    let one = t.ask(&[lane("m")], 2, LEASE).await?.due;
    let [first, second] = one.as_slice() else {
        return Err(super::Seen(format!("a claim of 2 found {:?}", ids(&one))));
    };
    let wait =
        |span: Duration| Write { lane_wait: Some(span), ..plain(due(Duration::ZERO, ""), ReadMade::Sent) };
    t.written("a write with a wait", &first.lease, &wait(minute)).await?;
    t.nudge("m 3").await?;
    t.claim_none("in a lane's wait").await?;
    let both = t.ask(&[lane("m"), lane("other")], 10, LEASE).await?.due;
    same("the work of two lanes, of which one waits", &ids(&both), &vec!["other"])?;
    // A shorter wait does not shorten the wait, and no wait does not end the wait.
    t.written("a write with a shorter wait", &second.lease, &Write { next: Next::Keep, ..wait(MILLI) })
        .await?;
    t.give_up(&second.lease, Duration::ZERO, ReadMade::Answered).await?;
    t.pass(minute - MILLI).await?;
    t.claim_none("in the last millisecond of a lane's wait").await?;
    t.pass(MILLI).await?;
    let all = t.claim(10).await?;
    same("the work after a wait", &all.len(), &4)?;
    // A longer wait prolongs the wait.
    let [first, second, ..] = all.as_slice() else { return Ok(()) };
    t.written("a write with a wait", &first.lease, &wait(minute)).await?;
    t.written("a write with a longer wait", &second.lease, &wait(minute * 2)).await?;
    t.pass(minute * 2 - MILLI).await?;
    t.claim_none("in the last millisecond of a longer wait").await?;
    t.pass(MILLI).await?;
    same("the work after a longer wait", &t.claim(10).await?.len(), &4)
}
