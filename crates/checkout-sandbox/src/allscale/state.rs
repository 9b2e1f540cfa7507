//! The memory of the sandbox: intents, nonces, counts, and the faults and scenarios that wait.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};

use checkout_tables::Moment;
use checkout_tables::allscale::{Currency, Route};

use super::create::Rate;
use super::fault::Fault;
use super::intent::Intent;
use super::nonces::Nonces;
use super::refusal::{self, Refusal};
use super::route;
use super::scenario::Scenario;
use crate::RecordedRequest;
use crate::agenda::Agenda;
use crate::counts::Tally;
use crate::generator::Generator;

#[derive(Clone)]
pub(super) struct State {
    pub(super) intents: Vec<Intent>,
    /// The number of each intent, by the intent's id.
    pub(super) number_of: HashMap<String, usize>,
    /// The moment of each confirmation whose webhook nobody has taken.
    to_take: Agenda,
    /// The moment of each intent's next change.
    changes: Agenda,
    pub(super) nonces: Nonces,
    /// By store: the minute that is counted, and the requests in that minute.
    pub(super) counted: HashMap<usize, (i64, u32)>,
    pub(super) rates: BTreeMap<Currency, Rate>,
    pub(super) scenarios: VecDeque<Scenario>,
    /// The scenario of the intent that the request under way makes.
    pub(super) chosen: Option<Scenario>,
    /// The scenario of an intent for which no scenario was chosen. `None` for the builder's.
    pub(super) usual: Option<Scenario>,
    pub(super) faults: Vec<(Option<Route>, Fault)>,
    pub(super) requests: Vec<RecordedRequest<i64>>,
    /// The number of the intent that the latest request has made or found.
    pub(super) met: Option<usize>,
    /// The number of all requests that the sandbox has seen, kept or not.
    pub(super) seen: u64,
    /// By store.
    pub(super) tallies: Vec<Tally>,
    pub(super) request_ids: Generator,
    pub(super) intent_ids: Generator,
}

impl State {
    pub(super) fn new(seed: u64, stores: usize, nonces: Nonces) -> Self {
        let mut seeds = Generator::new(seed);
        Self {
            intents: Vec::new(),
            number_of: HashMap::new(),
            to_take: Agenda::default(),
            changes: Agenda::default(),
            nonces,
            counted: HashMap::new(),
            rates: BTreeMap::new(),
            scenarios: VecDeque::new(),
            chosen: None,
            usual: None,
            faults: Vec::new(),
            requests: Vec::new(),
            met: None,
            seen: 0,
            tallies: vec![Tally::default(); stores],
            request_ids: Generator::new(seeds.number()),
            intent_ids: Generator::new(seeds.number()),
        }
    }

    /// The scenario of the next checkout, which leaves the queue. `of_builder` is the scenario where nobody
    /// has chosen a scenario.
    pub(super) fn next_scenario(&mut self, of_builder: &Scenario) -> Scenario {
        let chosen = self.chosen.take().or_else(|| self.scenarios.pop_front());
        chosen.or_else(|| self.usual.clone()).unwrap_or_else(|| of_builder.clone())
    }

    /// Notes the changes to come of the intent with this number. To be called after every change by a
    /// request, by an act or by taking.
    pub(super) fn note(&mut self, number: usize, now: Moment) {
        let intent = self.intents.get(number);
        self.to_take.set(number, intent.and_then(Intent::next_to_take));
        self.changes.set(number, intent.and_then(|intent| intent.next_change(now)));
    }

    /// Takes off the list the numbers of the intents that are confirmed by now and whose webhooks nobody has
    /// taken.
    pub(super) fn take_due(&mut self, now: Moment) -> Vec<usize> {
        let mut due = self.to_take.take_due(now);
        due.sort_unstable();
        due
    }

    /// The moment, after now, of the earliest change of an intent.
    pub(super) fn next_change(&mut self, now: Moment) -> Option<Moment> {
        let Self { changes, intents, .. } = self;
        changes.next_after(now, |number| intents.get(number)?.next_change(now))
    }

    /// The number of the intent with the id in this segment of a path, if this store may see the intent. The
    /// intent is the one that the request has met.
    pub(super) fn meet(&mut self, segment: &str, store: usize) -> Result<usize, Refusal> {
        let id = route::intent_id(segment)
            .ok_or_else(|| Refusal::field("checkout_intent_id", "must be an ObjectId"))?;
        let number = self.number_of.get(&id).copied();
        let (number, intent) = number
            .and_then(|number| Some((number, self.intents.get(number)?)))
            .ok_or_else(|| Refusal::new(refusal::NOT_FOUND, "checkout intent not found"))?;
        if intent.store != store {
            return Err(Refusal::new(refusal::FORBIDDEN, "no permission to view this checkout intent"));
        }
        self.met = Some(number);
        Ok(number)
    }

    pub(super) fn numbered(&self, number: usize) -> Result<&Intent, Refusal> {
        self.intents.get(number).ok_or_else(Refusal::internal)
    }

    /// The intent that a reply shows: `intent` itself, unless the fault puts another in its place.
    pub(super) fn shown<'a>(
        &'a self,
        intent: &'a Intent,
        fault: Option<&Fault>,
        now: Moment,
    ) -> Cow<'a, Intent> {
        match fault {
            Some(Fault::SwappedIntent) => {
                let other = self.intents.iter().rev().find(|other| other.id != intent.id);
                other.map_or_else(|| Cow::Owned(intent.clone().made_up_other(now)), Cow::Borrowed)
            }
            Some(Fault::TamperedAmount) => Cow::Owned(intent.clone().at_a_tenth()),
            Some(Fault::SettledIn(coin)) => Cow::Owned(intent.clone().settled_in(*coin)),
            Some(_) | None => Cow::Borrowed(intent),
        }
    }
}
