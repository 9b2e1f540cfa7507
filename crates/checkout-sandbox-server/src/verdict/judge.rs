//! The judge, who sees what a client does as it happens, and keeps the facts that the rules need.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use checkout_tables::Moment;
use serde_json::Value;

use super::reading::{self, Kind, Meaning, Provider, Reading};
use super::rule::Rule;
use super::witness::Witness;
use super::{Event, EventKind, Finding, LookedAt, Verdict};
use crate::traffic::{Arrived, Entry};

/// The judge of a world, from one reset to the next.
///
/// The judge keeps a fact or two about each checkout and each order, and a bounded number of everything else.
#[derive(Clone, Default)]
pub(crate) struct Judge {
    looked_at: LookedAt,
    checkouts: HashMap<Arc<str>, Checkout>,
    orders: HashMap<OrderKey, Order>,
    /// The orders without a checkout that have a create in doubt, the oldest first.
    doubtful: VecDeque<OrderKey>,
    /// Azotte's submits in doubt, by their content without the key.
    contents: HashMap<u64, Doubt>,
    /// The reads of Peach's that were let in within the last minute.
    let_in: VecDeque<Stamp>,
    /// The times before which a request has no place, by a `Retry-After`.
    holds: HashMap<Subject, (Stamp, Moment)>,
    kept: BTreeMap<Rule, Kept>,
}

/// The findings of a rule.
#[derive(Clone, Default)]
struct Kept {
    listed: Vec<Finding>,
    count: u64,
}

type OrderKey = (Provider, String);

/// The thing that a `Retry-After` is about: the provider, the kind of the request, and the order or the path.
type Subject = (Provider, Kind, String);

/// The number of a request, and its time.
#[derive(Clone, Copy)]
struct Stamp {
    number: u64,
    at: Moment,
}

#[derive(Clone)]
struct Checkout {
    provider: Provider,
    order: Option<String>,
    /// The request that created the checkout.
    created: Stamp,
    /// True if an answer has told the client of the checkout, for sure.
    is_known: bool,
    /// The latest read that came back, and its code.
    read: Option<(Stamp, String)>,
    /// The meaning of the latest read that came back right.
    meaning: Option<Meaning>,
    has_read_success: bool,
    /// The first webhook about an end that was taken, and not followed by a read.
    unread: Option<Stamp>,
    /// The answer that asked for a wait, and the end of the wait.
    wait: Option<(Stamp, Moment)>,
    released: Option<Moment>,
}

#[derive(Clone, Default)]
struct Order {
    /// The ids of the checkouts, the latest last. At most a hundred.
    checkouts: Vec<Arc<str>>,
    doubt: Option<Doubt>,
}

/// A create of which the client cannot know if the create made a checkout.
#[derive(Clone)]
struct Doubt {
    at: Stamp,
    /// The hash of the content of Azotte's submit.
    content: Option<u64>,
    /// The hash of the signed bytes of Peach's V1.
    signed: Option<u64>,
    order: Option<String>,
}

/// A delivery of a webhook, with the answer.
pub(crate) struct Delivered<'a> {
    /// The number of the webhook.
    pub(crate) number: u64,
    pub(crate) at: Moment,
    /// The number of the latest request before the delivery.
    pub(crate) after: u64,
    pub(crate) provider: Provider,
    pub(crate) checkout: &'a str,
    pub(crate) order: Option<&'a str>,
    /// The event that the webhook tells: Peach's result code, or AllScale's `confirmed`.
    pub(crate) event: &'a str,
    pub(crate) event_at: Moment,
    pub(crate) is_taken: bool,
    pub(crate) has_wrong_key: bool,
    /// The number of seconds by which the signed time is too old.
    pub(crate) stale_seconds: u64,
    pub(crate) has_other_body: bool,
}

/// The thing that a shop says to have released.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Released<'a> {
    Order(&'a str),
    Checkout(&'a str),
}

impl Judge {
    /// Sees a request with the answer.
    pub(crate) fn see(&mut self, entry: &Entry, witness: &Witness<'_>) {
        if entry.arrived == Arrived::NothingForSure {
            return;
        }
        self.looked_at.requests += 1;
        let provider = Provider::of(entry.api);
        let kind = Kind::of(provider, entry.route.as_deref());
        self.judge_pause(entry, provider, kind);
        self.judge_limit(entry, provider, kind);
        self.note_refusal(entry, provider, kind);
        match kind {
            Kind::Create => self.create(entry, provider, witness),
            Kind::Read => self.read(entry, provider),
            Kind::Other => {}
        }
    }

    /// Sees a delivery of a webhook.
    pub(crate) fn deliver(&mut self, delivered: &Delivered<'_>) {
        self.looked_at.webhooks += 1;
        let Delivered { number, at, provider, event, .. } = *delivered;
        if !delivered.is_taken {
            return;
        }
        let is_stale = provider == Provider::AllScale && delivered.stale_seconds > ALLSCALE_WINDOW_SECONDS;
        let forged = match (delivered.has_wrong_key, is_stale) {
            (true, _) => Some("was signed with a wrong key"),
            (false, true) => Some("had a signed time of more than five minutes ago"),
            (false, false) => None,
        };
        if let Some(forged) = forged {
            let sentence = format!("Webhook {number} {forged}, and was answered with 200.");
            let events = vec![webhook(Stamp { number, at })];
            let (order, checkout) = (delivered.order.map(short), Some(delivered.checkout.to_owned()));
            self.rule(Rule::ForgedWebhookTaken, provider, sentence, (order, checkout), events);
            return;
        }
        // A body of somebody's own may be about anything.
        let tells_an_end = provider == Provider::AllScale || Meaning::of_peach(event, "DB") != Meaning::Open;
        if delivered.has_other_body || !tells_an_end {
            return;
        }
        let code = if provider == Provider::AllScale { ALLSCALE_CONFIRMED } else { event };
        let Some(checkout) = self.checkouts.get_mut(delivered.checkout) else { return };
        let is_read = checkout.read.as_ref().is_some_and(|(read, said)| {
            let saw_event = read.at > delivered.event_at || (read.at == delivered.event_at && said == code);
            read.number > delivered.after || saw_event
        });
        if !is_read && checkout.unread.is_none() {
            checkout.unread = Some(Stamp { number, at });
        }
    }

    /// Hears of a release of goods, and returns the findings about the release. `None` if the judge knows no
    /// such order or checkout.
    pub(crate) fn release(
        &mut self,
        released: Released<'_>,
        now: Moment,
        witness: &Witness<'_>,
    ) -> Option<Vec<Finding>> {
        let ids = self.checkouts_of(released)?;
        self.looked_at.releases += 1;
        let (mut is_paid, mut is_read, mut before, mut named) = (false, false, None, None);
        for id in &ids {
            let Some(checkout) = self.checkouts.get_mut(id) else { continue };
            is_paid |= witness.state(checkout.provider, id, now).0 == Meaning::Paid;
            is_read |= checkout.meaning == Some(Meaning::Paid);
            before = before.or(checkout.released);
            checkout.released = checkout.released.or(Some(now));
            named = Some((checkout.provider, checkout.order.clone(), id.to_string(), checkout.created));
        }
        let (provider, order, id, created) = named?;
        let release = |at| Event { kind: EventKind::Release, number: None, at };
        let mut findings = Vec::new();
        let mut find = |rule, sentence: &str, events| {
            let about = (order.clone(), Some(id.clone()));
            let finding = finding(rule, provider, sentence.to_owned(), about, events);
            self.kept.entry(rule).or_default().add(finding.clone());
            findings.push(finding);
        };
        if !is_paid && !is_read {
            let sentence = "The goods were released, and the checkout is not paid.";
            find(Rule::ReleasedUnpaid, sentence, vec![request(created), release(now)]);
        } else if !is_read {
            let sentence = "The goods were released before a read of the checkout had said that it is paid.";
            find(Rule::ReleasedUnread, sentence, vec![request(created), release(now)]);
        }
        if let Some(before) = before {
            let sentence = "The goods of the order were released a second time.";
            find(Rule::ReleasedTwice, sentence, vec![release(before), release(now)]);
        }
        Some(findings)
    }

    /// The verdict on everything up to now.
    pub(crate) fn verdict(&self, world: &str, now: Moment, is_final: bool, witness: &Witness<'_>) -> Verdict {
        let mut verdict = Verdict {
            world: world.to_owned(),
            at: now,
            is_final,
            looked_at: self.looked_at,
            findings: Vec::new(),
            remarks: Vec::new(),
            counts: BTreeMap::new(),
        };
        let missing = self.missing(now, is_final, witness);
        let mut rules: Vec<(Rule, &Kept)> =
            self.kept.iter().chain(&missing).map(|(rule, kept)| (*rule, kept)).collect();
        rules.sort_by_key(|(rule, _)| *rule);
        for (rule, kept) in rules {
            verdict.counts.insert(rule.code().to_owned(), kept.count);
            let is_remark = rule.is_remark() || (rule.is_open() && !is_final);
            let list = if is_remark { &mut verdict.remarks } else { &mut verdict.findings };
            list.extend_from_slice(&kept.listed);
        }
        verdict
    }

    /// The things that the client has not done.
    fn missing(&self, now: Moment, is_final: bool, witness: &Witness<'_>) -> BTreeMap<Rule, Kept> {
        let is_old = |at: Moment| is_final || now.saturating_since(at) >= GRACE;
        let mut missing: BTreeMap<Rule, Kept> = BTreeMap::new();
        let mut checkouts: Vec<(&Arc<str>, &Checkout)> = self.checkouts.iter().collect();
        checkouts.sort_by_key(|(_, checkout)| checkout.created.number);
        for (id, checkout) in checkouts {
            let mut find = |rule, sentence: String, events| {
                let about = (checkout.order.clone(), Some(id.to_string()));
                missing.entry(rule).or_default().add(finding(
                    rule,
                    checkout.provider,
                    sentence,
                    about,
                    events,
                ));
            };
            if let Some(taken) = checkout.unread.filter(|taken| is_old(taken.at)) {
                let sentence = format!(
                    "Webhook {} told an end of the checkout and was answered with 200, and no read of the \
                     checkout has come back since.",
                    taken.number
                );
                find(Rule::WebhookWithoutRead, sentence, vec![webhook(taken)]);
            }
            if checkout.has_read_success || !checkout.is_known {
                continue;
            }
            let (state, since) = witness.state(checkout.provider, id, now);
            if let Some(at) = since.filter(|since| state.is_success() && is_old(*since)) {
                let done = if state == Meaning::Paid { "paid" } else { "authorized" };
                let sentence =
                    format!("The checkout is {done}, and no read that came back has told the client so.");
                let payment = Event { kind: EventKind::Payment, number: None, at };
                find(Rule::NeverRead, sentence, vec![request(checkout.created), payment]);
            }
        }
        missing
    }

    /// Finds a request that comes before the `Retry-After` of an answer to the same request has passed.
    fn judge_pause(&mut self, entry: &Entry, provider: Provider, kind: Kind) {
        let at = entry.at;
        let about = match (provider, kind) {
            // Peach's limit is the merchant's.
            (Provider::Peach, Kind::Read) => String::new(),
            (_, Kind::Create) => entry.order.as_deref().map(short).unwrap_or_default(),
            (_, Kind::Read | Kind::Other) => short(&entry.path),
        };
        let subject = (provider, kind, about);
        let held = self.holds.get(&subject).copied().filter(|(_, until)| at < *until);
        // A request that comes right after the refused one may have been under way already.
        let is_under_way = held.is_some_and(|(earlier, _)| at.saturating_since(earlier.at) < UNDER_WAY);
        if let Some((earlier, until)) = held.filter(|_| !is_under_way) {
            let (asked, passed) = (until.saturating_since(earlier.at), at.saturating_since(earlier.at));
            let sentence = format!(
                "Request {} came {} after request {}, whose answer asked for a wait of {}.",
                entry.number,
                span(passed),
                earlier.number,
                span(asked)
            );
            let events = vec![request(earlier), request(stamp(entry))];
            self.rule(Rule::RetryAfterIgnored, provider, sentence, about_of(entry), events);
        }
        let answer = entry.answer.as_ref().filter(|_| entry.arrived == Arrived::Answer);
        let answer = answer.filter(|answer| matches!(answer.status().as_u16(), 429 | 503));
        // A client that has not waited for the answer knows of no wait.
        let answer = answer.filter(|_| !entry.fault.as_deref().is_some_and(reading::is_unsure));
        // The first refusal of several at once counts, so that a client which never waits is found.
        if let Some(seconds) = answer.filter(|_| !is_under_way).and_then(reading::retry_after) {
            if self.holds.len() >= MOST_HOLDS {
                self.holds.retain(|_, (_, until)| at < *until);
            }
            if self.holds.len() < MOST_HOLDS {
                let until = at.saturating_add(Duration::from_secs(seconds));
                self.holds.insert(subject, (stamp(entry), until));
            }
        }
    }

    /// Finds a request that the sandbox itself refused because of a limit.
    fn judge_limit(&mut self, entry: &Entry, provider: Provider, kind: Kind) {
        let Some(answer) = &entry.answer else { return };
        let is_peach_s = provider == Provider::Peach && kind == Kind::Read;
        if is_peach_s {
            let at = entry.at;
            self.let_in.retain(|earlier| at.saturating_since(earlier.at) < MINUTE);
        }
        let status = answer.status().as_u16();
        if status == 429 && entry.fault.is_none() {
            let now = stamp(entry);
            let earlier = self.let_in.front().copied().filter(|_| is_peach_s);
            let sentence = match earlier {
                Some(earlier) => format!(
                    "Request {} was over Peach's limit of two status reads in 60 seconds: request {} came {} before.",
                    now.number,
                    earlier.number,
                    span(now.at.saturating_since(earlier.at))
                ),
                None => format!("Request {} was over the limit of {}.", now.number, provider.name()),
            };
            let events = earlier.into_iter().chain([now]).map(request).collect();
            self.rule(Rule::OverLimit, provider, sentence, about_of(entry), events);
        }
        let is_let_in = match status {
            200 | 404 | 502 => true,
            400 => reading::is_not_found(answer),
            500 => entry.fault.as_deref().is_some_and(reading::is_late_error),
            _ => false,
        };
        if is_peach_s && is_let_in && self.let_in.len() < MOST_LET_IN {
            self.let_in.push_back(stamp(entry));
        }
    }

    /// Remarks on a request that the provider refused.
    fn note_refusal(&mut self, entry: &Entry, provider: Provider, kind: Kind) {
        let Some(answer) = entry.answer.as_ref().filter(|_| entry.fault.is_none()) else { return };
        let status = answer.status();
        let is_told_to_fail = provider == Provider::AllScale && entry.route.as_deref() == Some("fail");
        let is_looked_for = kind == Kind::Read && reading::is_not_found(answer);
        if !status.is_client_error() || status.as_u16() == 429 || is_told_to_fail || is_looked_for {
            return;
        }
        let number = entry.number;
        let (name, words) = (provider.name(), reading::words_of_refusal(answer));
        let sentence = format!("{name} refused request {number} with {words}.");
        self.rule(Rule::Refused, provider, sentence, about_of(entry), vec![request(stamp(entry))]);
    }

    fn create(&mut self, entry: &Entry, provider: Provider, witness: &Witness<'_>) {
        self.looked_at.creates += 1;
        let content = if provider == Provider::Azotte { content_of(&entry.body) } else { None };
        let order = entry.order.as_deref().map(short);
        let key = order.clone().map(|order| (provider, order));
        self.judge_repeat(entry, provider, key.as_ref(), content);
        if let Some(id) = &entry.checkout
            && !self.checkouts.contains_key(id)
        {
            match &key {
                Some(key) => self.judge_double(entry, key, id, witness),
                None => {
                    let sentence = format!(
                        "The create of request {} names no order, so nobody can tell a second create for the same \
                         order.",
                        entry.number
                    );
                    let events = vec![request(stamp(entry))];
                    self.rule(Rule::OrderMissing, provider, sentence, about_of(entry), events);
                }
            }
            self.checkouts.insert(Arc::clone(id), Checkout::new(provider, order.clone(), stamp(entry)));
        }
        match Outcome::of(entry, provider) {
            Outcome::InDoubt => {
                let signed = signed_of(entry);
                self.doubt(key, Doubt { at: stamp(entry), content, signed, order });
            }
            Outcome::Refused => {}
            Outcome::Told => {
                self.settle(key.as_ref(), content);
                let answer = entry.answer.as_ref();
                let Some((id, answer)) = entry.checkout.as_ref().zip(answer) else { return };
                let Some(checkout) = self.checkouts.get_mut(id) else { return };
                let fault = entry.fault.as_deref().unwrap_or_default();
                let is_told = reading::names(provider, answer, id)
                    && !reading::is_tampering(fault, false)
                    && !reading::is_unsure(fault);
                let is_known = checkout.is_known || is_told;
                let reading = Reading::of(provider, answer).filter(|_| provider == Provider::Azotte);
                if let Some(reading) = reading {
                    checkout.note(entry, reading);
                }
                checkout.is_known = is_known;
            }
        }
    }

    /// Finds a create that repeats a create in doubt.
    fn judge_repeat(
        &mut self,
        entry: &Entry,
        provider: Provider,
        key: Option<&OrderKey>,
        content: Option<u64>,
    ) {
        let same_key = key.and_then(|key| self.orders.get(key)).and_then(|order| order.doubt.clone());
        let (doubt, rule) = match (provider, same_key) {
            (Provider::AllScale, Some(doubt)) => {
                (doubt, "AllScale has no key that makes a repeat safe, and the first create may be paid")
            }
            // The same signed bytes make no second checkout, and V2 has no read that could come first.
            (Provider::Peach, Some(doubt)) if !is_v2(entry) && doubt.signed != signed_of(entry) => {
                (doubt, "Peach's status has to be read by the merchantTransactionId before a repeat")
            }
            (Provider::Azotte, None) => {
                let other = content.and_then(|content| self.contents.get(&content)).cloned();
                let Some(doubt) = other else { return };
                (doubt, "Azotte's repeat needs the same correlationId")
            }
            (Provider::AllScale, None) | (Provider::Peach, _) | (Provider::Azotte, Some(_)) => return,
        };
        let sentence = format!(
            "The create of request {} repeats the create of request {}, of which the client cannot know the \
             outcome: {rule}.",
            entry.number, doubt.at.number
        );
        let events = vec![request(doubt.at), request(stamp(entry))];
        self.rule(Rule::BlindRepeat, provider, sentence, about_of(entry), events);
        if let (Some(content), Outcome::Told) = (doubt.content, Outcome::of(entry, provider)) {
            self.contents.remove(&content);
        }
    }

    /// Finds a second checkout of an order while an earlier checkout can be paid or is paid.
    fn judge_double(&mut self, entry: &Entry, key: &OrderKey, id: &Arc<str>, witness: &Witness<'_>) {
        let (provider, at) = (key.0, entry.at);
        let order = self.orders.entry(key.clone()).or_default();
        let earlier = order.checkouts.iter().rev().find_map(|earlier| {
            let state = witness.state(provider, earlier, at).0;
            let alive = match state {
                Meaning::Open => "could still be paid",
                Meaning::Paid => "was paid",
                Meaning::Authorized => "was authorized",
                Meaning::Over | Meaning::Reversed => return None,
            };
            Some((Arc::clone(earlier), alive))
        });
        if order.checkouts.len() >= MOST_OF_ORDER {
            order.checkouts.remove(0);
        }
        order.checkouts.push(Arc::clone(id));
        // Azotte itself has forgotten the key of the second submit.
        let Some((earlier, alive)) = earlier.filter(|_| provider != Provider::Azotte) else { return };
        let Some(created) = self.checkouts.get(&earlier).map(|checkout| checkout.created) else { return };
        let sentence = format!(
            "The create of request {} made a second checkout for the order while the checkout of request {} {alive}.",
            entry.number, created.number
        );
        let events = vec![request(created), request(stamp(entry))];
        self.rule(Rule::DoubleCreate, provider, sentence, about_of(entry), events);
    }

    fn read(&mut self, entry: &Entry, provider: Provider) {
        self.looked_at.reads += 1;
        let known = entry.checkout.as_ref().and_then(|id| self.checkouts.get(id));
        let too_soon = known.and_then(|checkout| checkout.wait).filter(|(_, until)| entry.at < *until);
        if let Some((earlier, until)) = too_soon {
            let sentence = format!(
                "Request {} read the checkout {} after request {}, whose answer asked for a wait of {}.",
                entry.number,
                span(entry.at.saturating_since(earlier.at)),
                earlier.number,
                span(until.saturating_since(earlier.at))
            );
            let events = vec![request(earlier), request(stamp(entry))];
            self.rule(Rule::OverLimit, provider, sentence, about_of(entry), events);
        }
        let Some(answer) = entry.answer.as_ref().filter(|_| entry.arrived == Arrived::Answer) else { return };
        let reading = Reading::of(provider, answer);
        if (reading.is_some() || reading::is_not_found(answer))
            && let Some(order) = looked_up(entry)
        {
            self.settle(Some(&(provider, short(&order))), None);
        }
        let (Some(id), Some(reading)) = (&entry.checkout, reading) else { return };
        let Some(checkout) = self.checkouts.get_mut(id) else { return };
        checkout.note(entry, reading);
        // The client knows the checkout that the create in doubt has made.
        let key = checkout.order.clone().map(|order| (provider, order));
        let created = checkout.created.number;
        let doubt = key.as_ref().and_then(|key| self.orders.get(key)).and_then(|order| order.doubt.as_ref());
        if doubt.is_some_and(|doubt| doubt.at.number == created) {
            self.settle(key.as_ref(), None);
        }
    }

    /// Keeps a create in doubt.
    fn doubt(&mut self, key: Option<OrderKey>, doubt: Doubt) {
        if let Some(content) = doubt.content.filter(|_| self.contents.len() < MOST_DOUBTS) {
            self.contents.insert(content, doubt.clone());
        }
        let Some(key) = key else { return };
        if !self.orders.contains_key(&key) {
            self.doubtful.push_back(key.clone());
        }
        self.orders.entry(key).or_default().doubt = Some(doubt);
        if self.doubtful.len() > MOST_DOUBTS
            && let Some(oldest) = self.doubtful.pop_front()
            && self.orders.get(&oldest).is_some_and(|order| order.checkouts.is_empty())
        {
            self.settle(Some(&oldest), None);
            self.orders.remove(&oldest);
        }
    }

    /// Forgets the doubt about an order, and about the submits with a content.
    fn settle(&mut self, key: Option<&OrderKey>, content: Option<u64>) {
        let doubt = key.and_then(|key| self.orders.get_mut(key)).and_then(|order| order.doubt.take());
        for content in doubt.and_then(|doubt| doubt.content).into_iter().chain(content) {
            let of_this = |doubt: &Doubt| key.map(|(_, order)| order) == doubt.order.as_ref();
            if self.contents.get(&content).is_some_and(of_this) {
                self.contents.remove(&content);
            }
        }
    }

    /// The checkouts that a release is about. A checkout brings the other checkouts of its order along.
    fn checkouts_of(&self, released: Released<'_>) -> Option<Vec<Arc<str>>> {
        let order = match released {
            Released::Order(order) => order,
            Released::Checkout(id) => {
                let (id, checkout) = self.checkouts.get_key_value(id)?;
                let Some(order) = &checkout.order else { return Some(vec![Arc::clone(id)]) };
                let of_order = self.orders.get(&(checkout.provider, order.clone()));
                let mut ids = of_order.map(|order| order.checkouts.clone()).unwrap_or_default();
                // The released checkout is the last, which the finding names.
                ids.retain(|of_order| of_order != id);
                ids.push(Arc::clone(id));
                return Some(ids);
            }
        };
        let order = short(order);
        let of_all = [Provider::AllScale, Provider::Azotte, Provider::Peach].into_iter();
        let of_all = of_all.filter_map(|provider| self.orders.get(&(provider, order.clone())));
        let ids: Vec<_> = of_all.flat_map(|order| order.checkouts.iter().cloned()).collect();
        (!ids.is_empty()).then_some(ids)
    }

    /// Keeps a finding.
    fn rule(
        &mut self,
        rule: Rule,
        provider: Provider,
        sentence: String,
        about: (Option<String>, Option<String>),
        events: Vec<Event>,
    ) {
        let finding = finding(rule, provider, sentence, about, events);
        self.kept.entry(rule).or_default().add(finding);
    }
}

impl Kept {
    fn add(&mut self, finding: Finding) {
        self.count += 1;
        if self.listed.len() < MOST_LISTED {
            self.listed.push(finding);
        }
    }
}

impl Checkout {
    fn new(provider: Provider, order: Option<String>, created: Stamp) -> Self {
        Self {
            provider,
            order,
            created,
            is_known: false,
            read: None,
            meaning: None,
            has_read_success: false,
            unread: None,
            wait: None,
            released: None,
        }
    }

    /// Notes a status that has come back to the client.
    fn note(&mut self, entry: &Entry, reading: Reading) {
        let now = stamp(entry);
        self.is_known = true;
        self.unread = None;
        self.wait = None;
        let is_v2 = is_v2(entry);
        let fault = entry.fault.as_deref().unwrap_or_default();
        let is_unsure = reading::is_unsure(fault);
        // A client may take an answer that a fault has tampered with for no answer.
        if !reading::is_tampering(fault, is_v2) {
            let wait = reading.wait.filter(|_| !is_unsure);
            self.wait = wait.map(|wait| (now, now.at.saturating_add(wait)));
            self.has_read_success |= reading.meaning.is_success();
            // A client may have the answer or not, and a success alone speaks for the client.
            if !is_unsure || reading.meaning.is_success() {
                self.meaning = Some(reading.meaning);
            }
        }
        self.read = Some((now, reading.code));
    }
}

/// The outcome of a create, as the client can know the outcome.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// An answer tells of the checkout.
    Told,
    Refused,
    /// Nothing, or nothing that can be read, has come back.
    InDoubt,
}

impl Outcome {
    fn of(entry: &Entry, provider: Provider) -> Self {
        let answer = entry.answer.as_ref().filter(|_| entry.arrived == Arrived::Answer);
        let Some(answer) = answer else { return Self::InDoubt };
        if reading::tells_of_a_checkout(provider, answer) {
            return Self::Told;
        }
        let status = answer.status();
        if status.is_server_error() || status.is_success() { Self::InDoubt } else { Self::Refused }
    }
}

fn finding(
    rule: Rule,
    provider: Provider,
    sentence: String,
    (order, checkout): (Option<String>, Option<String>),
    events: Vec<Event>,
) -> Finding {
    Finding {
        code: rule.code().to_owned(),
        sentence,
        provider: provider.key().to_owned(),
        order,
        checkout,
        events,
    }
}

fn stamp(entry: &Entry) -> Stamp {
    Stamp { number: entry.number, at: entry.at }
}

fn request(Stamp { number, at }: Stamp) -> Event {
    Event { kind: EventKind::Request, number: Some(number), at }
}

fn webhook(Stamp { number, at }: Stamp) -> Event {
    Event { kind: EventKind::Webhook, number: Some(number), at }
}

/// True of a request for Peach's V2.
fn is_v2(entry: &Entry) -> bool {
    entry.path.starts_with("/v2/")
}

/// The order and the checkout of a request.
fn about_of(entry: &Entry) -> (Option<String>, Option<String>) {
    (entry.order.as_deref().map(short), entry.checkout.as_deref().map(str::to_owned))
}

/// The order for which Peach's status was asked by the `merchantTransactionId` alone.
fn looked_up(entry: &Entry) -> Option<String> {
    let query = entry.query.as_deref().filter(|_| entry.path == "/status")?;
    let (mut order, mut is_alone) = (None, true);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "merchantTransactionId" => order = Some(value.into_owned()),
            "checkoutId" | "id" => is_alone &= value.is_empty(),
            _ => {}
        }
    }
    order.filter(|_| is_alone)
}

/// The hash of the content of Azotte's submit, without the key and without the data of a card.
fn content_of(body: &[u8]) -> Option<u64> {
    let mut body: Value = serde_json::from_slice(body).ok()?;
    body.get_mut("order")?.as_object_mut()?.remove("correlationId");
    Some(hash(body.to_string().as_bytes()))
}

/// The hash of the body of a request for Peach's V1, which is signed.
fn signed_of(entry: &Entry) -> Option<u64> {
    (Provider::of(entry.api) == Provider::Peach && !is_v2(entry)).then(|| hash(&entry.body))
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// A text of at most 200 bytes whole, and of a longer text the beginning and a number that stands for the
/// rest.
fn short(text: &str) -> String {
    if text.len() <= MOST_OF_NAME {
        return text.to_owned();
    }
    let begin: String = text.chars().take(MOST_OF_NAME / 4).collect();
    format!("{begin}\u{2026}{:016x}", hash(text.as_bytes()))
}

/// A time in words.
fn span(time: Duration) -> String {
    let millis = time.as_millis();
    if millis.is_multiple_of(1_000) { format!("{} s", millis / 1_000) } else { format!("{millis} ms") }
}

/// The time that a client has for a read after a webhook or a payment.
const GRACE: Duration = Duration::from_secs(60);

/// The time after a refused request in which another request may have been under way already.
const UNDER_WAY: Duration = Duration::from_secs(1);

const MINUTE: Duration = Duration::from_secs(60);

/// The seconds that AllScale's webhook may be old.
const ALLSCALE_WINDOW_SECONDS: u64 = 300;

/// The status of AllScale's that the webhook tells.
const ALLSCALE_CONFIRMED: &str = "20";

/// The most findings of a code that are kept.
const MOST_LISTED: usize = 100;

/// The most checkouts of an order that a create is compared with.
const MOST_OF_ORDER: usize = 100;

/// The most creates in doubt that made no checkout.
const MOST_DOUBTS: usize = 10_000;

const MOST_HOLDS: usize = 1_000;

const MOST_LET_IN: usize = 64;

const MOST_OF_NAME: usize = 200;

#[cfg(test)]
mod tests {
    use super::super::rule::Rule;
    use super::*;
    use crate::place::Api;
    use checkout_sandbox::{allscale, azotte, peach};
    use checkout_transport::bytes::Bytes;
    use checkout_transport::http::Request;

    /// A create of which nothing came back.
    fn lost(api: Api, number: u64, order: &str) -> Entry {
        let (head, ()) = Request::new(()).into_parts();
        let route = if api == Api::Azotte { "submit_checkout" } else { "create" };
        let body = format!(r#"{{"order":{{"correlationId":"{order}","offerIdentifier":"{order}"}}}}"#);
        Entry {
            number,
            at: Moment::from_unix_millis(0),
            skew_ms: 0,
            took: Duration::ZERO,
            api,
            method: head.method,
            path: "/".to_owned(),
            prefix: String::new(),
            query: None,
            headers: head.headers,
            body: Bytes::from(body),
            route: Some(route.to_owned()),
            checkout: None,
            named: None,
            order: Some(order.to_owned()),
            statuses: 0,
            fault: None,
            answer: None,
            arrived: Arrived::Nothing,
        }
    }

    #[test]
    fn many_creates_without_a_checkout_leave_a_bounded_memory() {
        let (allscale, azotte, peach) =
            (allscale::Sandbox::new(1), azotte::Sandbox::new(1), peach::Sandbox::new(1));
        let witness = Witness { allscale: &allscale, azotte: &azotte, peach: &peach };
        let mut judge = Judge::default();
        for number in 1..=50_000 {
            let api = if number % 2 == 0 { Api::AllScale } else { Api::Azotte };
            judge.see(&lost(api, number, &format!("order-{number}")), &witness);
        }
        assert_eq!(judge.orders.len(), MOST_DOUBTS);
        // Every second of the orders that are left is Azotte's.
        assert_eq!((judge.doubtful.len(), judge.contents.len()), (MOST_DOUBTS, MOST_DOUBTS / 2));
        // The latest are known, and each repeat of one order is counted and not listed.
        for number in 50_001..=60_000 {
            judge.see(&lost(Api::AllScale, number, "order-50000"), &witness);
        }
        let verdict = judge.verdict("w", Moment::from_unix_millis(0), true, &witness);
        assert_eq!((verdict.findings.len(), verdict.counts["blind-repeat"]), (100, 10_000));
        assert_eq!(verdict.looked_at.creates, 60_000);
        assert_eq!(judge.orders.len(), MOST_DOUBTS);
    }

    #[test]
    fn a_long_name_is_cut_and_stays_a_name_of_its_own() {
        let (a, b) = ("ä".repeat(1_000), format!("{}b", "ä".repeat(999)));
        assert_ne!(short(&a), short(&b));
        assert!(short(&a).len() <= MOST_OF_NAME, "{}", short(&a).len());
        assert_eq!(short(&"a".repeat(200)), "a".repeat(200));
    }

    #[test]
    fn the_codes_are_in_kebab_case_and_in_the_page() {
        let page = include_str!("../../../../docs/sandbox.md");
        for rule in Rule::ALL {
            let code = rule.code();
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
            assert!(page.contains(&format!("| `{code}` |")), "{code}");
        }
        assert!(Rule::ALL.is_sorted());
    }
}
