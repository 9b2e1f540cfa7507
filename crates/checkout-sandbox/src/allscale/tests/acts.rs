use super::*;
use proptest::prelude::*;

const STATUSES: [i64; 12] = [1, 2, 3, 4, 5, 10, 20, -1, -2, -3, -4, -5];

/// A sandbox and the id of an intent over 10.00 USDT that goes through this scenario.
fn going(scenario: Scenario) -> (Sandbox, String) {
    let sandbox = Sandbox::builder().seed(9).scenario(scenario).build();
    let id = Merchant::of(&sandbox).new_intent("order");
    (sandbox, id)
}

/// An intent that stays at this status.
fn at(status: i64) -> (Sandbox, String) {
    going(Scenario::custom([(Duration::ZERO, status)]))
}

/// The statuses after an act on an intent that stands at `from`, each with the seconds since the act, in the
/// order of the changes.
fn after(from: i64, act: Act) -> Vec<(u64, i64)> {
    let (sandbox, id) = at(from);
    sandbox.clock().advance(Duration::from_secs(1_000));
    let begin = sandbox.clock().now();
    sandbox.act(&id, act).unwrap();
    let mut seen = Vec::new();
    loop {
        let now = sandbox.clock().now();
        let record = sandbox.intent(&id).unwrap();
        assert_eq!(record.changed_at, now);
        seen.push((now.saturating_since(begin).as_secs(), record.status));
        let Some(next) = sandbox.next_change() else { return seen };
        sandbox.clock().advance_to(next);
    }
}

#[test]
fn an_act_is_possible_at_the_statuses_of_the_table_and_else_changes_nothing() {
    // A column for each of the statuses: x is possible.
    let table = [
        // 1  2  3  4  5  10 20 -1 -2 -3 -4 -5
        (Act::Open, "x x . . . . . . . . . ."),
        (Act::Pay, "x x x . . . . x x x x x"),
        (Act::PayPermille(1), "x x x . . . . x x x x x"),
        (Act::PayPermille(u32::MAX), "x x x . . . . x x x x x"),
        (Act::PayPermille(0), ". . . . . . . . . . . ."),
        (Act::Kyt(Kyt::Passed), "x x x x . . . . . . . ."),
        (Act::Kyt(Kyt::Refused), "x x x x . . . . . . . ."),
        (Act::Kyt(Kyt::Stuck), "x x x . . . . . . . . ."),
        (Act::Cancel, "x x x . . . . . . . . ."),
        (Act::Expire, "x x x . . . . . . . . ."),
        (Act::Fail, "x x x x x x . . . . . ."),
        (Act::ComeTo(6), "x x x x x x x x x x x x"),
    ];
    for (act, columns) in table {
        for (status, column) in STATUSES.into_iter().zip(columns.split(' ')) {
            let (sandbox, id) = at(status);
            let before = sandbox.intents();
            let acted = sandbox.act(&id, act);
            let expected = if column == "x" { Ok(()) } else { Err(ActError::NotPossible) };
            assert_eq!(acted, expected, "{act:?} at {status}");
            if acted.is_err() {
                assert_eq!((sandbox.intents(), sandbox.next_change()), (before, None), "{act:?} at {status}");
            }
        }
    }
}

#[test]
fn an_act_that_is_not_possible_leaves_the_scenario_running() {
    let (sandbox, id) = going(Scenario::happy());
    sandbox.clock().advance(Duration::from_secs(30));
    assert_eq!(sandbox.act(&id, Act::Pay), Err(ActError::NotPossible));
    assert_eq!(sandbox.act("nobodys", Act::Pay), Err(ActError::UnknownIntent));
    assert_eq!(sandbox.act(&id.to_uppercase(), Act::Fail), Err(ActError::UnknownIntent));
    sandbox.clock().advance(Duration::from_secs(30));
    assert_eq!(sandbox.intents()[0].status, 20);
}

#[test]
fn each_act_has_the_consequences_of_the_table() {
    type Steps = &'static [(u64, i64)];
    let (paid, refused): (Steps, Steps) = (&[(0, 10), (30, 20)], &[(0, 5), (300, -2)]);
    let table: [(i64, Act, Steps); 21] = [
        (1, Act::Open, &[(0, 2), (1800, -5)]),
        (1, Act::Pay, paid),
        (2, Act::Pay, paid),
        (3, Act::Pay, paid),
        (-1, Act::Pay, paid),
        (-5, Act::PayPermille(1000), paid),
        (2, Act::PayPermille(1500), paid),
        (2, Act::PayPermille(999), &[(0, 10), (30, 5), (330, -3)]),
        (-3, Act::PayPermille(1), &[(0, 10), (30, 5), (330, -3)]),
        (1, Act::Kyt(Kyt::Passed), &[(0, 3), (40, 10), (70, 20)]),
        (2, Act::Kyt(Kyt::Refused), &[(0, 3), (40, 5), (340, -2)]),
        (2, Act::Kyt(Kyt::Stuck), &[(0, 3), (900, 4)]),
        (3, Act::Kyt(Kyt::Passed), paid),
        (4, Act::Kyt(Kyt::Passed), paid),
        (3, Act::Kyt(Kyt::Refused), refused),
        (4, Act::Kyt(Kyt::Refused), refused),
        (3, Act::Kyt(Kyt::Stuck), &[(0, 4)]),
        (1, Act::Cancel, &[(0, -4)]),
        (1, Act::Expire, &[(0, -5)]),
        (10, Act::Fail, &[(0, -1)]),
        (20, Act::ComeTo(i64::MIN), &[(0, i64::MIN)]),
    ];
    for (from, act, expected) in table {
        assert_eq!(after(from, act), expected, "{act:?} at {from}");
    }
}

#[test]
fn a_page_opened_again_expires_half_an_hour_after_that() {
    let (sandbox, id) = going(Scenario::never_paid());
    for _ in 0..3 {
        sandbox.clock().advance(Duration::from_secs(1_000));
        sandbox.act(&id, Act::Open).unwrap();
    }
    let status = |seconds| {
        sandbox.clock().advance(Duration::from_secs(seconds));
        sandbox.intents()[0].status
    };
    assert_eq!([status(0), status(1_799), status(1)], [2, 2, -5]);
    assert_eq!(sandbox.act(&id, Act::Open), Err(ActError::NotPossible));
    assert_eq!(sandbox.intents()[0].scenario, "never_paid");
}

/// The amount paid by get, after these acts with a quarter of an hour after each.
fn paid_after(scenario: Scenario, acts: &[Act]) -> Value {
    let sandbox = Sandbox::builder().scenario(scenario).build();
    let merchant = Merchant::of(&sandbox);
    let id = merchant.new_intent("order");
    for act in acts {
        sandbox.act(&id, *act).unwrap();
        sandbox.clock().advance(Duration::from_secs(900));
    }
    merchant.whole(&id).1["payload"]["actual_paid_amount"].clone()
}

#[test]
fn the_amount_paid_is_that_of_the_last_payment() {
    let never = Scenario::never_paid;
    let table: [(Scenario, &[Act], Value); 11] = [
        (never(), &[Act::Open], Value::Null),
        (never(), &[Act::Expire], Value::Null),
        (never(), &[Act::Cancel], Value::Null),
        (never(), &[Act::Fail], Value::Null),
        (never(), &[Act::Pay], json!("10.0000")),
        (never(), &[Act::PayPermille(999)], json!("9.9900")),
        (never(), &[Act::PayPermille(1500)], json!("15.0000")),
        (never(), &[Act::PayPermille(999), Act::Pay], json!("10.0000")),
        (never(), &[Act::Kyt(Kyt::Refused)], json!("10.0000")),
        (never(), &[Act::ComeTo(20)], json!("10.0000")),
        (Scenario::underpaid(), &[Act::ComeTo(20)], json!("5.0000")),
    ];
    for (scenario, acts, expected) in table {
        assert_eq!(paid_after(scenario, acts), expected, "{acts:?}");
    }
}

#[test]
fn an_intent_that_was_confirmed_takes_no_second_payment() {
    for back in [1, 2, 3, -5] {
        let (sandbox, id) = going(Scenario::happy());
        sandbox.clock().advance(Duration::from_secs(60));
        sandbox.act(&id, Act::ComeTo(back)).unwrap();
        for act in [Act::Pay, Act::PayPermille(500), Act::Kyt(Kyt::Passed)] {
            assert_eq!(sandbox.act(&id, act), Err(ActError::NotPossible), "{act:?} at {back}");
        }
    }
}

/// The steps between statuses, the late steps last. No page lists the steps: they follow from the meanings of
/// the statuses.
const STEPS: [(i64, &[i64]); 11] = [
    (1, &[2, -1, -4, -5]),
    (2, &[3, 10, -1, -4, -5]),
    (3, &[4, 5, 10, -1, -4, -5]),
    (4, &[5, 10, 20, -1]),
    (5, &[-1, -2, -3]),
    (10, &[5, 20, -1, -3]),
    (-1, &[10, 20]),
    (-2, &[10, 20]),
    (-3, &[10, 20]),
    (-4, &[10, 20]),
    (-5, &[10, 20]),
];

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Open),
        3 => Just(Act::Pay),
        2 => (0_u32..2_000).prop_map(Act::PayPermille),
        1 => Just(Act::Kyt(Kyt::Passed)),
        1 => Just(Act::Kyt(Kyt::Refused)),
        1 => Just(Act::Kyt(Kyt::Stuck)),
        1 => Just(Act::Cancel),
        1 => Just(Act::Expire),
        1 => Just(Act::Fail),
    ]
}

/// The naive model: every second and status, past and to come.
struct Model(Vec<(u64, i64)>);

impl Model {
    fn reached(&self, now: u64) -> Vec<i64> {
        let reached = self.0.iter().filter(|(at, _)| *at <= now);
        [1].into_iter().chain(reached.map(|(_, status)| *status)).collect()
    }

    fn next(&self, now: u64) -> Option<u64> {
        self.0.iter().map(|(at, _)| *at).filter(|at| *at > now).min()
    }

    /// The first second at which the intent is confirmed by now.
    fn confirmed(&self, now: u64) -> Option<u64> {
        self.0.iter().find(|(at, status)| *at <= now && *status == 20).map(|(at, _)| *at)
    }

    /// True if the act is possible.
    #[expect(clippy::wildcard_enum_match_arm, reason = "an act is possible by a row, and else never")]
    fn act(&mut self, act: Act, now: u64) -> bool {
        let reached = self.reached(now);
        let status = *reached.last().unwrap();
        let may_pay = !reached.contains(&20) && (status < 0 || status < 4);
        let plan: &[(u64, i64)] = match act {
            Act::Open if status == 1 || status == 2 => &[(1800, -5)],
            Act::Pay if may_pay => &[(0, 10), (30, 20)],
            Act::PayPermille(share) if may_pay && share >= 1000 => &[(0, 10), (30, 20)],
            Act::PayPermille(share) if may_pay && share > 0 => &[(0, 10), (30, 5), (330, -3)],
            Act::Kyt(Kyt::Passed) if status == 1 || status == 2 => &[(0, 3), (40, 10), (70, 20)],
            Act::Kyt(Kyt::Refused) if status == 1 || status == 2 => &[(0, 3), (40, 5), (340, -2)],
            Act::Kyt(Kyt::Stuck) if status == 1 || status == 2 => &[(0, 3), (900, 4)],
            Act::Kyt(Kyt::Passed) if status == 3 || status == 4 => &[(0, 10), (30, 20)],
            Act::Kyt(Kyt::Refused) if status == 3 || status == 4 => &[(0, 5), (300, -2)],
            Act::Kyt(Kyt::Stuck) if status == 3 => &[(0, 4)],
            Act::Cancel if (1..=3).contains(&status) => &[(0, -4)],
            Act::Expire if (1..=3).contains(&status) => &[(0, -5)],
            Act::Fail if [1, 2, 3, 4, 5, 10].contains(&status) => &[(0, -1)],
            _ => return false,
        };
        self.0.retain(|(at, _)| *at <= now);
        if status == 1 && !matches!(act, Act::Expire | Act::Fail) {
            self.0.push((now, 2));
        }
        self.0.extend(plan.iter().map(|(wait, status)| (now + wait, *status)));
        true
    }
}

proptest! {
    #[test]
    fn any_acts_at_any_times_go_as_the_model_goes(
        scenario in prop::sample::select(vec!["happy", "underpaid", "kyt_refused", "timeout", "late_success"]),
        acts in prop::collection::vec((0_u64..2_000, prop::option::of(any_act()), any::<bool>()), 0..12),
    ) {
        let scenario = Scenario::by_name(scenario).unwrap();
        let begins = scenario.statuses();
        let (sandbox, id) = going(scenario.clone());
        let begin = sandbox.clock().now();
        let seconds = |now: Moment| now.saturating_since(begin).as_secs();
        // The scenario's seconds, by a search.
        let mut model = Model(Vec::new());
        for status in &begins[1..] {
            let from = model.0.last().map_or(0, |(at, _)| *at);
            let at = (from..).find(|at| scenario.status_at(Duration::from_secs(*at)) == *status);
            model.0.push((at.unwrap(), *status));
        }
        let (mut now, mut taken) = (0, Vec::new());
        for (wait, act, takes) in acts {
            now += wait;
            sandbox.clock().advance(Duration::from_secs(wait));
            if let Some(act) = act {
                prop_assert_eq!(sandbox.act(&id, act).is_ok(), model.act(act, now), "{:?} at {}", act, now);
            }
            prop_assert_eq!(sandbox.intent(&id).unwrap().status, *model.reached(now).last().unwrap());
            prop_assert_eq!(sandbox.next_change().map(seconds), model.next(now));
            let due: Vec<_> = sandbox.webhooks().iter().map(|webhook| seconds(webhook.at)).collect();
            prop_assert_eq!(&due, &Vec::from_iter(model.confirmed(now)));
            if takes {
                taken.extend(sandbox.take_webhooks().iter().map(|webhook| seconds(webhook.at)));
                prop_assert_eq!(&taken, &due);
            }
        }
        for step in model.reached(u64::MAX).windows(2) {
            let to = STEPS.iter().find(|(from, _)| *from == step[0]);
            prop_assert!(to.is_some_and(|(_, to)| to.contains(&step[1])), "{:?}", step);
        }
    }
}
