//! The judge finds each fault that is put into sound books: a judge that finds nothing proves nothing.

use super::{Case, Made, Order, Seen, Spans};
use crate::log::Asked;
use checkout_engine::{Checkout, Provider, State};
use checkout_tables::{Environment, Moment};
use std::collections::BTreeMap;
use std::time::Duration;

const MERCHANTS: usize = 6;

/// Sound books of twenty orders, of which every fourth has failed.
fn sound() -> Case {
    let mut case = Case { books: vec![BTreeMap::new(); MERCHANTS], ..Case::default() };
    for number in 0..20 {
        let order = Order::new(number, MERCHANTS);
        let is_paid = number % 4 != 0;
        let count = u32::from(is_paid);
        let made = Made { made: 1, paid: count, shows_paid: count, otherwise: 0 };
        if let Some(books) = case.books.get_mut(order.merchant) {
            books.insert(order.reference.clone(), made);
        }
        if is_paid {
            case.parcels.insert(order.id.clone(), 1);
        }
        case.rows.insert(order.id.clone(), row(&order, if is_paid { State::Settled } else { State::Failed }));
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

    fn paid() -> Self {
        Self::of(1)
    }

    fn failed() -> Self {
        Self::of(4)
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

    fn error(self, kind: &str, has_troubles: bool) -> Self {
        self.case(|case| {
            case.seen.errors.insert(kind.to_owned(), (1, String::new()));
            case.seen.has_troubles = has_troubles;
        })
    }
}

#[test]
fn the_judge_finds_nothing_in_sound_books() {
    assert_eq!(sound().faults(), Vec::<String>::new());
    assert_eq!(Doctor::paid().error("Unavailable", true).case.faults(), Vec::<String>::new());
    // A webhook came after the parcel had left, and the processes that had the work were killed.
    let hold = Some("quarantined: 7 processes in turn have died with this work".to_owned());
    let quarantined = Doctor::paid().row(|row| row.hold.clone_from(&hold));
    assert_eq!(quarantined.case.faults(), Vec::<String>::new());
    // A held checkout waits for a person, whatever the books say.
    let held = Doctor::paid().row(|row| row.hold = Some("why".to_owned()));
    assert_eq!(
        held.case(|case| case.parcels.retain(|id, _| id != "order-000001")).case.faults(),
        Vec::<String>::new()
    );
}

#[test]
fn the_judge_finds_every_fault_that_is_put_into_the_books_on_purpose() {
    let (paid, failed) = (Doctor::paid, Doctor::failed);
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
        ("a refusal of what is there", "refused, and", failed().row(|row| row.state = State::Refused)),
        ("a failure of what is not there", "failed, and", failed().made(|made| made.made = 0)),
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
    ];
    for (name, law, doctored) in faults {
        let found = doctored.case.faults();
        assert!(found.iter().any(|fault| fault.contains(law)), "{name}: {found:?}");
    }
}

/// A process was asked to wait, and the same request came again a minute later.
#[test]
fn the_judge_excuses_a_wait_that_was_ignored_only_if_the_process_that_knew_of_the_wait_could_tell_nobody() {
    let at = |second: i64| Moment::from_unix_millis(second * 1_000);
    let second = Duration::from_secs(1);
    let spans =
        Spans { under_way: 10 * second, first_thing: 5 * second, to_tell: 7 * second, clocks: second / 2 };
    let asked = |process, sent, came| Asked { process, sent: at(sent), came: at(came) };
    let seen = |silenced: &[(u32, i64)]| Seen {
        asked: vec![asked(7, 99, 101), asked(8, 130, 131)],
        silenced: silenced.iter().map(|(process, second)| (*process, at(*second))).collect(),
        ..Seen::default()
    };
    let excuses = |seen: &Seen, events: &[Moment]| seen.excuses(&spans, "retry-after-ignored", events, false);
    let ignored = [at(100), at(160)];
    for (silenced, is_excused) in [
        (&[][..], false),
        // Another process, or another time.
        (&[(8, 101)], false),
        (&[(7, 98)], false),
        (&[(7, 108)], false),
        (&[(7, 100)], true),
        (&[(8, 101), (7, 107)], true),
    ] {
        assert_eq!(excuses(&seen(silenced), &ignored), is_excused, "{silenced:?}");
    }
    // The process that sent the first request has ended without the answer.
    assert!(excuses(&seen(&[]), &[at(110), at(160)]));
    assert!(excuses(&seen(&[]), &[at(100), at(109)]));
    assert!(!excuses(&seen(&[]), &[at(100), at(110)]));
    // The second request is the first thing that a process did after a stop.
    let woken = |second| Seen { woken: vec![at(second)], ..seen(&[]) };
    assert!(excuses(&woken(156), &ignored) && !excuses(&woken(155), &ignored));
    let over = |seen: &Seen| seen.excuses(&spans, "over-limit", &ignored, false);
    assert!(over(&woken(99)) && !over(&woken(90)) && !over(&seen(&[(7, 100)])));
    for (code, aside) in [("webhook-without-read", false), ("double-create", true), ("blind-repeat", true)] {
        assert!(!seen(&[(7, 100)]).excuses(&spans, code, &ignored, aside), "{code}");
    }
    assert!(seen(&[]).excuses(&spans, "webhook-without-read", &[at(100)], true));
}
