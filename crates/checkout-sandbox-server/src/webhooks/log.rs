//! The webhooks of a world, with every attempt to deliver them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use checkout_tables::Moment;
use serde_json::{Value, json};

use super::content::{Content, Provider, Twist};
use super::endpoint::Endpoint;
use super::fault::Fault;
use super::post::{Answer, Letter};
use super::schedule;
use crate::keys::Keys;

/// The webhooks of a world, since the latest reset.
#[derive(Clone, Default)]
pub(crate) struct Log {
    /// The number of times that the log began again. A delivery that was under way then is of no concern.
    begins: u64,
    messages: BTreeMap<u64, Message>,
    last_message: u64,
    /// The deliveries that wait for a moment.
    due: BTreeSet<Due>,
    /// The receivers to which a delivery is under way.
    busy: Vec<To>,
    /// The faults that wait for a webhook of the provider, or of any provider.
    faults: Vec<(Option<Provider>, Fault)>,
    events: VecDeque<Event>,
    last_event: u64,
}

/// A delivery that waits. Deliveries of one moment go in the order of their ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    unix_ms: i64,
    rank: u64,
    message: u64,
    delivery: usize,
}

/// A webhook.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) number: u64,
    pub(crate) content: Content,
    pub(crate) order: Option<String>,
    /// The number of letters that were signed.
    letters: u32,
    deliveries: Vec<Delivery>,
}

/// A receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// The endpoint with this number.
    Endpoint(u64),
    /// The URL of the one checkout.
    Url(String),
}

#[derive(Clone)]
struct Delivery {
    to: To,
    state: State,
    attempts: Vec<Attempt>,
    /// The fault of the first attempt.
    fault: Option<Fault>,
    /// The number of attempts of the schedule.
    tried: usize,
    /// The number of deliveries that follow after a delivery that was answered with 200.
    again: u32,
    /// The time from a delivery that was answered with 200 to the delivery that follows.
    again_after: Duration,
    rank: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting(Moment),
    /// Waits for the provider's next webhook.
    Held,
    Delivered,
    GivenUp,
    Dropped,
    Refused(String),
}

/// An attempt to deliver a webhook.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) url: String,
    pub(crate) at: Moment,
    /// The number of the world's latest request before the attempt.
    pub(crate) after: u64,
    pub(crate) took_ms: u64,
    pub(crate) letter: Letter,
    pub(crate) outcome: Result<Answer, String>,
    pub(crate) next: Option<Moment>,
    /// True if somebody has asked for the attempt.
    pub(crate) by_hand: bool,
}

/// A delivery that has to be attempted now.
pub(crate) struct Job {
    begins: u64,
    message: u64,
    delivery: usize,
    pub(crate) to: To,
    pub(crate) content: Content,
    /// The number of the letter to sign.
    pub(crate) letter: u32,
    pub(crate) twist: Twist,
    pub(crate) way: Way,
}

/// The way in which a letter is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    #[default]
    Whole,
    Cut,
    Twice,
    /// Not at all, over a connection that is open for this time.
    Stalled(Duration),
}

/// Something that has happened to a webhook.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) number: u64,
    pub(crate) at: Moment,
    pub(crate) kind: &'static str,
    pub(crate) message: u64,
    detail: Value,
}

impl Job {
    /// The number of the webhook.
    pub(crate) fn message(&self) -> u64 {
        self.message
    }
}

impl Log {
    /// Takes webhooks of the sandboxes in, for these endpoints.
    pub(crate) fn take(&mut self, webhooks: Vec<Content>, endpoints: &[Endpoint], now: Moment) {
        for content in webhooks {
            let (provider, at) = (content.provider(), content.at());
            self.last_message += 1;
            let number = self.last_message;
            let to: Vec<To> = match content.url_of_checkout() {
                Some(url) => vec![To::Url(url.to_owned())],
                None => {
                    let fitting =
                        endpoints.iter().filter(|endpoint| endpoint.takes(provider, content.event()));
                    fitting.map(|endpoint| To::Endpoint(endpoint.number)).collect()
                }
            };
            let fault = if to.is_empty() { None } else { self.take_fault(provider) };
            let delivery = |to| Delivery::new(to, at, fault, number);
            let message = Message {
                number,
                order: content.order(),
                letters: 0,
                deliveries: to.into_iter().map(delivery).collect(),
                content,
            };
            let detail = json!({ "event": message.content.event() });
            self.messages.insert(number, message);
            self.note(now, "webhook.due", number, detail);
            self.release_held(provider, number, at);
            self.queue(number);
        }
        self.forget();
    }

    /// The moment of the next delivery.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.next_due().map(|due| Moment::from_unix_millis(due.unix_ms))
    }

    /// The next delivery that is due by now. The receiver is busy from now on: the caller records an attempt
    /// or refuses the delivery, and then frees the receiver.
    pub(crate) fn next_job(&mut self, now: Moment) -> Option<Job> {
        let due = self.next_due().filter(|due| due.unix_ms <= now.unix_millis())?;
        self.due.remove(&due);
        let message = self.messages.get_mut(&due.message)?;
        let delivery = message.deliveries.get(due.delivery)?;
        let fault = delivery.fault.filter(|_| delivery.attempts.is_empty());
        let twist = match fault {
            Some(Fault::Stale(seconds)) => Twist { stale_seconds: seconds, ..Twist::default() },
            Some(Fault::WrongKey) => Twist { wrong_key: true, ..Twist::default() },
            _ => Twist::default(),
        };
        message.letters += 1;
        self.busy.push(delivery.to.clone());
        Some(Job {
            begins: self.begins,
            message: due.message,
            delivery: due.delivery,
            to: delivery.to.clone(),
            content: message.content.clone(),
            letter: message.letters,
            twist,
            way: match fault {
                Some(Fault::CutShort) => Way::Cut,
                Some(Fault::TwiceAtOnce) => Way::Twice,
                Some(Fault::Stall(seconds)) => Way::Stalled(Duration::from_secs(seconds)),
                _ => Way::Whole,
            },
        })
    }

    /// Forgets everything.
    pub(crate) fn begin_again(&mut self) {
        *self = Self { begins: self.begins + 1, ..Self::default() };
    }

    /// Goes to the state of another log. A delivery that was under way then is attempted anew.
    pub(crate) fn go_to(&mut self, other: &Self) {
        *self = Self { begins: self.begins + 1, busy: Vec::new(), ..other.clone() };
        let numbers: Vec<u64> = self.messages.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.queue(number));
    }

    /// Signs the webhooks with the keys of another world.
    pub(crate) fn sign_anew(&mut self, keys: &Keys) {
        for message in self.messages.values_mut() {
            message.content.sign_anew(keys);
        }
    }

    /// The number of times that the log began again.
    pub(crate) fn begins(&self) -> u64 {
        self.begins
    }

    /// Lets the receiver of a job get the next delivery. A job that nobody has recorded waits again.
    pub(crate) fn free(&mut self, job: &Job) {
        if job.begins != self.begins {
            return;
        }
        if let Some(place) = self.busy.iter().position(|to| *to == job.to) {
            self.busy.swap_remove(place);
        }
        self.queue(job.message);
    }

    /// The first delivery to a receiver that is not busy.
    fn next_due(&self) -> Option<Due> {
        if self.busy.len() >= MOST_BUSY {
            return None;
        }
        let is_free = |due: &&Due| {
            let delivery = self.messages.get(&due.message).and_then(|of| of.deliveries.get(due.delivery));
            self.busy.is_empty() || delivery.is_none_or(|delivery| !self.busy.contains(&delivery.to))
        };
        self.due.iter().find(is_free).copied()
    }

    /// A delivery that somebody asks for now: to these receivers, or to those that the webhook has.
    pub(crate) fn jobs_by_hand(
        &mut self,
        number: u64,
        endpoints: &[Endpoint],
        twist: &Twist,
    ) -> Option<Vec<Job>> {
        let message = self.messages.get_mut(&number)?;
        let (content, provider) = (message.content.clone(), message.content.provider());
        let to: Vec<To> = match content.url_of_checkout() {
            Some(url) => vec![To::Url(url.to_owned())],
            None => {
                let fitting =
                    endpoints.iter().filter(|endpoint| endpoint.enabled && endpoint.provider == provider);
                fitting.map(|endpoint| To::Endpoint(endpoint.number)).collect()
            }
        };
        let mut jobs = Vec::new();
        for to in to {
            let known = message.deliveries.iter().position(|delivery| delivery.to == to);
            let delivery = known.unwrap_or_else(|| {
                message.deliveries.push(Delivery::by_hand(to.clone(), content.at(), number));
                message.deliveries.len() - 1
            });
            message.letters += 1;
            let (content, twist, letter) = (content.clone(), twist.clone(), message.letters);
            let (begins, way) = (self.begins, Way::Whole);
            jobs.push(Job { begins, message: number, delivery, to, content, letter, twist, way });
        }
        Some(jobs)
    }

    /// Records an attempt, and sets the moment of the next attempt. Returns the attempt as JSON.
    pub(crate) fn record(&mut self, job: &Job, mut attempt: Attempt) -> Value {
        let message = self.messages.get_mut(&job.message).filter(|_| job.begins == self.begins);
        let Some(message) = message else { return Value::Null };
        let provider = message.content.provider();
        let Some(delivery) = message.deliveries.get_mut(job.delivery) else { return Value::Null };
        let at = attempt.at;
        let is_taken = attempt.outcome.as_ref().is_ok_and(|answer| answer.status == TAKEN);
        let mut kind = if is_taken { "webhook.delivered" } else { "webhook.failed" };
        if let State::Waiting(next) = delivery.state {
            let (unix_ms, rank) = (next.unix_millis(), delivery.rank);
            self.due.remove(&Due { unix_ms, rank, message: job.message, delivery: job.delivery });
        }
        if attempt.by_hand || delivery.state == State::Delivered {
            if is_taken {
                delivery.state = State::Delivered;
            }
        } else if is_taken {
            let next = delivery.again.checked_sub(1);
            delivery.again = next.unwrap_or_default();
            let again = at.saturating_add(delivery.again_after);
            delivery.state = next.map_or(State::Delivered, |_| State::Waiting(again));
        } else {
            let pause = schedule::pause(provider, delivery.tried);
            delivery.tried += 1;
            let next = pause.map(|pause| at.saturating_add(pause));
            delivery.state = next.map_or(State::GivenUp, State::Waiting);
            if next.is_none() {
                kind = "webhook.given_up";
            }
        }
        if let State::Waiting(next) = delivery.state {
            attempt.next = Some(next);
        }
        let mut json = attempt.to_json();
        delivery.attempts.push(attempt);
        if let Some(json) = json.as_object_mut() {
            json.insert("webhook".to_owned(), job.message.into());
            json.insert("checkout".to_owned(), message.content.checkout().into());
            json.insert("order".to_owned(), message.order.clone().into());
            json.insert("event".to_owned(), message.content.event().into());
        }
        self.queue(job.message);
        self.note(at, kind, job.message, json.clone());
        json
    }

    /// An attempt as the server's file keeps the attempt.
    pub(crate) fn attempt_to_keep(job: &Job, attempt: &Attempt) -> Value {
        let mut json = attempt.to_json();
        if let Some(json) = json.as_object_mut() {
            let (endpoint, url) = match &job.to {
                To::Endpoint(number) => (Some(*number), None),
                To::Url(url) => (None, Some(url)),
            };
            json.insert("message".to_owned(), job.message.into());
            json.insert("delivery".to_owned(), job.delivery.into());
            json.insert("letter".to_owned(), job.letter.into());
            json.insert("to".to_owned(), json!({ "endpoint": endpoint, "url": url }));
        }
        json
    }

    /// Records an attempt of the server's file.
    /// The attempt came after the request with the number `after`.
    pub(crate) fn play(&mut self, json: &Value, after: u64) -> Option<()> {
        let number = |name: &str| json.get(name)?.as_u64();
        let to = json.get("to")?;
        let to = match to.get("endpoint").and_then(Value::as_u64) {
            Some(number) => To::Endpoint(number),
            None => To::Url(to.get("url")?.as_str()?.to_owned()),
        };
        let begins = self.begins;
        let message = self.messages.get_mut(&number("message")?)?;
        let place = usize::try_from(number("delivery")?).ok()?;
        let letter = u32::try_from(number("letter")?).ok()?;
        message.letters = message.letters.max(letter);
        if place >= message.deliveries.len() {
            message.deliveries.push(Delivery::by_hand(to.clone(), message.content.at(), message.number));
        }
        let (content, twist) = (message.content.clone(), Twist::default());
        let (message, way) = (message.number, Way::Whole);
        let job = Job { begins, message, delivery: place, to, content, letter, twist, way };
        self.record(&job, Attempt { after, ..Attempt::from_json(json)? });
        Some(())
    }

    /// Ends a delivery as the server's file says.
    pub(crate) fn play_refusal(&mut self, now: Moment, json: &Value) -> Option<()> {
        let message = json.get("message")?.as_u64()?;
        let delivery = usize::try_from(json.get("delivery")?.as_u64()?).ok()?;
        self.end(message, delivery, now, json.get("reason")?.as_str()?.to_owned());
        Some(())
    }

    /// A refusal as the server's file keeps the refusal.
    pub(crate) fn refusal_to_keep(job: &Job, reason: &str) -> Value {
        json!({ "message": job.message, "delivery": job.delivery, "reason": reason })
    }

    /// Ends a delivery that cannot be attempted.
    pub(crate) fn refuse(&mut self, job: &Job, now: Moment, reason: String) {
        if job.begins == self.begins {
            self.end(job.message, job.delivery, now, reason);
        }
    }

    fn end(&mut self, number: u64, delivery: usize, now: Moment, reason: String) {
        let Some(message) = self.messages.get_mut(&number) else { return };
        let Some(ended) = message.deliveries.get_mut(delivery) else { return };
        if let State::Waiting(next) = ended.state {
            self.due.remove(&Due {
                unix_ms: next.unix_millis(),
                rank: ended.rank,
                message: number,
                delivery,
            });
        }
        ended.state = State::Refused(reason.clone());
        self.note(now, "webhook.refused", number, json!({ "reason": reason }));
    }

    /// Lets a fault wait for a webhook.
    pub(crate) fn inject(&mut self, provider: Option<Provider>, fault: Fault) {
        self.faults.push((provider, fault));
    }

    /// Takes the fault of a webhook that comes before the answer to a create of the provider. False if no
    /// such fault waits.
    pub(crate) fn take_early(&mut self, provider: Provider) -> bool {
        let fits = |(of, fault): &(Option<Provider>, Fault)| {
            of.is_none_or(|of| of == provider) && *fault == Fault::Early
        };
        let place = self.faults.iter().position(fits);
        place.map(|place| self.faults.remove(place)).is_some()
    }

    pub(crate) fn message(&self, number: u64) -> Option<&Message> {
        self.messages.get(&number)
    }

    /// The webhooks that fit, in the order of the world's time.
    pub(crate) fn messages(&self, filter: &Filter) -> impl Iterator<Item = &Message> {
        self.messages.values().filter(|message| filter.fits(message))
    }

    /// The events after the event with this number, and the number of the last event.
    pub(crate) fn events_after(&self, number: u64) -> (Vec<Event>, u64) {
        let after = self.events.iter().filter(|event| event.number > number);
        (after.cloned().collect(), self.last_event)
    }

    fn take_fault(&mut self, provider: Provider) -> Option<Fault> {
        let fits = |(of, fault): &(Option<Provider>, Fault)| {
            of.is_none_or(|of| of == provider) && *fault != Fault::Early
        };
        let place = self.faults.iter().position(fits)?;
        Some(self.faults.remove(place).1)
    }

    /// Lets the held deliveries of the provider follow the webhook with this number.
    fn release_held(&mut self, provider: Provider, after: u64, at: Moment) {
        let before = self.messages.range_mut(..after);
        let mut released = Vec::new();
        for (number, message) in before.filter(|(_, message)| message.content.provider() == provider) {
            for delivery in message.deliveries.iter_mut().filter(|delivery| delivery.state == State::Held) {
                delivery.state = State::Waiting(at);
                // A webhook that is reordered itself holds no other webhook.
                delivery.rank = after.saturating_mul(2) + 1;
                released.push(*number);
            }
        }
        released.into_iter().for_each(|number| self.queue(number));
    }

    /// Puts the deliveries of a webhook that wait for a moment into the queue.
    fn queue(&mut self, number: u64) {
        let Some(message) = self.messages.get(&number) else { return };
        for (delivery, of) in message.deliveries.iter().enumerate() {
            if let State::Waiting(at) = of.state {
                self.due.insert(Due { unix_ms: at.unix_millis(), rank: of.rank, message: number, delivery });
            }
        }
    }

    fn note(&mut self, at: Moment, kind: &'static str, message: u64, detail: Value) {
        self.last_event += 1;
        self.events.push_back(Event { number: self.last_event, at, kind, message, detail });
        if self.events.len() > KEPT {
            self.events.pop_front();
        }
    }

    /// Forgets the oldest webhooks with which nothing happens any more, beyond the number that is kept.
    fn forget(&mut self) {
        while self.messages.len() > KEPT {
            match self.messages.first_entry() {
                Some(first) if first.get().is_over() => drop(first.remove()),
                _ => return,
            }
        }
    }
}

impl Message {
    /// True if a receiver has answered 200.
    pub(crate) fn is_delivered(&self) -> bool {
        self.attempts()
            .any(|(attempt, _)| attempt.outcome.as_ref().is_ok_and(|answer| answer.status == TAKEN))
    }

    /// True if a receiver was tried.
    pub(crate) fn is_attempted(&self) -> bool {
        self.deliveries.iter().any(|delivery| !delivery.attempts.is_empty())
    }

    /// The attempts of all receivers, each receiver's in the order of time, with the fault that struck.
    pub(crate) fn attempts(&self) -> impl Iterator<Item = (&Attempt, Option<Fault>)> {
        self.deliveries.iter().flat_map(|delivery| {
            let attempts = delivery.attempts.iter().enumerate();
            attempts
                .map(|(place, attempt)| (attempt, delivery.fault.filter(|_| place == 0 && !attempt.by_hand)))
        })
    }

    /// The states of the deliveries, one word each.
    pub(crate) fn states(&self) -> Vec<&'static str> {
        self.deliveries.iter().map(|delivery| delivery.state.name()).collect()
    }

    fn is_over(&self) -> bool {
        let waits = |delivery: &Delivery| matches!(delivery.state, State::Waiting(_) | State::Held);
        !self.deliveries.iter().any(waits)
    }

    pub(crate) fn to_json(&self) -> Value {
        let content = &self.content;
        let deliveries: Vec<Value> = self.deliveries.iter().map(Delivery::to_json).collect();
        json!({
            "webhook": self.number,
            "provider": content.provider().name(),
            "event": content.event(),
            "checkout": content.checkout(),
            "order": self.order,
            "at_unix_ms": content.at().unix_millis(),
            "body": String::from_utf8_lossy(content.body()),
            "deliveries": deliveries,
        })
    }
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
            Self::Dropped => "dropped",
            Self::Refused(_) => "refused",
        }
    }
}

impl Delivery {
    fn new(to: To, at: Moment, fault: Option<Fault>, number: u64) -> Self {
        let state = match fault {
            Some(Fault::Drop) => State::Dropped,
            Some(Fault::Reorder) => State::Held,
            Some(Fault::Delay(millis)) => State::Waiting(at.saturating_add(Duration::from_millis(millis))),
            _ => State::Waiting(at),
        };
        let (again, again_after) = match fault {
            Some(Fault::Repeat(times)) => (times, Duration::ZERO),
            Some(Fault::Again(seconds)) => (1, Duration::from_secs(seconds)),
            _ => (0, Duration::ZERO),
        };
        let rank = number.saturating_mul(2);
        Self { to, state, attempts: Vec::new(), fault, tried: 0, again, again_after, rank }
    }

    /// A delivery that somebody asks for, and that nothing attempts by itself.
    fn by_hand(to: To, at: Moment, number: u64) -> Self {
        Self { state: State::GivenUp, ..Self::new(to, at, Some(Fault::Drop), number) }
    }

    fn to_json(&self) -> Value {
        let next = if let State::Waiting(next) = &self.state { Some(next.unix_millis()) } else { None };
        let reason = if let State::Refused(reason) = &self.state { Some(reason) } else { None };
        let (endpoint, url) = match &self.to {
            To::Endpoint(number) => (Some(number), None),
            To::Url(url) => (None, Some(url)),
        };
        let attempts: Vec<Value> = self.attempts.iter().map(Attempt::to_json).collect();
        json!({
            "endpoint": endpoint,
            "url_of_checkout": url,
            "state": self.state.name(),
            "reason": reason,
            "next_unix_ms": next,
            "attempts": attempts,
        })
    }
}

impl Attempt {
    /// The attempt, without the next attempt.
    fn from_json(json: &Value) -> Option<Self> {
        let text = |name: &str| json.get(name)?.as_str().map(str::to_owned);
        let answer = json.get("answer").filter(|answer| !answer.is_null());
        let outcome = match answer {
            Some(answer) => Ok(Answer {
                status: u16::try_from(answer.get("status")?.as_u64()?).ok()?,
                body: answer.get("body")?.as_str()?.to_owned(),
            }),
            None => Err(text("error")?),
        };
        let header = |pair: &Value| {
            let named = pair.get(0)?.as_str()?;
            let name = Letter::HEADERS.into_iter().find(|name| *name == named);
            Some((name?, pair.get(1)?.as_str()?.to_owned()))
        };
        let headers = json.get("headers")?.as_array()?.iter().map(header).collect::<Option<_>>()?;
        Some(Self {
            url: text("url")?,
            at: Moment::from_unix_millis(json.get("at_unix_ms")?.as_i64()?),
            after: 0,
            took_ms: json.get("took_ms")?.as_u64()?,
            letter: Letter { headers, body: text("body")?.into() },
            outcome,
            next: None,
            by_hand: json.get("by_hand")?.as_bool()?,
        })
    }

    fn to_json(&self) -> Value {
        let headers: Vec<Value> =
            self.letter.headers.iter().map(|(name, value)| json!([name, value])).collect();
        let (answer, error) = match &self.outcome {
            Ok(answer) => (json!({ "status": answer.status, "body": answer.body }), None),
            Err(error) => (Value::Null, Some(error)),
        };
        json!({
            "url": self.url,
            "at_unix_ms": self.at.unix_millis(),
            "took_ms": self.took_ms,
            "headers": headers,
            "body": String::from_utf8_lossy(&self.letter.body),
            "answer": answer,
            "error": error,
            "next_unix_ms": self.next.map(Moment::unix_millis),
            "by_hand": self.by_hand,
        })
    }
}

impl Event {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "number": self.number,
            "at_unix_ms": self.at.unix_millis(),
            "kind": self.kind,
            "webhook": self.message,
            "detail": self.detail,
        })
    }
}

/// The webhooks of an order and of a checkout. An empty filter fits all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) order: Option<String>,
    pub(crate) checkout: Option<String>,
}

impl Filter {
    fn fits(&self, message: &Message) -> bool {
        self.order.as_ref().is_none_or(|order| message.order.as_ref() == Some(order))
            && self.checkout.as_ref().is_none_or(|checkout| message.content.checkout() == checkout)
    }
}

/// The answer that takes a webhook: 200 alone (Public, of both providers).
pub(crate) const TAKEN: u16 = 200;

/// The most receivers that a world calls at once.
const MOST_BUSY: usize = 32;

/// The number of webhooks and of events that are kept.
const KEPT: usize = 10_000;
