//! Every scenario of V1 from its initiation to its end.

use crate::support::{Form, Recorder, counted_nonces};
use crate::world::{advance, builder, by, checkout, client_in, merchant, observe};
use checkout_lifecycle::{Failure, Phase, Tracker};
use checkout_sandbox::peach::Scenario;
use checkout_tables::Environment;
use checkout_tables::Environment::{Live, Sandbox};
use checkout_tables::peach::PaymentStatus;

/// A checkout, as the client saw the checkout.
#[derive(Debug, Default, PartialEq, Eq)]
struct Walk {
    /// The verdict of each read but `Unchanged`, once for repetitions.
    verdicts: Vec<String>,
    phase: Option<Phase>,
    superseded: Option<PaymentStatus>,
    sent: Vec<String>,
    told: Vec<String>,
}

fn check(scenario: Scenario, environment: Environment, wrapped: bool, form: Form) -> Walk {
    let merchant = if wrapped { merchant().wrapped_status() } else { merchant() };
    let sandbox = builder(environment).merchant(merchant).scenario(scenario).build();
    let (client, recorder) = (client_in(&sandbox, environment), Recorder::before(&sandbox));
    let (mut walk, mut tracker, nonces) = (Walk::default(), Tracker::new(), counted_nonces());
    let now = || sandbox.clock().now();

    let checkout = checkout("order-0001");
    let validated = form.ask(&client.validate(&checkout).unwrap(), &recorder, now(), &nonces).unwrap();
    assert!(sandbox.checkouts().is_empty(), "a checkout is checked, and none is made of it");
    let initiated = form.ask(&client.initiate(&checkout).unwrap(), &recorder, now(), &nonces).unwrap();
    walk.told = vec![format!("{validated:?}"), format!("{initiated:?}")];

    // Reads at the beginning, and twice after each change: for two minutes, and then for more than a day.
    let status = client.status(by("order-0001"));
    let (mut code, mut again) = (String::new(), false);
    for step in 0..1_600 {
        let changed = sandbox.checkouts()[0].code != code;
        if changed || again {
            code.clone_from(&sandbox.checkouts()[0].code);
            let answer = form.ask(&status, &recorder, now(), &nonces).unwrap();
            walk.told.push(format!("{answer:?}"));
            let verdict = observe(&answer, &mut tracker);
            if !verdict.starts_with("Unchanged") && walk.verdicts.last() != Some(&verdict) {
                walk.verdicts.push(verdict);
            }
        }
        again = changed;
        advance(&sandbox, if step < 24 { 5 } else { 60 });
    }
    Walk { sent: recorder.seen(), phase: tracker.phase(), superseded: tracker.superseded(), ..walk }
}

/// Scenario, the verdicts of the reads, the end, and the superseded status.
type Row = (&'static str, &'static [&'static str], Phase, Option<PaymentStatus>);

const CREATED: &str = "First Created";
const PAID: &str = "Advanced Successful";
const LATE: &str = "LateSuccess Successful";
const CANCELLED: &str = "Advanced Cancelled";
const EXPIRED: &str = "Advanced Expired";
const NO_TIME: Phase = Phase::Failed(Failure::Expired);

/// A page that was not opened yet gives no verdict: `-`.
const TABLE: [Row; 18] = [
    ("happy", &["-", CREATED, PAID], Phase::Succeeded, None),
    ("pending_then_successful", &["-", CREATED, "Advanced Pending", PAID], Phase::Succeeded, None),
    ("cancelled", &["-", CREATED, CANCELLED], Phase::Failed(Failure::Canceled), None),
    ("expired", &["-", CREATED, EXPIRED], NO_TIME, None),
    ("uncertain", &["-", CREATED, EXPIRED], NO_TIME, None),
    ("never_opened", &["-", CREATED, EXPIRED], NO_TIME, None),
    (
        "late_success_after_cancelled",
        &["-", CREATED, CANCELLED, LATE],
        Phase::Succeeded,
        Some(PaymentStatus::Cancelled),
    ),
    (
        "late_success_after_expired",
        &["-", CREATED, EXPIRED, LATE],
        Phase::Succeeded,
        Some(PaymentStatus::Expired),
    ),
    // The payer tries again, and the known status stays.
    ("declined_then_paid", &["-", CREATED, "-", PAID], Phase::Succeeded, None),
    // A success of a payment of the type PA is no money.
    ("authorized", &["-", CREATED, "Advanced Authorized"], Phase::Authorized, None),
    ("in_review", &["-", CREATED, "-", PAID], Phase::Succeeded, None),
    ("charged_back", &["-", CREATED, PAID, "Unknown 000.100.200 at Successful"], Phase::Succeeded, None),
    ("unknown_code", &["-", CREATED, "Unknown 123.456.789 at Created", PAID], Phase::Succeeded, None),
    // The code's group is the group of a success, and the code settles nothing.
    ("risk_check_only", &["-", CREATED, "Unknown 000.300.100 at Created", EXPIRED], NO_TIME, None),
    ("older_cancelled_after_success", &["-", CREATED, PAID, "Stale Successful"], Phase::Succeeded, None),
    ("newer_cancelled_after_success", &["-", CREATED, PAID, "Conflict Successful"], Phase::Succeeded, None),
    ("test_success", &["-", CREATED, PAID], Phase::Succeeded, None),
    // The same scenario for a live merchant.
    ("test_success", &["-", CREATED, "Unknown 000.100.110 at Created"], Phase::AwaitingPayer, None),
];

fn rows() -> impl Iterator<Item = (Environment, Row)> {
    let (common, tests) = TABLE.split_at(16);
    let both =
        [Sandbox, Live].into_iter().flat_map(|environment| common.iter().map(move |row| (environment, *row)));
    both.chain([(Sandbox, tests[0]), (Live, tests[1])])
}

#[test]
fn every_scenario_comes_to_its_end_flat_and_wrapped_live_and_not() {
    for (environment, (name, verdicts, phase, superseded)) in rows() {
        for wrapped in [false, true] {
            let walk = check(Scenario::by_name(name).unwrap(), environment, wrapped, Form::SendBlocking);
            assert_eq!(walk.verdicts, verdicts, "{name} {environment} {wrapped}");
            assert_eq!((walk.phase, walk.superseded), (Some(phase), superseded), "{name} {environment}");
        }
    }
}

#[test]
fn every_form_puts_the_same_bytes_on_the_wire_and_reads_the_same_answers() {
    for name in ["late_success_after_expired", "declined_then_paid", "uncertain"] {
        let walk = |form| check(Scenario::by_name(name).unwrap(), Sandbox, false, form);
        let expected = walk(Form::Send);
        assert_eq!(expected.sent.len(), expected.told.len());
        for form in Form::ALL {
            assert_eq!(walk(form), expected, "{name} {form:?}");
        }
    }
}

#[test]
fn the_table_has_every_scenario() {
    let mut rows: Vec<_> = TABLE.iter().map(|row| row.0).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut names = Scenario::NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(rows, names);
}

#[test]
fn a_test_success_is_a_success_in_the_sandbox_alone() {
    // A live code on a merchant under test is a success too: money has moved.
    let live_code = Scenario::custom([(std::time::Duration::from_secs(5), "000.000.000")]);
    assert_eq!(check(live_code, Sandbox, false, Form::Send).phase, Some(Phase::Succeeded));
    for code in ["000.100.110", "000.100.111", "000.100.112"] {
        let scenario = || Scenario::custom([(std::time::Duration::from_secs(5), code)]);
        assert_eq!(check(scenario(), Sandbox, false, Form::Send).phase, Some(Phase::Succeeded), "{code}");
        assert_eq!(check(scenario(), Live, false, Form::Send).phase, None, "{code}");
    }
}

#[test]
fn a_success_of_another_payment_type_is_no_end() {
    for payment_type in ["RF", "CP", "db", ""] {
        let scenario = Scenario::happy().showing_payment_type(payment_type);
        let walk = check(scenario, Sandbox, false, Form::Send);
        assert!(walk.phase.is_none_or(|phase| phase == Phase::AwaitingPayer), "{payment_type} {walk:?}");
    }
}
