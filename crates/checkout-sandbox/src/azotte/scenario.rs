//! The scenarios: the ways that a checkout can go.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

/// Writes the named scenarios: a constructor, a name and a row for each.
///
/// A row is `name = presence of the payer, [step, …];`.
macro_rules! scenarios {
    ($($(#[doc = $doc:literal])* $name:ident = $payer:ident, [$($step:expr),*];)+) => {
        /// The scenarios that have a name.
        impl Scenario {
            /// The names that [`Scenario::by_name`] knows, which are the names of the constructors below.
            ///
            /// ```
            /// # use checkout_sandbox::azotte::Scenario;
            /// assert!(Scenario::NAMES.iter().all(|name| Scenario::by_name(name).is_some()));
            /// ```
            pub const NAMES: [&'static str; [$(stringify!($name)),+].len()] = [$(stringify!($name)),+];

            /// The scenario with this name, if the name is in [`Scenario::NAMES`].
            ///
            /// ```
            /// # use checkout_sandbox::azotte::Scenario;
            /// assert_eq!(Scenario::by_name("happy"), Some(Scenario::happy()));
            /// assert_eq!(Scenario::by_name("unheard of"), None);
            /// ```
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                $(
                    if name == stringify!($name) {
                        return Some(Self::$name());
                    }
                )+
                None
            }

            /// A sentence about the scenario with this name, if the name is in [`Scenario::NAMES`].
            ///
            /// ```
            /// # use checkout_sandbox::azotte::Scenario;
            /// let sentence = Scenario::sentence("happy").unwrap_or_default();
            /// assert!(sentence.ends_with('.'));
            /// ```
            #[must_use]
            pub fn sentence(name: &str) -> Option<String> {
                $(
                    if name == stringify!($name) {
                        return Some(crate::summary::summary(concat!($($doc, "\n"),*)));
                    }
                )+
                None
            }

            $(
                $(#[doc = $doc])*
                #[must_use]
                pub fn $name() -> Self {
                    Self { name: stringify!($name), steps: vec![$($step),*], browser: $payer }
                }
            )+
        }
    };
}

/// The way that a checkout goes: the codes, the time of each, and the challenges for the payer.
///
/// Every checkout begins with `CHECK_OUT_PROCESSING`. The time of each step counts from the step before, and
/// the time of the first step from the submit; a first step after no time at all shows in the reply to the
/// submit already. A step with a redirect waits until the browser has returned from the redirect, and the
/// time of the next step counts from the return. The last code stays for ever. The scenario alone chooses the
/// order of codes: the sandbox also plays orders that Azotte should never show.
///
/// The browser returns, and the payer has passed, half a minute after a redirect shows
/// ([`Scenario::browser_returns_after`] and [`Scenario::browser_never_returns`] change the time), or as soon
/// as the test calls [`complete_3ds`](super::Sandbox::complete_3ds) or
/// [`fail_3ds`](super::Sandbox::fail_3ds).
///
/// Assumed: every duration, the words of every message, and the codes between a redirect and the end.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_sandbox::azotte::Scenario;
///
/// let scenario = Scenario::happy();
/// assert_eq!(scenario.code_at(Duration::ZERO), "CHECK_OUT_PROCESSING");
/// assert_eq!(scenario.code_at(Duration::from_secs(3600)), "CHECK_OUT_DONE");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    name: &'static str,
    steps: Vec<Step>,
    /// The time that the payer takes; `None` for ever.
    browser: Option<Duration>,
}

scenarios! {
    /// Processed, captured and delivered.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::happy().codes(), ["CHECK_OUT_PROCESSING", "CHECK_OUT_DONE"]);
    /// ```
    happy = PRESENT, [after(5, DONE)];

    /// Done in the reply to the submit.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::done_at_once().code_at(Duration::ZERO), "CHECK_OUT_DONE");
    /// ```
    done_at_once = PRESENT, [after(0, DONE)];

    /// Failed in the reply to the submit, with a message.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::failed_at_once().code_at(Duration::ZERO), "CHECK_OUT_FAILED");
    /// ```
    failed_at_once = PRESENT, [after(0, FAILED).saying("offer has expired")];

    /// Failed; the message is in `status.message`.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::failed().codes(), ["CHECK_OUT_PROCESSING", "CHECK_OUT_FAILED"]);
    /// ```
    failed = PRESENT, [after(5, FAILED).saying("card declined")];

    /// Failed; the message is a member of the whole result.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// let failed = Scenario::failed_message_on_top();
    /// assert_eq!(failed.codes(), ["CHECK_OUT_PROCESSING", "CHECK_OUT_FAILED"]);
    /// ```
    failed_message_on_top = PRESENT, [after(5, FAILED).saying_on_top("card declined")];

    /// A 3DS challenge on a hosted page, passed.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// let challenged = Scenario::three_ds_url();
    /// assert_eq!(challenged.codes()[..2], ["CHECK_OUT_PROCESSING", "CHECK_OUT_3DS_REQUIRED"]);
    /// assert_eq!(challenged.codes()[2..], ["CHECK_OUT_PROCESSING", "CHECK_OUT_DONE"]);
    /// ```
    three_ds_url = PRESENT, [after(5, THREE_DS).by_url(), after(0, PROCESSING), after(5, DONE)];

    /// A 3DS challenge in a form of HTML, passed.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::three_ds_html().codes(), Scenario::three_ds_url().codes());
    /// ```
    three_ds_html = PRESENT, [after(5, THREE_DS).by_html(), after(0, PROCESSING), after(5, DONE)];

    /// A 3DS challenge with both a form and a page, where the form is to be shown; passed.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::three_ds_html_and_url().codes(), Scenario::three_ds_url().codes());
    /// ```
    three_ds_html_and_url = PRESENT, [
        after(5, THREE_DS).by_html_or_url(), after(0, PROCESSING), after(5, DONE)
    ];

    /// A 3DS challenge in the reply to the submit, passed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::three_ds_at_once().code_at(Duration::ZERO), "CHECK_OUT_3DS_REQUIRED");
    /// ```
    three_ds_at_once = PRESENT, [after(0, THREE_DS).by_url(), after(0, PROCESSING), after(5, DONE)];

    /// A 3DS challenge that the payer does not pass.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::three_ds_failed().codes().last(), Some(&"CHECK_OUT_FAILED"));
    /// ```
    three_ds_failed = PRESENT, [
        after(5, THREE_DS).by_url(), after(0, PROCESSING),
        after(5, FAILED).saying("3DS authentication failed")
    ];

    /// Two 3DS challenges, by a page and by a form, with processing between them.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// let twice = Scenario::three_ds_twice();
    /// assert_eq!(twice.codes()[1], "CHECK_OUT_3DS_REQUIRED");
    /// assert_eq!(twice.codes()[3], "CHECK_OUT_3DS_REQUIRED");
    /// ```
    three_ds_twice = PRESENT, [
        after(5, THREE_DS).by_url(), after(0, PROCESSING),
        after(5, THREE_DS).by_html(), after(0, PROCESSING), after(5, DONE)
    ];

    /// A 3DS challenge from which the browser never returns by itself; the steps after the challenge wait for
    /// [`complete_3ds`](super::Sandbox::complete_3ds).
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::three_ds_abandoned().codes().last(), Some(&"CHECK_OUT_3DS_REQUIRED"));
    /// ```
    three_ds_abandoned = AWAY, [after(5, THREE_DS).by_url(), after(0, PROCESSING), after(5, DONE)];

    /// Sent elsewhere without any 3DS, as for a wallet: a redirect while the checkout is processing.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::redirect_while_processing().codes().last(), Some(&"CHECK_OUT_DONE"));
    /// ```
    redirect_while_processing = PRESENT, [
        after(5, PROCESSING).by_url(), after(0, PROCESSING), after(5, DONE)
    ];

    /// Ten minutes of processing, with the advice to ask every ten seconds, and then done.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::slow().code_at(Duration::from_secs(599)), "CHECK_OUT_PROCESSING");
    /// ```
    slow = PRESENT, [after(0, PROCESSING).retry_after_seconds(10), after(600, DONE)];

    /// Failed, and done ten minutes later.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// let late = Scenario::late_success();
    /// assert_eq!(late.codes(), ["CHECK_OUT_PROCESSING", "CHECK_OUT_FAILED", "CHECK_OUT_DONE"]);
    /// ```
    late_success = PRESENT, [after(5, FAILED).saying("capture timed out"), after(600, DONE)];

    /// Processed for ever.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::never_ends().codes(), ["CHECK_OUT_PROCESSING"]);
    /// ```
    never_ends = PRESENT, [];

    /// Through a code that no page names, to the end.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// let unknown = Scenario::unknown_code();
    /// assert_eq!(unknown.codes(), ["CHECK_OUT_PROCESSING", "CHECK_OUT_IN_REVIEW", "CHECK_OUT_DONE"]);
    /// ```
    unknown_code = PRESENT, [after(5, "CHECK_OUT_IN_REVIEW"), after(10, DONE)];

    /// Through a code with a redirect that no page names, to the end.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::unknown_code_with_redirect().codes()[1], "CHECK_OUT_REDIRECT_REQUIRED");
    /// ```
    unknown_code_with_redirect = PRESENT, [
        after(5, "CHECK_OUT_REDIRECT_REQUIRED").by_url(), after(0, PROCESSING), after(5, DONE)
    ];

    /// Done, which is final, and then processing, as a replica that lags behind says.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// let lagging = Scenario::change_after_terminal();
    /// assert_eq!(lagging.codes(), ["CHECK_OUT_PROCESSING", "CHECK_OUT_DONE", "CHECK_OUT_PROCESSING"]);
    /// ```
    change_after_terminal = PRESENT, [after(5, DONE), after(60, PROCESSING)];
}

impl Scenario {
    /// A scenario of your own.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_sandbox::azotte::{Scenario, Step};
    ///
    /// let declined = Step::after(Duration::ZERO, "CHECK_OUT_FAILED").saying("declined");
    /// let at_once = Scenario::custom([declined]);
    /// assert_eq!(at_once.name(), "custom");
    /// assert_eq!(at_once.code_at(Duration::ZERO), "CHECK_OUT_FAILED");
    /// ```
    #[must_use]
    pub fn custom(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { name: "custom", steps: steps.into_iter().collect(), browser: PRESENT }
    }

    /// The same scenario, with a browser that returns this long after each redirect shows. The payer has
    /// passed then.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_sandbox::azotte::Scenario;
    ///
    /// let quick = Scenario::three_ds_at_once().browser_returns_after(Duration::from_secs(1));
    /// assert_eq!(quick.code_at(Duration::from_secs(1)), "CHECK_OUT_PROCESSING");
    /// ```
    #[must_use]
    pub fn browser_returns_after(mut self, time: Duration) -> Self {
        self.browser = Some(time);
        self
    }

    /// The same scenario, with redirects that only [`complete_3ds`](super::Sandbox::complete_3ds) and
    /// [`fail_3ds`](super::Sandbox::fail_3ds) end.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Scenario;
    /// let by_hand = Scenario::three_ds_at_once().browser_never_returns();
    /// assert_eq!(by_hand.code_at(Duration::MAX), "CHECK_OUT_3DS_REQUIRED");
    /// ```
    #[must_use]
    pub fn browser_never_returns(mut self) -> Self {
        self.browser = None;
        self
    }

    /// The scenario's name, `custom` for your own.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::late_success().name(), "late_success");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// All codes that the scenario comes to by itself, in order, with the code at the beginning. A first step
    /// after no time takes the place of the beginning; a redirect that nobody returns from is the end.
    ///
    /// ```
    /// # use checkout_sandbox::azotte::Scenario;
    /// assert_eq!(Scenario::done_at_once().codes(), ["CHECK_OUT_DONE"]);
    /// ```
    #[must_use]
    pub fn codes(&self) -> Vec<&str> {
        let mut codes = Vec::new();
        if self.begins_at_the_beginning() {
            codes.push(PROCESSING);
        }
        self.walk(&Returns::new(), Duration::MAX, |_, step| codes.push(step.code()), |_, _| ());
        codes
    }

    /// The code this long after the submit, if no test acts for the payer. The code of a step shows from the
    /// step's time on.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use checkout_sandbox::azotte::Scenario;
    ///
    /// let at = |millis| Scenario::happy().code_at(Duration::from_millis(millis)).to_owned();
    /// assert_eq!([4_999, 5_000].map(at), ["CHECK_OUT_PROCESSING", "CHECK_OUT_DONE"]);
    /// ```
    #[must_use]
    pub fn code_at(&self, elapsed: Duration) -> &str {
        self.stage(&Returns::new(), elapsed).step.code()
    }

    /// The stage of a checkout this long after the submit.
    pub(super) fn stage(&self, returns: &Returns, elapsed: Duration) -> Stage<'_> {
        self.walk(returns, elapsed, |_, _| (), |_, _| ())
    }

    /// The returns of the browser so far, with those that came by themselves.
    pub(super) fn returned(&self, returns: &Returns, elapsed: Duration) -> Returns {
        let mut returned = Returns::new();
        self.walk(
            returns,
            elapsed,
            |_, _| (),
            |round, back| {
                returned.insert(round, back);
            },
        );
        returned
    }

    /// False if a first step after no time takes the place of the beginning.
    fn begins_at_the_beginning(&self) -> bool {
        self.steps.first().is_none_or(|first| !first.wait.is_zero())
    }

    /// The steps that have come, each with its time since the submit, in order.
    pub(super) fn history(&self, returns: &Returns, elapsed: Duration) -> Vec<(Duration, &Step)> {
        let mut history = Vec::new();
        if self.begins_at_the_beginning() {
            history.push((Duration::ZERO, &BEGINNING));
        }
        self.walk(returns, elapsed, |at, step| history.push((at, step)), |_, _| ());
        history
    }

    fn walk<'a>(
        &'a self,
        returns: &Returns,
        elapsed: Duration,
        mut reached: impl FnMut(Duration, &'a Step),
        mut came_back: impl FnMut(usize, Return),
    ) -> Stage<'a> {
        let (step, since) = (&BEGINNING, Duration::ZERO);
        let mut stage = Stage { step, since, round: 0, is_waiting: false, is_captured: false, next: None };
        let (mut at, mut rounds) = (Duration::ZERO, 0);
        for step in &self.steps {
            at = at.saturating_add(step.wait);
            if at > elapsed {
                stage.next = Some(at);
                break;
            }
            reached(at, step);
            (stage.step, stage.since) = (step, at);
            stage.is_captured |= step.code == DONE;
            if step.redirect.is_none() {
                continue;
            }
            stage.round = rounds;
            stage.is_waiting = true;
            let by_itself = self.browser.map(|time| Return { at: at.saturating_add(time), end: None });
            let back = returns.get(&rounds).copied().or(by_itself);
            let Some(back) = back.filter(|back| back.at <= elapsed) else {
                stage.next = back.map(|back| back.at);
                break;
            };
            stage.is_waiting = false;
            came_back(rounds, back);
            rounds += 1;
            at = back.at;
            if let Some(end) = back.end {
                reached(at, end);
                (stage.step, stage.since) = (end, at);
                break;
            }
        }
        stage
    }
}

impl Default for Scenario {
    /// Returns [`Scenario::happy`].
    fn default() -> Self {
        Self::happy()
    }
}

/// A step of a [`Scenario`]: a code, the time of the code, and the members beside the code.
///
/// ```
/// use std::time::Duration;
///
/// use checkout_sandbox::azotte::{Scenario, Step};
///
/// let wallet = Scenario::custom([
///     Step::after(Duration::from_secs(1), "CHECK_OUT_PROCESSING").by_url(),
///     Step::after(Duration::from_secs(2), "CHECK_OUT_FAILED").saying("the wallet is empty"),
/// ]);
/// assert_eq!(wallet.codes().len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    wait: Duration,
    code: Cow<'static, str>,
    message: Option<Message>,
    redirect: Option<Redirect>,
    retry_after_seconds: Option<u32>,
}

impl Step {
    /// A step to this code, which may be any text, this long after the step before.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Step;
    /// let step = Step::after(Duration::from_secs(5), "CHECK_OUT_DONE");
    /// ```
    #[must_use]
    pub fn after(wait: Duration, code: impl Into<Cow<'static, str>>) -> Self {
        Self { wait, code: code.into(), message: None, redirect: None, retry_after_seconds: None }
    }

    /// Adds a `status.message`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Step;
    /// let step = Step::after(Duration::ZERO, "CHECK_OUT_FAILED").saying("declined");
    /// ```
    #[must_use]
    pub fn saying(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = Some(Message { text: message.into(), on_top: false });
        self
    }

    /// Adds a `message` beside `status`. The page does not show which of the two places a message has.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Step;
    /// let step = Step::after(Duration::ZERO, "CHECK_OUT_FAILED").saying_on_top("declined");
    /// ```
    #[must_use]
    pub fn saying_on_top(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = Some(Message { text: message.into(), on_top: true });
        self
    }

    /// Adds a `redirectUrl`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Step;
    /// let step = Step::after(Duration::ZERO, "CHECK_OUT_3DS_REQUIRED").by_url();
    /// ```
    #[must_use]
    pub fn by_url(mut self) -> Self {
        self.redirect = Some(Redirect::Url);
        self
    }

    /// Adds a form in `htmlContent` and a `threeDIdentifier`, and no URL.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Step;
    /// let step = Step::after(Duration::ZERO, "CHECK_OUT_3DS_REQUIRED").by_html();
    /// ```
    #[must_use]
    pub fn by_html(mut self) -> Self {
        self.redirect = Some(Redirect::Html);
        self
    }

    /// Adds everything of [`by_url`](Step::by_url) and [`by_html`](Step::by_html), and asks for the form to
    /// be shown.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Step;
    /// let step = Step::after(Duration::ZERO, "CHECK_OUT_3DS_REQUIRED").by_html_or_url();
    /// ```
    #[must_use]
    pub fn by_html_or_url(mut self) -> Self {
        self.redirect = Some(Redirect::HtmlAndUrl);
        self
    }

    /// Puts this advice into `followUpInstructions`, unless the code is final. The header stays at 2 seconds.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use checkout_sandbox::azotte::Step;
    /// let step = Step::after(Duration::ZERO, "CHECK_OUT_PROCESSING").retry_after_seconds(30);
    /// ```
    #[must_use]
    pub fn retry_after_seconds(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// The message, if the message has this place: on top, or else in `status`.
    pub(super) fn message(&self, on_top: bool) -> Option<&str> {
        self.message.as_ref().filter(|message| message.on_top == on_top).map(|message| message.text.as_ref())
    }

    pub(super) fn redirect(&self) -> Option<Redirect> {
        self.redirect
    }

    /// True unless the page calls the code terminal.
    pub(super) fn can_follow_up(&self) -> bool {
        ![DONE, FAILED].contains(&self.code())
    }

    /// The advised seconds: those of the page's sample with a redirect, and those of the header without.
    pub(super) fn advised_seconds(&self) -> u32 {
        self.retry_after_seconds.unwrap_or(if self.redirect.is_some() { 3 } else { 2 })
    }
}

/// The content of `redirectInstructions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    Url,
    Html,
    HtmlAndUrl,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    text: Cow<'static, str>,
    on_top: bool,
}

/// The returns that a test brought about, by the number of the redirect, from 0.
pub(super) type Returns = BTreeMap<usize, Return>;

/// A return of the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Return {
    /// The time since the submit.
    pub(super) at: Duration,
    /// The end of the checkout, unless the payer has passed.
    pub(super) end: Option<&'static Step>,
}

/// The stage of a checkout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage<'a> {
    pub(super) step: &'a Step,
    /// The time of the change to the step, since the submit.
    pub(super) since: Duration,
    /// The number of the latest redirect, from 0.
    pub(super) round: usize,
    /// True if the browser has not returned from that redirect.
    pub(super) is_waiting: bool,
    /// True if the checkout has ever been done by now: captured money stays captured, whatever code comes
    /// later.
    pub(super) is_captured: bool,
    /// The time, since the submit, of the next step or of the browser's return, whichever comes first by
    /// itself.
    pub(super) next: Option<Duration>,
}

fn after(seconds: u64, code: &'static str) -> Step {
    Step::after(Duration::from_secs(seconds), code)
}

static BEGINNING: Step = Step {
    wait: Duration::ZERO,
    code: Cow::Borrowed(PROCESSING),
    message: None,
    redirect: None,
    retry_after_seconds: None,
};

/// The end of a challenge that the payer did not pass.
pub(super) static REFUSED: Step = Step {
    wait: Duration::ZERO,
    code: Cow::Borrowed(FAILED),
    message: Some(Message { text: Cow::Borrowed("3DS authentication failed"), on_top: false }),
    redirect: None,
    retry_after_seconds: None,
};

/// The end of a payment that the payer's bank declined.
pub(super) static DECLINED: Step = Step {
    wait: Duration::ZERO,
    code: Cow::Borrowed(FAILED),
    message: Some(Message { text: Cow::Borrowed("card declined"), on_top: false }),
    redirect: None,
    retry_after_seconds: None,
};

/// The payer returns from a redirect after half a minute.
const PRESENT: Option<Duration> = Some(Duration::from_secs(30));

/// The payer does not return by itself.
const AWAY: Option<Duration> = None;

// Typed from the page, and not from the table that is under test.
const PROCESSING: &str = "CHECK_OUT_PROCESSING";
const THREE_DS: &str = "CHECK_OUT_3DS_REQUIRED";
pub(super) const DONE: &str = "CHECK_OUT_DONE";
const FAILED: &str = "CHECK_OUT_FAILED";
