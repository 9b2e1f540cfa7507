use super::*;
use checkout_tables::allscale::Route as AllScaleRoute;

fn create() -> Route {
    Route::AllScale(Some(AllScaleRoute::Create))
}

fn status() -> Route {
    Route::AllScale(Some(AllScaleRoute::Status))
}

/// The numbers of the requests, of ten for a route, that a rule strikes.
fn struck(line: &str, route: Route) -> Vec<u64> {
    let faults = Faults::default();
    faults.add(rule_of_line(line).unwrap()).unwrap();
    (1..=10).filter(|_| faults.meet(route, || "a".to_owned()).is_some()).collect()
}

#[test]
fn a_rule_strikes_its_requests_and_no_others() {
    for (line, route, expected) in [
        ("allscale:lost_answer", create(), &[1][..]),
        ("allscale:lost_answer; nth=3", create(), &[3]),
        ("allscale:lost_answer; nth=3; times=2", create(), &[3, 4]),
        ("allscale:lost_answer; route=create; times=2", create(), &[1, 2]),
        ("allscale:lost_answer; route=create", status(), &[]),
        ("allscale:lost_answer", Route::AllScale(None), &[1]),
        ("azotte:lost_answer", create(), &[]),
        ("allscale:tampered_status; status=20", create(), &[]),
        ("allscale:tampered_status; status=20", status(), &[1]),
        ("allscale:wire_empty; times=9", status(), &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("allscale:lost_answer; permille=1000", create(), &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("allscale:lost_answer; permille=1000; nth=9", create(), &[9, 10]),
        ("allscale:lost_answer; permille=1000; times=2", create(), &[1, 2]),
    ] {
        assert_eq!(struck(line, route), expected, "{line} {route:?}");
    }
}

#[test]
fn a_request_has_one_fault_and_the_next_rule_waits() {
    let faults = Faults::default();
    for line in ["allscale:garbage", "allscale:truncated", "allscale:redirect; nth=2"] {
        faults.add(rule_of_line(line).unwrap()).unwrap();
    }
    assert_eq!(faults.waiting(), 3);
    let names = [(); 4].map(|()| faults.meet(create(), String::new).map(|struck| struck.fault.name()));
    assert_eq!(names, [Some("garbage"), Some("truncated"), Some("redirect"), None]);
    assert_eq!(faults.waiting(), 0);
}

/// The struck requests of a chance, by order and by number of the order's request.
fn by_chance(seed: u64, requests: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let faults = Faults::default();
    let line = format!("allscale:lost_answer; permille=300; seed={seed}");
    faults.add(rule_of_line(&line).unwrap()).unwrap();
    let is_struck = |order: u64| faults.meet(create(), || order.to_string()).is_some();
    let mut struck: Vec<_> = requests.filter(|(order, _)| is_struck(*order)).collect();
    struck.sort_unstable();
    struck
}

#[test]
fn chance_hangs_on_the_request_and_not_on_its_arrival() {
    let forward = || (0..100).flat_map(|order| (0..10).map(move |number| (order, number)));
    let by_number = (0..10).flat_map(|number| (0..100).rev().map(move |order| (order, number)));
    let struck = by_chance(7, forward());
    assert_eq!(struck, by_chance(7, by_number));
    assert_ne!(struck, by_chance(8, forward()));
    // 300 of a thousand, give or take five times the standard deviation, which is 14.5.
    assert!((228..=372).contains(&struck.len()), "{}", struck.len());
}

#[test]
fn a_wrong_rule_names_the_field() {
    for (line, field, message) in [
        ("lost_answer", "provider", "has to be allscale, azotte or peach, with a colon after it"),
        ("stripe:lost_answer", "provider", "has to be allscale, azotte or peach, with a colon after it"),
        ("peach:lost", "fault", "has to be one of lost_before, lost_request, lost_answer, slow"),
        ("allscale:tampered_status", "status", "is missing"),
        ("allscale:tampered_status; status=x", "status", "has to be a whole number"),
        ("allscale:lost_answer; status=1", "status", "no such field: the fields are fault, route, nth"),
        ("allscale:lost_answer; route=initiate", "route", "has to be one of create, get, status, ping"),
        (
            "allscale:old_intent; route=status",
            "route",
            "old_intent cannot strike there: the routes are create",
        ),
        ("allscale:lost_answer; nth=0", "nth", "has to be a whole number from 1"),
        ("allscale:lost_answer; permille=1001", "permille", "has to be a whole number from 1 to 1000"),
        ("allscale:wire_cut", "bytes", "is missing"),
        ("allscale:wire_delay; ms=600001", "ms", "has to be a whole number from 0 to 600000"),
        ("allscale:wire_dribble; over_ms=1; pieces=0", "pieces", "has to be a whole number from 1 to 10000"),
    ] {
        let problem = rule_of_line(line).unwrap_err();
        assert_eq!(problem.field.as_deref(), Some(field), "{line}");
        assert!(problem.message.starts_with(message), "{line}: {}", problem.message);
    }
}

#[test]
fn no_name_of_the_wire_is_a_sandbox_s_and_every_value_comes_back() {
    for provider in Provider::ALL {
        for row in Fault::rows(provider) {
            assert!(crate::wire::Wire::names().all(|name| name != row.name));
            let value = row.value.map(|value| format!("; {value}=7")).unwrap_or_default();
            let rule = rule_of_line(&format!("{}:{}{value}", provider.key(), row.name)).unwrap().to_json();
            assert_eq!(rule["fault"], row.name);
            if let Some(value) = row.value {
                assert_eq!(rule[value], "7", "{}", row.name);
            }
        }
    }
    let rule = rule_of_line("peach:wire_dribble; over_ms=3").unwrap().to_json();
    assert_eq!((&rule["over_ms"], &rule["pieces"]), (&3.into(), &10.into()));
}

#[test]
fn a_world_has_room_for_a_thousand_rules() {
    let faults = Faults::default();
    let rule = || rule_of_line("peach:garbage").unwrap();
    for number in 1..=1_000 {
        assert_eq!(faults.add(rule()).unwrap().number, number);
    }
    assert!(faults.add(rule()).is_err());
    assert!(faults.remove(500) && !faults.remove(500));
    assert_eq!(faults.add(rule()).unwrap().number, 1_001);
    faults.clear();
    assert!(faults.all().is_empty());
}
