//! The question to a sandbox: a provider's request, with the fault and the scenario that somebody has chosen,
//! and the place of the answer in the world's log.

use std::fmt::Display;
use std::sync::Arc;

use checkout_sandbox::{Exchange, allscale, azotte, peach};
use checkout_transport::bytes::Bytes;
use checkout_transport::http::Method;
use checkout_transport::http::request::Parts;
use checkout_transport::{Request, Response, TransportError};

use crate::card;
use crate::choice;
use crate::faults::{self, Fault, Route, Struck};
use crate::machine;
use crate::named;
use crate::place::Api;
use crate::problem::Problem;
use crate::traffic::{Arrived, Entry};
use crate::wire::{self, Plan};
use crate::world::{Played, Visit, World};
use crate::worlds::Worlds;

/// A provider's request to a world.
pub(crate) struct Question {
    pub(crate) api: Api,
    /// The prefix that the request had in front of the provider's path.
    pub(crate) prefix: String,
    /// The head with the provider's own URI.
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
    /// False for a request that the server plays back: its client is gone.
    pub(crate) is_judged: bool,
}

/// An answer on its way to the client.
pub(crate) struct Asked {
    pub(crate) answer: Result<Response, TransportError>,
    /// The fault of the connection, if there is one.
    pub(crate) wire: Option<Plan>,
    /// The checkout that the request has made.
    pub(crate) made: Option<String>,
}

/// Asks a sandbox of the world.
///
/// # Errors
/// A header of the server's own is wrong.
pub(crate) fn ask(worlds: &Worlds, world: &Arc<World>, question: Question) -> Result<Asked, Problem> {
    let Question { api, prefix, mut head, body, is_judged } = question;
    let played = world.played();
    let route = route_of(&played, api, &head);
    let of_header = faults::of_header(&mut head, route)?.map(|fault| Struck { fault, draw: 0 });
    let chosen = choice::of_header(&mut head, route.provider())?;
    let order = || order_of(&played, api, &head, &body);
    let creates = route.name().is_some_and(|route| CREATES.contains(&&*route));
    let scenario = match (chosen, creates) {
        (_, false) => None,
        (Some(name), true) => Some(name),
        (None, true) => {
            let of_order = order().map(|order| choice::of_order(&order, route.provider()));
            let of_amount = || choice::of_amount(&head, &body, route.provider());
            of_order.transpose()?.flatten().or_else(of_amount)
        }
    };
    let by_rule = || meet_rules(&played, api, &head, &body);
    let struck = of_header.or_else(by_rule);
    let request = Request::from_parts(head, body);
    let (fault, wire) = match struck {
        Some(Struck { fault: Fault::Wire(wire), draw }) => (None, Some(Plan::new(wire, draw))),
        Some(Struck { fault, .. }) => (Some(fault), None),
        None => (None, None),
    };
    let came = Came { api, prefix, wire, is_judged, played: &played };
    let (answer, made) = match api {
        Api::AllScale => {
            let fault = if let Some(Fault::AllScale(fault)) = fault { Some(fault) } else { None };
            let scenario = scenario.and_then(allscale::Scenario::by_name);
            came.to(
                |request| played.allscale.exchange_through(request, fault, scenario),
                allscale::Fault::name,
                request,
            )
        }
        Api::Azotte => {
            let fault = if let Some(Fault::Azotte(fault)) = fault { Some(fault) } else { None };
            let scenario = scenario.and_then(azotte::Scenario::by_name);
            came.to(
                |request| played.azotte.exchange_through(request, fault, scenario),
                azotte::Fault::name,
                request,
            )
        }
        Api::Peach | Api::PeachAuth => {
            let fault = if let Some(Fault::Peach(fault)) = fault { Some(fault) } else { None };
            let scenario = scenario.and_then(peach::Scenario::by_name);
            came.to(
                |request| played.peach.exchange_through(request, fault, scenario),
                peach::Fault::name,
                request,
            )
        }
    };
    if let (Api::PeachAuth, Ok(answer)) = (api, &answer)
        && let Some((token, seconds)) = named::access_token(answer.body())
    {
        worlds.lead_token(token, seconds, world);
    }
    Ok(Asked { answer, wire, made })
}

/// Shows a request to the rules of the world alone: a request of the file that left nothing else behind.
pub(crate) fn meet(world: &World, question: Question) {
    let Question { api, mut head, body, .. } = question;
    let played = world.quiet();
    // A fault in the header takes the place of the rules.
    let route = route_of(&played, api, &head);
    if faults::of_header(&mut head, route).is_ok_and(|fault| fault.is_none()) {
        meet_rules(&played, api, &head, &body);
    }
}

fn meet_rules(played: &Played, api: Api, head: &Parts, body: &Bytes) -> Option<Struck> {
    let route = route_of(played, api, head);
    let identity = || {
        // The file has the body without a card.
        let body = if api == Api::Azotte { card::without_card(body) } else { body.clone() };
        faults::identity(route, order_of(played, api, head, &body).as_deref(), head, &body)
    };
    played.faults.meet(route, identity)
}

fn route_of(played: &Played, api: Api, head: &Parts) -> Route {
    match api {
        Api::AllScale => Route::AllScale(played.allscale.route_of(head)),
        Api::Azotte => Route::Azotte(played.azotte.route_of(head)),
        Api::Peach | Api::PeachAuth => Route::Peach(played.peach.route_of(head)),
    }
}

fn order_of(played: &Played, api: Api, head: &Parts, body: &Bytes) -> Option<String> {
    match api {
        Api::AllScale => played.allscale.order_of(head, body),
        Api::Azotte => played.azotte.order_of(head, body),
        Api::Peach | Api::PeachAuth => played.peach.order_of(head, body),
    }
}

/// A request that has come to a world.
struct Came<'a> {
    api: Api,
    prefix: String,
    wire: Option<Plan>,
    is_judged: bool,
    played: &'a Visit,
}

impl Came<'_> {
    /// The checkout that a path names.
    fn in_path(&self, path: &str) -> Option<Arc<str>> {
        let mut segments = path.split('/');
        let found = segments.find(|segment| segment.len() >= LEAST_ID && self.statuses(segment) > 0);
        found.map(Into::into)
    }

    /// The number of statuses that a checkout has had.
    fn statuses(&self, id: &str) -> usize {
        match self.api {
            Api::AllScale => self.played.allscale.history(id).len(),
            Api::Azotte => self.played.azotte.history(id).len(),
            Api::Peach | Api::PeachAuth => self.played.peach.history(id).len(),
        }
    }

    /// Takes the request to a sandbox, and keeps the request and the answer in the world's log. Returns the
    /// answer, and the id of a new checkout.
    fn to<Route: Display, Fault>(
        self,
        sandbox: impl FnOnce(Request) -> Exchange<Route, Fault>,
        name: fn(&Fault) -> &'static str,
        request: Request,
    ) -> (Result<Response, TransportError>, Option<String>) {
        // The clocks of the three providers are always set together.
        let skew_ms = self.played.allscale.skew_ms();
        let begin = machine::passing();
        let exchange = sandbox(request);
        let took = machine::passing().saturating_since(begin);
        let Exchange { at, route, checkout, order, fault, head, body, answer, error, .. } = exchange;
        let mut arrived = Arrived::of(answer.is_some(), error.as_ref().map(TransportError::delivery));
        let is_head = head.method == Method::HEAD;
        if let (Some(wire), Some(answer), Arrived::Answer) = (&self.wire, &answer, arrived)
            && !wire.brings(wire::bytes_of(answer, is_head).len())
        {
            arrived = Arrived::RequestAlone;
        }
        let names = fault.as_ref().map(name).into_iter().chain(self.wire.as_ref().map(Plan::name));
        let names: Vec<_> = names.collect();
        let delay = self.wire.as_ref().and_then(Plan::delay).unwrap_or_default();
        let kept = answer.clone();
        let route = route.map(|route| route.to_string());
        let creates = route.as_deref().is_some_and(|route| CREATES.contains(&route));
        let made = checkout.clone().filter(|_| creates);
        let checkout: Option<Arc<str>> = checkout.map(Into::into);
        let named = if checkout.is_none() { self.in_path(head.uri.path()) } else { None };
        let statuses = checkout.as_ref().or(named.as_ref()).map_or(0, |id| self.statuses(id));
        self.played.traffic().add(|number| {
            let entry = Entry {
                number,
                at,
                skew_ms,
                took: took.saturating_add(delay),
                api: self.api,
                method: head.method,
                path: head.uri.path().to_owned(),
                prefix: self.prefix,
                query: head.uri.query().map(str::to_owned),
                headers: head.headers,
                body,
                route,
                checkout,
                named,
                order,
                statuses,
                fault: (!names.is_empty()).then(|| names.join(", ")),
                answer: kept,
                arrived,
            };
            if self.is_judged {
                self.played.judge(|judge, witness| judge.see(&entry, witness));
            }
            entry
        });
        let answer = match (error, answer) {
            (None, Some(answer)) => Ok(answer),
            (Some(error), _) => Err(error),
            (None, None) => Err(TransportError::unknown("there is no answer")),
        };
        (answer, made)
    }
}

/// The routes that make a checkout.
const CREATES: [&str; 4] = ["create", "submit_checkout", "initiate", "create_checkout"];

/// The least length of a checkout's id: no word of a path is longer.
const LEAST_ID: usize = 20;
