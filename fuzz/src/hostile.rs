//! A provider that answers as the bytes say: several merchants, headers, bodies, webhooks and a clock of the
//! fuzzer's choice, and restarts at any point. The honest checkouts are answered truthfully and at once.
//!
//! The laws: no answer for one checkout hides or ends another, or delays another beyond the policy; an echoed
//! text makes no answer unreadable; a checkout that is reported as paid, and an order that is settled, had a
//! read that says so; nothing grows without bound.

mod allscale;
mod peach;
mod time;

pub use allscale::AllScaleScene;
pub use peach::PeachScene;

use crate::Play;
use checkout_client::{Change, End, MerchantId, Watch, WatchEvent, WatchSet, Watchable};
use checkout_lifecycle::Moment;
use checkout_lifecycle::Phase;
use checkout_poll::GiveUpReason;
use checkout_transport::bytes::Bytes;
use checkout_transport::{Request, Response, Transport, TransportError, http};
use checkout_trust::settlement::Read;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use time::Time;

/// The parts of a provider that the laws need.
pub trait Scene: Sized + Send + Sync + 'static {
    type E: Watchable<StatusRead: 'static> + 'static;

    /// The longest time until a paid honest checkout is reported, while the driver runs: of a merchant whose
    /// checkouts are all honest, and beside hostile checkouts.
    const PATIENCE: [Duration; 2];

    fn new(time: &Time) -> Self;

    /// The watch of a checkout, as the client makes it.
    fn watch(&self, checkout: &Checkout) -> Watch<Self::E>;

    /// The place of the checkout that a request reads.
    fn asked(&self, request: &Request, all: &[Checkout]) -> Option<usize>;

    /// The answer of a truthful provider, with all echoed texts, at a moment of the provider's own clock.
    fn truth(&self, request: &Request, checkout: &Checkout, now: Moment) -> (u16, String);

    /// A refusal of the API's own for too many requests.
    fn limited(&self) -> (u16, String);

    /// A refusal of the API's own: there is no such checkout.
    fn not_found(&self) -> (u16, String);

    /// Another answer of the right form with the content that the bytes choose: some status, some id, some
    /// fields.
    fn lie(&self, request: &Request, checkout: &Checkout, now: Moment, play: &[u8]) -> (u16, String);

    /// Reads the body in another way: true if the answer says that this checkout is paid in full.
    fn says_paid(&self, status: u16, body: &[u8], checkout: &Checkout) -> bool;

    /// True if a read settles the checkout's order.
    fn settles(&self, read: &Read<Self::E>, checkout: &Checkout) -> bool;

    /// A message to the receiver of webhooks, chosen by the bytes; and true if this checkout is to be nudged.
    fn webhook(&self, checkout: &Checkout, now: Moment, play: &[u8]) -> bool;

    /// Asserts that the scene's memory is bounded.
    fn assert_bounded(&self);
}

/// A checkout, and the truth about it.
#[derive(Clone, Debug)]
pub struct Checkout {
    pub number: usize,
    pub merchant: usize,
    pub id: String,
    honest: bool,
    /// The texts that the merchant or the payer typed in, and every answer repeats.
    pub echo: Vec<(String, String)>,
    pub paid_at: Option<Moment>,
    /// True if an answer has said that the checkout is paid.
    shown: bool,
    told: bool,
    /// The time that the driver has run since the payment, or since the last jump of the clock.
    waited: Duration,
}

/// One answer to a hostile checkout.
#[derive(Clone, Debug)]
enum Answer {
    Truth,
    Hangs,
    Lost,
    Says { kind: u8, header: u8, bytes: Vec<u8> },
}

struct State<S> {
    scene: S,
    checkouts: Vec<Checkout>,
    answers: VecDeque<Answer>,
    under_way: usize,
}

struct Stage<S> {
    time: Time,
    state: Arc<Mutex<State<S>>>,
}

impl<S> Clone for Stage<S> {
    fn clone(&self) -> Self {
        Self { time: self.time.clone(), state: Arc::clone(&self.state) }
    }
}

impl<S> Stage<S> {
    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().expect("nobody panics with it")
    }
}

/// Counts a request down when the request is over, or dropped.
struct UnderWay<S>(Stage<S>);

impl<S> Drop for UnderWay<S> {
    fn drop(&mut self) {
        if let Ok(mut state) = self.0.state.lock() {
            state.under_way -= 1;
        }
    }
}

impl<S: Scene> Transport for Stage<S> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (under_way, answer) = {
            let now = self.time.provider();
            let mut state = self.lock();
            state.under_way += 1;
            assert!(state.under_way <= AT_ONCE + MERCHANTS, "{} requests under way", state.under_way);
            let place = state.scene.asked(&request, &state.checkouts);
            let answer = place.map(|place| state.answer(place, &request, now));
            (UnderWay(self.clone()), answer)
        };
        let answer = match answer {
            Some(Some(answer)) => answer,
            Some(None) => pending().await,
            None => Err(TransportError::unknown("no such host")),
        };
        drop(under_way);
        answer
    }
}

impl<S: Scene> State<S> {
    /// None: no answer ever comes.
    fn answer(
        &mut self,
        place: usize,
        request: &Request,
        now: Moment,
    ) -> Option<Result<Response, TransportError>> {
        let checkout = self.checkouts[place].clone();
        let answer = match checkout.honest {
            true => Answer::Truth,
            false => self.answers.pop_front().unwrap_or(Answer::Hangs),
        };
        let (status, header, body) = match answer {
            Answer::Hangs => return None,
            Answer::Lost => return Some(Err(TransportError::unknown("the connection was reset"))),
            Answer::Truth => {
                let (status, body) = self.scene.truth(request, &checkout, now);
                (status, None, body.into_bytes())
            }
            Answer::Says { kind, header, bytes } => {
                let (status, body) = match kind % 8 {
                    0 => (429, "<html>slow down</html>".into()),
                    1 => (503, String::new()),
                    2 | 3 => self.scene.limited(),
                    4 => self.scene.not_found(),
                    5 => (200, String::from_utf8_lossy(&bytes).into_owned()),
                    _ => self.scene.lie(request, &checkout, now, &bytes),
                };
                (status, wait(header), body.into_bytes())
            }
        };
        if self.scene.says_paid(status, &body, &checkout) {
            self.checkouts[place].shown = true;
        }
        let mut response = http::Response::builder().status(status);
        if let Some(header) = header {
            response = response.header("retry-after", header);
        }
        Some(Ok(response.body(Bytes::from(body)).expect("a response")))
    }
}

/// The value of `Retry-After`.
fn wait(header: u8) -> Option<&'static str> {
    Some(match header % 12 {
        0 => "0",
        1 => "7",
        2 => "3600",
        3 => "86400",
        4 => "99999999999",
        5 => "99999999999999999999999",
        6 => "Fri, 31 Dec 9999 23:59:59 GMT",
        7 => "Sun, 06 Nov 1994 08:49:37 GMT",
        8 => "-1",
        9 => "soon",
        _ => return None,
    })
}

/// Plays the bytes.
pub fn play<S: Scene>(input: &[u8]) {
    let mut play = Play(input);
    let mut run = Run::<S>::new();
    while run.goes_on(&mut play).is_some() {}
    // Every checkout that is paid is reported, after any play.
    run.drive(Duration::from_secs(45 * 60));
}

struct Run<S: Scene> {
    stage: Stage<S>,
    watches: WatchSet<S::E, usize>,
    merchants: Vec<MerchantId>,
}

impl<S: Scene> Run<S> {
    fn new() -> Self {
        let time = Time::new();
        let scene = S::new(&time);
        let state = State { scene, checkouts: Vec::new(), answers: VecDeque::new(), under_way: 0 };
        let stage = Stage { time, state: Arc::new(Mutex::new(state)) };
        let (watches, merchants) = fresh(&stage);
        let mut run = Self { stage, watches, merchants };
        for place in 0..MERCHANTS * 3 {
            // All checkouts of the first merchant are honest, and one of the second.
            let (merchant, which) = (place / 3, place % 3);
            run.open(merchant, merchant == 0 || (merchant == 1 && which == 0));
        }
        run
    }

    fn open(&mut self, merchant: usize, honest: bool) {
        let checkout = {
            let mut state = self.stage.lock();
            let number = state.checkouts.len();
            let id = format!("65b2f3d0d2d9c0a1b2c3{number:04}");
            let checkout = Checkout {
                number,
                merchant,
                id,
                honest,
                echo: Vec::new(),
                paid_at: None,
                shown: false,
                told: false,
                waited: Duration::ZERO,
            };
            state.checkouts.push(checkout.clone());
            checkout
        };
        let watch = self.stage.lock().scene.watch(&checkout);
        self.watches.add(self.merchants[merchant], watch, checkout.number);
    }

    /// Does the next thing; none at the end of the bytes.
    fn goes_on(&mut self, play: &mut Play<'_>) -> Option<()> {
        let how = play.one_of(16)?;
        let which = usize::from(play.byte()?);
        let place = which % self.stage.lock().checkouts.len();
        match how {
            0..=2 => {
                let millis = u64::from(play.byte()?) * [250, 2_000, 15_000][how];
                self.drive(Duration::from_millis(millis));
            }
            3 => self.pays(place),
            4 => {
                let length = usize::from(play.byte()? % 32);
                let (echoed, rest) = play.0.split_at_checked(length)?;
                play.0 = rest;
                self.stage.lock().checkouts[place].echo.push(echo(which, echoed));
            }
            5..=8 => {
                let answer = match which % 8 {
                    0 => Answer::Truth,
                    1 => Answer::Hangs,
                    2 => Answer::Lost,
                    _ => {
                        let (kind, header, length) =
                            (play.byte()?, play.byte()?, usize::from(play.byte()? % 64));
                        let (bytes, rest) = play.0.split_at_checked(length)?;
                        play.0 = rest;
                        Answer::Says { kind, header, bytes: bytes.to_vec() }
                    }
                };
                let mut state = self.stage.lock();
                if state.answers.len() < 100 {
                    state.answers.push_back(answer);
                }
            }
            9 => {
                self.nudge(place);
            }
            10 => {
                let length = usize::from(play.byte()? % 64);
                let (bytes, rest) = play.0.split_at_checked(length)?;
                play.0 = rest;
                let nudges = {
                    let state = self.stage.lock();
                    state.scene.webhook(&state.checkouts[place], self.stage.time.provider(), bytes)
                };
                if nudges {
                    self.nudge(place);
                }
            }
            11 => {
                self.stage.time.jump(play.span()?, which & 1 == 0);
                self.anew();
            }
            12 => self.restart(),
            // The payer of an honest checkout pays while its merchant is busy.
            _ => self.pays(place % 4),
        }
        self.stage.lock().scene.assert_bounded();
        Some(())
    }

    fn pays(&mut self, place: usize) {
        let now = self.stage.time.provider();
        let mut state = self.stage.lock();
        let checkout = &mut state.checkouts[place];
        if checkout.paid_at.is_none() {
            (checkout.paid_at, checkout.waited) = (Some(now), Duration::ZERO);
        }
    }

    fn nudge(&mut self, number: usize) {
        if let Some(key) = self.watches.find(&number) {
            self.watches.nudge(key);
        }
    }

    /// The clock jumped, or the process is another: waits are counted from here.
    fn anew(&mut self) {
        for checkout in &mut self.stage.lock().checkouts {
            checkout.waited = Duration::ZERO;
        }
    }

    fn restart(&mut self) {
        let rows: Vec<(usize, String)> = self
            .watches
            .iter()
            .map(|(key, number)| (*number, self.watches.stored(key).expect("it is open")))
            .collect();
        let (mut watches, merchants) = fresh::<S>(&self.stage);
        for (old, new) in self.merchants.iter().zip(&merchants) {
            self.watches.requests_in_window(*old).for_each(|at| watches.record_request(*new, at));
        }
        for (number, row) in rows {
            assert!(row.len() < 256, "the column grows: {row}");
            let state = self.stage.lock();
            let checkout = &state.checkouts[number];
            let watch = state.scene.watch(checkout).restore_from(&row).expect("what was stored is read");
            watches.add(merchants[checkout.merchant], watch, number);
        }
        (self.watches, self.merchants) = (watches, merchants);
        self.anew();
    }

    /// Runs for so long, by the clock that sleeps move.
    fn drive(&mut self, span: Duration) {
        let until = self.stage.time.now().saturating_add(span);
        let time = self.stage.time.clone();
        let mut turns = 0_u32;
        loop {
            let before = time.now();
            let event =
                time.run(self.watches.next_event(&self.stage.clone(), |wait| time.sleep(wait)), until);
            self.waits(time.now().saturating_since(before));
            match event {
                Some(Some(event)) => self.hear(event),
                // The time is over, or none is open.
                Some(None) | None => return,
            }
            turns = if time.now() == before { turns + 1 } else { 0 };
            assert!(turns < 2_000, "the driver spins");
        }
    }

    fn waits(&mut self, span: Duration) {
        let mut state = self.stage.lock();
        for checkout in state.checkouts.iter_mut().filter(|checkout| checkout.honest && !checkout.told) {
            if checkout.paid_at.is_none() {
                continue;
            }
            checkout.waited += span;
            let patience = S::PATIENCE[checkout.merchant.min(1)];
            assert!(
                checkout.waited <= patience,
                "honest checkout {} of merchant {} is paid and was not told for {} s",
                checkout.number,
                checkout.merchant,
                checkout.waited.as_secs()
            );
        }
    }

    fn hear(&mut self, event: WatchEvent<S::E, usize>) {
        assert!(event.stored.len() < 256, "the column grows: {}", event.stored);
        let number = event.key;
        let honest = self.stage.lock().checkouts[number].honest;
        match event.change {
            Change::End(End::Ended { answer, phase, .. }) => {
                let mut state = self.stage.lock();
                let checkout = state.checkouts[number].clone();
                state.checkouts[number].told = true;
                if matches!(phase, Phase::Succeeded | Phase::Authorized) {
                    assert!(checkout.shown, "{number} is told as paid, and no answer said so");
                }
                assert!(!honest || phase == Phase::Succeeded, "an honest checkout ended as {phase}");
                let read = answer.into_read();
                assert!(!state.scene.settles(&read, &checkout) || checkout.shown, "{number} settles unpaid");
                assert!(!honest || state.scene.settles(&read, &checkout), "an honest order is not settled");
            }
            Change::End(End::GaveUp { gave_up, .. }) => {
                assert!(
                    !honest || gave_up.reason == GiveUpReason::Deadline,
                    "an honest checkout is given up: {gave_up:?}"
                );
                let Some(mut watch) = event.watch else { panic!("a watch that gave up is given back") };
                watch.resume(Duration::from_secs(2 * 3_600));
                let merchant = self.stage.lock().checkouts[number].merchant;
                // A checkout that was told to wait for years waits: the caller lets that checkout go.
                if gave_up.reason == GiveUpReason::Deadline {
                    self.watches.add(self.merchants[merchant], watch, number);
                }
            }
            Change::NotRead { error, .. } => assert!(!honest, "an honest answer was not read: {error}"),
            _ => {}
        }
    }
}

fn fresh<S: Scene>(stage: &Stage<S>) -> (WatchSet<S::E, usize>, Vec<MerchantId>) {
    let mut watches = WatchSet::new(stage.time.now(), 42).max_in_flight(AT_ONCE);
    let merchants = (0..MERCHANTS).map(|_| watches.merchant()).collect();
    (watches, merchants)
}

/// A key and a value as a person types them.
fn echo(which: usize, bytes: &[u8]) -> (String, String) {
    let keys = ["customParameters[return]", "card.holder", "merchantInvoiceId", "customParameters[a]b", "zz"];
    let telling =
        ["", "https://shop.example/?checkoutId=", "paymentType", "result.code", "merchantTransactionId"];
    let value = format!("{}{}", telling[which / 8 % telling.len()], String::from_utf8_lossy(bytes));
    (keys[which % keys.len()].to_owned(), value)
}

const MERCHANTS: usize = 3;
const AT_ONCE: usize = 4;
