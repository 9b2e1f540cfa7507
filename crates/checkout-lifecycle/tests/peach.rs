//! Peach's grid and verdicts, typed from the pages and our assumptions beside them, as the oracle.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod play;

use checkout_lifecycle::peach::phase;
use checkout_lifecycle::{Attestation, Basis, Kind, Moment, Observation, Phase, Status, Tracker, Verdict};
use checkout_tables::peach::{Environment, Outcome, PaymentStatus, PaymentType, ResultCode};
use play::{check_ends, grid, last, leads, pairs, play, steps};
use proptest::prelude::*;

/// The statuses that ordinary steps reach, in the order of the table.
const GRID: [&str; 6] = [
    "= x x x x x", // created
    ". = x x x x", // pending
    ". . = . . .", // successful
    ". . . = . .", // authorized
    ". . . . = .", // cancelled
    ". . . . . =", // expired
];

/// The list in *Checkout webhooks*, 2026-07-23, which calls `expired` `uncertain`.
const PUBLIC: &str =
    "created→pending pending→successful,cancelled,expired cancelled→successful expired→successful";
/// Jumps are seen, and the success of a payment of the type `PA` is ours.
const ASSUMED: &str = "created→successful,authorized,cancelled,expired pending→authorized cancelled→authorized \
                       expired→authorized";
const LATE: &str = "cancelled→successful,authorized expired→successful,authorized";

fn check(observations: &str) -> String {
    last::<PaymentStatus>(observations)
}

#[test]
fn reachability_by_ordinary_steps_is_the_documented_grid() {
    assert_eq!(grid::<PaymentStatus>(Status::may_become), GRID);
}

#[test]
fn late_steps_lead_where_the_listed_ones_do() {
    let rows = grid::<PaymentStatus>(Status::may_become_late);
    assert_eq!(rows, grid::<PaymentStatus>(|from, to| leads(from.code(), to.code(), &[PUBLIC, ASSUMED])));
}

#[test]
fn the_steps_are_the_published_and_the_assumed_list() {
    assert_eq!(steps::<PaymentStatus>(|_, basis| matches!(basis, Basis::Public(_))), pairs(PUBLIC));
    assert_eq!(steps::<PaymentStatus>(|_, basis| matches!(basis, Basis::Assumed(_))), pairs(ASSUMED));
    assert_eq!(steps::<PaymentStatus>(|kind, _| kind == Kind::Late), pairs(LATE));
    assert_eq!(PaymentStatus::STEPS.len(), 13);
}

#[test]
fn final_in_the_table_is_final_in_its_phase_and_left_by_no_ordinary_step() {
    check_ends(PaymentStatus::is_final);
}

#[test]
fn the_phases_are_these() {
    let ours = PaymentStatus::ROWS.map(|row| format!("{row} {}", row.phase()));
    assert_eq!(
        ours,
        [
            "created awaiting payer",
            "pending processing",
            "successful succeeded",
            "authorized authorized",
            "cancelled failed: canceled",
            "expired failed: expired",
        ]
    );
}

#[test]
fn an_authorization_is_an_end_and_neither_a_success_nor_a_failure() {
    let phase = PaymentStatus::Authorized.phase();
    assert!(phase.is_final());
    assert_ne!(phase, Phase::Succeeded);
    assert!(!matches!(phase, Phase::Failed(_)));
    let tracker: Tracker<PaymentStatus> = "v1 authorized - 5".parse().unwrap();
    assert!(tracker.is_final());
    // An authorization is never a superseded status.
    assert!("v1 successful authorized 5".parse::<Tracker<PaymentStatus>>().is_err());
}

/// Typed from the grid, the verdict table and the facts; the columns are in the order of the table.
const NEWER: [&str; 6] = [
    "= A A A A A", // created
    "U = A A A A", // pending
    "C C = C C C", // successful
    "C C C = C C", // authorized
    "C C L L = C", // cancelled
    "C C L L C =", // expired
];
const OLDER: [&str; 6] = [
    "= A A A A A", // created
    "S = A A A A", // pending
    "S S = C S S", // successful: two successes exclude each other, of whatever age
    "S S C = S S", // authorized
    "S S L L = C", // cancelled
    "S S L L C =", // expired
];
/// The same as for older observations, since the steps put every open status and every refusal before a
/// success.
const UNORDERED: [&str; 6] = OLDER;

#[test]
fn the_verdicts_on_everything_after_everything_are_these() {
    let verdicts = |known: &dyn Fn(&str) -> String, observed: &dyn Fn(&str) -> String| {
        play::verdicts::<PaymentStatus>(known, observed)
    };
    for by in ["", "w:", "r:"] {
        let known = |code: &str| format!("{by}{code}@100");
        for source in ["", "w:", "r:"] {
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}@101")), NEWER);
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}@100")), OLDER);
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}@99")), OLDER);
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}")), UNORDERED);
        }
        let known = |code: &str| format!("{by}{code}");
        for source in ["", "w:", "r:"] {
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}")), UNORDERED);
            assert_eq!(verdicts(&known, &|code| format!("{source}{code}@100")), UNORDERED);
        }
    }
}

#[test]
fn a_refusal_seen_after_success_is_a_conflict_with_a_newer_time_and_else_stale() {
    for success in ["successful", "authorized"] {
        for refusal in ["cancelled", "expired"] {
            for source in ["", "w:", "r:"] {
                let after = |at: &str| check(&format!("w:{success}@100 {source}{refusal}{at}"));
                let kept = format!("v1 {success} - 100");
                assert_eq!(after(""), format!("stale: {kept}"));
                assert_eq!(after("@99"), format!("stale: {kept}"));
                assert_eq!(after("@100"), format!("stale: {kept}"));
                assert_eq!(after("@101"), format!("conflict: {kept}"));
            }
            // Nothing is newer than a status without a moment.
            assert_eq!(check(&format!("{success} w:{refusal}@101")), format!("stale: v1 {success} - -"));
        }
    }
}

#[test]
fn success_after_a_refusal_is_late_and_remembered_a_payment_and_an_authorization_alike() {
    for success in ["successful", "authorized"] {
        for refusal in ["cancelled", "expired"] {
            for source in ["", "w:", "r:"] {
                for (at, moment) in [("", "-"), ("@50", "100"), ("@100", "100"), ("@150", "150")] {
                    assert_eq!(
                        check(&format!("{refusal}@100 {source}{success}{at}")),
                        format!("late success: v1 {success} {refusal} {moment}")
                    );
                }
            }
            // Then the refusal again: this is the refusal from before.
            assert_eq!(
                check(&format!("{refusal}@100 {success}@150 w:{refusal}")),
                format!("stale: v1 {success} {refusal} 150")
            );
        }
    }
}

#[test]
fn a_payment_and_an_authorization_of_one_checkout_exclude_each_other_at_all_moments() {
    for (known, other) in [("successful", "authorized"), ("authorized", "successful")] {
        for at in ["", "@50", "@100", "@150"] {
            for source in ["", "w:", "r:"] {
                let outcome = check(&format!("{known}@100 {source}{other}{at}"));
                assert_eq!(outcome, format!("conflict: v1 {known} - 100"));
            }
        }
        assert_eq!(check(&format!("{known} {other}")), format!("conflict: v1 {known} - -"));
        let late = check(&format!("cancelled@1 {known}@2 {other}@3"));
        assert_eq!(late, format!("conflict: v1 {known} cancelled 2"));
    }
}

#[test]
fn webhooks_out_of_order_end_with_the_latest_status() {
    let expected = "v1 successful - 300";
    let arrivals = [
        "w:created@100 w:pending@200 w:successful@300",
        "w:created@100 w:successful@300 w:pending@200",
        "w:successful@300 w:pending@200 w:created@100",
        "w:successful@300 w:created@100 w:pending@200",
        "w:pending@200 w:successful@300 w:created@100",
        "w:pending@200 w:created@100 w:successful@300",
    ];
    for arrival in arrivals {
        assert!(check(arrival).ends_with(expected), "{arrival}: {}", check(arrival));
        assert!(play::<PaymentStatus>(arrival).iter().all(|outcome| !outcome.starts_with("conflict")));
    }
}

#[test]
fn uncertain_is_expired_to_an_observation_and_is_not_a_way_to_write_a_stored_tracker() {
    assert_eq!(check("w:uncertain@5"), "first: v1 expired - 5");
    assert!("v1 expired - 5".parse::<Tracker<PaymentStatus>>().is_ok());
    let stored = "v1 uncertain - 5".parse::<Tracker<PaymentStatus>>();
    assert_eq!(stored.unwrap_err().to_string(), "a stored tracker's status is not in the table");
    assert!("v1 successful uncertain 5".parse::<Tracker<PaymentStatus>>().is_err());
}

/// The effect of a code, a payment type and an environment on a tracker that knows `pending`.
fn observe(code: &str, payment_type: Option<PaymentType>, environment: Environment) -> String {
    let mut tracker: Tracker<PaymentStatus> = "v1 pending - 100".parse().unwrap();
    let outcome = Outcome { code, payment_type, environment };
    let at = Some(Moment::from_unix_millis(200));
    let verdict = tracker.observe(Observation::<_, Outcome<&str>>::read_ordered(outcome, at), play::NOW);
    format!("{verdict}: {tracker}")
}

#[test]
fn an_outcome_settles_only_money_and_the_rest_is_carried() {
    use Environment::{Live, Sandbox};
    let (debit, reserve) = (Some(PaymentType::DB), Some(PaymentType::PA));
    assert_eq!(observe("000.000.000", debit, Live), "advanced: v1 successful - 200");
    assert_eq!(observe("000.000.000", reserve, Live), "advanced: v1 authorized - 200");
    assert_eq!(observe("000.000.000", None, Live), "unknown: 000.000.000: v1 pending - 100");
    assert_eq!(observe("000.100.110", debit, Live), "unknown: 000.100.110: v1 pending - 100");
    assert_eq!(observe("000.100.110", debit, Sandbox), "advanced: v1 successful - 200");
    assert_eq!(observe("000.300.100", debit, Live), "unknown: 000.300.100: v1 pending - 100");
    assert_eq!(observe("700.400.580", None, Live), "unknown: 700.400.580: v1 pending - 100");
    assert_eq!(observe("100.396.101", None, Live), "advanced: v1 cancelled - 200");
    assert_eq!(observe("A\nB", debit, Live), r"unknown: A\nB: v1 pending - 100");
}

#[test]
fn an_unknown_verdict_carries_the_whole_outcome_with_a_code_of_any_kind() {
    let mut tracker = Tracker::<PaymentStatus>::new();
    let environment = Environment::Live;
    let test =
        Outcome { code: String::from("000.100.110"), payment_type: Some(PaymentType::DB), environment };
    let webhook = Observation::verified_webhook(test.clone(), None, Attestation::by_caller());
    let verdict = tracker.observe(webhook, play::NOW);
    assert!(verdict.wants_attention() && !verdict.is_adopted());
    assert_eq!(verdict.to_string(), "unknown: 000.100.110");
    assert_eq!(verdict, Verdict::Unknown(test));
    assert_eq!(tracker, Tracker::new());
}

#[test]
fn a_code_explains_the_phase_by_its_status_or_else_by_its_group() {
    // Typed from the facts: `-` leaves the phase as it was.
    let table = [
        // The exact list.
        ("000.000.000", "succeeded"),
        ("000.100.110", "succeeded"),
        ("000.100.112", "succeeded"),
        ("000.200.100", "awaiting payer"),
        ("000.200.000", "processing"),
        ("000.200.101", "processing"),
        ("100.396.101", "failed: canceled"),
        ("100.396.104", "failed: expired"),
        // By group.
        ("000.200.200", "processing"),
        ("800.400.500", "processing"),
        ("100.400.500", "processing"),
        ("900.100.300", "processing"),
        ("000.400.030", "processing"),
        ("999.999.999", "processing"),
        ("800.800.400", "processing"),
        ("000.400.000", "in review"),
        ("000.400.100", "in review"),
        ("000.400.101", "awaiting payer"),
        ("000.400.200", "awaiting payer"),
        ("100.390.112", "awaiting payer"),
        ("800.100.153", "awaiting payer"),
        ("800.800.102", "awaiting payer"),
        ("300.100.100", "awaiting payer"),
        ("700.600.100", "failed: rejected"),
        ("200.300.404", "failed: rejected"),
        ("100.550.300", "failed: rejected"),
        ("000.100.200", "reversed"),
        // The page was not opened yet.
        ("700.400.580", "awaiting payer"),
        // A success of something else, an asynchronous workflow that is not on the list, and no group.
        ("000.300.100", "-"),
        ("000.310.100", "-"),
        ("000.400.110", "-"),
        ("000.100.113", "-"),
        ("100.396.103", "-"),
        ("000.400.130", "-"),
        ("700.400.581", "-"),
    ];
    for (text, expected) in table {
        let code = ResultCode::parse(text).unwrap();
        assert_eq!(phase(code).map_or("-".into(), |phase| phase.to_string()), expected, "{text}");
    }
}

#[test]
fn no_code_off_the_list_is_explained_as_paid_or_authorized() {
    for n in (0..1_000_000_000u32).step_by(20_011).chain(0..700_000) {
        let text = format!("{:03}.{:03}.{:03}", n / 1_000_000, n / 1_000 % 1_000, n % 1_000);
        let code = ResultCode::parse(&text).unwrap();
        let consent = matches!(phase(code), Some(Phase::Succeeded | Phase::Authorized));
        assert_eq!(consent, code.status() == Some(PaymentStatus::Successful), "{text}");
    }
}

fn any_observations() -> impl Strategy<Value = String> {
    let codes = vec!["created", "pending", "successful", "authorized", "cancelled", "expired", "uncertain"];
    let one = ("(|w:|r:)", prop::sample::select(codes), "(|@[0-9])")
        .prop_map(|(source, code, at)| format!("{source}{code}{at}"));
    prop::collection::vec(one, 1..12).prop_map(|all| all.join(" "))
}

proptest! {
    #[test]
    fn the_first_success_is_kept_in_every_order(all in any_observations()) {
        let first = all.split(' ').find_map(|one| {
            ["successful", "authorized"].into_iter().find(|success| one.contains(success))
        });
        let outcome = check(&all);
        match first {
            Some(success) => prop_assert!(outcome.contains(&format!("v1 {success} ")), "{}: {}", all, outcome),
            None => prop_assert!(!outcome.contains("v1 successful") && !outcome.contains("v1 authorized")),
        }
    }

    #[test]
    fn nothing_is_ever_unexpected_or_reopened_after_an_end(all in any_observations()) {
        let outcomes = play::<PaymentStatus>(&all);
        for pair in outcomes.windows(2) {
            let status = pair[0].split("v1 ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
            if PaymentStatus::from_code(status).is_some_and(PaymentStatus::is_final) {
                let open = pair[1].starts_with("unexpected") || pair[1].starts_with("reopened");
                prop_assert!(!open, "{}: {:?}", all, pair);
            }
        }
    }
}
