//! The memory of the sandbox: checkouts, tokens, counts, and the faults and scenarios that wait.

use std::collections::{HashMap, VecDeque};
use std::slice;

use checkout_tables::Moment;
use checkout_tables::peach::Route;

use super::checkout::Checkout;
use super::fault::Fault;
use super::form::value_of;
use super::scenario::Scenario;
use crate::RecordedRequest;
use crate::agenda::Agenda;
use crate::counts::Tally;
use crate::generator::Generator;
use crate::lapsing::Lapsing;

#[derive(Clone)]
pub(super) struct State {
    pub(super) checkouts: Vec<Checkout>,
    /// The number of each checkout, by the checkout's id.
    pub(super) number_of: HashMap<String, usize>,
    /// The number of each checkout, by the id that the payment has or will have.
    pub(super) number_of_payment: HashMap<String, usize>,
    /// The numbers of checkouts, the latest last, by merchant and `merchantTransactionId`.
    pub(super) numbers_of_transaction: HashMap<(usize, String), Vec<usize>>,
    /// The moment of each checkout's first change that nobody has taken as a webhook.
    to_take: Agenda,
    /// The moment of each checkout's next change.
    changes: Agenda,
    /// The merchants and signatures that have made a checkout within a day.
    pub(super) spent_signatures: Lapsing<(usize, String), ()>,
    /// The merchant of each access token.
    pub(super) access_tokens: Lapsing<String, usize>,
    /// By merchant.
    pub(super) visits: Vec<Visits>,
    pub(super) scenarios: VecDeque<Scenario>,
    /// The scenario of the checkout that the request under way makes.
    pub(super) chosen: Option<Scenario>,
    /// The scenario of a checkout for which no scenario was chosen. `None` for the builder's.
    pub(super) usual: Option<Scenario>,
    pub(super) faults: Vec<(Option<Route>, Fault)>,
    pub(super) requests: Vec<RecordedRequest<String>>,
    /// The number of the checkout that the latest request has made or found.
    pub(super) met: Option<usize>,
    /// The number of all requests that the sandbox has seen, kept or not.
    pub(super) seen: u64,
    pub(super) checkout_ids: Generator,
    pub(super) token_ids: Generator,
}

/// The requests of a merchant.
#[derive(Clone, Default)]
pub(super) struct Visits {
    pub(super) tally: Tally,
    /// The moments at which the reads of the last minute were let in, if there is a limit.
    pub(super) let_in: VecDeque<Moment>,
    /// Empty if the sandbox forgets requests.
    pub(super) status_requests: Vec<StatusRequest>,
}

/// A request for a status that was let in with a right signature or token, as the limit of the merchant
/// counts the request.
///
/// ```
/// use checkout_sandbox::peach::{ENTITY_ID, Sandbox};
///
/// assert!(Sandbox::new(7).status_requests(ENTITY_ID).is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusRequest {
    /// The time of arrival.
    pub at: Moment,
    /// The id of the checkout that was found. `None` if nothing was looked for, or nothing was found.
    pub checkout_id: Option<String>,
    /// True if the request was over the limit, and was answered with 429.
    pub limited: bool,
}

impl State {
    pub(super) fn new(seed: u64, merchants: usize) -> Self {
        let mut seeds = Generator::new(seed);
        Self {
            checkouts: Vec::new(),
            number_of: HashMap::new(),
            number_of_payment: HashMap::new(),
            numbers_of_transaction: HashMap::new(),
            to_take: Agenda::default(),
            changes: Agenda::default(),
            spent_signatures: Lapsing::new(),
            access_tokens: Lapsing::new(),
            visits: vec![Visits::default(); merchants],
            scenarios: VecDeque::new(),
            chosen: None,
            usual: None,
            faults: Vec::new(),
            requests: Vec::new(),
            met: None,
            seen: 0,
            checkout_ids: Generator::new(seeds.number()),
            token_ids: Generator::new(seeds.number()),
        }
    }

    /// The scenario of the next checkout, which leaves the queue. `of_builder` is the scenario where nobody
    /// has chosen a scenario.
    pub(super) fn next_scenario(&mut self, of_builder: &Scenario) -> Scenario {
        let chosen = self.chosen.take().or_else(|| self.scenarios.pop_front());
        chosen.or_else(|| self.usual.clone()).unwrap_or_else(|| of_builder.clone())
    }

    pub(super) fn numbered(&self, checkout_id: &str) -> Option<&Checkout> {
        self.checkouts.get(self.number_of.get(checkout_id).copied()?)
    }

    /// The merchant's latest checkout that fits every id in the pairs that `LOOKED_FOR` names.
    pub(super) fn looked_for(
        &self,
        merchant: usize,
        pairs: &[(String, String)],
        now: Moment,
    ) -> Option<&Checkout> {
        let [checkout_id, transaction_id, payment_id] = LOOKED_FOR.map(|key| value_of(pairs, key));
        let candidates = match (checkout_id, transaction_id, payment_id) {
            (Some(id), _, _) => self.number_of.get(id).map(slice::from_ref),
            (None, Some(id), _) => {
                self.numbers_of_transaction.get(&(merchant, id.to_owned())).map(Vec::as_slice)
            }
            (None, None, Some(id)) => self.number_of_payment.get(id).map(slice::from_ref),
            (None, None, None) => None,
        };
        let candidates = candidates.unwrap_or_default().iter().rev();
        candidates.filter_map(|number| self.checkouts.get(*number)).find(|checkout| {
            let paid = checkout.payment_id(now);
            checkout.merchant == merchant
                && checkout_id.is_none_or(|id| id == checkout.id)
                && transaction_id.is_none_or(|id| id == checkout.order.merchant_transaction_id)
                && payment_id.is_none_or(|id| Some(id) == paid.as_deref())
        })
    }

    /// Notes the changes to come of the checkout with this number. To be called after every change by a
    /// request, by an act or by taking.
    pub(super) fn note(&mut self, number: usize, now: Moment) {
        let checkout = self.checkouts.get(number);
        self.to_take.set(number, checkout.and_then(Checkout::next_to_take));
        self.changes.set(number, checkout.and_then(|checkout| checkout.next_change(now)));
    }

    /// Takes off the list the numbers of the checkouts with changes by now that nobody has taken as webhooks.
    pub(super) fn take_due(&mut self, now: Moment) -> Vec<usize> {
        let mut due = self.to_take.take_due(now);
        due.sort_unstable();
        due
    }

    /// The moment, after now, of the earliest change of a checkout.
    pub(super) fn next_change(&mut self, now: Moment) -> Option<Moment> {
        let Self { changes, checkouts, .. } = self;
        changes.next_after(now, |number| checkouts.get(number)?.next_change(now))
    }

    /// Notes the checkout that the merchant's latest request for a status found.
    pub(super) fn found(&mut self, merchant: usize, checkout_id: &str) {
        self.met = self.number_of.get(checkout_id).copied();
        let visits = self.visits.get_mut(merchant);
        if let Some(request) = visits.and_then(|visits| visits.status_requests.last_mut()) {
            request.checkout_id = Some(checkout_id.to_owned());
        }
    }
}

/// The keys by which V1's status looks for a checkout, in the order of comparison.
pub(super) const LOOKED_FOR: [&str; 3] = ["checkoutId", "merchantTransactionId", "id"];
