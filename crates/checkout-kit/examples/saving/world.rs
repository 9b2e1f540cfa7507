//! The world around a worker: a database, a payer, a warehouse, the provider's sandbox, and the mishaps.

use super::{Stop, Worker};
use checkout_kit::allscale::{Client, SigningKey};
use checkout_kit::{Environment, SecretString};
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::{self, Display};
use std::time::Duration;

/// The row of an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) state: State,
    /// The reason why a person has to look, if a person has to. Nothing leaves while the reason is set.
    pub(crate) held: Option<String>,
    /// The latest attempt that was begun.
    pub(crate) attempt: u32,
    /// The created intent: the id, the page, and the coins that are owed.
    pub(crate) intent_id: String,
    pub(crate) page: String,
    pub(crate) owed: String,
    /// The knowledge of the intent: `Watch::stored`, or nothing yet.
    pub(crate) watch: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    /// Nothing was sent.
    New,
    /// The attempt is being sent, or was sent.
    Sending,
    /// There is an intent, and it is open.
    Created,
    /// The intent was refused.
    GivenUp,
    /// The intent is paid. The order's parcel is in the outbox.
    Settled,
}

/// The only deeds of a worker that outlive the worker, each at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    SaveAttempt,
    SendCreate,
    SaveIntent,
    ShowPage,
    SaveNews,
    SaveSettlement,
    Ship,
    SaveShipped,
    SaveRefusal,
    SaveHold,
}

impl Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SaveAttempt => "the attempt is saved",
            Self::SendCreate => "the create is sent",
            Self::SaveIntent => "the intent is saved",
            Self::ShowPage => "the payer is shown the page",
            Self::SaveNews => "the first news is saved",
            Self::SaveSettlement => "the settlement is saved",
            Self::Ship => "the goods leave",
            Self::SaveShipped => "it is saved that the goods left",
            Self::SaveRefusal => "the refusal is saved",
            Self::SaveHold => "the hold is saved",
        })
    }
}

/// An incident that happens once, the first time that a worker is before or after a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incident {
    pub(crate) what: What,
    pub(crate) side: Side,
    pub(crate) step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    Before,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    /// The worker's process dies.
    Crash,
    /// Another worker does everything that is to do.
    OtherWorker,
    /// A person holds the order.
    Hold,
}

impl Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::Crash => "a crash",
            What::OtherWorker => "another worker",
            What::Hold => "a person who holds the order",
        };
        let side = if self.side == Side::Before { "before" } else { "after" };
        write!(f, "{what} {side} {}", self.step)
    }
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    /// The database: the order's row, and the outbox with its one parcel.
    row: RefCell<Row>,
    outbox: RefCell<Option<Parcel>>,
    /// The deeds that no database sees: the pages that were shown, and the requests to the warehouse, by the
    /// parcel's key. The warehouse sends one parcel for a key, for any number of requests.
    pages: RefCell<BTreeSet<String>>,
    warehouse: RefCell<BTreeMap<String, Asked>>,
    incidents: RefCell<Vec<Incident>>,
    reached: RefCell<Vec<Step>>,
    log: RefCell<Vec<String>>,
}

/// Goods that are to leave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parcel {
    /// The key of the request to the warehouse. The key is the order's for every attempt, and never changes.
    pub(crate) key: String,
    pub(crate) shipped: bool,
}

/// The number of requests to the warehouse for one parcel, and true if the intent was paid at the first
/// request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) times: u32,
    pub(crate) paid: bool,
}

impl World {
    pub(crate) fn open(sandbox: Sandbox, incidents: &[Incident]) -> Result<Self, Box<dyn Error>> {
        let clock = sandbox.clock().clone();
        let client = Client::builder(SigningKey::new(API_KEY, SecretString::from(API_SECRET))?)
            .environment(Environment::Sandbox)
            .clock(move || clock.now())
            .build()?;
        let nothing = String::new;
        let (intent_id, page, owed, watch) = (nothing(), nothing(), nothing(), nothing());
        let row = Row { state: State::New, held: None, attempt: 0, intent_id, page, owed, watch };
        Ok(Self {
            sandbox,
            client,
            row: RefCell::new(row),
            outbox: RefCell::default(),
            pages: RefCell::default(),
            warehouse: RefCell::default(),
            incidents: RefCell::new(incidents.to_vec()),
            reached: RefCell::default(),
            log: RefCell::default(),
        })
    }

    /// Plays the order from the beginning, over every crash, and reads it again for three days.
    pub(crate) fn play(&self) {
        let looks = [30 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 48 * HOUR];
        let mut rest = looks.iter().copied();
        let mut look_back = false;
        loop {
            let worker = Worker { world: self, name: "" };
            match if look_back { worker.look_back() } else { worker.work() } {
                Ok(()) => {
                    let Some(wait) = rest.next() else { return };
                    self.wait(wait);
                    look_back = true;
                }
                // The supervisor starts the worker again, with the same task.
                Err(Stop::Crash) => self.say("* crash, and a new start"),
                Err(Stop::Error(error)) => return self.say(format!("* {error}")),
            }
        }
    }

    pub(crate) fn row(&self) -> Row {
        self.row.borrow().clone()
    }

    /// `update orders set … = $after where id = $id and … = $before`: false if another worker was faster.
    pub(crate) fn swap(&self, before: &Row, after: Row) -> bool {
        self.swap_with(before, after, None)
    }

    /// The same, and in the same transaction `insert into outbox (key) values ($key) on conflict do nothing`.
    pub(crate) fn swap_with(&self, before: &Row, after: Row, parcel: Option<String>) -> bool {
        let mut row = self.row.borrow_mut();
        let same = *row == *before;
        if same {
            *row = after;
            if let Some(key) = parcel {
                self.outbox.borrow_mut().get_or_insert(Parcel { key, shipped: false });
            }
        }
        same
    }

    /// `select key from outbox join orders … where not shipped and orders.held is null`.
    pub(crate) fn to_ship(&self) -> Option<String> {
        let held = self.row.borrow().held.is_some();
        self.outbox
            .borrow()
            .as_ref()
            .filter(|parcel| !parcel.shipped && !held)
            .map(|parcel| parcel.key.clone())
    }

    /// `update outbox set shipped = true where key = $key`.
    pub(crate) fn shipped(&self, key: &str) {
        self.outbox
            .borrow_mut()
            .iter_mut()
            .filter(|parcel| parcel.key == key)
            .for_each(|parcel| parcel.shipped = true);
    }

    /// The warehouse is asked to send the parcel of this key.
    pub(crate) fn send(&self, key: &str) {
        let paid = self.paid();
        let mut warehouse = self.warehouse.borrow_mut();
        warehouse.entry(key.to_owned()).or_insert(Asked { times: 0, paid }).times += 1;
    }

    /// Shows the payer a page, and returns true if the page is a new one.
    pub(crate) fn show(&self, page: &str) -> bool {
        self.pages.borrow_mut().insert(page.to_owned())
    }

    pub(crate) fn pages(&self) -> usize {
        self.pages.borrow().len()
    }

    pub(crate) fn outbox(&self) -> Option<Parcel> {
        self.outbox.borrow().clone()
    }

    /// The parcels that have left, each under its key.
    pub(crate) fn warehouse(&self) -> BTreeMap<String, Asked> {
        self.warehouse.borrow().clone()
    }

    /// True if the intent of the order's row is paid, by what the sandbox knows.
    pub(crate) fn paid(&self) -> bool {
        let row = self.row.borrow();
        let own = super::order_id(row.attempt);
        let paid = |status| status == i64::from(checkout_kit::allscale::IntentStatus::Confirmed);
        let intents = self.sandbox.intents();
        let mut own = intents.iter().filter(|intent| intent.order_id.as_deref() == Some(&*own));
        own.any(|intent| intent.id == row.intent_id && paid(intent.status))
    }

    pub(crate) fn say(&self, line: impl Into<String>) {
        self.log.borrow_mut().push(line.into());
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    /// In production: waits.
    pub(crate) fn wait(&self, time: Duration) {
        self.sandbox.clock().advance(time);
    }

    /// The steps that a worker has come to, each step once.
    pub(crate) fn reached(&self) -> Vec<Step> {
        self.reached.borrow().clone()
    }

    /// Brings about the incident of this place.
    pub(crate) fn happen(&self, side: Side, step: Step) -> Result<(), Stop> {
        if !self.reached.borrow().contains(&step) {
            self.reached.borrow_mut().push(step);
        }
        let here = self.incidents.borrow().iter().position(|it| it.side == side && it.step == step);
        let Some(here) = here else { return Ok(()) };
        let incident = self.incidents.borrow_mut().remove(here);
        match incident.what {
            What::Crash => return Err(Stop::Crash),
            What::OtherWorker => {
                if (Worker { world: self, name: "the other: " }).work().is_err() {
                    self.say("the other: failed");
                }
            }
            What::Hold => {
                self.row.borrow_mut().held = Some("by a person".into());
                self.say("a person holds the order");
            }
        }
        Ok(())
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
