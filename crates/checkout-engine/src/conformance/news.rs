//! The laws of news.

use super::{Clock, HOUR, LEASE, MILLI, Seen, Trial, Verdict, ended, holds, lane, news, plain, same};
use crate::store::{ClaimedNews, News, Next, ReadMade, SUSPECT, Store, Subject, Write, Written};
use core::time::Duration;
use std::collections::BTreeSet;

/// Adds a checkout, and tells news of it.
async fn tell<S: Store, C: Clock>(t: &Trial<S, C>, id: &str, news: Vec<News>) -> Verdict {
    t.add(id).await?;
    let lease = t.claim_one("of new work").await?.lease;
    t.written("a write with news", &lease, &Write { news, ..plain(ended(""), ReadMade::Answered) }).await
}

async fn claim<S: Store, C: Clock>(t: &Trial<S, C>, when: &str) -> Result<ClaimedNews, Seen> {
    let mut claimed = t.store.claim_news(10, LEASE).await?;
    match (claimed.pop(), claimed.len()) {
        (Some(news), 0) => Ok(news),
        (_, more) => Err(Seen(format!("{when}, a claim found {more} pieces of news, not 1"))),
    }
}

async fn none<S: Store, C: Clock>(t: &Trial<S, C>, when: &str) -> Verdict {
    let claimed = t.store.claim_news(10, LEASE).await?;
    holds(claimed.is_empty(), &format!("{when}, a claim found {} pieces of news", claimed.len()))
}

async fn flag<S: Store, C: Clock>(t: &Trial<S, C>, when: &str, expected: bool) -> Verdict {
    let claimed = t.ask(&[lane("m")], 10, LEASE).await?;
    same(&format!("{when}, a claim of work says that there is news"), &claimed.news, &expected)
}

pub(super) async fn news_is_leased<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    none(t, "in an empty store").await?;
    flag(t, "in an empty store", false).await?;
    let told = News { subject: Subject::Failed, reason: Some("declined".into()), ..news("n", "a") };
    tell(t, "a", vec![told.clone()]).await?;
    let mut last = i64::MIN;
    for tries in 1..5 {
        flag(t, "with news", true).await?;
        let claimed = claim(t, "with news").await?;
        same("the news", &claimed.news, &told)?;
        same("the tries of news", &claimed.tries, &tries)?;
        same("the failures of news that nobody has told", &claimed.failed, &0)?;
        holds(claimed.fence > last, "the fence of a later claim of news is not greater")?;
        last = claimed.fence;
        flag(t, "with leased news", false).await?;
        none(t, "with leased news").await?;
        t.pass(LEASE - MILLI).await?;
        none(t, "in the last millisecond of the lease of news").await?;
        t.pass(MILLI).await?;
    }
    same("news that is told", &t.store.news_told("n", last, None).await?, &Written::Done)?;
    flag(t, "with told news", false).await?;
    t.pass(HOUR).await?;
    none(t, "with told news").await
}

pub(super) async fn news_needs_its_fence<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    tell(t, "a", vec![news("n", "a")]).await?;
    let lost = |what: &'static str| move |written: Written| same(what, &written, &Written::Lost);
    for fence in [-1, 1, i64::MIN, i64::MAX] {
        lost("news that nobody claimed")(t.store.news_told("n", fence, None).await?)?;
    }
    let old = claim(t, "with news").await?.fence;
    t.pass(LEASE).await?;
    let new = claim(t, "after the lease of news").await?.fence;
    for again in [None, Some(Duration::ZERO), Some(HOUR)] {
        lost("news under an old fence")(t.store.news_told("n", old, again).await?)?;
        lost("news that is not there")(t.store.news_told("o", new, again).await?)?;
    }
    none(t, "with leased news, after lost writes").await?;
    t.pass(LEASE).await?;
    same("news that is told late", &t.store.news_told("n", new, None).await?, &Written::Done)?;
    for again in [None, Some(Duration::ZERO)] {
        lost("news that is told already")(t.store.news_told("n", new, again).await?)?;
    }
    t.pass(HOUR).await?;
    none(t, "with told news").await
}

pub(super) async fn news_comes_again<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    tell(t, "a", vec![news("n", "a")]).await?;
    let mut told = claim(t, "with news").await?;
    for (failed, span) in [(1, MILLI), (2, HOUR), (3, Duration::ZERO)] {
        t.pass(MILLI).await?;
        same("news to tell again", &t.store.news_told("n", told.fence, Some(span)).await?, &Written::Done)?;
        if !span.is_zero() {
            none(t, "before the span").await?;
            t.pass(span - MILLI).await?;
            none(t, "in the last millisecond of the span").await?;
            t.pass(MILLI).await?;
        }
        told = claim(t, "after the span").await?;
        same("the tries of news since a telling ended", &told.tries, &1)?;
        same("the failures of news", &told.failed, &failed)?;
    }
    same("news that is told", &t.store.news_told("n", told.fence, None).await?, &Written::Done)
}

pub(super) async fn suspect_news_comes_alone<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    async fn keys<S: Store, C: Clock>(t: &Trial<S, C>, what: &str, expected: &[&str]) -> Verdict {
        let claimed = t.store.claim_news(10, LEASE).await?;
        let keys: Vec<&str> = claimed.iter().map(|one| one.news.key.as_str()).collect();
        same(what, &keys, &expected.to_vec())
    }
    tell(t, "a", vec![news("s", "a")]).await?;
    for _ in 0..SUSPECT {
        claim(t, "of news whose tellings do not end").await?;
        t.pass(LEASE).await?;
    }
    t.pass(MILLI).await?;
    tell(t, "b", vec![news("n", "b"), news("o", "b")]).await?;
    flag(t, "with suspect news and others", true).await?;
    keys(t, "the suspect, which is the earliest", &["s"]).await?;
    flag(t, "with the news behind a suspect", true).await?;
    keys(t, "the news behind a suspect", &["n", "o"]).await?;
    t.pass(LEASE).await?;
    keys(t, "the news of the moment of a suspect", &["n", "o"]).await?;
    let suspect = claim(t, "of the suspect behind other news").await?;
    same("the tries of a suspect", &suspect.tries, &(SUSPECT + 2))?;
    let told = t.store.news_told("s", suspect.fence, Some(LEASE)).await?;
    same("a suspect whose telling has ended", &told, &Written::Done)?;
    t.pass(LEASE).await?;
    keys(t, "the news, with none that is suspect", &["n", "o", "s"]).await
}

pub(super) async fn news_of_a_key_is_one<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    let first = News { reason: Some("first".into()), ..news("n", "a") };
    t.add("a").await?;
    let lease = t.claim_one("of new work").await?.lease;
    let write = |news: Vec<News>| Write { news, ..plain(Next::Keep, ReadMade::None) };
    let second = News { subject: Subject::Held, ..news("n", "a") };
    t.written("a write with news", &lease, &write(vec![first.clone(), second.clone()])).await?;
    t.written("a write with the same news", &lease, &write(vec![second.clone()])).await?;
    let claimed = claim(t, "with the same news twice").await?;
    same("the news of a key", &claimed.news, &first)?;
    t.written("a write with the same news", &lease, &write(vec![second])).await?;
    none(t, "with the same news, in the first one's lease").await?;
    same("the news that nobody has taken", &t.store.figures().await?.news, &1)?;
    let other = News { reason: Some("other".into()), ..news("N", "a") };
    t.written("a write with other news", &lease, &write(vec![other.clone()])).await?;
    same("the news of another key", &claim(t, "with other news").await?.news, &other)?;
    same("news that is told", &t.store.news_told("n", claimed.fence, None).await?, &Written::Done)
}

pub(super) async fn news_max_is_kept<S: Store, C: Clock>(t: &Trial<S, C>) -> Verdict {
    for id in ["a", "b", "c", "d", "e"] {
        tell(t, id, vec![news(&format!("{id} 1"), id), news(&format!("{id} 2"), id)]).await?;
    }
    let (mut keys, mut fences) = (BTreeSet::new(), BTreeSet::new());
    for (most, expected) in [(0, 0), (1, 1), (4, 4), (100, 5), (100, 0)] {
        let claimed = t.store.claim_news(most, LEASE).await?;
        same(&format!("the news for at most {most}"), &claimed.len(), &expected)?;
        for one in claimed {
            holds(keys.insert(one.news.key), "news was claimed twice")?;
            holds(fences.insert(one.fence), "two pieces of news have one fence")?;
        }
    }
    same("all the news", &keys.len(), &10)
}
