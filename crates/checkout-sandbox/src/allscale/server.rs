//! The server that a client's request meets: the door, the routes and the way back.

use std::collections::HashMap;
use std::sync::MutexGuard;

use checkout_tables::Moment;
use checkout_tables::allscale::Route;
use checkout_transport::Request;
use checkout_transport::http::request::Parts;

use super::Exchange;
use super::answer::{self, Answer};
use super::create::{self, Order, Rate};
use super::door;
use super::fault::Fault;
use super::intent::Intent;
use super::refusal::{self, Refusal};
use super::route::Target;
use super::scenario::Scenario;
use super::state::State;
use super::store::Store;
use crate::RecordedRequest;
use crate::json::Json;
use crate::mishap::{Mishap, take_fault};
use crate::world::World;

#[derive(Clone)]
pub(super) struct Server {
    pub(super) stores: Vec<Store>,
    /// The number of each store, by the store's API key.
    pub(super) store_of: HashMap<String, usize>,
    pub(super) forgets_requests: bool,
    pub(super) window_seconds: u64,
    pub(super) requests_per_minute: Option<u32>,
    pub(super) scenario: Scenario,
    /// The address of the pages, without a slash at the end. `None` for the provider's own.
    pub(super) pages: Option<String>,
    pub(super) world: World<State>,
}

impl Server {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.world.state()
    }

    /// Takes a request from the client and brings the answer back, with the mishaps of the way.
    ///
    /// A checkout that the request makes goes through `scenario`, if there is one.
    pub(super) fn exchange(
        &self,
        request: Request,
        fault: Option<Fault>,
        scenario: Option<Scenario>,
    ) -> Exchange {
        let (head, body) = request.into_parts();
        let mut state = self.state();
        let target = Target::of(head.method.as_str(), head.uri.path());
        let route = target.route();
        let fault = take_fault(fault, &mut state.faults, route, Fault::fits);
        let mishap = fault.as_ref().and_then(Fault::mishap);
        let now = self.world.now();
        let named = || if route == Some(Route::Create) { create::order_id(&body) } else { None };
        if let Some(error) = mishap.and_then(Mishap::before_arrival) {
            let (order, error) = (named(), Some(error));
            return Exchange {
                at: now,
                route,
                checkout: None,
                order,
                fault,
                head,
                body,
                answer: None,
                error,
            };
        }

        (state.met, state.chosen) = (None, scenario);
        let answer = Answer::instead_of_the_api(mishap)
            .unwrap_or_else(|| self.answer(&mut state, target, &head, &body, fault.as_ref(), now))
            .spoiled_by(mishap);
        state.seen += 1;
        if let Some(tally) = self.named_store(&head).and_then(|store| state.tallies.get_mut(store)) {
            tally.count(now, matches!(target.route(), Some(Route::Get | Route::Status)));
        }
        if !self.forgets_requests {
            let (head, body, body_len) = (head.clone(), body.clone(), body.len());
            state.requests.push(RecordedRequest::new(head, body, body_len, now, &answer, mishap));
        }
        let met = state.met.and_then(|number| state.intents.get(number));
        let checkout = met.map(|intent| intent.id.clone());
        let order = met.map_or_else(named, |intent| intent.order_id().map(str::to_owned));
        let (answer, error) = answer.deliver(mishap, self.world.clock(), self.world.skew().told(now));
        Exchange { at: now, route, checkout, order, fault, head, body, answer: Some(answer), error }
    }

    /// The route that a request is for.
    pub(super) fn route_of(head: &Parts) -> Option<Route> {
        Target::of(head.method.as_str(), head.uri.path()).route()
    }

    /// The merchant's name for the order that a request is about.
    pub(super) fn order_of(&self, head: &Parts, body: &[u8]) -> Option<String> {
        let state = self.state();
        let (route, segment) = match Target::of(head.method.as_str(), head.uri.path()) {
            Target::Route(route, segment) => (route, segment),
            Target::WrongMethod | Target::Unknown => return None,
        };
        if route == Route::Create {
            return create::order_id(body);
        }
        let id = super::route::intent_id(segment)?;
        let intent = state.intents.get(state.number_of.get(&id).copied()?)?;
        intent.order_id().map(str::to_owned)
    }

    /// The API's own answer.
    fn answer(
        &self,
        state: &mut State,
        target: Target<'_>,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: Moment,
    ) -> Answer {
        let (route, segment) = match target {
            Target::Route(route, segment) => (route, segment),
            Target::WrongMethod => return Answer::method_not_allowed(),
            Target::Unknown => return Answer::not_found(),
        };
        let request_id = format!("req_{}", state.request_ids.hex(16));
        let outcome = self
            .let_in(state, head, body, fault, now)
            .and_then(|store| self.run(state, route, segment, store, body, fault, now));
        answer::reply(outcome, request_id, fault)
    }

    /// The number of the store that sent a request, if the request may go on to its route.
    fn let_in(
        &self,
        state: &mut State,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: Moment,
    ) -> Result<usize, Refusal> {
        let store = |api_key: &str| {
            let number = self.store_of.get(api_key).copied()?;
            Some((number, self.stores.get(number)?))
        };
        let nonces = &mut state.nonces;
        let store =
            door::authenticate(store, nonces, self.window_seconds, (now, self.world.skew()), head, body)?;
        match fault {
            Some(Fault::RateLimited) => return Err(Refusal::rate_limited(2)),
            Some(Fault::InternalError) => return Err(Refusal::internal()),
            Some(Fault::UnknownErrorCode(code)) => return Err(Refusal::new(*code, "something is wrong")),
            Some(_) | None => {}
        }
        let Some(limit) = self.requests_per_minute else { return Ok(store) };
        let (minute, second) = (now.unix_seconds().div_euclid(60), now.unix_seconds().rem_euclid(60));
        let counted = state.counted.entry(store).or_default();
        if counted.0 != minute {
            *counted = (minute, 0);
        }
        if counted.1 >= limit {
            if let Some(tally) = state.tallies.get_mut(store) {
                tally.refuse();
            }
            return Err(Refusal::rate_limited((60 - second).unsigned_abs()));
        }
        counted.1 += 1;
        Ok(store)
    }

    /// The number of the store that a request names, if the request names exactly one store.
    fn named_store(&self, head: &Parts) -> Option<usize> {
        self.store_of.get(door::named_key(head)?).copied()
    }

    #[expect(clippy::too_many_arguments, reason = "everything comes together in this function")]
    fn run(
        &self,
        state: &mut State,
        route: Route,
        segment: &str,
        store: usize,
        body: &[u8],
        fault: Option<&Fault>,
        now: Moment,
    ) -> Result<Json, Refusal> {
        // The two routes spell the name of the intent's id differently.
        let other_spelling = fault == Some(&Fault::OtherIdSpelling);
        match route {
            Route::Create => {
                let number = self.create(state, store, body, now)?;
                state.met = Some(number);
                let intent = state.shown(state.numbered(number)?, fault, now);
                let id_name = if other_spelling { READ_ID } else { CREATE_ID };
                let flags = match fault {
                    Some(Fault::OldIntent) => None,
                    Some(Fault::AcceptedCoins(mask)) => Some(*mask),
                    Some(_) | None => Some(intent.accepted_flags()),
                };
                Ok(intent.created(id_name, flags, self.pages.as_deref()))
            }
            Route::Get => {
                let number = state.meet(segment, store)?;
                let intent = state.shown(state.numbered(number)?, fault, now);
                let id_name = if other_spelling { CREATE_ID } else { READ_ID };
                Ok(intent.whole(id_name, now, tampered_status(fault)))
            }
            Route::Status => {
                let number = state.meet(segment, store)?;
                let intent = state.shown(state.numbered(number)?, fault, now);
                let status = Json::Int(tampered_status(fault).unwrap_or_else(|| intent.status(now)));
                let as_object = fault == Some(&Fault::StatusAsObject);
                Ok(if as_object { Json::object([("status", status)]) } else { status })
            }
            Route::Ping => Ok(Json::object([("pong", Json::text("ok"))])),
            Route::Post => echo(body),
            // The table of routes may grow, but `Target` leads to these six alone.
            Route::Fail | _ => Err(Refusal::new(refusal::VALIDATION, "this route always fails")),
        }
    }

    /// Makes an intent and returns its number.
    fn create(&self, state: &mut State, store: usize, body: &[u8], now: Moment) -> Result<usize, Refusal> {
        let settings = self.stores.get(store);
        if !settings.is_some_and(Store::is_ip_allowed) {
            return Err(Refusal::new(refusal::FORBIDDEN, "ip not allowed"));
        }
        let order = Order::read(body)?;
        let rate = |currency| state.rates.get(&currency).copied().unwrap_or(Rate::ONE);
        let terms = order.terms(settings.and_then(Store::default_coin), rate)?;
        let scenario = state.next_scenario(&self.scenario);
        let intent = Intent::new(store, order, terms, scenario, now, &mut state.intent_ids);
        let number = state.intents.len();
        state.number_of.insert(intent.id.clone(), number);
        state.intents.push(intent);
        state.note(number, now);
        Ok(number)
    }
}

fn tampered_status(fault: Option<&Fault>) -> Option<i64> {
    if let Some(Fault::TamperedStatus(status)) = fault { Some(*status) } else { None }
}

fn echo(body: &[u8]) -> Result<Json, Refusal> {
    let refused = || Refusal::new(refusal::VALIDATION, "the body is not JSON");
    let text = std::str::from_utf8(body).map_err(|_| refused())?;
    serde_json::from_str::<serde_json::Value>(text).map_err(|_| refused())?;
    Ok(Json::object([("your_request_body", Json::Raw(text.trim().to_owned()))]))
}

/// The name of the intent's id in create's reply.
const CREATE_ID: &str = "allscale_checkout_intent_id";

/// The name of the intent's id in get's reply.
const READ_ID: &str = "all_scale_checkout_intent_id";
