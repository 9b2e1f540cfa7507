//! The judge: the sandboxes' books and the news that the shop has heard, held against the rows of the store.
//! The judge knows nothing of the engine.

use super::{Providers, peach};
use checkout_engine::{Checkout, News, Provider, State, Subject};
use checkout_lifecycle::Moment;
use std::collections::BTreeSet;
use std::time::Duration;

/// What a provider's books say of one reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    /// The checkouts that the provider made.
    pub(crate) made: usize,
    /// True if the whole price has been paid at some time.
    pub(crate) paid: bool,
    /// True if the provider says so now: a provider can take back what nobody has asked for meanwhile.
    pub(crate) shows_paid: bool,
}

pub(crate) fn book(providers: &Providers, checkout: &Checkout) -> Book {
    let reference = checkout.reference.as_str();
    match checkout.provider {
        Provider::AllScale => {
            let intents = providers.allscale.intents();
            let of: Vec<_> =
                intents.iter().filter(|intent| intent.order_id.as_deref() == Some(reference)).collect();
            let codes: BTreeSet<i64> = of
                .iter()
                .flat_map(|intent| providers.allscale.history(&intent.id))
                .map(|(_, code)| code)
                .collect();
            // 20 is CONFIRMED.
            let shows_paid = of.iter().any(|intent| intent.status == 20);
            Book { made: of.len(), paid: codes.contains(&20), shows_paid }
        }
        Provider::Azotte => {
            let checkouts = providers.azotte.checkouts();
            let of: Vec<_> =
                checkouts.iter().filter(|one| one.correlation_id.as_deref() == Some(reference)).collect();
            let captures = providers.azotte.captures_of(reference);
            let made = of.len().max(usize::try_from(captures).unwrap_or(usize::MAX));
            let shows_paid = captures > 0 && of.iter().any(|one| one.message_code == "CHECK_OUT_DONE");
            Book { made, paid: captures > 0, shows_paid }
        }
        Provider::Peach | Provider::PeachV2 => {
            let sandbox = if checkout.provider == Provider::Peach { &providers.peach } else { &providers.v2 };
            let checkouts = sandbox.checkouts();
            let of: Vec<_> =
                checkouts.iter().filter(|one| one.merchant_transaction_id == reference).collect();
            let is_success = |code: &str| code == peach::SUCCESS || code == "000.100.110";
            let paid = |one: &&&peach::CheckoutRecord| {
                let history = sandbox.history(&one.checkout_id);
                one.shown_payment_type == "DB" && history.iter().any(|(_, code)| is_success(code))
            };
            let paid: Vec<_> = of.iter().filter(paid).collect();
            let shows_paid = paid.iter().any(|one| is_success(&one.code));
            Book { made: of.len(), paid: !paid.is_empty(), shows_paid }
        }
        other => unreachable!("no sandbox of {other}"),
    }
}

/// All that the judge hears of one checkout.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) checkout: &'a Checkout,
    pub(crate) book: Book,
    /// Each news as often as the shop has heard the news.
    pub(crate) told: Vec<&'a News>,
    /// The acts of persons.
    pub(crate) acts: Vec<&'a str>,
}

impl Case<'_> {
    /// The laws that are broken, once nothing is left to do.
    pub(crate) fn broken(&self) -> Vec<String> {
        let Self { checkout, book, told, acts } = self;
        let (state, held) = (checkout.state, checkout.hold.is_some());
        let keys = |subject: Subject| -> BTreeSet<&str> {
            told.iter().filter(|news| news.subject == subject).map(|news| news.key.as_str()).collect()
        };
        let settled = keys(Subject::Settled);
        let (by_word, by_person) = (acts.contains(&"settle"), !acts.is_empty());
        let mut laws = vec![
            ("created twice", book.made <= 1),
            ("lost: neither an end nor a hold", state.is_end() || held),
            ("settled twice", settled.len() <= 1),
            ("told as settled, and unpaid", settled.is_empty() || book.paid || by_word),
            ("settled, and unpaid", state != State::Settled || book.paid || by_word),
            ("paid, and nobody knows", !book.shows_paid || state == State::Settled || held || by_person),
            ("refused, and the provider has the checkout", state != State::Refused || book.made == 0),
            ("failed, and the provider has no checkout", state != State::Failed || book.made == 1),
            ("held, and nobody was told", !held || !keys(Subject::Held).is_empty()),
        ];
        if state == State::Settled && !held {
            laws.push(("settled, and nobody was told", settled.len() == 1));
        }
        if !by_person {
            laws.push(("settled, and not settled any more", settled.is_empty() || state == State::Settled));
            laws.push((
                "failed, and nobody was told",
                state != State::Failed || !keys(Subject::Failed).is_empty(),
            ));
            laws.push(("given up, and nobody was told", {
                state != State::GaveUp || held || !keys(Subject::GaveUp).is_empty()
            }));
            laws.push(("refused, and nobody was told", {
                state != State::Refused || !keys(Subject::Refused).is_empty()
            }));
        }
        let broken = laws.into_iter().filter(|(_, kept)| !kept);
        broken.map(|(law, _)| format!("{}: {law}: {self:?}", checkout.id)).collect()
    }
}

/// The windows of a minute with more than two reads of a merchant of Peach, by the provider's record.
pub(crate) fn over_the_limit(sandbox: &peach::Sandbox) -> Vec<String> {
    let mut at: Vec<Moment> = sandbox.status_requests(peach::ENTITY_ID).iter().map(|one| one.at).collect();
    at.sort_unstable();
    let mut over = Vec::new();
    for three in at.windows(3) {
        if let [first, _, third] = three
            && third.saturating_since(*first) < Duration::from_secs(60)
        {
            over.push(format!("over the limit: three reads from {first:?} to {third:?}"));
        }
    }
    over
}
