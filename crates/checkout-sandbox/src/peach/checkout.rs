//! The sandbox's record of a checkout, and the fields that every reply, webhook and redirect shows.

use std::time::{Duration, UNIX_EPOCH};

use checkout_tables::Moment;

use super::form::Pairs;
use super::order::Order;
use super::scenario::{
    CANCELLED, CHARGEBACK, CREATED, DECLINED, EXPIRED, LIVE_SUCCESS, NOT_FOUND, NOT_OPENED, PENDING, SUCCESS,
    Scenario, TEST_SUCCESS,
};
use crate::answer::date_of;
use crate::generator::Generator;
use crate::skew::Skew;

/// A checkout as a test sees the checkout, from behind the counter. The record holds nothing of the payer.
///
/// ```
/// use checkout_sandbox::peach::Sandbox;
///
/// assert!(Sandbox::new(1).checkouts().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckoutRecord {
    /// The checkout's id: 32 hexadecimal digits in lower case.
    pub checkout_id: String,
    /// The `merchantTransactionId` of the request.
    pub merchant_transaction_id: String,
    /// The entity of the merchant that made the checkout.
    pub entity_id: String,
    /// The amount in the words of the request, in major units.
    pub amount: String,
    /// The currency of the request.
    pub currency: String,
    /// The `paymentType` of the request; a scenario may have the replies say another.
    pub payment_type: String,
    /// The `paymentType` that the replies say.
    pub shown_payment_type: String,
    /// The result code now, by the scenario, the payer's steps and the clock.
    pub code: String,
    /// The time of creation.
    pub created_at: Moment,
    /// The time of the change to the current code.
    pub changed_at: Moment,
    /// The name of the scenario that the checkout began with.
    pub scenario: String,
}

/// No `Debug`: the checkout can make up a payer's card.
#[derive(Clone)]
pub(super) struct Checkout {
    pub(super) id: String,
    /// The number of the merchant that made the checkout.
    pub(super) merchant: usize,
    pub(super) order: Order,
    /// The number of events that the test has taken as webhooks.
    pub(super) taken: usize,
    seed: u64,
    scenario: Scenario,
    created_at: Moment,
    /// The events that have come and the events to come, in order.
    events: Vec<Event>,
}

/// A change of a checkout's result code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: Moment,
    pub(super) code: String,
    /// The time that the `timestamp` says.
    stamp: Moment,
}

/// An act of the payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act<'a> {
    Open,
    /// An act that brings the checkout to this code.
    End(&'a str),
}

impl Checkout {
    pub(super) fn new(
        merchant: usize,
        order: Order,
        scenario: Scenario,
        live: bool,
        now: Moment,
        generator: &mut Generator,
    ) -> Self {
        let mut at = now;
        let mut events = Vec::new();
        for step in scenario.steps() {
            at = at.saturating_add(step.after);
            let stamp = before(at, step.older);
            events.push(Event { at, code: environments(&step.code, live).to_owned(), stamp });
        }
        let (id, seed) = (generator.hex(32), generator.number());
        Self { id, merchant, order, taken: 0, seed, scenario, created_at: now, events }
    }

    pub(super) fn record(&self, now: Moment) -> CheckoutRecord {
        let last = self.reached(now).last();
        CheckoutRecord {
            checkout_id: self.id.clone(),
            merchant_transaction_id: self.order.merchant_transaction_id.clone(),
            entity_id: self.order.entity_id.clone(),
            amount: self.order.amount.clone(),
            currency: self.order.currency.clone(),
            payment_type: self.order.payment_type.clone(),
            shown_payment_type: self.shown_payment_type().to_owned(),
            code: self.code(now).to_owned(),
            created_at: self.created_at,
            changed_at: last.map_or(self.created_at, |event| event.at),
            scenario: self.scenario.name().to_owned(),
        }
    }

    fn shown_payment_type(&self) -> &str {
        self.scenario.shown_payment_type().unwrap_or(&self.order.payment_type)
    }

    /// The events that have come.
    pub(super) fn reached(&self, now: Moment) -> &[Event] {
        let reached = self.events.iter().take_while(|event| event.at <= now).count();
        self.events.get(..reached).unwrap_or_default()
    }

    pub(super) fn code(&self, now: Moment) -> &str {
        self.reached(now).last().map_or(NOT_OPENED, |event| &event.code)
    }

    /// The id of the payment, once there is a payment.
    pub(super) fn payment_id(&self, now: Moment) -> Option<String> {
        is_paid(self.reached(now)).then(|| self.future_payment_id())
    }

    /// The id that the payment has or will have.
    pub(super) fn future_payment_id(&self) -> String {
        self.derived(PAYMENT_ID, 32)
    }

    /// The time of the first change that the test has not taken as a webhook.
    pub(super) fn next_to_take(&self) -> Option<Moment> {
        self.events.get(self.taken).map(|event| event.at)
    }

    /// The time of the next change after now.
    pub(super) fn next_change(&self, now: Moment) -> Option<Moment> {
        self.events.get(self.reached(now).len()).map(|event| event.at)
    }

    /// Takes the checkout off the scenario. False, and nothing happens, if the payer opens a page that is no
    /// longer there to be opened.
    pub(super) fn act(&mut self, act: Act<'_>, live: bool, now: Moment) -> bool {
        let code = self.code(now).to_owned();
        if act == Act::Open && ![NOT_OPENED, CREATED].contains(&&*code) {
            return false;
        }
        let reached = self.reached(now).len();
        self.events.truncate(reached);
        let mut add = |at, code: &str| {
            self.events.push(Event { at, code: code.to_owned(), stamp: at });
        };
        if code == NOT_OPENED {
            add(now, CREATED);
        }
        match act {
            Act::Open => add(now.saturating_add(HALF_AN_HOUR), EXPIRED),
            Act::End(code) => add(now, environments(code, live)),
        }
        true
    }

    /// The fields of a reply, without a signature, after this many events, with the time by a clock of this
    /// skew.
    pub(super) fn fields(&self, events: usize, skew: Skew) -> Pairs {
        let events = self.events.get(..events).unwrap_or(&self.events);
        let last = events.last();
        let code = last.map_or(NOT_OPENED, |event| &event.code);
        let stamp = last.map_or(self.created_at, |event| event.stamp);
        let mut fields: Pairs = Vec::new();
        let mut add = |key: &str, value: &str| fields.push((key.to_owned(), value.to_owned()));
        add("amount", &self.order.amount);
        if events.iter().any(|event| !BEFORE_AN_ATTEMPT.contains(&&*event.code)) {
            let digits = self.seed % 10_000;
            add("card.bin", "411111");
            add("card.expiryMonth", &format!("{:02}", self.seed % 12 + 1));
            add("card.expiryYear", "2039");
            add("card.holder", &format!("Payer {}", self.derived(HOLDER, 8)));
            add("card.last4Digits", &format!("{digits:04}"));
            add("paymentBrand", "VISA");
        }
        add("checkoutId", &self.id);
        add("currency", &self.order.currency);
        if is_paid(events) {
            add("id", &self.derived(PAYMENT_ID, 32));
        }
        add("merchant.name", "Sandbox shop");
        add("merchantTransactionId", &self.order.merchant_transaction_id);
        add("paymentType", self.shown_payment_type());
        if self.order.stores_card && is_paid(events) {
            add("registrationId", &self.derived(REGISTRATION_ID, 32));
        }
        add("result.code", code);
        add("result.description", description(code));
        add("timestamp", &iso8601(skew.told(stamp)));
        fields.extend(self.order.repeated.iter().cloned());
        fields
    }

    /// The word for `expired`, if the scenario wraps V1's status.
    pub(super) fn expired_word(&self) -> Option<&str> {
        self.scenario.expired_word()
    }

    /// The word of the wrapped shape for the current code, and the seconds that remain.
    ///
    /// Assumed: a code without a word of its own is `pending`, and a checkout that has ended has no seconds
    /// left.
    pub(super) fn outer(&self, now: Moment) -> (&str, i64) {
        let reached = self.reached(now);
        let code = reached.last().map_or(NOT_OPENED, |event| &*event.code);
        let opened = reached.iter().find(|event| event.code == CREATED);
        let from = opened.map_or(self.created_at, |event| event.at);
        let left = from.saturating_add(HALF_AN_HOUR).saturating_since(now);
        let left = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
        match code {
            NOT_OPENED | CREATED => ("created", left),
            LIVE_SUCCESS | TEST_SUCCESS | "000.100.111" | "000.100.112" => ("successful", 0),
            CANCELLED => ("cancelled", 0),
            EXPIRED => (self.scenario.expired_word().unwrap_or("expired"), 0),
            _ => ("pending", left),
        }
    }

    /// The address of the page: below `pages`, or else at the host.
    pub(super) fn redirect_url(&self, pages: Option<&str>, host: &str) -> String {
        match pages {
            Some(base) => format!("{base}/{}", self.id),
            None => format!("https://{host}/checkout?token={}", self.derived(PAGE, 32)),
        }
    }

    /// The codes that have come, each with its time, in order.
    pub(super) fn history(&self, now: Moment) -> Vec<(Moment, String)> {
        let later = self.reached(now).iter().map(|event| (event.at, event.code.clone()));
        [(self.created_at, NOT_OPENED.to_owned())].into_iter().chain(later).collect()
    }

    /// The address that the shopper comes back to.
    pub(super) fn return_url(&self, now: Moment) -> &str {
        let cancelled = self.order.cancel_url.as_deref().filter(|_| self.code(now) == CANCELLED);
        cancelled.unwrap_or(&self.order.shopper_result_url)
    }

    /// The id of the webhook of the event with this number.
    pub(super) fn webhook_id(&self, event: usize) -> String {
        self.derived(WEBHOOK.wrapping_add(u64::try_from(event).unwrap_or_default()), 32)
    }

    /// A paid checkout of the same merchant's that no request made.
    pub(super) fn made_up_other(mut self, live: bool) -> Self {
        self.id = Generator::new(!self.seed).hex(32);
        self.seed = !self.seed;
        self.order.merchant_transaction_id = "SomebodyElse1".to_owned();
        let at = self.created_at;
        let event = |code: &str| Event { at, code: code.to_owned(), stamp: at };
        self.events = vec![event(CREATED), event(environments(SUCCESS, live))];
        self
    }

    /// The digits for one purpose of this checkout, the same in every call.
    fn derived(&self, purpose: u64, digits: usize) -> String {
        Generator::new(self.seed.wrapping_add(purpose)).hex(digits)
    }
}

/// The description of a code, in words of ours if no page has words for the code.
pub(super) fn description(code: &str) -> &'static str {
    match code {
        NOT_OPENED => "cannot find transaction",
        CREATED => "successfully created checkout",
        PENDING => "transaction pending",
        LIVE_SUCCESS => "Transaction succeeded",
        TEST_SUCCESS => "Request successfully processed in 'Merchant in Integrator Test Mode'",
        CANCELLED => "Cancelled by user",
        EXPIRED => "Uncertain status - probably cancelled by user",
        NOT_FOUND => "invalid or missing parameter",
        DECLINED => "transaction declined (invalid card)",
        CHARGEBACK => "Chargeback",
        _ => "no words for this code",
    }
}

/// The moment that is so much earlier.
fn before(moment: Moment, by: Duration) -> Moment {
    let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    Moment::from_unix_millis(moment.unix_millis().saturating_sub_unsigned(millis))
}

/// The time in ISO 8601, in UTC, with milliseconds. The years begin with 1970 and end with 9999.
fn iso8601(moment: Moment) -> String {
    let at = date_of(moment);
    let millis = at.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_millis();
    let date = httpdate::HttpDate::from(at).to_string();
    // "Sun, 06 Nov 1994 08:49:37 GMT"
    let words: Vec<&str> = date.split([' ', ',']).collect();
    let (Some(day), Some(month), Some(year), Some(time)) =
        (words.get(2), words.get(3), words.get(4), words.get(5))
    else {
        return date;
    };
    let month = MONTHS.iter().position(|name| name == month).map_or(0, |at| at + 1);
    format!("{year}-{month:02}-{day}T{time}.{millis:03}Z")
}

/// The code of a step or of an act in this environment.
fn environments(code: &str, live: bool) -> &str {
    match (code, live) {
        (SUCCESS, true) => LIVE_SUCCESS,
        (SUCCESS, false) => TEST_SUCCESS,
        (code, _) => code,
    }
}

fn is_paid(events: &[Event]) -> bool {
    events
        .iter()
        .any(|event| [LIVE_SUCCESS, TEST_SUCCESS, "000.100.111", "000.100.112"].contains(&&*event.code))
}

/// The codes of a checkout for which the payer has tried no card.
const BEFORE_AN_ATTEMPT: [&str; 5] = [NOT_OPENED, CREATED, PENDING, CANCELLED, EXPIRED];

const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// The purposes of the runs of derived digits.
const PAYMENT_ID: u64 = 1;
const HOLDER: u64 = 2;
const PAGE: u64 = 3;
const REGISTRATION_ID: u64 = 4;
const WEBHOOK: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_iso_8601_in_utc() {
        // From `date -u`.
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (784_111_777_999, "1994-11-06T08:49:37.999Z"),
            (1_709_164_800_001, "2024-02-29T00:00:00.001Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
            (-1, "1970-01-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
        ];
        for (millis, expected) in table {
            assert_eq!(iso8601(Moment::from_unix_millis(millis)), expected);
        }
    }
}
