//! The server that a client's request meets: the door, the routes and the way back.

use std::collections::HashMap;
use std::sync::MutexGuard;

use checkout_tables::Moment;
use checkout_tables::azotte::Route;
use checkout_transport::Request;
use checkout_transport::http::StatusCode;
use checkout_transport::http::request::Parts;

use super::Exchange;
use super::answer::{self, Answer, Reply};
use super::card::without_card;
use super::checkout::Checkout;
use super::door;
use super::fault::Fault;
use super::order::{self, Order};
use super::refusal::Refusal;
use super::route::Target;
use super::scenario::Scenario;
use super::state::State;
use super::tenant::Tenant;
use crate::mishap::{Mishap, take_fault};
use crate::world::World;
use crate::{RecordedRequest, percent};

#[derive(Clone)]
pub(super) struct Server {
    pub(super) tenants: Vec<Tenant>,
    /// The number of each tenant, by the tenant's `x-tn`.
    pub(super) tenant_of: HashMap<String, usize>,
    pub(super) forgets_requests: bool,
    pub(super) conceals_other_tenants: bool,
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
        let named = || if route == Some(Route::SubmitCheckout) { order::correlation_id(&body) } else { None };
        if let Some(error) = mishap.and_then(Mishap::before_arrival) {
            let (order, body, error) = (named(), without_card(&body), Some(error));
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
        if let Some(tally) = self.named_tenant(&head).and_then(|tenant| state.tallies.get_mut(tenant)) {
            tally.count(now, target.route() == Some(Route::CheckoutStatus));
        }
        let met = state.met.and_then(|number| state.checkouts.get(number));
        let checkout = met.map(|checkout| checkout.tracking_number.clone());
        let order = met.map_or_else(named, |checkout| checkout.correlation_id().map(str::to_owned));
        let (body, body_len) = (without_card(&body), body.len());
        if !self.forgets_requests {
            let (head, body) = (head.clone(), body.clone());
            state.requests.push(RecordedRequest::new(head, body, body_len, now, &answer, mishap));
        }
        let (answer, error) = answer.deliver(mishap, self.world.clock(), self.world.skew().told(now));
        Exchange { at: now, route, checkout, order, fault, head, body, answer: Some(answer), error }
    }

    /// The route that a request is for.
    pub(super) fn route_of(head: &Parts) -> Option<Route> {
        Target::of(head.method.as_str(), head.uri.path()).route()
    }

    /// The merchant's name for the order that a request is about.
    pub(super) fn order_of(&self, head: &Parts, body: &[u8]) -> Option<String> {
        match Target::of(head.method.as_str(), head.uri.path()) {
            Target::Submit => order::correlation_id(body),
            Target::Status(segment) => {
                let (state, id) = (self.state(), percent::segment(segment)?);
                state.tracked(&id)?.1.correlation_id().map(str::to_owned)
            }
            Target::WrongMethod | Target::Unknown => None,
        }
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
        let outcome = match target {
            Target::Submit => {
                self.let_in(head, fault).and_then(|tenant| self.submit(state, tenant, head, body, fault, now))
            }
            Target::Status(segment) => {
                self.let_in(head, fault).and_then(|tenant| self.status(state, tenant, segment, fault, now))
            }
            Target::WrongMethod => return Answer::empty(StatusCode::METHOD_NOT_ALLOWED),
            Target::Unknown => return Answer::empty(StatusCode::NOT_FOUND),
        };
        answer::reply(outcome, head.uri.path(), fault)
    }

    /// The number of the tenant that sent a request, if the request may go on to its route.
    fn let_in(&self, head: &Parts, fault: Option<&Fault>) -> Result<usize, Refusal> {
        let tenant = door::authenticate(head, |x_tn| {
            let number = self.tenant_of.get(x_tn).copied()?;
            Some((number, self.tenants.get(number)?))
        })?;
        match fault {
            Some(Fault::RateLimited) => Err(Refusal::rate_limited(RETRY_AFTER_SECONDS)),
            Some(Fault::InternalError) => Err(Refusal::internal()),
            Some(Fault::EmptyProblem) => Err(Refusal::EmptyProblem),
            Some(Fault::UnknownErrorCode(code)) => {
                Err(Refusal::Code { http_status: 400, code: code.clone() })
            }
            Some(_) | None => Ok(tenant),
        }
    }

    /// The number of the tenant that a request names, if the request names exactly one tenant.
    fn named_tenant(&self, head: &Parts) -> Option<usize> {
        self.tenant_of.get(door::named_tenant(head)?).copied()
    }

    fn submit(
        &self,
        state: &mut State,
        tenant: usize,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: Moment,
    ) -> Result<Reply, Refusal> {
        if !door::has_json_body(&head.headers) {
            return Err(Refusal::bad_request("the content type is not application/json"));
        }
        let order = Order::read(body)?;
        let key = order.correlation_id.clone().map(|id| (tenant, id));
        let known = key.as_ref().and_then(|key| state.number_of_key.get(key)).copied();
        let number = known.filter(|_| fault != Some(&Fault::KeyForgotten)).unwrap_or_else(|| {
            let scenario = state.next_scenario(&self.scenario);
            let checkout = Checkout::new(tenant, order, scenario, now, &mut state.ids);
            let number = state.checkouts.len();
            state.number_of.insert(checkout.tracking_number.clone(), number);
            if let Some(key) = key {
                state.numbers_of_id.entry(key.1.clone()).or_default().push(number);
                state.number_of_key.entry(key).or_insert(number);
            }
            state.checkouts.push(checkout);
            state.note(number, now);
            number
        });
        state.met = Some(number);
        let checkout = state.checkouts.get_mut(number).ok_or_else(Refusal::internal)?;
        checkout.submits += 1;
        let (code, body) = state.shown(number, fault, now).ok_or_else(Refusal::internal)?.result(
            now,
            fault,
            self.pages.as_deref(),
        );
        Ok(Reply { http_status: StatusCode::ACCEPTED, code, body, retry_after: Some(RETRY_AFTER_SECONDS) })
    }

    fn status(
        &self,
        state: &mut State,
        tenant: usize,
        segment: &str,
        fault: Option<&Fault>,
        now: Moment,
    ) -> Result<Reply, Refusal> {
        let asked = percent::segment(segment).and_then(|id| state.tracked(&id));
        let (number, asked) = asked.ok_or_else(Refusal::not_found)?;
        if asked.tenant != tenant {
            let concealed = self.conceals_other_tenants;
            return Err(if concealed { Refusal::not_found() } else { Refusal::of_another_tenant() });
        }
        state.met = Some(number);
        let shown = state.shown(number, fault, now).ok_or_else(Refusal::internal)?;
        let (code, body) = shown.result(now, fault, self.pages.as_deref());
        let retry_after = shown.step(now).can_follow_up().then_some(RETRY_AFTER_SECONDS);
        Ok(Reply { http_status: StatusCode::OK, code, body, retry_after })
    }
}

/// The `Retry-After` of the page's polling pattern.
const RETRY_AFTER_SECONDS: u64 = 2;
