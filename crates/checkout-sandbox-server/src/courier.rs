//! The courier of a world, who takes the webhooks from the sandboxes and delivers them as their moments come.

use std::sync::{Arc, Weak};
use std::time::Duration;

use checkout_sandbox::allscale::Act;
use checkout_tables::Moment;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::clock::Pace;
use crate::journal::Entry;
use crate::machine;
use crate::traffic::Step;
use crate::verdict::judge::Delivered;
use crate::webhooks::content::{Content, Provider, Twist};
use crate::webhooks::endpoint::Endpoint;
use crate::webhooks::log::{Attempt, Filter, Job, Log, Message, TAKEN, To, Way};
use crate::webhooks::post::{self, Answer, Letter};
use crate::webhooks::target::{Target, Targets};
use crate::world::{Played, World};

/// Lets a courier deliver the webhooks of a world, until the world is gone.
pub(crate) fn start(world: &Arc<World>, targets: &Arc<Targets>) {
    world.hooks().allow(targets);
    tokio::spawn(work(Arc::downgrade(world), Arc::clone(&world.hooks().kick)));
}

/// Works whenever something may have changed, and at each moment at which time changes something.
async fn work(world: Weak<World>, kick: Arc<tokio::sync::Notify>) {
    loop {
        let pause = {
            let Some(world) = world.upgrade() else { return };
            let played = world.quiet();
            let at = played.clock.shown().now();
            round(&world, &played).await;
            world.hooks().tell();
            let pause = until_next(&played);
            // A change that came in between is not the next change any more.
            if played.clock.shown().now() != at {
                continue;
            }
            pause
        };
        match pause {
            Some(pause) => tokio::select! {
                () = kick.notified() => {}
                () = sleep(pause) => {}
            },
            None => kick.notified().await,
        }
    }
}

/// Takes the webhooks in. Where the time passes by itself, also begins the deliveries that are due: one for
/// each receiver at a time, so that a receiver who does not answer holds no other receiver up.
async fn round(world: &Arc<World>, played: &Arc<Played>) {
    take_in(world, played);
    if played.clock.pace() == Pace::Frozen {
        return;
    }
    loop {
        let under_way = Arc::clone(&world.hooks().courier).read_owned().await;
        let job = played.mail.log().next_job(played.clock.shown().now());
        let Some(job) = job else { return };
        let (world, played) = (Arc::clone(world), Arc::clone(played));
        tokio::spawn(async move {
            attempt(&world, &played, &job, false).await;
            played.mail.log().free(&job);
            world.hooks().tell();
            world.hooks().kick.notify_one();
            drop(under_way);
        });
    }
}

/// Takes the webhooks in that are due by now, so that the log shows them, and attempts none.
pub(crate) fn look(world: &World) {
    take_in(world, &world.quiet());
}

/// The moment at which a step of the clock ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Moment(Moment),
    /// The last thing that time alone brings, with all attempts to deliver a webhook.
    Idle,
}

/// The moment of the next thing that time alone brings: a change of a checkout, or a webhook.
pub(crate) fn next(world: &World) -> Option<Moment> {
    let played = world.quiet();
    take_in(world, &played);
    next_moment(&played).map(|next| next.max(played.clock.shown().now()))
}

/// Moves the world's time forward, from one thing that happens to the next, and returns the attempts in
/// order.
pub(crate) async fn advance(world: &World, until: Until) -> Vec<Value> {
    let _alone = world.hooks().courier.write().await;
    let played = world.quiet();
    let (after, from) = (played.traffic().last(), played.clock.shown().now());
    let begins = played.mail.log().begins();
    let mut attempts = deliver_due(world, &played).await;
    // A world that began again in between is at another time.
    while played.mail.log().begins() == begins {
        let now = played.clock.shown().now();
        let next = next_moment(&played).filter(|next| *next > now);
        let (next, to) = match until {
            Until::Moment(moment) => {
                let next = next.filter(|next| *next <= moment);
                (next, next.unwrap_or(moment))
            }
            Until::Idle => (next, next.unwrap_or(now)),
        };
        world.go_on(to.saturating_since(now));
        attempts.extend(deliver_due(world, &played).await);
        if next.is_none() {
            break;
        }
    }
    let (to, pace) = (played.clock.shown().now(), played.clock.pace());
    if to != from {
        played.traffic().note_step(Step { from, to, pace, after });
    }
    world.hooks().tell();
    world.hooks().kick.notify_one();
    attempts
}

/// Sends a webhook to its receivers now, whatever its state is. `None` if no webhook has the number.
pub(crate) async fn send_by_hand(
    world: &World,
    number: u64,
    endpoints: &[Endpoint],
    twist: &Twist,
) -> Option<Vec<Value>> {
    let _alone = world.hooks().courier.write().await;
    let played = world.quiet();
    take_in(world, &played);
    let jobs = played.mail.log().jobs_by_hand(number, endpoints, twist)?;
    let mut attempts = Vec::new();
    for job in jobs {
        attempts.extend(attempt(world, &played, &job, true).await);
    }
    world.hooks().tell();
    Some(attempts)
}

/// Sends all webhooks that fit to their receivers now, in the order of the world's time.
pub(crate) async fn send_all_by_hand(
    world: &World,
    provider: Option<Provider>,
    filter: &Filter,
    endpoints: &[Endpoint],
) -> Vec<Value> {
    look(world);
    let fits = |message: &&Message| provider.is_none_or(|provider| message.content.provider() == provider);
    let played = world.quiet();
    let numbers: Vec<u64> =
        played.mail.log().messages(filter).filter(fits).map(|message| message.number).collect();
    let mut attempts = Vec::new();
    for number in numbers {
        let of_one = send_by_hand(world, number, endpoints, &Twist::default()).await;
        attempts.extend(of_one.into_iter().flatten());
    }
    attempts
}

/// Pays a new checkout at once, and delivers the webhooks that are due, if a fault says that the webhook
/// comes before the answer to the create.
pub(crate) async fn deliver_early(world: &World, provider: Provider, checkout: &str) {
    if pay_early(world, provider, checkout) {
        let _alone = world.hooks().courier.write().await;
        deliver_due(world, &world.quiet()).await;
        world.hooks().tell();
    }
}

/// Pays a new checkout at once, if a fault says that the webhook comes before the answer to the create. True
/// if the fault says so.
pub(crate) fn pay_early(world: &World, provider: Provider, checkout: &str) -> bool {
    let change = world.change();
    let played = world.played();
    if !played.mail.log().take_early(provider) {
        return false;
    }
    match provider {
        Provider::AllScale => {
            // A new checkout can be paid.
            let _ = played.allscale.act(checkout, Act::ComeTo(CONFIRMED));
        }
        Provider::Peach => {
            let _ = played.peach.pay(checkout);
        }
    }
    let early = json!({ "provider": provider.name(), "checkout": checkout });
    // Without room in the file, the next change is refused.
    let _ = change.note(|| Entry::new("early", early));
    true
}

/// The letter of a webhook to any URL, for a receiver that is not called.
pub(crate) fn letter_to(world: &World, number: u64, url: &str) -> Option<Result<Letter, String>> {
    let played = world.quiet();
    let content = played.mail.log().message(number)?.content.clone();
    let now = told(&played, played.clock.shown().now());
    // A receiver of this kind is called by somebody else: any host is right.
    let host = checkout_transport::http::Uri::try_from(url).ok()?.host().unwrap_or_default().to_owned();
    let target = Targets::new(vec![host]).of(url);
    Some(target.and_then(|target| content.letter(&target, world.keys(), (now, 0), &Twist::default())))
}

/// Takes the webhooks that are due from the sandboxes.
fn take_in(world: &World, played: &Played) {
    let change = world.change();
    let endpoints = world.hooks().endpoints().all().to_vec();
    // Nobody else takes webhooks in between, so their order is the order of time.
    let mut log = played.mail.log();
    let of_allscale = played.allscale.take_webhooks().into_iter().map(Content::AllScale);
    let of_peach = played.peach.take_webhooks().into_iter().map(Content::Peach);
    let mut webhooks: Vec<Content> = of_allscale.chain(of_peach).collect();
    webhooks.sort_by_key(Content::at);
    if !webhooks.is_empty() {
        // Without room in the file, the next change is refused.
        let _ = change.note(|| Entry::new("take", Value::Null));
    }
    log.take(webhooks, &endpoints, played.clock.shown().now());
}

/// Attempts all deliveries that are due by now, one after another.
async fn deliver_due(world: &World, played: &Played) -> Vec<Value> {
    let mut attempts = Vec::new();
    take_in(world, played);
    loop {
        let job = played.mail.log().next_job(played.clock.shown().now());
        let Some(job) = job else { return attempts };
        let under_way = UnderWay { played, job };
        attempts.extend(attempt(world, played, &under_way.job, false).await);
        drop(under_way);
        world.hooks().tell();
    }
}

/// A delivery that is under way. A delivery that is given up, because its client has gone, waits again.
struct UnderWay<'a> {
    played: &'a Played,
    job: Job,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.played.mail.log().free(&self.job);
    }
}

async fn attempt(world: &World, played: &Played, job: &Job, by_hand: bool) -> Vec<Value> {
    let at = played.clock.shown().now();
    let twist = Twist { secret: secret_of(world, &job.to), ..job.twist.clone() };
    let letter = target_of(world, &job.to).and_then(|target| {
        let told = told(played, at);
        let letter = job.content.letter(&target, world.keys(), (told, job.letter), &twist)?;
        Ok((target, letter))
    });
    let (target, letter) = match letter {
        Ok(letter) => letter,
        Err(reason) => {
            let change = world.change();
            // Without room in the file, the next change is refused.
            let _ = change.note(|| Entry::new("refuse", Log::refusal_to_keep(job, &reason)));
            played.mail.log().refuse(job, at, reason);
            return Vec::new();
        }
    };
    let (begin, after) = (machine::now(), played.traffic().last());
    let outcomes = match job.way {
        Way::Whole => vec![post::post(&target, &letter).await],
        Way::Cut => vec![post::post_half(&target, &letter).await],
        Way::Stalled(time) => vec![post::post_nothing(&target, time).await],
        Way::Twice => {
            let (first, second) = tokio::join!(post::post(&target, &letter), post::post(&target, &letter));
            vec![first, second]
        }
    };
    let took = machine::now().saturating_since(begin);
    let record = |outcome: Result<Answer, String>| {
        let is_taken = outcome.as_ref().is_ok_and(|answer| answer.status == TAKEN);
        let (url, letter) = (target.url.clone(), letter.clone());
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let attempt = Attempt { url, at, after, took_ms, letter, outcome, next: None, by_hand };
        let change = world.change();
        let to_keep = world.is_kept().then(|| Log::attempt_to_keep(job, &attempt));
        let recorded = played.mail.log().record(job, attempt);
        // An attempt that began before the log began again is of no concern.
        if recorded.is_null() {
            return recorded;
        }
        judge(played, job, at, after, is_taken);
        if let Some(to_keep) = to_keep {
            // Without room in the file, the next change is refused.
            let _ = change.note(|| Entry::new("attempt", to_keep));
        }
        recorded
    };
    outcomes.into_iter().map(record).filter(|attempt| !attempt.is_null()).collect()
}

/// The time that the provider's own clock tells for a moment.
fn told(played: &Played, moment: Moment) -> Moment {
    Moment::from_unix_millis(moment.unix_millis().saturating_add(played.allscale.skew_ms()))
}

/// Lets the judge see an attempt that began after the request with the number `after`.
fn judge(played: &Played, job: &Job, at: Moment, after: u64, is_taken: bool) {
    let (content, twist, order) = (&job.content, &job.twist, job.content.order());
    let delivered = Delivered {
        number: job.message(),
        at,
        after,
        provider: content.provider().into(),
        checkout: content.checkout(),
        order: order.as_deref(),
        event: content.event(),
        event_at: content.at(),
        is_taken,
        has_wrong_key: twist.wrong_key,
        stale_seconds: twist.stale_seconds,
        has_other_body: twist.body.is_some(),
    };
    played.judge(|judge, _| judge.deliver(&delivered));
}

/// The target of a receiver, or the reason why nothing goes there.
fn target_of(world: &World, to: &To) -> Result<Target, String> {
    let url = match to {
        To::Url(url) => url.clone(),
        To::Endpoint(number) => {
            let endpoints = world.hooks().endpoints();
            let found = endpoints.all().iter().find(|endpoint| endpoint.number == *number);
            let found = found.filter(|endpoint| endpoint.enabled);
            found.ok_or_else(|| "the endpoint is gone or not enabled".to_owned())?.url.clone()
        }
    };
    world.hooks().targets().of(&url)
}

/// The receiver's own secret.
fn secret_of(world: &World, to: &To) -> Option<String> {
    let To::Endpoint(number) = to else { return None };
    let endpoints = world.hooks().endpoints();
    endpoints.all().iter().find(|endpoint| endpoint.number == *number)?.secret.clone()
}

/// The next moment at which time changes something.
fn next_moment(played: &Played) -> Option<Moment> {
    let changes = [
        played.allscale.next_change(),
        played.azotte.next_change(),
        played.peach.next_change(),
        played.mail.log().next(),
    ];
    changes.into_iter().flatten().min()
}

/// The machine's time until the next moment. `None` if nothing changes by itself.
fn until_next(played: &Played) -> Option<Duration> {
    let left = next_moment(played)?.saturating_since(played.clock.shown().now());
    match played.clock.pace() {
        Pace::Frozen => None,
        Pace::Real => Some(left.max(TICK)),
        Pace::Times(times) => Some((left / times.max(1)).max(TICK)),
    }
}

/// AllScale's status of a confirmed payment.
const CONFIRMED: i64 = 20;

/// The resolution of a world's time.
const TICK: Duration = Duration::from_millis(1);
