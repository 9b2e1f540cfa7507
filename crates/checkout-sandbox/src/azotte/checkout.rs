//! The sandbox's record of a checkout, and the `CheckoutResult` that shows the checkout.

use std::time::Duration;

use checkout_tables::Moment;

use super::fault::Fault;
use super::order::Order;
use super::scenario::{DECLINED, DONE, REFUSED, Redirect, Return, Returns, Scenario, Stage, Step};
use crate::clock::first_moment;
use crate::generator::Generator;
use crate::json::Json;

/// A checkout as a test sees the checkout, from behind the counter.
///
/// ```
/// use checkout_sandbox::azotte::Sandbox;
///
/// assert!(Sandbox::new(1).checkouts().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckoutRecord {
    /// The `trackingNumber`: `trk_` and a ULID.
    pub tracking_number: String,
    /// The `x-tn` of the tenant that submitted the checkout.
    pub tenant: String,
    /// The `correlationId` of the request, if the request had a `correlationId`.
    pub correlation_id: Option<String>,
    /// The code now, by the scenario, the clock, and the steps of the payer.
    pub message_code: String,
    /// The number of captures of the payment by now: 1 from the first `CHECK_OUT_DONE` on, and else 0.
    pub captures: u32,
    /// The number of submits that led to the checkout: the first, and each later submit with the same
    /// correlation id.
    pub submits: u32,
    /// The `paymentChannel`.
    pub channel: String,
    /// True if the checkout charges a stored method.
    pub uses_stored_method: bool,
    /// The time of the first submit.
    pub submitted_at: Moment,
    /// The time of the latest change, which can be to the same code once more.
    pub changed_at: Moment,
    /// The name of the scenario that the checkout goes through.
    pub scenario: String,
    /// True if the checkout waits for the payer's browser to return from a redirect.
    pub is_waiting: bool,
    /// True if the redirect shows a form of HTML, alone or beside a page.
    pub shows_html: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Checkout {
    pub(super) tracking_number: String,
    /// The number of the tenant that submitted the checkout.
    pub(super) tenant: usize,
    pub(super) submits: u32,
    seed: u64,
    order: Order,
    scenario: Scenario,
    returns: Returns,
    submitted_at: Moment,
}

/// An act of the payer at a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Pass,
    Fail,
    /// The payer passes, and the bank declines.
    Decline,
    /// The payer leaves, and the browser does not return by itself.
    Abandon,
}

impl Checkout {
    pub(super) fn correlation_id(&self) -> Option<&str> {
        self.order.correlation_id.as_deref()
    }

    pub(super) fn new(
        tenant: usize,
        order: Order,
        scenario: Scenario,
        now: Moment,
        generator: &mut Generator,
    ) -> Self {
        let tracking_number = tracking_number(now, generator);
        let (seed, returns) = (generator.number(), Returns::new());
        let submitted_at = now;
        Self { tracking_number, tenant, submits: 0, seed, order, scenario, returns, submitted_at }
    }

    pub(super) fn record(&self, x_tn: &str, now: Moment) -> CheckoutRecord {
        let stage = self.stage(now);
        CheckoutRecord {
            tracking_number: self.tracking_number.clone(),
            tenant: x_tn.to_owned(),
            correlation_id: self.order.correlation_id.clone(),
            message_code: stage.step.code().to_owned(),
            captures: u32::from(stage.is_captured),
            submits: self.submits,
            channel: self.order.channel.clone(),
            uses_stored_method: self.order.uses_stored_method,
            submitted_at: self.submitted_at,
            changed_at: self.submitted_at.saturating_add(stage.since),
            scenario: self.scenario.name().to_owned(),
            is_waiting: stage.is_waiting,
            shows_html: stage.step.redirect().is_some_and(|redirect| redirect != Redirect::Url),
        }
    }

    /// The time of the next change after now.
    pub(super) fn next_change(&self, now: Moment) -> Option<Moment> {
        first_moment(self.submitted_at, self.stage(now).next?)
    }

    /// The codes that have come, each with its time, in order.
    pub(super) fn history(&self, now: Moment) -> Vec<(Moment, String)> {
        let history = self.scenario.history(&self.returns, self.age(now)).into_iter();
        history.map(|(at, step)| (self.submitted_at.saturating_add(at), step.code().to_owned())).collect()
    }

    /// Has the payer act at a redirect. False, and nothing happens, if the checkout is at no redirect.
    pub(super) fn act(&mut self, act: Act, now: Moment) -> bool {
        let Stage { round, is_waiting, .. } = self.stage(now);
        if is_waiting {
            let mut back = |end| {
                self.returns.insert(round, Return { at: self.age(now), end });
            };
            match act {
                Act::Pass => back(None),
                Act::Fail => back(Some(&REFUSED)),
                Act::Decline => back(Some(&DECLINED)),
                Act::Abandon => {
                    // The browser has come back from earlier challenges, and stays so.
                    self.returns = self.scenario.returned(&self.returns, self.age(now));
                    self.scenario = self.scenario.clone().browser_never_returns();
                }
            }
        }
        is_waiting
    }

    pub(super) fn step(&self, now: Moment) -> &Step {
        self.stage(now).step
    }

    /// The code and the `CheckoutResult`, with the members in the order of the page's samples.
    pub(super) fn result(&self, now: Moment, fault: Option<&Fault>, pages: Option<&str>) -> (String, Json) {
        let Stage { step, round, .. } = self.stage(now);
        let code = match fault {
            Some(Fault::TamperedCode(code)) => code.as_str(),
            Some(_) | None => step.code(),
        };
        let tracking_number = match fault {
            Some(Fault::TamperedTracking) => Some(self.made_up_tracking_number()),
            Some(Fault::MissingTracking) => None,
            Some(_) | None => Some(self.tracking_number.clone()),
        };
        let is_silent = matches!(fault, Some(Fault::NoFollowUp | Fault::NoPollingAdvice));
        let status = object([
            ("messageCode", Some(Json::text(code))),
            ("message", step.message(false).map(Json::text)),
        ]);
        let follow_up = object([
            ("retryAfterSeconds", step.can_follow_up().then(|| Json::Int(i64::from(step.advised_seconds())))),
            ("canFollowUp", Some(boolean(step.can_follow_up()))),
        ]);
        let result = object([
            ("trackingNumber", tracking_number.map(Json::text)),
            ("status", Some(status)),
            ("message", step.message(true).map(Json::text)),
            ("redirectInstructions", step.redirect().map(|redirect| self.redirect(redirect, round, pages))),
            ("followUpInstructions", Some(follow_up).filter(|_| !is_silent)),
        ]);
        (code.to_owned(), result)
    }

    /// A checkout of somebody else's that nobody submitted, at another code.
    pub(super) fn made_up_other(&self, now: Moment) -> Self {
        let is_done = self.step(now).code() == DONE;
        let steps = (!is_done).then(|| Step::after(Duration::ZERO, DONE));
        Self {
            tracking_number: self.made_up_tracking_number(),
            seed: !self.seed,
            scenario: Scenario::custom(steps),
            ..self.clone()
        }
    }

    fn redirect(&self, redirect: Redirect, round: usize, pages: Option<&str>) -> Json {
        let round = u64::try_from(round).unwrap_or_default();
        let mut digits = Generator::new(self.seed.wrapping_add(round));
        let providers = format!("https://psp.example/3ds/{}", digits.hex(12));
        let url = pages.map_or(providers, |base| format!("{base}/{}", self.tracking_number));
        let reference = format!("3ds_{}", digits.hex(16));
        // JSON has to escape the form, and a reader has to give the same form back.
        let form = format!(
            "<form id=\"challenge\" method=\"post\" action=\"{url}\">\n\
             \t<input type=\"hidden\" name=\"creq\" value=\"{}\">\n\
             \t<noscript><button>Weiter zur Bestätigung</button></noscript>\n</form>\n\
             <script>document.getElementById(\"challenge\").submit();</script>",
            digits.hex(48)
        );
        let shows_html = redirect != Redirect::Url;
        let shows_url = redirect != Redirect::Html;
        object([
            ("redirectUrl", shows_url.then_some(Json::Text(url))),
            ("htmlContent", shows_html.then_some(Json::Text(form))),
            ("threeDIdentifier", shows_html.then_some(Json::Text(reference))),
            ("isRedirectRequired", Some(boolean(true))),
            ("hasNextSteps", Some(boolean(true))),
            ("showHtmlContent", Some(boolean(shows_html))),
        ])
    }

    fn made_up_tracking_number(&self) -> String {
        tracking_number(self.submitted_at, &mut Generator::new(!self.seed))
    }

    fn stage(&self, now: Moment) -> Stage<'_> {
        self.scenario.stage(&self.returns, self.age(now))
    }

    fn age(&self, now: Moment) -> Duration {
        now.saturating_since(self.submitted_at)
    }
}

/// A tracking number: `trk_` and a ULID, as in the page's samples. A ULID is 48 bits of the time and 80
/// others, in Crockford's base 32.
fn tracking_number(now: Moment, generator: &mut Generator) -> String {
    let others = (u128::from(generator.number()) << 16) | u128::from(generator.number() & 0xffff);
    let bits = (u128::from(now.unix_millis().cast_unsigned() & 0xffff_ffff_ffff) << 80) | others;
    let digit = |at: usize| {
        let value = usize::try_from((bits >> (5 * at)) & 31).unwrap_or_default();
        CROCKFORD.get(value).copied().map_or('0', char::from)
    };
    let ulid: String = (0..26).rev().map(digit).collect();
    format!("trk_{ulid}")
}

/// An object of the members that have a value.
fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Json::Object(present.collect())
}

fn boolean(value: bool) -> Json {
    Json::Raw(value.to_string())
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracking_number_holds_its_time_as_a_ulid_does() {
        // The time of the ULID in the page's samples, and the example of the ULID specification.
        for (millis, time) in [
            (1_717_246_327_923, "01HZ9XPZ3K"),
            (1_469_918_176_385, "01ARYZ6S41"),
            (0, "0000000000"),
            (i64::MAX, "7ZZZZZZZZZ"),
            (-1, "7ZZZZZZZZZ"),
        ] {
            let number = tracking_number(Moment::from_unix_millis(millis), &mut Generator::new(1));
            assert_eq!(number.len(), "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB".len());
            assert_eq!(number.get(..14), Some(format!("trk_{time}").as_str()));
        }
    }
}
