//! The server that a client's request meets: the door, the routes of both versions and the way back.

use std::collections::HashMap;
use std::sync::MutexGuard;
use std::time::Duration;

use checkout_tables::Moment;
use checkout_tables::peach::Route;
use checkout_transport::Request;
use checkout_transport::http::request::Parts;

use super::Exchange;
use super::answer::{self, Answer, Outcome, Reply};
use super::checkout::Checkout;
use super::fault::Fault;
use super::form::{self, Pairs, value_of};
use super::merchant::Merchant;
use super::order::{IdRange, Order, Version};
use super::route::{Hosts, Target};
use super::scenario::{NOT_FOUND, Scenario};
use super::state::{LOOKED_FOR, State, StatusRequest, Visits};
use super::{door, signed};
use crate::counts::{MINUTE, drop_old};
use crate::generator::Generator;
use crate::json::Json;
use crate::mishap::{Mishap, take_fault};
use crate::world::World;
use crate::{RecordedRequest, percent};

#[derive(Clone)]
pub(super) struct Server {
    pub(super) merchants: Vec<Merchant>,
    /// The number of each merchant, by the merchant's entity.
    pub(super) merchant_of: HashMap<String, usize>,
    pub(super) forgets_requests: bool,
    pub(super) live: bool,
    pub(super) hosts: Hosts,
    pub(super) id_range: IdRange,
    pub(super) token_seconds: u64,
    pub(super) expires_in_as_number: bool,
    pub(super) status_limit: Option<u32>,
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
        let target = Target::of(self.hosts, head.method.as_str(), &head.uri);
        let route = target.route();
        let fault = take_fault(fault, &mut state.faults, route, Fault::fits);
        let mishap = fault.as_ref().and_then(Fault::mishap);
        let now = self.world.now();
        let creates = matches!(route, Some(Route::Initiate | Route::CreateCheckout));
        let named = || if creates { door::transaction_id(&head, &body) } else { None };
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
        let merchant = self.named_merchant(&state, target, &head, &body);
        if let Some(visits) = merchant.and_then(|merchant| state.visits.get_mut(merchant)) {
            let is_read = matches!(target.route(), Some(Route::Status | Route::CheckoutStatus));
            visits.tally.count(now, is_read);
        }
        if !self.forgets_requests {
            let (head, body, body_len) = (head.clone(), body.clone(), body.len());
            state.requests.push(RecordedRequest::new(head, body, body_len, now, &answer, mishap));
        }
        let met = state.met.and_then(|number| state.checkouts.get(number));
        let checkout = met.map(|checkout| checkout.id.clone());
        let order = met.map_or_else(named, |checkout| Some(checkout.order.merchant_transaction_id.clone()));
        let (answer, error) = answer.deliver(mishap, self.world.clock(), self.world.skew().told(now));
        Exchange { at: now, route, checkout, order, fault, head, body, answer: Some(answer), error }
    }

    /// The route that a request is for.
    pub(super) fn route_of(&self, head: &Parts) -> Option<Route> {
        Target::of(self.hosts, head.method.as_str(), &head.uri).route()
    }

    /// The merchant's name for the order that a request is about.
    pub(super) fn order_of(&self, head: &Parts, body: &[u8]) -> Option<String> {
        let named = |checkout: &Checkout| checkout.order.merchant_transaction_id.clone();
        match Target::of(self.hosts, head.method.as_str(), &head.uri) {
            Target::Initiate | Target::Validate | Target::CreateCheckout => door::transaction_id(head, body),
            Target::Status => {
                let pairs = form::decode(head.uri.query()?.as_bytes())?;
                let [checkout_id, transaction_id, payment_id] = LOOKED_FOR.map(|key| value_of(&pairs, key));
                let state = self.state();
                let by_id = checkout_id.and_then(|id| state.numbered(id)).map(named);
                let by_payment = || {
                    let number = state.number_of_payment.get(payment_id?).copied()?;
                    state.checkouts.get(number).map(named)
                };
                by_id.or_else(|| transaction_id.map(str::to_owned)).or_else(by_payment)
            }
            Target::CheckoutStatus(id) => {
                let id = percent::segment(id)?;
                self.state().numbered(&id).map(named)
            }
            Target::Token | Target::WrongMethod | Target::Unknown => None,
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
            Target::Initiate => self.initiate(state, head, body, fault, now),
            Target::Validate => self.validate(state, head, body, fault, now),
            Target::Status => self.status(state, head, fault, now),
            Target::Token => self.token(state, head, body, fault, now),
            Target::CreateCheckout => self.create(state, head, body, fault, now),
            Target::CheckoutStatus(id) => self.checkout_status(state, head, id, fault, now),
            Target::WrongMethod => return Answer::method_not_allowed(),
            Target::Unknown => return Answer::not_found(),
        };
        answer::reply(outcome, fault)
    }

    fn initiate(
        &self,
        state: &mut State,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: Moment,
    ) -> Outcome {
        let (merchant, order, signature) = self.let_in_v1(state, head, body, now)?;
        not_processed(fault)?;
        state.spent_signatures.drop_ended(now);
        state.spent_signatures.insert((merchant, signature), (), now.saturating_add(DAY));
        let checkout = self.add(state, merchant, order, now);
        let url = checkout.redirect_url(self.pages.as_deref(), self.hosts.checkout());
        Ok(Reply::done(201, Json::object([("redirectUrl", Json::Text(url))])))
    }

    fn validate(
        &self,
        state: &State,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: Moment,
    ) -> Outcome {
        self.let_in_v1(state, head, body, now)?;
        not_processed(fault)?;
        Ok(Reply::done(200, Json::object([])))
    }

    /// The merchant's number, the order and the signature of a request that may make a checkout.
    fn let_in_v1(
        &self,
        state: &State,
        head: &Parts,
        body: &[u8],
        now: Moment,
    ) -> Result<(usize, Order, String), Reply> {
        let pairs = door::form_or_json(head, body)?;
        let order = Order::read(&pairs, Version::V1, self.id_range).map_err(Reply::fields)?;
        let (number, merchant) = self.known(&order.entity_id)?;
        door::referer(head, merchant)?;
        door::signature(&pairs, merchant)?;
        let signature = value_of(&pairs, "signature").unwrap_or_default().to_owned();
        let spent = state.spent_signatures.get(&(number, signature.clone()));
        if spent.is_some_and(|(ends, ())| now < *ends) {
            return Err(Reply::message(400, "Duplicate signature."));
        }
        Ok((number, order, signature))
    }

    fn status(&self, state: &mut State, head: &Parts, fault: Option<&Fault>, now: Moment) -> Outcome {
        let query = head.uri.query().unwrap_or_default();
        let pairs =
            form::decode(query.as_bytes()).ok_or_else(|| Reply::message(400, "The query cannot be read."))?;
        let entity_id = value_of(&pairs, ENTITY).unwrap_or_default();
        let (number, merchant) = self.known(entity_id)?;
        door::signature(&pairs, merchant)?;
        not_processed(fault)?;
        self.count(state, number, now)?;
        if LOOKED_FOR.iter().all(|key| value_of(&pairs, key).is_none()) {
            return Err(Reply::message(400, "checkoutId, merchantTransactionId or id is required."));
        }
        let found = state.looked_for(number, &pairs, now);
        let Some(found) = found.cloned() else { return Err(Reply::result(400, NOT_FOUND)) };
        state.found(number, &found.id);
        let checkout = self.shown(state, found, fault);
        let fields = checkout.fields(checkout.reached(now).len(), self.world.skew());
        let flat = signed::shown(merchant.token(), fields, fault);
        if !merchant.is_wrapped() && checkout.expired_word().is_none() {
            return Ok(Reply::done(200, flat));
        }
        let (word, left) = checkout.outer(now);
        let wrapped = Json::object([
            ("status", Json::text(word)),
            ("timestamp", Json::Int(left)),
            ("redirect_url", Json::text(checkout.return_url(now))),
            ("redirect_post_data", flat),
        ]);
        Ok(Reply::done(200, wrapped))
    }

    fn token(
        &self,
        state: &mut State,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: Moment,
    ) -> Outcome {
        let pairs = door::json(head, body)?;
        let merchant = self.client(&pairs).ok_or_else(|| Reply::message(401, "Invalid credentials."))?;
        not_processed(fault)?;
        let access_token = format!("sbx.{}", state.token_ids.hex(48));
        let ends = now.saturating_add(Duration::from_secs(self.token_seconds));
        if self.forgets_requests {
            state.access_tokens.drop_ended(now);
        }
        state.access_tokens.insert(access_token.clone(), merchant, ends);
        let seconds = self.token_seconds.to_string();
        let expires_in = if self.expires_in_as_number { Json::Raw(seconds) } else { Json::Text(seconds) };
        let members = [
            ("access_token", Json::Text(access_token)),
            ("expires_in", expires_in),
            ("token_type", Json::text("Bearer")),
        ];
        Ok(Reply::done(200, Json::object(members)))
    }

    fn create(
        &self,
        state: &mut State,
        head: &Parts,
        body: &[u8],
        fault: Option<&Fault>,
        now: Moment,
    ) -> Outcome {
        let (number, merchant) = self.bearer(state, head, now)?;
        let pairs = door::json(head, body)?;
        let order = Order::read(&pairs, Version::V2, self.id_range).map_err(Reply::fields)?;
        door::referer(head, merchant)?;
        if order.entity_id != merchant.entity_id() {
            return Err(Reply::message(400, "The entity is not the merchant's."));
        }
        not_processed(fault)?;
        let checkout = self.add(state, number, order, now);
        let url = checkout.redirect_url(self.pages.as_deref(), self.hosts.checkout());
        let members = [("checkoutId", Json::text(&checkout.id)), ("redirectUrl", Json::Text(url))];
        Ok(Reply::done(200, Json::object(members)))
    }

    fn checkout_status(
        &self,
        state: &mut State,
        head: &Parts,
        id: &str,
        fault: Option<&Fault>,
        now: Moment,
    ) -> Outcome {
        let (number, merchant) = self.bearer(state, head, now)?;
        not_processed(fault)?;
        self.count(state, number, now)?;
        let found = percent::segment(id).and_then(|id| state.numbered(&id));
        let Some(found) = found.filter(|checkout| checkout.merchant == number).cloned() else {
            return Err(Reply::result(404, NOT_FOUND));
        };
        state.found(number, &found.id);
        let checkout = self.shown(state, found, fault);
        let fields = checkout.fields(checkout.reached(now).len(), self.world.skew());
        Ok(Reply::done(200, signed::shown(merchant.token(), fields, fault)))
    }

    fn add(&self, state: &mut State, merchant: usize, order: Order, now: Moment) -> Checkout {
        let scenario = state.next_scenario(&self.scenario);
        let checkout = Checkout::new(merchant, order, scenario, self.live, now, &mut state.checkout_ids);
        let number = state.checkouts.len();
        let transaction = (merchant, checkout.order.merchant_transaction_id.clone());
        state.number_of.insert(checkout.id.clone(), number);
        state.number_of_payment.insert(checkout.future_payment_id(), number);
        state.numbers_of_transaction.entry(transaction).or_default().push(number);
        state.checkouts.push(checkout.clone());
        state.met = Some(number);
        state.note(number, now);
        checkout
    }

    /// Counts a request for a status, and refuses a request over the limit.
    fn count(&self, state: &mut State, merchant: usize, now: Moment) -> Result<(), Reply> {
        let Some(visits) = state.visits.get_mut(merchant) else { return Ok(()) };
        drop_old(&mut visits.let_in, now);
        let limit = self.status_limit.and_then(|limit| usize::try_from(limit).ok());
        let limited = limit.is_some_and(|limit| visits.let_in.len() >= limit);
        if !self.forgets_requests {
            visits.status_requests.push(StatusRequest { at: now, checkout_id: None, limited });
        }
        if limited {
            visits.tally.refuse();
            // The end of the oldest request's minute makes room for the next request.
            let ends = visits.let_in.front().map_or(now, |at| at.saturating_add(MINUTE));
            let wait = ends.saturating_since(now);
            return Err(Reply::too_many(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
        }
        if limit.is_some() {
            visits.let_in.push_back(now);
        }
        Ok(())
    }

    /// The checkout that a status shows: `checkout` itself, unless the fault puts another in its place.
    fn shown(&self, state: &State, checkout: Checkout, fault: Option<&Fault>) -> Checkout {
        if fault != Some(&Fault::SwappedCheckout) {
            return checkout;
        }
        let is_other = |other: &&Checkout| other.id != checkout.id && other.merchant == checkout.merchant;
        let other = state.checkouts.iter().rev().find(is_other).cloned();
        other.unwrap_or_else(|| checkout.made_up_other(self.live))
    }

    /// Makes the checkouts of another sandbox those of the merchants of this sandbox. Sandboxes of different
    /// merchants never give the same token out.
    pub(super) fn adopt(&self, state: &mut State, other: &Self) {
        let names = |server: &Self| -> Vec<String> {
            server.merchants.iter().map(|merchant| merchant.entity_id().to_owned()).collect()
        };
        let own = names(self);
        if own != names(other) {
            let own = own.concat();
            let mixed = own.bytes().fold(0, |mixed: u64, byte| mixed.wrapping_mul(31) ^ u64::from(byte));
            state.token_ids = Generator::new(state.token_ids.number() ^ mixed);
        }
        for checkout in &mut state.checkouts {
            if let Some(merchant) = self.merchants.get(checkout.merchant) {
                merchant.entity_id().clone_into(&mut checkout.order.entity_id);
            }
        }
        state.visits.resize_with(self.merchants.len(), Visits::default);
    }

    pub(super) fn merchant(&self, entity_id: &str) -> Option<usize> {
        self.merchant_of.get(entity_id).copied()
    }

    /// The number of the merchant that a request names by an entity, by a token or by a client.
    fn named_merchant(&self, state: &State, target: Target<'_>, head: &Parts, body: &[u8]) -> Option<usize> {
        let by_entity = |pairs: Pairs| self.merchant(value_of(&pairs, ENTITY)?);
        match target {
            Target::Status => by_entity(form::decode(head.uri.query()?.as_bytes())?),
            Target::Initiate | Target::Validate => by_entity(door::form_or_json(head, body).ok()?),
            Target::CreateCheckout | Target::CheckoutStatus(_) => {
                state.access_tokens.get(door::bearer(head)?).map(|(_, number)| *number)
            }
            Target::Token => self.client(&door::json(head, body).ok()?),
            Target::WrongMethod | Target::Unknown => None,
        }
    }

    /// The number of the merchant whose client asks for a token.
    fn client(&self, pairs: &[(String, String)]) -> Option<usize> {
        let text = |key| value_of(pairs, key).unwrap_or_default();
        let [id, secret, merchant_id] = ["clientId", "clientSecret", "merchantId"].map(text);
        self.merchants.iter().position(|merchant| merchant.has_client(id, secret, merchant_id))
    }

    fn known(&self, entity_id: &str) -> Result<(usize, &Merchant), Reply> {
        self.merchant(entity_id)
            .and_then(|number| Some((number, self.merchants.get(number)?)))
            .ok_or_else(|| Reply::message(400, "Unknown authentication.entityId."))
    }

    fn bearer(&self, state: &State, head: &Parts, now: Moment) -> Result<(usize, &Merchant), Reply> {
        let token = door::bearer(head);
        let known = token.and_then(|token| state.access_tokens.get(token));
        let number = known.filter(|(ends, _)| now < *ends).map(|(_, number)| *number);
        number
            .and_then(|number| Some((number, self.merchants.get(number)?)))
            .ok_or_else(|| Reply::message(401, "Unauthorized."))
    }
}

/// The refusal, if the fault makes the API refuse before anything is done.
fn not_processed(fault: Option<&Fault>) -> Result<(), Reply> {
    match fault {
        Some(Fault::RateLimited) => Err(Reply::too_many(30)),
        Some(Fault::InternalError) => Err(Reply::internal()),
        Some(Fault::Refused(code)) => Err(Reply::result(400, code)),
        Some(_) | None => Ok(()),
    }
}

/// The key of the entity in a request of V1.
const ENTITY: &str = "authentication.entityId";

const DAY: Duration = Duration::from_secs(86_400);
