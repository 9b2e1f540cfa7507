//! A rule: the requests that a fault strikes.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::fault::{Fault, Route};
use crate::fields::Fields;
use crate::keys::number_of;
use crate::problem::Problem;
use crate::provider::Provider;

/// A fault, and the requests that the fault strikes.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(super) number: u64,
    provider: Provider,
    fault: Fault,
    /// The name of the one route. `None` for every route that can show the fault.
    route: Option<String>,
    /// The number of the first request that the rule may strike, counted from 1.
    nth: u64,
    /// The most requests that the rule strikes. `None` for no end.
    times: Option<u64>,
    /// The chance of each request in thousandths. `None` for certain.
    permille: Option<u64>,
    seed: u64,
    /// The number of requests that the rule fits.
    seen: u64,
    struck: u64,
    /// The number of requests of each identity that the rule fits, by the hash of the identity.
    met: HashMap<u64, u64>,
}

/// A fault that strikes a request.
#[derive(Clone, Debug)]
pub(crate) struct Struck {
    pub(crate) fault: Fault,
    /// A number for the fault's own chances, such as the jitter of a delay. The number follows from the
    /// rule's seed and the request.
    pub(crate) draw: u64,
}

impl Rule {
    /// Reads a rule.
    pub(super) fn read(provider: Provider, mut fields: Fields) -> Result<Self, Problem> {
        let fault = Fault::read(provider, &mut fields)?;
        let route = fields.text("route")?;
        let nth = fields.number("nth", 1, MOST)?.unwrap_or(1);
        let times = fields.number("times", 1, MOST)?;
        let permille = fields.number("permille", 1, 1_000)?;
        let seed = fields.number("seed", 0, u64::MAX)?;
        fields.end()?;
        if let Some(route) = &route {
            let fitting = fault.routes(provider);
            let all: Vec<_> = Route::all(provider).into_iter().filter_map(Route::name).collect();
            if !all.contains(route) {
                return Err(Problem::field("route", format!("has to be one of {}", all.join(", "))));
            }
            if !fitting.contains(route) {
                let message =
                    format!("{} cannot strike there: the routes are {}", fault.name(), fitting.join(", "));
                return Err(Problem::field("route", message));
            }
        }
        // A certain fault strikes once, and a chance has no end.
        let times = times.or(if permille.is_none() { Some(1) } else { None });
        let (seed, met) = (seed.unwrap_or(0), HashMap::new());
        Ok(Self { number: 0, provider, fault, route, nth, times, permille, seed, seen: 0, struck: 0, met })
    }

    /// Counts a request, and returns the fault if the rule strikes the request. A rule that is too late,
    /// because an earlier rule has struck the request, counts and does not strike.
    pub(super) fn meet(
        &mut self,
        route: Route,
        is_late: bool,
        identity: impl Fn() -> String,
    ) -> Option<Struck> {
        let is_here = self.provider == route.provider() && self.fault.fits(route);
        if !is_here || (self.route.is_some() && self.route != route.name()) {
            return None;
        }
        self.seen = self.seen.saturating_add(1);
        let identity = number_of(&identity());
        let met = self.met.entry(identity).or_default();
        *met = met.saturating_add(1);
        let of = format!("{} {} {identity} {met}", self.seed, self.fault.name());
        let is_over = self.times.is_some_and(|times| self.struck >= times);
        if is_late || is_over || self.seen < self.nth {
            return None;
        }
        if self.permille.is_some_and(|permille| number_of(&format!("chance {of}")) % 1_000 >= permille) {
            return None;
        }
        self.struck = self.struck.saturating_add(1);
        Some(Struck { fault: self.fault.clone(), draw: number_of(&format!("draw {of}")) })
    }

    /// The number of requests that the rule still strikes for certain.
    pub(super) fn waiting(&self) -> u64 {
        match (self.permille, self.times) {
            (None, Some(times)) => times.saturating_sub(self.struck),
            (Some(_), _) | (_, None) => 0,
        }
    }

    /// True if the rule strikes no request any more.
    pub(super) fn is_over(&self) -> bool {
        self.times.is_some_and(|times| self.struck >= times)
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut json = json!({
            "number": self.number,
            "provider": self.provider.key(),
            "fault": self.fault.name(),
            "route": self.route,
            "nth": self.nth,
            "times": self.times,
            "permille": self.permille,
            "seed": self.permille.map(|_| self.seed),
            "seen": self.seen,
            "struck": self.struck,
        });
        if let Some(json) = json.as_object_mut() {
            json.extend(self.fault.values());
        }
        json
    }

    /// The rule in words, for the dashboard.
    pub(crate) fn words(&self) -> String {
        let mut words = format!("{}: {}", self.provider.name(), self.fault.name());
        for (name, value) in self.fault.values() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            words += &format!("; {name}={value}");
        }
        for (name, value) in
            [("route", self.route.clone()), ("permille", self.permille.map(|n| n.to_string()))]
        {
            if let Some(value) = value {
                words += &format!("; {name}={value}");
            }
        }
        let times = self.times.map_or_else(|| "without end".to_owned(), |times| format!("of {times}"));
        words + &format!(" (struck {} {times})", self.struck)
    }
}

/// The greatest number of requests in a rule.
const MOST: u64 = 1_000_000_000;
