//! The memory of the sandbox: checkouts, counts, and the faults and scenarios that wait.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use checkout_tables::Moment;
use checkout_tables::azotte::Route;

use super::checkout::Checkout;
use super::fault::Fault;
use super::scenario::Scenario;
use crate::RecordedRequest;
use crate::agenda::Agenda;
use crate::counts::Tally;
use crate::generator::Generator;

#[derive(Clone)]
pub(super) struct State {
    pub(super) checkouts: Vec<Checkout>,
    /// The number of each checkout, by tracking number.
    pub(super) number_of: HashMap<String, usize>,
    /// The number of each checkout, by tenant and correlation id.
    pub(super) number_of_key: HashMap<(usize, String), usize>,
    /// The numbers of the checkouts of all tenants, by correlation id.
    pub(super) numbers_of_id: HashMap<String, Vec<usize>>,
    /// The moment of each checkout's next change.
    changes: Agenda,
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
    /// By tenant.
    pub(super) tallies: Vec<Tally>,
    pub(super) ids: Generator,
}

impl State {
    pub(super) fn new(seed: u64, tenants: usize) -> Self {
        Self {
            checkouts: Vec::new(),
            number_of: HashMap::new(),
            number_of_key: HashMap::new(),
            numbers_of_id: HashMap::new(),
            changes: Agenda::default(),
            scenarios: VecDeque::new(),
            chosen: None,
            usual: None,
            faults: Vec::new(),
            requests: Vec::new(),
            met: None,
            seen: 0,
            tallies: vec![Tally::default(); tenants],
            ids: Generator::new(seed),
        }
    }

    /// The scenario of the next checkout, which leaves the queue. `of_builder` is the scenario where nobody
    /// has chosen a scenario.
    pub(super) fn next_scenario(&mut self, of_builder: &Scenario) -> Scenario {
        let chosen = self.chosen.take().or_else(|| self.scenarios.pop_front());
        chosen.or_else(|| self.usual.clone()).unwrap_or_else(|| of_builder.clone())
    }

    /// Notes the change to come of the checkout with this number. To be called after every change by a
    /// request or by an act.
    pub(super) fn note(&mut self, number: usize, now: Moment) {
        let checkout = self.checkouts.get(number);
        self.changes.set(number, checkout.and_then(|checkout| checkout.next_change(now)));
    }

    /// The moment, after now, of the earliest change of a checkout.
    pub(super) fn next_change(&mut self, now: Moment) -> Option<Moment> {
        let Self { changes, checkouts, .. } = self;
        changes.next_after(now, |number| checkouts.get(number)?.next_change(now))
    }

    /// The number and the checkout with this tracking number, of whichever tenant.
    pub(super) fn tracked(&self, tracking_number: &str) -> Option<(usize, &Checkout)> {
        let number = self.number_of.get(tracking_number).copied()?;
        Some((number, self.checkouts.get(number)?))
    }

    /// The checkout that a reply shows: the checkout with this number, unless a fault puts another in its
    /// place.
    pub(super) fn shown(
        &self,
        number: usize,
        fault: Option<&Fault>,
        now: Moment,
    ) -> Option<Cow<'_, Checkout>> {
        let checkout = self.checkouts.get(number)?;
        if fault != Some(&Fault::SwappedCheckout) {
            return Some(Cow::Borrowed(checkout));
        }
        let is_other = |other: &&Checkout| other.tracking_number != checkout.tracking_number;
        let other = self.checkouts.iter().rev().find(is_other);
        Some(other.map_or_else(|| Cow::Owned(checkout.made_up_other(now)), Cow::Borrowed))
    }
}
