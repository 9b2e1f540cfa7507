//! The laws of webhooks' events.

use super::{Clock, HOUR, LEASE, MILLI, Seen, Trial, Verdict, ended, lane, plain, row, same};
use crate::checkout::Checkout;
use crate::store::{Nudge, Nudged, ReadMade, Store, Target, UNMATCHED_KEPT, Unmatched};
use checkout_tables::Moment;
use checkout_trust::replay::{Key, Scheme};
use core::time::Duration;

/// An event that is remembered for an hour.
fn event(name: &str) -> Result<Key, Seen> {
    kept(name, HOUR)
}

fn kept(name: &str, retention: Duration) -> Result<Key, Seen> {
    let scheme = Scheme::named("conformance").ok_or_else(|| Seen("no scheme".into()))?;
    Ok(Key::new(scheme, "m", [name], retention))
}

fn queued(id: &str) -> Nudged {
    Nudged::Queued { id: id.to_owned() }
}

async fn hears<S: Store, C: Clock>(
    t: &Trial<S, C>,
    when: &str,
    id: &str,
    keys: &[Key],
    expected: &Nudged,
) -> Verdict {
    let nudged = t.store.nudge(&Nudge { target: Target::Id(id), event: keys }).await?;
    same(&format!("an event {when}"), &nudged, expected)
}

pub(super) async fn event_is_done_with_its_read<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    t.add("b").await?;
    let one = [event("one")?];
    hears(t, "that is new", "a", &one, &queued("a")).await?;
    hears(t, "before its read", "a", &one, &Nudged::Pending).await?;
    hears(t, "before its read, for another checkout", "b", &one, &Nudged::Pending).await?;
    for read in [ReadMade::None, ReadMade::Sent] {
        let mut claimed = t.claim(10).await?;
        claimed.retain(|due| due.lease.id == "a");
        let [due] = claimed.as_slice() else { return Err(Seen("the work of an event was not due".into())) };
        hears(t, "in the lease of its read", "a", &one, &Nudged::Pending).await?;
        t.give_up(&due.lease, Duration::ZERO, read).await?;
        hears(t, &format!("after a read {read:?}"), "a", &one, &Nudged::Pending).await?;
    }
    // The read of another answers nothing.
    t.pass(LEASE).await?;
    for due in t.claim(10).await? {
        if due.lease.id == "b" {
            t.end(&due.lease).await?;
        }
    }
    hears(t, "after a crash and the read of another checkout", "a", &one, &Nudged::Pending).await?;
    t.pass(LEASE).await?;
    let due = t.claim_one("after a crash").await?;
    t.written(
        "an answered write that keeps the lease",
        &due.lease,
        &plain(super::Next::Keep, ReadMade::Answered),
    )
    .await?;
    hears(t, "after its read", "a", &one, &Nudged::Done).await?;
    t.written("an end", &due.lease, &plain(ended(""), ReadMade::None)).await?;
    hears(t, "after the end", "a", &one, &Nudged::Done).await?;
    t.claim_none("after an event that is done").await?;
    // By the end of work, too.
    let two = [event("two")?];
    hears(t, "that is new", "a", &two, &queued("a")).await?;
    t.end(&t.claim_one("after an event").await?.lease).await?;
    hears(t, "after its read", "a", &two, &Nudged::Done).await
}

pub(super) async fn later_events_stay_pending<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    let (early, late) = ([event("early")?], [event("late")?]);
    hears(t, "that is new", "a", &early, &queued("a")).await?;
    let due = t.claim_one("after an event").await?;
    hears(t, "that is new, in a lease", "a", &late, &queued("a")).await?;
    t.end(&due.lease).await?;
    hears(t, "before the claim", "a", &early, &Nudged::Done).await?;
    hears(t, "after the claim", "a", &late, &Nudged::Pending).await?;
    let due = t.claim_one("after an event in the lease").await?;
    same("a nudge waits", &due.nudged, &true)?;
    // A takeover answers for all events up to its own claim, and the first claim for none.
    t.pass(LEASE).await?;
    let last = [event("last")?];
    hears(t, "that is new, after a lease", "a", &last, &queued("a")).await?;
    let takeover = t.claim_one("after a crash").await?;
    t.end(&takeover.lease).await?;
    hears(t, "before a takeover", "a", &late, &Nudged::Done).await?;
    hears(t, "before a takeover, after the lease", "a", &last, &Nudged::Done).await
}

pub(super) async fn every_key_is_known<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.insert(&row("a"), "", Duration::ZERO).await?;
    let (delivery, again, content, other) =
        (event("delivery")?, event("again")?, event("content")?, event("other")?);
    hears(t, "of two keys", "a", &[delivery, content], &queued("a")).await?;
    for key in [delivery, content] {
        hears(t, "by one of its keys", "a", &[key], &Nudged::Pending).await?;
    }
    hears(t, "of a known content, delivered again", "a", &[again, content], &Nudged::Pending).await?;
    hears(t, "of its keys in another order", "a", &[content, delivery], &Nudged::Pending).await?;
    t.end(&t.claim_one("after an event").await?.lease).await?;
    for keys in [&[delivery][..], &[content], &[again, content], &[content, other]] {
        hears(t, "after its read, by one of its keys", "a", keys, &Nudged::Done).await?;
    }
    t.claim_none("after events that are done").await?;
    // The keys beside a known one were not noted.
    for key in [other, again] {
        hears(t, "that is new", "a", &[key], &queued("a")).await?;
    }
    // Done goes before pending.
    hears(t, "of a pending and a done key", "a", &[other, content], &Nudged::Done).await
}

pub(super) async fn events_are_kept<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    let (short, long) = ([kept("short", MILLI * 10)?], [kept("long", HOUR * 24)?]);
    hears(t, "that is new", "a", &short, &queued("a")).await?;
    hears(t, "that is new", "a", &long, &queued("a")).await?;
    t.pass(HOUR * 48).await?;
    same("a sweep of pending events", &t.store.sweep(100).await?, &0)?;
    hears(t, "that is pending after its retention", "a", &short, &Nudged::Pending).await?;
    t.end(&t.claim_one("after events").await?.lease).await?;
    t.pass(MILLI * 10).await?;
    hears(t, "in the last millisecond of its retention", "a", &short, &Nudged::Done).await?;
    same("a sweep of kept events", &t.store.sweep(100).await?, &0)?;
    hears(t, "in its retention, after a sweep", "a", &short, &Nudged::Done).await?;
    t.pass(MILLI).await?;
    // Whether a sweep has come by or not.
    hears(t, "after its retention", "a", &short, &queued("a")).await?;
    hears(t, "that is pending again", "a", &short, &Nudged::Pending).await?;
    same("a sweep of an event that is pending again", &t.store.sweep(100).await?, &0)?;
    hears(t, "that is pending again, after a sweep", "a", &short, &Nudged::Pending).await?;
    hears(t, "with time left", "a", &long, &Nudged::Done).await?;
    t.end(&t.claim_one("after an event").await?.lease).await?;
    hears(t, "after its second read", "a", &short, &Nudged::Done).await?;
    t.pass(HOUR * 24 - MILLI * 11).await?;
    hears(t, "in the last millisecond of its retention", "a", &long, &Nudged::Done).await?;
    same("a sweep of what is over", &t.store.sweep(100).await?, &1)?;
    hears(t, "in the last millisecond of its retention", "a", &long, &Nudged::Done).await
}

pub(super) async fn sweep_deletes_what_is_over<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    for turn in 0..7 {
        hears(t, "that is new", "a", &[event(&format!("event {turn}"))?], &queued("a")).await?;
    }
    t.end(&t.claim_one("after events").await?.lease).await?;
    t.pass(HOUR + MILLI).await?;
    hears(t, "that is new", "a", &[event("pending")?], &queued("a")).await?;
    for (most, expected) in [(0, 0), (3, 3), (2, 2), (100, 2), (100, 0)] {
        same(&format!("a sweep of at most {most}"), &t.store.sweep(most).await?, &expected)?;
    }
    hears(t, "that is pending, after sweeps", "a", &[event("pending")?], &Nudged::Pending).await?;
    hears(t, "that was swept", "a", &[event("event 3")?], &queued("a")).await?;
    let lane = lane("m");
    for turn in 0..3 {
        let nobody = format!("p{turn}");
        let target = Target::Named { lane: &lane, checkout_id: Some(&nobody), reference: None };
        let unmatched = t.store.nudge(&Nudge { target, event: &[event(&nobody)?] }).await?;
        same("an event of no checkout", &unmatched, &Nudged::Unmatched)?;
        t.pass(MILLI).await?;
    }
    t.pass(UNMATCHED_KEPT - MILLI).await?;
    for (most, expected) in [(0, 0), (1, 1), (100, 1), (100, 0)] {
        same(
            &format!("a sweep of at most {most} events of no checkout"),
            &t.store.sweep(most).await?,
            &expected,
        )?;
    }
    same("the events of no checkout that are left", &t.store.figures().await?.unmatched, &1)?;
    t.row("a").await.map(drop)
}

pub(super) async fn unmatched_events_are_noted<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let (m, n) = (lane("m"), lane("n"));
    let keys = [event("event")?];
    let by = async |lane: &str, checkout_id: Option<&str>, keys: &[Key], expected: &Nudged| {
        let target = Target::Named { lane, checkout_id, reference: Some("reference of a") };
        same("an event", &t.store.nudge(&Nudge { target, event: keys }).await?, expected)
    };
    by(&m, Some("p1"), &keys, &Nudged::Unmatched).await?;
    by(&m, Some("p1"), &keys, &Nudged::Unmatched).await?;
    same("the unmatched events, one of them twice", &t.store.figures().await?.unmatched, &1)?;
    by(&m, Some("p2"), &[event("another")?], &Nudged::Unmatched).await?;
    by(&n, Some("p1"), &[event("third")?], &Nudged::Unmatched).await?;
    by(&n, None, &[event("fourth")?], &Nudged::Unmatched).await?;
    same("the unmatched events", &t.store.figures().await?.unmatched, &4)?;
    let unknown = t.store.nudge(&Nudge { target: Target::Id("a"), event: &[] }).await?;
    same("the shop's nudge of nothing", &unknown, &Nudged::Unmatched)?;
    same("the unmatched events", &t.store.figures().await?.unmatched, &4)?;
    t.add("a").await?;
    by(&m, Some("p1"), &keys, &queued("a")).await?;
    by(&m, Some("p1"), &keys, &Nudged::Pending).await?;
    same("the unmatched events of the other lane", &t.store.figures().await?.unmatched, &2)
}

/// The ids of an event: the lane, the provider's id and the reference.
type Ids<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

pub(super) async fn unmatched_events_are_listed<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let (m, n) = (lane("m"), lane("n"));
    let events: [Ids<'_>; 6] = [
        (&m, Some("p1"), Some("reference of a")),
        (&n, Some("p1"), None),
        (&m, None, Some("reference of b")),
        (&m, Some(""), Some("")),
        (&m, Some("id of c"), None),
        (&m, Some("p0"), Some("r0")),
    ];
    let mut expected: Vec<(Ids<'_>, Moment)> = Vec::new();
    for (number, ids) in events.into_iter().enumerate() {
        expected.push((ids, t.now().await?));
        // The first of two decides.
        for again in ["", " again"] {
            let target = Target::Named { lane: ids.0, checkout_id: ids.1, reference: ids.2 };
            let key = [event(&format!("event {number}{again}"))?];
            same("an event", &t.store.nudge(&Nudge { target, event: &key }).await?, &Nudged::Unmatched)?;
            t.pass(MILLI).await?;
        }
    }
    let listed = async |what: &str, expected: &[(Ids<'_>, Moment)]| {
        let all = t.store.unmatched(0, 100).await?;
        let ids =
            |of: &Unmatched| (of.lane.clone(), of.checkout_id.clone(), of.reference.clone(), of.seen_at);
        let owned = |((lane, id, reference), at): &(Ids<'_>, Moment)| {
            ((*lane).to_owned(), id.map(str::to_owned), reference.map(str::to_owned), *at)
        };
        let expected: Vec<_> = expected.iter().map(owned).collect();
        same(what, &all.iter().map(ids).collect::<Vec<_>>(), &expected)?;
        let (mut pages, mut after) = (Vec::new(), 0);
        for _ in 0..all.len() {
            let page = t.store.unmatched(after, 2).await?;
            let Some(last) = page.last() else { break };
            let left = all.len().saturating_sub(pages.len());
            same("the length of a page of at most 2", &page.len(), &left.min(2))?;
            after = last.number;
            pages.extend(page);
        }
        same(&format!("{what}, page by page"), &pages, &all)?;
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        same(&format!("{what}, counted"), &t.store.figures().await?.unmatched, &count)
    };
    listed("the unmatched events", &expected).await?;
    // A checkout has the ids of some of them: by the reference, and by the provider's id.
    t.add("a").await?;
    t.insert(&Checkout { checkout_id: Some("id of c".into()), ..row("c") }, "", Duration::ZERO).await?;
    expected.retain(|((lane, id, reference), _)| {
        *lane == n || !(*reference == Some("reference of a") || *id == Some("id of c"))
    });
    listed("the unmatched events that are left", &expected).await?;
    t.add_of("n", "b").await?;
    listed("the unmatched events beside a checkout of another lane", &expected).await
}
