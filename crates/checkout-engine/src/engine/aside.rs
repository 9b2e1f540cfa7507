//! News whose tellings end their processes.

use super::{EngineError, Inner, trace};
use crate::checkout::Checkout;
use crate::notes::{Notes, Untold, with_reason};
use crate::store::{ClaimedNews, Decision, News, Store, StoreError, Subject, Written};

impl<S: Store, T> Inner<S, T> {
    /// Puts news aside, which nobody tells until a person has decided: the checkout is held and rests, as one
    /// whose work has ended its processes, and the hold is told. News of a hold is done with instead: the row
    /// has the reason.
    ///
    /// A process that dies in between leaves the news, which is put aside once more.
    pub(super) async fn put_aside(&self, claimed: &ClaimedNews) -> Result<(), EngineError> {
        let news = &claimed.news;
        let gone = || StoreError::Corrupt { id: news.id.clone(), field: "id" };
        let seen = self.store.checkout(&news.id).await?.ok_or_else(gone)?;
        let reason = format!("quarantined: {} has ended the processes that told it", news.key);
        let mut held = Checkout { hold: with_reason(seen.hold.as_deref(), &reason), ..seen.clone() };
        let notes = Notes::of(&seen).map(|mut notes| {
            match news.subject {
                Subject::Settled => notes.told = false,
                Subject::Held => {}
                Subject::Failed | Subject::Refused | Subject::GaveUp => {
                    let untold = Untold::of(news);
                    if !notes.untold.contains(&untold) {
                        notes.untold.push(untold);
                    }
                }
            }
            notes
        });
        if let Some(notes) = &notes {
            held.notes = notes.text();
        }
        // A person has decided about the hold that the news is of.
        let is_over = news.subject == Subject::Held && seen.hold.is_none();
        if !is_over && held != seen {
            let is_new = held.hold != seen.hold;
            let of_hold = News {
                key: format!("{}/{}/{}", seen.id, Subject::Held.name(), claimed.fence),
                id: seen.id.clone(),
                subject: Subject::Held,
                reason: Some(reason.clone()),
            };
            let decision = Decision {
                checkout: &held,
                work: false,
                news: Some(of_hold).filter(|_| is_new && news.subject != Subject::Held).into_iter().collect(),
                act: "hold",
                by: "checkout-engine",
                reason: &reason,
            };
            if self.store.decide(&decision).await? == Written::Lost {
                return Ok(()); // the row has changed: the news comes again
            }
            if is_new {
                let provider = seen.provider.name();
                self.counters.holds.count(provider);
                self.counters.quarantined.count(provider);
                trace::held(true);
            }
        }
        if notes.is_none() {
            // The notes have no room for the news, so the news stays where it is.
            return Err(StoreError::Corrupt { id: seen.id, field: "notes" }.into());
        }
        let _ = self.store.news_told(&news.key, claimed.fence, None).await?;
        Ok(())
    }
}
