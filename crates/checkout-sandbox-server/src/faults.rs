//! The rules by which requests go wrong, of one world from one reset to the next.

mod fault;
mod identity;
mod rule;
mod text;

use std::cell::OnceCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use checkout_transport::http::request::Parts;

use crate::fields::Fields;
use crate::problem::Problem;
use crate::provider::Provider;

pub(crate) use fault::{Fault, Route};
pub(crate) use identity::identity;
pub(crate) use rule::{Rule, Struck};

/// The rules of a world.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Rules>);

/// The rules, in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// In the order of their numbers.
    all: Vec<Rule>,
    last: u64,
}

impl Faults {
    /// Adds a rule under a new number, and returns the rule with the number.
    ///
    /// # Errors
    /// There are too many rules.
    pub(crate) fn add(&self, mut rule: Rule) -> Result<Rule, Problem> {
        let mut rules = self.rules();
        if rules.all.len() >= MOST_RULES {
            let message = format!("a world has at most {MOST_RULES} rules: DELETE …/faults takes all away");
            return Err(Problem::field("fault", message));
        }
        rules.last += 1;
        rule.number = rules.last;
        rules.all.push(rule.clone());
        Ok(rule)
    }

    /// All rules, those that strike no request any more among them.
    pub(crate) fn all(&self) -> Vec<Rule> {
        self.rules().all.clone()
    }

    /// Takes a rule away. False if there is none with the number.
    pub(crate) fn remove(&self, number: u64) -> bool {
        let mut rules = self.rules();
        let before = rules.all.len();
        rules.all.retain(|rule| rule.number != number);
        rules.all.len() < before
    }

    pub(crate) fn clear(&self) {
        self.rules().all.clear();
    }

    /// True if there is no rule.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules().all.is_empty()
    }

    /// Takes rules away, and adds others. Returns the others with their numbers.
    ///
    /// # Errors
    /// There are too many rules.
    pub(crate) fn replace(&self, before: &[Rule], now: Vec<Rule>) -> Result<Vec<Rule>, Problem> {
        for rule in before {
            self.remove(rule.number);
        }
        now.into_iter().map(|rule| self.add(rule)).collect()
    }

    /// Begins again with these rules, and returns the rules with their numbers.
    pub(crate) fn begin_again(&self, first: &[Rule]) -> Vec<Rule> {
        *self.rules() = Rules::default();
        // There was room for the rules in the beginning.
        first.iter().filter_map(|rule| self.add(rule.clone()).ok()).collect()
    }

    /// A copy of the rules, with the numbers of the requests that the rules have met.
    pub(crate) fn copied(&self) -> Rules {
        self.rules().clone()
    }

    /// Takes a copy over.
    pub(crate) fn take_over(&self, rules: &Rules) {
        *self.rules() = rules.clone();
    }

    /// The number of requests that are still to be struck for certain.
    pub(crate) fn waiting(&self) -> u64 {
        self.rules().all.iter().map(Rule::waiting).fold(0, u64::saturating_add)
    }

    /// Shows a request to all rules, and returns the fault of the first rule that strikes. `identity` is
    /// called if there is a rule.
    pub(crate) fn meet(&self, route: Route, identity: impl Fn() -> String) -> Option<Struck> {
        let known = OnceCell::new();
        let identity = || known.get_or_init(&identity).clone();
        let mut struck = None;
        for rule in self.rules().all.iter_mut().filter(|rule| !rule.is_over()) {
            let of_rule = rule.meet(route, struck.is_some(), identity);
            struck = struck.or(of_rule);
        }
        struck
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the rule in a body.
pub(crate) fn rule_of_body(body: &[u8]) -> Result<Rule, Problem> {
    let mut fields = Fields::read(body)?;
    let provider = fields.text("provider")?.and_then(|key| Provider::of_key(&key));
    Rule::read(provider.ok_or_else(|| Problem::field("provider", PROVIDERS))?, fields)
}

/// Reads the rule in a line: `allscale:lost_answer; route=create; nth=2`.
pub(crate) fn rule_of_line(line: &str) -> Result<Rule, Problem> {
    let (provider, line) = line.split_once(':').unwrap_or(("", line));
    let provider = Provider::of_key(provider.trim());
    let refused = || Problem::field("provider", format!("{PROVIDERS}, with a colon after it"));
    Rule::read(provider.ok_or_else(refused)?, text::fields(line)?)
}

/// Takes the header that makes this one request go wrong out of a head, and reads the header.
///
/// # Errors
/// The header names no fault, or a fault that the request cannot show.
pub(crate) fn of_header(head: &mut Parts, route: Route) -> Result<Option<Fault>, Problem> {
    let named = |problem: Problem| Problem::field(HEADER, problem.sentence());
    let mut values = head.headers.get_all(HEADER).iter();
    let (Some(value), other) = (values.next(), values.next()) else { return Ok(None) };
    if other.is_some() {
        return Err(Problem::field(HEADER, "is given twice: a request has one fault"));
    }
    let line = value.to_str().map_err(|_| Problem::field(HEADER, "is no text"))?;
    let mut fields = text::fields(line).map_err(named)?;
    let fault = Fault::read(route.provider(), &mut fields).map_err(named)?;
    fields.end().map_err(named)?;
    head.headers.remove(HEADER);
    if !fault.fits(route) {
        let routes = fault.routes(route.provider()).join(", ");
        let message = format!("{} cannot strike this request: the routes are {routes}", fault.name());
        return Err(Problem::field(HEADER, message));
    }
    Ok(Some(fault))
}

/// The header that makes a request go wrong.
const HEADER: &str = "x-sandbox-fault";

const PROVIDERS: &str = "has to be allscale, azotte or peach";

/// The most rules of a world.
const MOST_RULES: usize = 1_000;

#[cfg(test)]
mod tests;
