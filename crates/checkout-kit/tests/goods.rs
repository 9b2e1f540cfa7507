//! The moment when goods leave, in the example `save_before_send`: for every order that is paid, once,
//! whenever a worker dies; and for nothing else. The right outcome of each course follows from the meaning of
//! the statuses.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

#[path = "../examples/saving/mod.rs"]
mod saving;

use checkout_sandbox::allscale::{Fault, Sandbox, Scenario};
use saving::world::{Incident, Side, State, Step, What, World};
use std::time::Duration;

/// The right outcome of an order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Right {
    /// The order is settled, and the parcel leaves.
    Leaves,
    /// The same, and a person has to look after that.
    LeavesAndIsHeld,
    /// Nothing leaves, and a person has to look.
    IsHeld,
    /// Nothing leaves: the order was refused, and no money came.
    IsGivenUp,
    /// Nothing leaves: nobody has paid yet.
    StaysOpen,
}

/// The courses of an intent, and the right outcome of each. The worker reads for ten minutes while nobody
/// pays, and then after half an hour, an hour, six hours, one day and two days.
fn courses() -> Vec<(&'static str, Scenario, Right)> {
    let slow = |steps: &[(u64, i64)]| {
        Scenario::custom(steps.iter().map(|(seconds, status)| (Duration::from_secs(*seconds), *status)))
    };
    vec![
        ("paid at once", Scenario::happy(), Right::Leaves),
        ("through the checks", Scenario::kyt_passed(), Right::Leaves),
        ("overpaid", Scenario::overpaid(), Right::Leaves),
        ("a review of five hours", slow(&[(5, 2), (20, 3), (60, 4), (5 * HOUR, 20)]), Right::Leaves),
        ("a review of two days", slow(&[(5, 2), (20, 3), (60, 4), (48 * HOUR, 10), (30, 20)]), Right::Leaves),
        ("a review that begins after an hour", slow(&[(5, 2), (HOUR, 4), (5 * HOUR, 20)]), Right::Leaves),
        ("on chain for five hours", slow(&[(5, 2), (25, 10), (5 * HOUR, 20)]), Right::Leaves),
        ("opened a day late, and paid", slow(&[(24 * HOUR, 2), (60, 10), (30, 20)]), Right::Leaves),
        ("contradicted after it was paid", Scenario::change_after_terminal(), Right::LeavesAndIsHeld),
        ("paid by half, and sent back", Scenario::underpaid(), Right::IsHeld),
        ("confirmed, a thousandth short", Scenario::happy().paying_permille(999), Right::IsHeld),
        (
            "confirmed after five hours, a thousandth short",
            slow(&[(5, 2), (25, 10), (5 * HOUR, 20)]).paying_permille(999),
            Right::IsHeld,
        ),
        ("refused by the checks with the money there", Scenario::kyt_refused(), Right::IsHeld),
        ("expired, and paid after that", Scenario::late_success(), Right::IsHeld),
        (
            "canceled, and paid a day later",
            slow(&[(5, 2), (60, -4), (24 * HOUR, 10), (30, 20)]),
            Right::IsHeld,
        ),
        ("failed, and confirmed after hours", slow(&[(5, 2), (60, -1), (5 * HOUR, 20)]), Right::IsHeld),
        ("never paid", Scenario::never_paid(), Right::StaysOpen),
        ("canceled", Scenario::canceled(), Right::IsGivenUp),
        ("expired", Scenario::timeout(), Right::IsGivenUp),
    ]
}

/// Plays a course with the incidents, and compares it with the laws and the right outcome.
fn play(name: &str, scenario: &Scenario, right: Right, incidents: &[Incident]) -> World {
    let sandbox = Sandbox::builder().seed(1).scenario(scenario.clone()).build();
    let world = World::open(sandbox, incidents).unwrap();
    world.play();
    let (row, parcels, outbox) = (world.row(), world.warehouse(), world.outbox());
    let told = format!("{name}, {incidents:?}: {row:?}, {parcels:?}, {outbox:?}\n{}", world.log().join("\n"));
    assert!(!world.log().iter().any(|line| line.starts_with("* ") && !line.contains("crash")), "{told}");

    // Each attempt has an intent under an id of its own, made once, and the payer is shown one page alone,
    // the row's.
    let intents = world.sandbox.intents();
    let mut made: Vec<_> = intents.iter().map(|intent| intent.order_id.clone().unwrap()).collect();
    made.sort_unstable();
    let all = made.len();
    made.dedup();
    assert_eq!(made.len(), all, "{told}");
    assert!(world.pages() <= 1, "{told}");

    // The parcel is sent under the order's key alone, and never unpaid. A sent parcel is marked, and nothing
    // else is.
    assert!(
        parcels.keys().all(|key| key == "order_1001") && parcels.values().all(|asked| asked.paid),
        "{told}"
    );
    assert_eq!(outbox.as_ref().is_some_and(|parcel| parcel.shipped), !parcels.is_empty(), "{told}");

    let became = match (parcels.len(), row.held.is_some(), row.state) {
        (1, false, State::Settled) => Right::Leaves,
        (1, true, State::Settled) => Right::LeavesAndIsHeld,
        (0, true, _) => Right::IsHeld,
        (0, false, State::GivenUp) => Right::IsGivenUp,
        (0, false, State::Created) => Right::StaysOpen,
        _ => panic!("{told}"),
    };
    assert_eq!(became, right, "{told}");
    world
}

/// Every place of a course at which a worker can die or be overtaken.
fn incidents(reached: &[Step], what: What) -> Vec<Incident> {
    let sides = [Side::Before, Side::After];
    reached.iter().flat_map(|&step| sides.map(|side| Incident { what, side, step })).collect()
}

#[test]
fn an_order_with_one_intent_ends_as_its_statuses_mean() {
    for (name, scenario, right) in courses() {
        let world = play(name, &scenario, right, &[]);
        assert_eq!((world.sandbox.intents().len(), world.pages()), (1, 1), "{name}");
        assert!(world.warehouse().values().all(|asked| asked.times == 1), "{name}");
    }
}

#[test]
fn an_order_ends_the_same_wherever_a_worker_dies_or_is_overtaken() {
    for (name, scenario, right) in courses().into_iter().filter(|(name, ..)| *name != "a review of two days")
    {
        let reached = play(name, &scenario, right, &[]).reached();
        assert!(reached.len() >= 5, "{name}: {reached:?}");
        for incident in [incidents(&reached, What::Crash), incidents(&reached, What::OtherWorker)].concat() {
            let world = play(name, &scenario, right, &[incident]);
            // A second intent is made where nobody can know if the first was made, and nowhere else.
            let unknown = matches!(
                (incident.what, incident.side, incident.step),
                (What::Crash, Side::After, Step::SendCreate)
                    | (What::Crash, Side::Before, Step::SaveIntent)
                    | (What::OtherWorker, Side::After, Step::SaveAttempt)
                    | (What::OtherWorker, _, Step::SendCreate)
                    | (What::OtherWorker, Side::Before, Step::SaveIntent)
            );
            assert_eq!(world.sandbox.intents().len(), 1 + usize::from(unknown), "{name}, {incident:?}");
        }
    }
}

#[test]
fn an_order_ends_the_same_wherever_workers_die_twice() {
    let quick = |steps: &[(u64, i64)]| {
        Scenario::custom(steps.iter().map(|(seconds, status)| (Duration::from_secs(*seconds), *status)))
    };
    for (name, scenario, right) in [
        ("paid at once", quick(&[(0, 20)]), Right::Leaves),
        ("contradicted after it was paid", quick(&[(0, 20), (HOUR, 10)]), Right::LeavesAndIsHeld),
        ("canceled, and paid after that", quick(&[(0, -4), (HOUR, 20)]), Right::IsHeld),
    ] {
        let reached = play(name, &scenario, right, &[]).reached();
        for first in incidents(&reached, What::Crash) {
            for second in incidents(&reached, What::Crash) {
                // A shop makes three attempts before a person looks: two lost attempts leave one.
                play(name, &scenario, right, &[first, second]);
            }
        }
    }
}

#[test]
fn a_parcel_of_a_settled_order_survives_a_crash_and_is_requested_again_under_its_key() {
    let happy = Scenario::happy();
    let times = |side, step| {
        let incident = Incident { what: What::Crash, side, step };
        play("paid at once", &happy, Right::Leaves, &[incident]).warehouse()["order_1001"].times
    };
    assert_eq!(times(Side::After, Step::SaveSettlement), 1);
    assert_eq!(times(Side::Before, Step::Ship), 1);
    assert_eq!(times(Side::After, Step::Ship), 2);
    assert_eq!(times(Side::Before, Step::SaveShipped), 2);
    assert_eq!(times(Side::After, Step::SaveShipped), 1);
}

#[test]
fn a_parcel_held_by_a_person_before_the_shipping_stays_in_the_outbox() {
    let incident = Incident { what: What::Hold, side: Side::After, step: Step::SaveSettlement };
    let world = play("held in between", &Scenario::happy(), Right::IsHeld, &[incident]);
    let parcel = world.outbox().unwrap();
    assert_eq!(
        (world.row().state, parcel.key.as_str(), parcel.shipped),
        (State::Settled, "order_1001", false)
    );
}

#[test]
fn failed_reads_hold_nothing_back_for_good_and_contradictory_reads_hold_the_order() {
    // (The statuses of the next reads, by faults; then the intent is paid.)
    let course = |faults: &[Fault]| {
        let sandbox =
            Sandbox::builder().seed(1).scenario(Scenario::custom([(Duration::from_secs(60), 20)])).build();
        faults
            .iter()
            .for_each(|fault| sandbox.inject_on(checkout_kit::allscale::Route::Status, fault.clone()));
        let world = World::open(sandbox, &[]).unwrap();
        world.play();
        (world.warehouse().len(), world.row().held.is_some())
    };
    assert_eq!(
        course(&[Fault::LostAnswer, Fault::Garbage, Fault::HtmlBadGateway, Fault::RateLimited]),
        (1, false)
    );
    assert_eq!(course(&[Fault::TamperedStatus(20)]), (0, true), "confirmed, and then CREATED");
    assert_eq!(course(&[Fault::TamperedStatus(-1)]), (0, true), "failed, and paid in spite of it");
    // As long as nobody can read the intent, the order is neither settled nor given up.
    assert_eq!(course(&vec![Fault::HtmlBadGateway; 1_000]), (0, false));
}

const HOUR: u64 = 60 * 60;
