//! The laws of rows, lists, decisions and figures.

use super::{
    Clock, HOUR, LEASE, LIMIT, MILLI, Seen, Trial, Verdict, due, ended, holds, lane, news, plain, row,
    row_of, same,
};
use crate::checkout::{Checkout, Provider, State};
use crate::store::{
    Decided, Decision, Figures, Filter, Inserted, Lane, New, News, Next, Nudge, Nudged, ReadMade, Store,
    Subject, Target, Write, Written,
};
use checkout_tables::{Environment, Moment};
use checkout_trust::replay::{Key, Scheme};
use core::time::Duration;

pub(super) async fn clock_is_the_stores<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let start = t.now().await?;
    same("the clock that nobody moves", &t.now().await?, &start)?;
    t.pass(Duration::from_millis(12_345)).await?;
    let moved = start.saturating_add(Duration::from_millis(12_345));
    same("the clock after 12,345 ms", &t.now().await?, &moved)
}

/// The row as a store keeps it after its first write.
fn first(checkout: &Checkout, now: Moment) -> Checkout {
    Checkout { version: 1, created_at: now, changed_at: now, ..checkout.clone() }
}

pub(super) async fn insert_is_done_once<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let now = t.now().await?;
    let checkout = row("a");
    let inserted = t.store.insert(&New { checkout: &checkout, watch: "watch", lease: LEASE }).await?;
    let Inserted::Fresh(lease, kept) = inserted else {
        return Err(Seen("an insert of a new id was not fresh".into()));
    };
    same("the row of an insert", &kept, &first(&checkout, now))?;
    same("the id of an insert's lease", &lease.id.as_str(), &"a")?;
    t.pass(MILLI).await?;
    let mut other = row_of("other", "a");
    (other.state, other.reference, other.notes) = (State::Closed, "other".into(), "other".into());
    let both = [(&checkout, "the same row"), (&other, "another row with the same id")];
    for (again, what) in both {
        match t.store.insert(&New { checkout: again, watch: "other", lease: Duration::ZERO }).await? {
            Inserted::Exists(found) => same(what, &found, &first(&checkout, now))?,
            Inserted::Fresh(..) => return Err(Seen(format!("a second insert, of {what}, was fresh"))),
            Inserted::SameReference(_) => {
                return Err(Seen(format!("a second insert, of {what}, was told as one of another id")));
            }
        }
    }
    same("the row after a second insert", &t.row("a").await?, &first(&checkout, now))?;
    same("the number of rows", &t.store.list(&Filter::default()).await?.len(), &1)?;
    t.claim_none("after a second insert of leased work").await?;
    t.claim_none_of("other", "after a second insert for another merchant").await?;
    t.written("the first insert's write", &lease, &plain(Next::Keep, ReadMade::None)).await?;
    t.pass(LEASE).await?;
    same("the watch after a second insert", &t.claim_one("after the lease").await?.watch.as_str(), &"watch")
}

pub(super) async fn reference_is_of_one_checkout<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let now = t.now().await?;
    let with = |id: &str, provider: Provider, merchant: &str| Checkout {
        provider,
        reference: "reference".into(),
        ..row_of(merchant, id)
    };
    let one = with("a", Provider::Peach, "m");
    t.insert(&one, "", LEASE).await?;
    for provider in [Provider::Peach, Provider::PeachV2] {
        let other = with("b", provider, "m");
        match t.store.insert(&New { checkout: &other, watch: "", lease: LEASE }).await? {
            Inserted::SameReference(found) => {
                same("the row with the reference", &found, &first(&one, now))?;
            }
            Inserted::Fresh(..) | Inserted::Exists(_) => {
                return Err(Seen(format!("a second id of {provider} with the same reference was added")));
            }
        }
    }
    same("the row that was not added", &t.store.checkout("b").await?, &None)?;
    t.insert(&with("b", Provider::Peach, "other"), "", LEASE).await?;
    t.insert(&with("c", Provider::AllScale, "m"), "", LEASE).await?;
    same("the number of rows", &t.store.list(&Filter::default()).await?.len(), &3)?;
    let mut upper = with("d", Provider::Peach, "m");
    upper.reference = "Reference".into();
    t.insert(&upper, "", LEASE).await.map(drop)
}

pub(super) async fn insert_leases<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let leased = t.insert(&row("a"), "", LEASE).await?;
    t.claim_none("in an insert's lease").await?;
    t.pass(LEASE - MILLI).await?;
    t.claim_none("in the last millisecond of an insert's lease").await?;
    t.pass(MILLI).await?;
    let taken = t.claim_one("at the end of an insert's lease").await?;
    same("the tries, an insert's lease being the first", &taken.tries, &2)?;
    holds(taken.lease.fence > leased.fence, "a claim after an insert has no greater fence")?;
    t.lost("an insert's write after a claim", &leased, &plain(ended(""), ReadMade::None)).await?;
    t.end(&taken.lease).await?;

    let free = t.insert(&row("b"), "watch", Duration::ZERO).await?;
    t.lost("the write of an insert without a lease", &free, &plain(ended(""), ReadMade::None)).await?;
    let claimed = t.claim_one("after an insert without a lease").await?;
    same("the tries of the first claim", &claimed.tries, &1)?;
    same("the watch of an insert", &claimed.watch.as_str(), &"watch")?;
    holds(!claimed.nudged, "new work has a nudge")?;
    same("the id that an event named", &claimed.named, &None)?;
    t.written("a write of leased work", &claimed.lease, &plain(ended(""), ReadMade::None)).await?;

    let leased = t.insert(&row("c"), "", LEASE).await?;
    t.written("an insert's write", &leased, &plain(ended(""), ReadMade::None)).await?;
    t.pass(HOUR).await?;
    t.claim_none("after an insert's write ended the work").await
}

const TEXTS: [&str; 12] = [
    "",
    " ",
    "it's \"quoted\" `with` \\ every $1 ? :name @x %s -- /* ; */",
    "Ünïcödé ß ſ İ ı 支付 🧾👩‍🚀 \u{202e}right\u{202c}",
    "e\u{301} is not \u{e9}",
    "line\nline\r\n\ttab \u{1}\u{7f}\u{2028}",
    "{\"json\":[1.0,1e400,\"\\u0000\"],\"a\":1,\"a\":2}",
    "null",
    "NULL",
    "0012345678901234567890",
    " trailing ",
    "\u{feff}\u{10ffff}\u{fffd}",
];

pub(super) async fn texts_survive<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let long = "long ß ".repeat(70);
    let huge = "huge { 支付 } ".repeat(20_000);
    let texts: Vec<&str> = TEXTS.into_iter().chain([long.as_str()]).collect();
    let environments = [Environment::Live, Environment::Sandbox];
    for (turn, text) in texts.iter().enumerate() {
        let pick = |n: usize| turn.checked_rem(n).unwrap_or(0);
        let provider = Provider::ALL.get(pick(Provider::ALL.len())).copied().unwrap_or(Provider::Azotte);
        let state = State::ALL.get(pick(State::ALL.len())).copied().unwrap_or(State::Open);
        let subjects = [Subject::Settled, Subject::Failed, Subject::Refused, Subject::GaveUp, Subject::Held];
        let of_lane = Lane::name_of(provider, text);
        let some = |some: bool| some.then(|| (*text).to_owned());
        let mut checkout = Checkout {
            id: (*text).to_owned(),
            provider,
            merchant: (*text).to_owned(),
            environment: environments.get(pick(2)).copied().unwrap_or(Environment::Live),
            state,
            reference: (*text).to_owned(),
            checkout_id: some(turn != 3),
            page: some(turn != 4).map(Into::into),
            hold: some(turn != 5),
            notes: (*text).to_owned().into(),
            version: i64::MAX,
            created_at: Moment::from_unix_millis(i64::MIN),
            changed_at: Moment::from_unix_millis(i64::MAX),
        };
        let now = t.now().await?;
        t.insert(&checkout, text, Duration::ZERO).await?;
        same("a row with hard texts", &t.row(text).await?, &first(&checkout, now))?;
        let target = Target::Named { lane: &of_lane, checkout_id: Some("an id"), reference: Some(text) };
        let nudged = t.store.nudge(&Nudge { target, event: &[] }).await?;
        same("a nudge by a hard reference", &nudged, &Nudged::Queued { id: (*text).to_owned() })?;
        let claimed = t.ask(std::slice::from_ref(&of_lane), 1, LEASE).await?.due;
        let [found] = claimed.as_slice() else {
            return Err(Seen(format!("work of the lane {of_lane:?} was not claimed")));
        };
        same("a claimed row with hard texts", &found.checkout, &first(&checkout, now))?;
        same("the named id", &found.named.as_deref(), &Some("an id"))?;
        same("a hard watch", &found.watch.as_str(), text)?;
        checkout.notes = huge.clone().into();
        (checkout.page, checkout.hold, checkout.checkout_id) = (None, None, None);
        let told = News {
            key: format!("key {text}"),
            id: (*text).to_owned(),
            subject: subjects.get(pick(5)).copied().unwrap_or(Subject::Held),
            reason: some(turn != 6),
        };
        let write = Write {
            checkout: Some(checkout.clone()),
            next: due(Duration::ZERO, &huge),
            read: ReadMade::None,
            lane_wait: None,
            news: vec![told.clone()],
        };
        t.written("a write of hard texts", &found.lease, &write).await?;
        let kept = Checkout { version: 2, ..first(&checkout, now) };
        same("a row with a huge note and nothing else", &t.row(text).await?, &kept)?;
        let again = t.ask(&[of_lane], 1, LEASE).await?.due;
        let watch = again.first().map(|due| due.watch.as_str());
        holds(watch == Some(huge.as_str()), "a huge watch came back changed")?;
        let claimed = t.store.claim_news(10, LEASE).await?;
        let [news] = claimed.as_slice() else {
            return Err(Seen(format!("{} pieces of news were claimed, not 1", claimed.len())));
        };
        same("news with hard texts", &news.news, &told)?;
        same("news that was told", &t.store.news_told(&told.key, news.fence, None).await?, &Written::Done)?;
        let decision =
            Decision { checkout: &kept, work: false, news: Vec::new(), act: text, by: text, reason: text };
        same("a decision with hard texts", &t.store.decide(&decision).await?, &Written::Done)?;
        let text = || (*text).to_owned();
        let decided = Decided { at: now, act: text(), by: text(), reason: text() };
        same("the decision", &t.store.decisions(&text()).await?, &vec![decided])?;
    }
    same("the number of rows", &t.store.list(&Filter::default()).await?.len(), &texts.len())
}

pub(super) async fn writes_are_counted<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let start = t.now().await?;
    t.add("a").await?;
    let lease = t.claim_one("of new work").await?.lease;
    let write = |checkout: Option<Checkout>| Write { checkout, ..plain(Next::Keep, ReadMade::None) };
    let mut expected = first(&row("a"), start);
    for (state, hold) in [(State::Unsettled, Some("look")), (State::Open, None), (State::Settled, None)] {
        t.pass(MILLI).await?;
        let mut changed = row("a");
        (changed.state, changed.hold) = (state, hold.map(str::to_owned));
        changed.checkout_id = Some(format!("id in {state}"));
        changed.page = Some("https://pay.example/p".into());
        changed.notes = format!("note in {state}").into();
        (changed.version, changed.created_at) = (-5, Moment::from_unix_millis(0));
        t.written("a write of the row", &lease, &write(Some(changed.clone()))).await?;
        let version = expected.version.saturating_add(1);
        expected = Checkout { version, created_at: start, changed_at: t.now().await?, ..changed };
        same("the row after a write", &t.row("a").await?, &expected)?;
        t.pass(MILLI).await?;
        t.written("a write without a row", &lease, &write(None)).await?;
        same("the row after a write without a row", &t.row("a").await?, &expected)?;
    }
    t.add("b").await?;
    same("the row after an insert of another", &t.row("a").await?, &expected)?;
    same("a checkout that nobody added", &t.store.checkout("c").await?, &None)
}

pub(super) async fn list_is_chosen<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let mut ids: Vec<String> =
        ["b", "a", "B", "A", "_", "é", "e", "z", "Z", "10", "9", "a b", "ab", "支", "🧾", "\u{ffff}"]
            .into_iter()
            .map(str::to_owned)
            .collect();
    for (turn, id) in ids.iter().enumerate() {
        let mut checkout = row(id);
        if turn.is_multiple_of(2) {
            checkout.hold = Some(String::new());
        }
        checkout.state = if turn.is_multiple_of(3) { State::Unsettled } else { State::Open };
        t.insert(&checkout, "", LEASE).await?;
    }
    // The order of bytes, whatever the language of the store.
    ids.sort_unstable();
    let all = t.store.list(&Filter::default()).await?;
    let of = |rows: &[Checkout]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    let ids_of = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    same("the order of a list", &of(&all), &ids)?;
    let (mut pages, mut after) = (Vec::new(), None::<String>);
    for _ in 0..ids.len() {
        let filter = Filter { after: after.as_deref(), limit: 3, ..Filter::default() };
        let page = t.store.list(&filter).await?;
        holds(page.len() <= 3, "a list of at most 3 is longer")?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        pages.extend(of(&page));
    }
    same("the pages of a list", &pages, &ids)?;
    for state in [None, Some(State::Open), Some(State::Unsettled), Some(State::Closed)] {
        for held in [false, true] {
            let filter = Filter { id: None, state, held, after: Some("B"), limit: 50 };
            let chosen = |row: &&Checkout| {
                state.is_none_or(|state| row.state == state)
                    && (!held || row.hold.is_some())
                    && row.id.as_str() > "B"
            };
            let expected: Vec<Checkout> = all.iter().filter(chosen).cloned().collect();
            same(&format!("a list of {filter:?}"), &of(&t.store.list(&filter).await?), &of(&expected))?;
        }
    }
    for (filter, expected) in [
        (Filter { id: Some("a"), ..Filter::default() }, &["a"][..]),
        (Filter { id: Some("none"), ..Filter::default() }, &[]),
        (Filter { id: Some("ab"), after: Some("a"), ..Filter::default() }, &["ab"]),
        (Filter { id: Some("a"), after: Some("a"), ..Filter::default() }, &[]),
        (Filter { id: Some("é"), held: true, ..Filter::default() }, &[]),
        (Filter { id: Some("b"), held: true, state: Some(State::Unsettled), ..Filter::default() }, &["b"]),
        (Filter { id: Some("b"), state: Some(State::Open), ..Filter::default() }, &[]),
    ] {
        same(&format!("a list of {filter:?}"), &of(&t.store.list(&filter).await?), &ids_of(expected))?;
    }
    for more in 0..100 {
        t.insert(&row(&format!("more {more}")), "", LEASE).await?;
    }
    same("a list without a limit", &t.store.list(&Filter::default()).await?.len(), &100)?;
    let filter = Filter { limit: 1_000, ..Filter::default() };
    same("a list of all", &t.store.list(&filter).await?.len(), &ids.len().saturating_add(100))
}

pub(super) async fn overview_shows_the_work<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let start = t.now().await?;
    let shown = async |what: &str, expected: (bool, Option<Moment>, bool, u32)| {
        let seen = t.store.overview(&Filter { id: Some("a"), ..Filter::default() }).await?;
        let [seen] = seen.as_slice() else { return Err(Seen(format!("{what}: {} rows", seen.len()))) };
        same(&format!("the row {what}"), &seen.checkout, &t.row("a").await?)?;
        let found = (seen.nudged, seen.due, seen.leased, seen.tries);
        same(&format!("nudged, due, leased and tries {what}"), &found, &expected)
    };
    t.add("a").await?;
    t.add("b").await?;
    shown("of new work", (false, Some(start), false, 0)).await?;
    t.pass(MILLI).await?;
    let claimed = t.claim(10).await?;
    let due_at = start.saturating_add(MILLI + LEASE);
    shown("under a lease", (false, Some(due_at), true, 1)).await?;
    t.nudge("a").await?;
    shown("of a nudge under a lease", (true, Some(due_at), true, 1)).await?;
    t.pass(LEASE).await?;
    shown("at the lease's end", (true, Some(due_at), false, 1)).await?;
    let again = t.claim(10).await?;
    holds(claimed.len() == 2 && again.len() == 2, "a claim did not find the two that are due")?;
    let due_at = due_at.saturating_add(LEASE);
    shown("under a second lease", (true, Some(due_at), true, 2)).await?;
    let of_a = again.iter().find(|due| due.lease.id == "a").ok_or_else(|| Seen("no work of a".into()))?;
    t.give_up(&of_a.lease, HOUR, ReadMade::Answered).await?;
    let due_at = due_at.saturating_add(HOUR - LEASE);
    shown("after an answered read", (false, Some(due_at), false, 0)).await?;
    t.nudge("a").await?;
    shown("of a nudge", (true, Some(t.now().await?), false, 0)).await?;
    let lease = t.claim_one("after a nudge").await?.lease;
    t.end(&lease).await?;
    shown("of no work", (false, None, false, 0)).await
}

fn decision(checkout: &Checkout, work: bool) -> Decision<'_> {
    Decision { checkout, work, news: Vec::new(), act: "release", by: "Ada", reason: "paid in cash" }
}

pub(super) async fn decision_needs_the_version<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    let lease = t.claim_one("of new work").await?.lease;
    let seen = t.row("a").await?;
    let changed = Checkout { hold: Some("look".into()), ..seen.clone() };
    let write = Write { checkout: Some(changed), ..plain(Next::Keep, ReadMade::None) };
    t.written("a write of the row", &lease, &write).await?;
    let before = t.row("a").await?;
    for version in [seen.version, before.version.saturating_add(1), 0, i64::MIN, i64::MAX] {
        let stale = Checkout { state: State::Closed, version, ..before.clone() };
        let stale = Decision { news: vec![news("n", "a")], ..decision(&stale, true) };
        let what = format!("a decision with version {version} of {}", before.version);
        same(&what, &t.store.decide(&stale).await?, &Written::Lost)?;
    }
    let unknown = Checkout { version: 1, ..row("unknown") };
    same("a decision of no row", &t.store.decide(&decision(&unknown, true)).await?, &Written::Lost)?;
    same("the row after lost decisions", &t.row("a").await?, &before)?;
    same("the decisions after lost decisions", &t.store.decisions("a").await?, &Vec::new())?;
    same("the row that a decision invents", &t.store.checkout("unknown").await?, &None)?;
    holds(t.store.claim_news(10, LEASE).await?.is_empty(), "a lost decision told news")?;
    t.claim_none("after lost decisions, in the lease").await?;
    t.written("a write after lost decisions", &lease, &plain(Next::Keep, ReadMade::None)).await?;
    t.pass(MILLI).await?;
    let right = Checkout { state: State::Closed, hold: None, ..before.clone() };
    let right = Decision { news: vec![news("n", "a")], ..decision(&right, false) };
    same("a decision with the version", &t.store.decide(&right).await?, &Written::Done)?;
    let after = Checkout {
        state: State::Closed,
        hold: None,
        version: before.version.saturating_add(1),
        changed_at: t.now().await?,
        ..before
    };
    same("the row after a decision", &t.row("a").await?, &after)?;
    same("the news of a decision", &t.store.claim_news(10, LEASE).await?.len(), &1)?;
    same("the same decision again", &t.store.decide(&right).await?, &Written::Lost)
}

pub(super) async fn decision_takes_the_lease<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.insert(&row("a"), "watch", Duration::ZERO).await?;
    let lost = t.claim_one("of new work").await?.lease;
    let seen = t.row("a").await?;
    same("a decision", &t.store.decide(&decision(&seen, true)).await?, &Written::Done)?;
    t.lost("a write after a decision", &lost, &plain(ended("other"), ReadMade::None)).await?;
    let held = t.claim_one("after a decision with work").await?;
    same("the watch after a decision", &held.watch.as_str(), &"watch")?;
    same("the tries after a decision", &held.tries, &1)?;
    let seen = t.row("a").await?;
    same("a decision", &t.store.decide(&decision(&seen, false)).await?, &Written::Done)?;
    t.lost("a write after a decision", &held.lease, &plain(due(MILLI, ""), ReadMade::None)).await?;
    t.pass(HOUR).await?;
    t.claim_none("after a decision without work").await?;
    t.nudge("a").await?;
    same("the watch after all", &t.claim_one("after a nudge").await?.watch.as_str(), &"watch")?;
    // Work that waits is due at once.
    t.add("b").await?;
    t.give_up(&t.claim_one("of new work").await?.lease, HOUR, ReadMade::None).await?;
    let seen = t.row("b").await?;
    same("a decision", &t.store.decide(&decision(&seen, true)).await?, &Written::Done)?;
    same("the decided work", &t.claim_one("after a decision with work").await?.lease.id.as_str(), &"b")
}

pub(super) async fn unanswered_nudges_outlive_decisions<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let (of, scheme) = (lane("m"), Scheme::named("conformance").ok_or_else(|| Seen("no scheme".into()))?);
    let nudge = async |named: &str, expected: Nudged| {
        let event = [Key::new(scheme, "m", [named], HOUR)];
        let target = Target::Named { lane: &of, checkout_id: Some(named), reference: Some("reference of a") };
        let nudged = t.store.nudge(&Nudge { target, event: &event }).await?;
        same(&format!("the event of {named}"), &nudged, &expected)
    };
    let queued = || Nudged::Queued { id: "a".into() };
    let decide = async |work: bool| {
        let seen = t.row("a").await?;
        same("a decision", &t.store.decide(&decision(&seen, work)).await?, &Written::Done)
    };
    let claim = async |when: String, named: Option<&str>| {
        let claimed = t.claim_one(&when).await?;
        same(&format!("{when}, a nudge waits"), &claimed.nudged, &true)?;
        same(&format!("{when}, the id that an event named"), &claimed.named.as_deref(), &named)?;
        same(&format!("{when}, the tries"), &claimed.tries, &1)?;
        same(&format!("{when}, the watch"), &claimed.watch.as_str(), &"watch")?;
        Ok::<_, Seen>(claimed.lease)
    };
    t.insert(&row("a"), "watch", Duration::ZERO).await?;
    let mut lease = t.claim_one("of new work").await?.lease;
    for work in [false, true] {
        let what = format!("after a decision with work {work}");
        let (first, second) = (format!("first {work}"), format!("second {work}"));
        // The work waits, and an event comes before the decision.
        t.written("a write with a due", &lease, &plain(due(HOUR, "watch"), ReadMade::None)).await?;
        nudge(&first, queued()).await?;
        decide(work).await?;
        let held = claim(format!("{what} of waiting work"), Some(&first)).await?;
        // The work is leased: a decision comes before the write, with another event or without.
        decide(work).await?;
        t.lost("a write after a decision", &held, &plain(ended("stolen"), ReadMade::Answered)).await?;
        let held = claim(format!("{what} of leased work"), Some(&first)).await?;
        nudge(&second, queued()).await?;
        decide(work).await?;
        t.lost("a write after a decision", &held, &plain(ended("stolen"), ReadMade::Answered)).await?;
        nudge(&first, Nudged::Pending).await?;
        let held = claim(format!("{what} of leased work, with an event"), Some(&second)).await?;
        // The work has ended by a read that no answer came to: there is no work to keep, and yet a nudge.
        t.written("an end without an answer", &held, &plain(ended("watch"), ReadMade::Sent)).await?;
        t.claim_none("after an end without an answer").await?;
        decide(work).await?;
        let held = claim(format!("{what} of ended work"), None).await?;
        // Once answered, nothing waits.
        t.written("an answered end", &held, &plain(ended("watch"), ReadMade::Answered)).await?;
        nudge(&first, Nudged::Done).await?;
        nudge(&second, Nudged::Done).await?;
        decide(false).await?;
        t.pass(HOUR).await?;
        t.claim_none("after a decision without work, with all nudges answered").await?;
        decide(true).await?;
        let claimed = t.claim_one("after a decision with work").await?;
        same("a nudge that was answered before the decision", &claimed.nudged, &false)?;
        lease = claimed.lease;
    }
    Ok(())
}

pub(super) async fn decisions_are_kept<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    t.add("a").await?;
    t.add("b").await?;
    let mut expected = Vec::new();
    for (act, by, reason) in [("release", "Ada", "paid in cash"), ("close", "Bob", ""), ("release", "", "x")]
    {
        let seen = t.row("a").await?;
        let decision = Decision { act, by, reason, ..decision(&seen, true) };
        same("a decision", &t.store.decide(&decision).await?, &Written::Done)?;
        let text = str::to_owned;
        expected.push(Decided { at: t.now().await?, act: text(act), by: text(by), reason: text(reason) });
        same("the decisions", &t.store.decisions("a").await?, &expected)?;
        // Two of one moment, too.
        t.pass(if act == "close" { Duration::ZERO } else { MILLI }).await?;
    }
    same("the decisions of another", &t.store.decisions("b").await?, &Vec::new())?;
    same("the decisions of no row", &t.store.decisions("c").await?, &Vec::new())
}

/// The figures, without what a database says of itself.
pub(super) async fn own_figures<S: Store, C: Clock>(t: &Trial<S, C>) -> Result<Figures, Seen> {
    Ok(Figures { dead_rows: None, oldest_transaction: None, ..t.store.figures().await? })
}

/// A store whose limits are elsewhere does not know what waits for them, and what is taken under them.
pub(super) async fn figures<S: Store, C: Clock>(t: &Trial<S, C>, what: &str, expected: &Figures) -> Verdict {
    let found = own_figures(t).await?;
    let waiting = found.waiting.and(expected.waiting);
    let limit_used = found.limit_used.and(expected.limit_used);
    same(what, &found, &Figures { waiting, limit_used, ..expected.clone() })
}

pub(super) async fn figures_move<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let mut expected = Figures { waiting: Some(0), limit_used: Some(0), ..Figures::default() };
    let second = Duration::from_secs(1);
    figures(t, "the figures of an empty store", &expected).await?;
    t.lane("m", Some(LIMIT)).await?;
    for id in ["a", "b", "c"] {
        t.add(id).await?;
    }
    expected.work = 3;
    figures(t, "the figures of three due", &expected).await?;
    t.pass(second).await?;
    expected.oldest_due = second;
    figures(t, "the figures a second later", &expected).await?;
    let claimed = t.claim(10).await?;
    let [first, second_claim] = claimed.as_slice() else {
        return Err(Seen(format!("a lane with a limit of 2 gave {:?}", super::ids(&claimed))));
    };
    (expected.leased, expected.waiting, expected.limit_used) = (2, Some(1), Some(2));
    figures(t, "the figures of two leased, and one at its lane's limit", &expected).await?;
    let mut held = row("a");
    held.hold = Some("look".into());
    let write = Write {
        checkout: Some(held),
        news: vec![news("n", "a"), news("o", "a")],
        ..plain(ended(""), ReadMade::None)
    };
    t.written("a write", &first.lease, &write).await?;
    (expected.work, expected.leased, expected.held, expected.news) = (2, 1, 1, 2);
    // The place of the read that ended is free.
    (expected.waiting, expected.limit_used) = (Some(0), Some(1));
    figures(t, "the figures after an end", &expected).await?;
    let target = Target::Named { lane: &lane("m"), checkout_id: Some("?"), reference: None };
    same("an event of nobody", &t.store.nudge(&Nudge { target, event: &[] }).await?, &Nudged::Unmatched)?;
    expected.unmatched = 1;
    figures(t, "the figures after an event of nobody", &expected).await?;
    let last = t.claim_one("after a place was freed").await?;
    (expected.leased, expected.oldest_due, expected.limit_used) = (2, Duration::ZERO, Some(2));
    figures(t, "the figures of all leased", &expected).await?;
    t.pass(LEASE + second).await?;
    // The places of claims without an outcome are held for longer than the leases.
    (expected.leased, expected.oldest_due, expected.waiting) = (0, second, Some(2));
    figures(t, "the figures a second after the leases", &expected).await?;
    for lease in [&last.lease, &second_claim.lease] {
        t.end(lease).await?;
    }
    (expected.work, expected.oldest_due, expected.waiting) = (0, Duration::ZERO, Some(0));
    let told = t.store.claim_news(1, LEASE).await?;
    figures(t, "the figures of leased news", &expected).await?;
    for news in told {
        same("told", &t.store.news_told(&news.news.key, news.fence, None).await?, &Written::Done)?;
    }
    expected.news = 1;
    figures(t, "the figures after news was told", &expected).await?;
    t.pass(HOUR).await?;
    expected.limit_used = Some(0);
    figures(t, "the figures after the spans of the reads", &expected).await?;
    // Nothing is taken where nothing is limited.
    t.add_of("other", "d").await?;
    t.claim_one_of("other", "of a lane without a limit").await?;
    (expected.work, expected.leased) = (1, 1);
    figures(t, "the figures of work without a limit", &expected).await
}

pub(super) async fn spans_may_be_endless<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let (nano, year) = (Duration::from_nanos(1), HOUR * 24 * 365);
    t.lane("m", Some(LIMIT)).await?;
    t.add("a").await?;
    let lease = t.claim_one("of new work").await?.lease;
    t.give_up(&lease, nano, ReadMade::None).await?;
    t.claim_none("a part of a millisecond before the due").await?;
    t.pass(MILLI).await?;
    let lease = t.claim_one("a millisecond later").await?.lease;
    t.give_up(&lease, Duration::MAX, ReadMade::None).await?;
    t.insert(&row("b"), "", Duration::MAX).await?;
    t.add("c").await?;
    let held = t.ask(&[lane("m")], 1, Duration::MAX).await?.due;
    same("the work for an endless lease", &super::ids(&held), &vec!["c"])?;
    t.pass(year).await?;
    t.claim_none("a year into endless leases and spans").await?;
    t.nudge("a").await?;
    let lease = t.claim_one("of endless work that was nudged").await?.lease;
    let write = Write {
        lane_wait: Some(Duration::MAX),
        news: vec![news("n", "a")],
        ..plain(due(Duration::ZERO, ""), ReadMade::None)
    };
    t.written("a write with an endless wait", &lease, &write).await?;
    t.pass(year).await?;
    t.claim_none("a year into an endless wait").await?;
    let told = t.store.claim_news(1, Duration::MAX).await?;
    let [told] = told.as_slice() else { return Err(Seen("news was not claimed".into())) };
    t.pass(year).await?;
    holds(t.store.claim_news(1, LEASE).await?.is_empty(), "an endless lease of news ended")?;
    let again = t.store.news_told("n", told.fence, Some(Duration::MAX)).await?;
    same("news to be told again at the end of time", &again, &Written::Done)?;
    t.pass(year).await?;
    holds(t.store.claim_news(1, LEASE).await?.is_empty(), "an endless span of news ended")?;

    // An event that is remembered for ever.
    t.add_of("other", "d").await?;
    let scheme = Scheme::named("conformance").ok_or_else(|| Seen("no scheme".into()))?;
    let key = Key::new(scheme, "m", ["for ever"], Duration::MAX);
    let nudge = Nudge { target: Target::Id("d"), event: &[key] };
    same("an event", &t.store.nudge(&nudge).await?, &Nudged::Queued { id: "d".into() })?;
    t.end(&t.claim_one_of("other", "after an event").await?.lease).await?;
    t.pass(year).await?;
    same("a sweep of an event for ever", &t.store.sweep(10).await?, &0)?;
    same("an event for ever", &t.store.nudge(&nudge).await?, &Nudged::Done)
}
