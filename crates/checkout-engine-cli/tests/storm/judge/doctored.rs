//! The judge finds each fault that is put into sound books: a judge that finds nothing proves nothing.

use super::seen::Sent;
use super::{Case, Made, Order, Seen, Spans};
use crate::log::{Asked, Create, Mark};
use crate::orders::Course;
use checkout_engine::{Checkout, Provider, State};
use checkout_tables::{Environment, Moment};
use std::collections::BTreeMap;
use std::time::Duration;

const MERCHANTS: usize = 6;

/// Sound books of twenty orders: each has ended as its payment went, and nothing has befallen a create.
fn sound() -> Case {
    let seen = Seen { creates: Some(Vec::new()), lease: Duration::from_secs(60), ..Seen::default() };
    let books = vec![BTreeMap::new(); MERCHANTS];
    let mut case = Case { books, taken: Some(1), seen, ..Case::default() };
    for number in 0..20 {
        let order = Order::new(number, MERCHANTS);
        let none = Made { made: 1, ..Made::default() };
        let (made, state) = match order.course {
            Course::Paid => (Made { paid: 1, shows_paid: 1, ..none }, State::Settled),
            Course::Unpaid => (Made { unpaid: 1, ..none }, State::Failed),
            Course::Short => (Made { short: 1, ..none }, State::Unsettled),
        };
        if let Some(books) = case.books.get_mut(order.merchant) {
            books.insert(order.reference.clone(), made);
        }
        if state == State::Settled {
            case.parcels.insert(order.id.clone(), 1);
        }
        let mut row = row(&order, state);
        row.hold = (order.course == Course::Short).then(|| "not paid".to_owned());
        case.rows.insert(order.id.clone(), row);
        case.orders.push(order);
    }
    case
}

fn row(order: &Order, state: State) -> Checkout {
    let at = Moment::from_unix_millis(0);
    Checkout {
        id: order.id.clone(),
        provider: order.provider,
        merchant: order.merchant_name(),
        environment: Environment::Sandbox,
        state,
        reference: order.reference.clone(),
        checkout_id: Some("checkout".to_owned()),
        page: None,
        hold: None,
        notes: "{}".into(),
        version: 3,
        created_at: at,
        changed_at: at,
    }
}

/// The books with one order, which is paid or has failed, and a way to change them.
struct Doctor {
    case: Case,
    order: Order,
}

impl Doctor {
    fn of(number: usize) -> Self {
        Self { case: sound(), order: Order::new(number, MERCHANTS) }
    }

    /// An order of AllScale's.
    fn paid() -> Self {
        Self::of(1)
    }

    /// An order of Azotte's.
    fn failed() -> Self {
        Self::of(6)
    }

    /// An order of AllScale's that was paid by half.
    fn short() -> Self {
        Self::of(4)
    }

    /// A paid order of Peach's V2.
    fn of_v2() -> Self {
        Self::of(9)
    }

    /// Something befalls the create of the order.
    fn create(self, change: impl FnOnce(&mut Create, &mut Seen)) -> Self {
        let reference = self.order.reference.clone();
        let mut create =
            Create { process: 7, reference, began: at(10), ended: Some(at(11)), has_fault: false };
        self.case(|case| {
            change(&mut create, &mut case.seen);
            case.seen.creates.get_or_insert_default().push(create);
        })
    }

    /// The order is held for a lost create, and nothing is sent.
    fn held(self, state: State) -> Self {
        let mut this = self.row(|row| (row.state, row.hold) = (state, Some("nobody knows".to_owned())));
        this.case.parcels.remove(&this.order.id);
        this
    }

    /// The work has ended processes, and is put aside between the seconds 10 and 20.
    fn quarantined(self) -> Self {
        self.row(|row| {
            row.hold = Some("quarantined: 7 processes in turn have died with this work".to_owned());
            (row.created_at, row.changed_at) = (at(10), at(20));
        })
    }

    /// Processes are killed at these seconds.
    fn kills(self, seconds: &[i64]) -> Self {
        self.case(|case| case.seen.silenced.extend(seconds.iter().map(|second| (9, at(*second)))))
    }

    fn row(mut self, change: impl FnOnce(&mut Checkout)) -> Self {
        self.case.rows.entry(self.order.id.clone()).and_modify(change);
        self
    }

    fn made(mut self, change: impl FnOnce(&mut Made)) -> Self {
        if let Some(books) = self.case.books.get_mut(self.order.merchant) {
            books.entry(self.order.reference.clone()).and_modify(change);
        }
        self
    }

    fn parcels(mut self, parcels: u32) -> Self {
        self.case.parcels.insert(self.order.id.clone(), parcels);
        self
    }

    fn case(mut self, change: impl FnOnce(&mut Case)) -> Self {
        change(&mut self.case);
        self
    }

    fn found(self, code: &str) -> Self {
        self.case(|case| case.findings.push((code.to_owned(), String::new())))
    }

    fn error(self, kind: &str, is_in_trouble: bool) -> Self {
        self.case(|case| {
            let Seen { errors, in_trouble, .. } = &mut case.seen;
            let errors = if is_in_trouble { in_trouble } else { errors };
            errors.insert(kind.to_owned(), (1, String::new()));
        })
    }
}

fn at(second: i64) -> Moment {
    Moment::from_unix_millis(second * 1_000)
}

#[test]
fn the_judge_finds_nothing_in_sound_books() {
    assert_eq!(sound().faults(), Vec::<String>::new());
    assert_eq!(Doctor::paid().error("Unavailable", true).case.faults(), Vec::<String>::new());
    // A webhook came after the parcel had left, and the processes that had the work were killed.
    let quarantined = Doctor::paid().quarantined().kills(&[10, 11, 12, 15, 19, 20]);
    assert_eq!(quarantined.case.faults(), Vec::<String>::new());
    // A trouble of the database ends as many claims as leases fit into the trouble.
    let troubled = Doctor::paid().quarantined().kills(&[10, 11]);
    let troubled = troubled.case(|case| case.seen.troubles.push((at(-200), at(11))));
    assert_eq!(troubled.case.faults(), Vec::<String>::new());
}

/// Bad luck of a create, and the holds and the refusal that the engine's rules promise for it.
#[test]
fn the_judge_excuses_what_follows_from_the_bad_luck_of_a_create_and_nothing_else() {
    type Luck = fn(&mut Create, &mut Seen);
    type Promised = fn() -> Doctor;
    let lucks: [(&str, bool, Luck); 9] = [
        ("no note of a create", false, |create, _| create.reference.clear()),
        ("an answer and a save", false, |_, _| {}),
        ("no answer", true, |create, _| create.has_fault = true),
        ("killed", true, |create, seen| {
            create.ended = None;
            seen.silenced.push((7, at(30)));
        }),
        ("another process killed", false, |_, seen| seen.silenced.push((8, at(11)))),
        ("killed before and after", false, |_, seen| seen.silenced.extend([(7, at(9)), (7, at(12))])),
        ("stopped", true, |_, seen| seen.silenced.push((7, at(11)))),
        ("too slow for the lease", true, |create, _| create.ended = Some(at(31))),
        ("a trouble of the database", true, |_, seen| seen.troubles.push((at(5), at(10)))),
    ];
    // Peach's V2 may learn of the checkout later, and the hold stays. Azotte is sent to again.
    let ends: [(&str, Promised); 7] = [
        ("unknown of AllScale", || Doctor::paid().held(State::Unknown)),
        ("the amount owed is lost", || Doctor::paid().held(State::Unsettled)),
        ("unknown of V2", || Doctor::of_v2().held(State::Unknown)),
        ("named later", || Doctor::of_v2().held(State::Settled)),
        ("not made within five minutes", || Doctor::of(5).held(State::Sending)),
        ("looked for in vain", || Doctor::of(8).held(State::Unknown)),
        ("not there", || {
            let refused = Doctor::failed().row(|row| row.state = State::Refused);
            refused.made(|made| *made = Made::default())
        }),
    ];
    for (luck, is_bad, befalls) in lucks {
        for (end, doctored) in ends {
            let faults = doctored().create(befalls).case.faults();
            assert_eq!(faults.is_empty(), is_bad, "{luck}, {end}: {faults:?}");
        }
    }
    // Where nobody takes notes, nobody knows.
    let unnoted = Doctor::paid().held(State::Unknown).case(|case| case.seen.creates = None);
    assert_eq!(unnoted.case.faults(), Vec::<String>::new());
}

#[test]
fn the_judge_finds_every_fault_that_is_put_into_the_books_on_purpose() {
    let (paid, failed, short, of_v2) = (Doctor::paid, Doctor::failed, Doctor::short, Doctor::of_v2);
    let faults = [
        ("a row that is forgotten", ": lost", paid().case(|case| drop(case.rows.remove("order-000001")))),
        ("a create again after a lost answer", "made twice", paid().made(|made| made.made = 2)),
        ("a create under another price", "at another price", paid().made(|made| made.otherwise = 1)),
        (
            "a checkout that nobody reads to its end",
            "neither an end",
            paid().row(|row| row.state = State::Open),
        ),
        ("news told twice", "settled twice", paid().parcels(2)),
        (
            "an order settled unpaid",
            "settled unpaid",
            failed().row(|row| row.state = State::Settled).parcels(1),
        ),
        ("news told of a failed order", "settled unpaid", failed().parcels(1)),
        (
            "a paid order that failed",
            "paid, and nothing was sent",
            paid().row(|row| row.state = State::Failed).parcels(0),
        ),
        ("news that is lost", "the row and the parcel disagree", paid().parcels(0)),
        (
            "a late write over a later one",
            "the row and the parcel disagree",
            paid().row(|row| row.state = State::Unsettled),
        ),
        (
            "a held order that was told",
            "the row and the parcel disagree",
            paid().row(|row| row.hold = Some("why".to_owned())),
        ),
        ("a refusal of what is there", "refused, and the", failed().row(|row| row.state = State::Refused)),
        (
            "a refusal of what nothing has befallen",
            "refused, and nothing",
            failed().row(|row| row.state = State::Refused).made(|made| *made = Made::default()),
        ),
        (
            "a failure of what is not there",
            "failed, and the provider has no",
            failed().made(|made| made.made = 0),
        ),
        (
            "a failure of what is open",
            "has not ended the checkout unpaid",
            failed().made(|made| made.unpaid = 0),
        ),
        (
            "a failure of what was paid by half",
            "has not ended the checkout unpaid",
            short().row(|row| (row.state, row.hold) = (State::Failed, None)),
        ),
        (
            "a settlement of what was sent back",
            "does not show a payment",
            paid().made(|made| made.shows_paid = 0),
        ),
        (
            "a settlement of what was paid by half",
            "otherwise than the payment went",
            short().row(|row| (row.state, row.hold) = (State::Settled, None)).parcels(1),
        ),
        ("half of a price that nobody looks at", "not held", short().row(|row| row.hold = None)),
        (
            "a payment that is said to be wrong",
            "the payment is as it has to be",
            paid().held(State::Unsettled),
        ),
        ("an engine that gives up", "given up or closed", failed().row(|row| row.state = State::GaveUp)),
        ("an engine that holds what it likes", "nothing explains the hold", paid().held(State::Open)),
        (
            "an engine that holds what has failed",
            "nothing explains the hold",
            failed().row(|row| row.hold = Some("why".to_owned())),
        ),
        (
            "work put aside while nobody has died",
            "nothing explains the hold",
            paid().quarantined().kills(&[9, 11, 12, 15, 19, 20, 21]),
        ),
        (
            "an event that is forgotten while the work is held",
            "an event that names it was taken",
            of_v2()
                .create(|create, _| create.has_fault = true)
                .held(State::Unknown)
                .made(|made| made.told = 1),
        ),
        (
            "an engine that holds all",
            "no order was settled",
            paid().case(|case| case.rows.values_mut().for_each(|row| row.state = State::Unknown)),
        ),
        ("no parcels", "no parcel has left", paid().case(|case| case.parcels.clear())),
        ("no webhooks", "no webhook was taken", paid().case(|case| case.taken = Some(0))),
        (
            "a sampler that never looks",
            "nobody looked",
            paid().case(|case| case.seen.looks_a_second = Some(4)),
        ),
        ("nobody who listens", "no hint was heard", paid().case(|case| case.heard = Some(0))),
        (
            "processes that stand still, and none is late",
            "no write came too late",
            paid().case(|case| case.seen.stops = 21),
        ),
        ("a row of another provider", "another provider", paid().row(|row| row.provider = Provider::PeachV2)),
        ("a row under another reference", "another reference", paid().row(|row| row.reference.clear())),
        (
            "a parcel for nobody",
            "nobody has ordered it",
            paid().case(|case| case.parcels.extend([("order-9".to_owned(), 1)])),
        ),
        (
            "a checkout for nobody",
            "made, and nobody has ordered it",
            paid().case(|case| {
                for books in &mut case.books {
                    books.insert("other".to_owned(), Made::default());
                }
            }),
        ),
        ("an event that is dropped", "webhook-without-read", paid().found("webhook-without-read")),
        ("a limit that is ignored", "over-limit", paid().found("over-limit")),
        ("a wait that is ignored", "retry-after-ignored", paid().found("retry-after-ignored")),
        ("a blind repeat", "blind-repeat", paid().found("blind-repeat")),
        ("a busy file", "errors Unavailable", paid().error("Unavailable", false)),
        ("a row that nobody can read", "errors Corrupt", paid().error("Corrupt", true)),
        (
            "a process that gave up",
            "has ended by itself",
            paid().case(|case| case.seen.ended.push("a process has ended by itself".to_owned())),
        ),
        ("a transaction left open", "idle in a transaction", paid().case(|case| case.seen.idle = 1)),
        ("work twice", "two pieces of work", paid().case(|case| case.seen.doubled = 1)),
    ];
    for (name, law, doctored) in faults {
        let found = doctored.case.faults();
        assert!(found.iter().any(|fault| fault.contains(law)), "{name}: {found:?}");
    }
}

/// The database was in trouble for ten seconds, and the process 7 stood still at one time.
#[test]
fn an_error_is_of_a_trouble_while_there_is_one_or_when_a_process_has_stood_still_meanwhile() {
    for (stopped, process, second, is_in_trouble) in [
        (0, 7, 100, true),
        (0, 7, 110, true),
        (0, 7, 99, false),
        (0, 7, 111, false),
        // Until six seconds after the stop.
        (109, 7, 115, true),
        (109, 7, 116, false),
        (109, 8, 115, false),
        (98, 7, 99, true),
        (98, 7, 97, false),
        (93, 7, 99, false),
        (111, 7, 112, false),
    ] {
        let (troubles, silenced) = (vec![(at(100), at(110))], vec![(7, at(stopped))]);
        let seen = Seen { troubles, silenced, ..Seen::default() };
        let found = seen.is_in_trouble(process, at(second), Duration::from_secs(6));
        assert_eq!(found, is_in_trouble, "stopped at {stopped}, {process} at {second}");
    }
}

/// Times of the machine that the judge allows for, as the world of these tests counts them.
const SPANS: Spans = Spans {
    under_way: Duration::from_secs(10),
    first_thing: Duration::from_secs(5),
    to_tell: Duration::from_secs(7),
    patience: Duration::from_secs(25),
};

fn mark(process: u32, number: u64) -> Option<Mark> {
    Some(Mark { process, number })
}

/// The process 7 was asked to wait, and the process 8 sent the same request a minute later.
#[test]
fn the_judge_excuses_a_wait_that_was_ignored_only_if_the_process_that_knew_of_the_wait_could_tell_nobody() {
    let ignored = [Sent { at: at(100), by: mark(7, 3) }, Sent { at: at(160), by: mark(8, 5) }];
    let asked = |process, number, has_answer| Asked {
        mark: Mark { process, number },
        sent: at(99),
        came: at(101),
        has_answer,
    };
    let seen = |silenced: &[(u32, i64)], asked: Vec<Asked>| Seen {
        asked,
        silenced: silenced.iter().map(|(process, second)| (*process, at(*second))).collect(),
        ..Seen::default()
    };
    let excuses =
        |seen: &Seen, requests: &[Sent]| seen.excuses(&SPANS, "retry-after-ignored", requests, false);
    for (silenced, is_excused) in [
        (&[][..], false),
        // Another process, or another time.
        (&[(8, 101)], false),
        (&[(7, 98)], false),
        (&[(7, 108)], false),
        (&[(7, 100)], true),
        (&[(8, 101), (7, 107)], true),
    ] {
        // Another request of the process, at the same time, has no answer.
        let seen = seen(silenced, vec![asked(7, 3, true), asked(7, 4, false)]);
        assert_eq!(excuses(&seen, &ignored), is_excused, "{silenced:?}");
    }
    assert!(excuses(&seen(&[], vec![asked(7, 3, false)]), &ignored));
    // Without a note, the process that sent the first request has ended about then.
    for (silenced, is_excused) in [
        (&[][..], false),
        (&[(8, 101)], false),
        (&[(7, 90)], false),
        (&[(7, 91)], true),
        (&[(7, 124)], true),
        (&[(7, 125)], false),
    ] {
        assert_eq!(excuses(&seen(silenced, vec![asked(7, 4, true)]), &ignored), is_excused, "{silenced:?}");
    }
    let [first, second] = ignored;
    assert!(excuses(&seen(&[], vec![]), &[first, Sent { at: at(109), ..second }]));
    assert!(!excuses(&seen(&[], vec![]), &[first, Sent { at: at(110), ..second }]));
    // The sandbox has forgotten who sent the first request.
    assert!(!excuses(&seen(&[(7, 100)], vec![]), &[Sent { by: None, ..first }, second]));
}

/// The process 7 sent something at the second 100, and the process 8 at the second 130.
#[test]
fn the_judge_excuses_a_request_only_as_the_first_thing_that_its_own_sender_did_after_a_stop() {
    let requests = [Sent { at: at(100), by: mark(7, 3) }, Sent { at: at(130), by: mark(8, 5) }];
    for (process, woke, is_over_limit_excused, is_ignored_excused) in [
        (7, 96, true, false),
        (7, 100, true, false),
        (7, 95, false, false),
        (7, 101, false, false),
        (8, 126, true, true),
        (8, 125, false, false),
        // Another process was stopped when the request was sent, in whichever process.
        (9, 100, false, false),
        (8, 100, false, false),
        (7, 130, false, false),
    ] {
        let asked =
            Asked { mark: Mark { process: 7, number: 3 }, sent: at(99), came: at(101), has_answer: true };
        let seen = Seen { woken: vec![(process, at(woke))], asked: vec![asked], ..Seen::default() };
        for (code, is_excused) in [
            ("over-limit", is_over_limit_excused),
            ("retry-after-ignored", is_ignored_excused),
            ("webhook-without-read", false),
            ("double-create", false),
            ("blind-repeat", false),
        ] {
            let excused = seen.excuses(&SPANS, code, &requests, false);
            assert_eq!(excused, is_excused, "{code}, {process} woke at {woke}");
        }
        let forgotten = requests.map(|request| Sent { by: None, ..request });
        assert!(!seen.excuses(&SPANS, "over-limit", &forgotten, false));
    }
    for (code, is_excused) in
        [("webhook-without-read", true), ("double-create", false), ("blind-repeat", false)]
    {
        assert_eq!(Seen::default().excuses(&SPANS, code, &requests, true), is_excused, "{code}");
    }
}
