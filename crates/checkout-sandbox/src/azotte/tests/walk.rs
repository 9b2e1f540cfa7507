use super::*;

/// The codes of a checkout without the first code, each with the seconds from the submit to the first reply
/// with the code. The first code is in the reply to the submit. The sandbox's own list has the same codes.
fn check(scenario: Scenario) -> String {
    let sandbox = Sandbox::new(9);
    let merchant = Merchant::of(&sandbox);
    sandbox.next_checkout(scenario.clone());
    let (_, submitted) = merchant.submit(&order("order-1"));
    let tracking = submitted["trackingNumber"].as_str().unwrap().to_owned();
    let mut seen = vec![(0, submitted["status"]["messageCode"].clone())];
    for second in 0..=700 {
        let code = merchant.status(&tracking).1["status"]["messageCode"].clone();
        assert_eq!(scenario.code_at(Duration::from_secs(second)), code);
        assert_eq!(sandbox.checkouts()[0].message_code, code);
        if seen.last().unwrap().1 != code {
            seen.push((second, code));
        }
        sandbox.clock().advance(Duration::from_secs(1));
    }
    let told = |(second, code): (u64, Value)| {
        format!("{second} {}", code.as_str().unwrap().strip_prefix("CHECK_OUT_").unwrap())
    };
    seen.into_iter().map(told).collect::<Vec<_>>().join(", ")
}

/// A checkout, this many seconds after the submit.
fn at(scenario: Scenario, seconds: u64) -> (Merchant, String) {
    let merchant = Merchant::of(&Sandbox::new(9));
    merchant.sandbox.next_checkout(scenario);
    let tracking = merchant.new_checkout("order-1");
    merchant.sandbox.clock().advance(Duration::from_secs(seconds));
    (merchant, tracking)
}

fn code(merchant: &Merchant, tracking: &str) -> String {
    merchant.status(tracking).1["status"]["messageCode"].as_str().unwrap().to_owned()
}

#[test]
fn every_named_scenario_goes_its_way() {
    let challenged = "0 PROCESSING, 5 3DS_REQUIRED, 35 PROCESSING, 40 DONE";
    let table = [
        ("happy", "0 PROCESSING, 5 DONE"),
        ("done_at_once", "0 DONE"),
        ("failed_at_once", "0 FAILED"),
        ("failed", "0 PROCESSING, 5 FAILED"),
        ("failed_message_on_top", "0 PROCESSING, 5 FAILED"),
        ("three_ds_url", challenged),
        ("three_ds_html", challenged),
        ("three_ds_html_and_url", challenged),
        ("three_ds_at_once", "0 3DS_REQUIRED, 30 PROCESSING, 35 DONE"),
        ("three_ds_failed", "0 PROCESSING, 5 3DS_REQUIRED, 35 PROCESSING, 40 FAILED"),
        ("three_ds_twice", {
            "0 PROCESSING, 5 3DS_REQUIRED, 35 PROCESSING, 40 3DS_REQUIRED, 70 PROCESSING, 75 DONE"
        }),
        ("three_ds_abandoned", "0 PROCESSING, 5 3DS_REQUIRED"),
        ("redirect_while_processing", "0 PROCESSING, 40 DONE"),
        ("slow", "0 PROCESSING, 600 DONE"),
        ("late_success", "0 PROCESSING, 5 FAILED, 605 DONE"),
        ("never_ends", "0 PROCESSING"),
        ("unknown_code", "0 PROCESSING, 5 IN_REVIEW, 15 DONE"),
        ("unknown_code_with_redirect", "0 PROCESSING, 5 REDIRECT_REQUIRED, 35 PROCESSING, 40 DONE"),
        ("change_after_terminal", "0 PROCESSING, 5 DONE, 65 PROCESSING"),
    ];
    assert_eq!(table.map(|row| row.0), Scenario::NAMES);
    for (name, expected) in table {
        let scenario = Scenario::by_name(name).unwrap();
        assert_eq!(scenario.name(), name);
        assert_eq!(check(scenario), expected, "{name}");
    }
}

#[test]
fn a_custom_scenario_may_go_anywhere() {
    let step = |seconds, code: &'static str| Step::after(Duration::from_secs(seconds), code);
    assert_eq!(check(Scenario::custom([])), "0 PROCESSING");
    let wild = [step(0, "CHECK_OUT_FAILED"), step(3, "CHECK_OUT_\"\u{e9}\n"), step(0, "CHECK_OUT_DONE")];
    assert_eq!(check(Scenario::custom(wild.clone())), "0 FAILED, 3 DONE");
    assert_eq!(
        Scenario::custom(wild).codes(),
        ["CHECK_OUT_FAILED", "CHECK_OUT_\"\u{e9}\n", "CHECK_OUT_DONE"]
    );
    // A time without end, and the steps after that time.
    let never = Step::after(Duration::MAX, "CHECK_OUT_DONE");
    assert_eq!(check(Scenario::custom([never.clone(), never])), "0 PROCESSING");
    // The provider may be slow to notice that the browser is back.
    let lagging = [step(5, "CHECK_OUT_3DS_REQUIRED").by_url(), step(9, "CHECK_OUT_DONE")];
    let lagging = Scenario::custom(lagging).browser_returns_after(Duration::from_secs(1));
    assert_eq!(check(lagging), "0 PROCESSING, 5 3DS_REQUIRED, 15 DONE");
}

/// The page's samples.
const DONE: &str = r#"{
"trackingNumber": "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB",
"status": { "messageCode": "CHECK_OUT_DONE" },
"followUpInstructions": { "canFollowUp": false }
}"#;
const REQUIRED: &str = r#"{
"trackingNumber": "trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB",
"status": { "messageCode": "CHECK_OUT_3DS_REQUIRED" },
"redirectInstructions": {
"redirectUrl": "https://psp.example/3ds/abc",
"isRedirectRequired": true,
"hasNextSteps": true,
"showHtmlContent": false
},
"followUpInstructions": { "retryAfterSeconds": 3, "canFollowUp": true }
}"#;

#[test]
fn the_documented_replies_are_the_page_s_text() {
    for (scenario, sample) in [(Scenario::happy(), DONE), (Scenario::three_ds_url(), REQUIRED)] {
        let (merchant, tracking) = at(scenario, 5);
        let response = merchant.ask(&tracking);
        assert_eq!(response.headers()["content-type"], "application/clientOutput+Json");
        let text = std::str::from_utf8(response.body()).unwrap();
        let mut expected: String = sample.split_whitespace().collect();
        expected = expected.replace("trk_01HZ9XPZ3K2A8E0VBVQH7N9XGB", &tracking);
        let url = read(&response).1["redirectInstructions"]["redirectUrl"].clone();
        if let Some(url) = url.as_str() {
            expected = expected.replace("https://psp.example/3ds/abc", url);
        }
        assert_eq!(text, expected);
    }
}

#[test]
fn a_challenge_by_html_has_a_form_and_no_url() {
    let redirect = |scenario| {
        let (merchant, tracking) = at(scenario, 5);
        merchant.status(&tracking).1["redirectInstructions"].clone()
    };
    let html = redirect(Scenario::three_ds_html());
    assert!(html["redirectUrl"].is_null());
    assert_eq!(html["showHtmlContent"], true);
    assert!(html["threeDIdentifier"].as_str().unwrap().starts_with("3ds_"));
    let form = html["htmlContent"].as_str().unwrap();
    assert!(form.starts_with("<form id=\"challenge\" method=\"post\" action=\"https://psp.example/3ds/"));

    let both = redirect(Scenario::three_ds_html_and_url());
    assert!(both["redirectUrl"].is_string() && both["htmlContent"].is_string());
    assert_eq!(both["showHtmlContent"], true);
    for scenario in [Scenario::redirect_while_processing(), Scenario::unknown_code_with_redirect()] {
        let other = redirect(scenario);
        assert!(other["redirectUrl"].is_string());
        assert_eq!((&other["isRedirectRequired"], &other["hasNextSteps"]), (&json!(true), &json!(true)));
    }
}

#[test]
fn a_redirect_lasts_as_long_as_its_code_and_each_round_has_its_own() {
    let (merchant, tracking) = at(Scenario::three_ds_twice(), 0);
    let mut seen = Vec::new();
    for _ in 0..80 {
        let result = merchant.status(&tracking).1;
        let redirect = &result["redirectInstructions"];
        let is_challenge = result["status"]["messageCode"] == "CHECK_OUT_3DS_REQUIRED";
        assert_eq!(redirect.is_object(), is_challenge);
        if is_challenge && seen.last() != Some(redirect) {
            seen.push(redirect.clone());
        }
        merchant.sandbox.clock().advance(Duration::from_secs(1));
    }
    let [first, second] = <[_; 2]>::try_from(seen).unwrap();
    let url = first["redirectUrl"].as_str().unwrap();
    assert!(!second["htmlContent"].as_str().unwrap().contains(url));
}

#[test]
fn the_advice_to_poll_on_stands_beside_every_open_code() {
    let advice = |scenario, seconds| {
        let (merchant, tracking) = at(scenario, seconds);
        let response = merchant.ask(&tracking);
        let header = response.headers().get("retry-after").map_or("-", |value| value.to_str().unwrap());
        format!("{header} {}", read(&response).1["followUpInstructions"])
    };
    let final_code = r#"- {"canFollowUp":false}"#;
    assert_eq!(advice(Scenario::happy(), 0), r#"2 {"canFollowUp":true,"retryAfterSeconds":2}"#);
    assert_eq!(advice(Scenario::three_ds_html(), 5), r#"2 {"canFollowUp":true,"retryAfterSeconds":3}"#);
    assert_eq!(advice(Scenario::slow(), 0), r#"2 {"canFollowUp":true,"retryAfterSeconds":10}"#);
    assert_eq!(advice(Scenario::unknown_code(), 5), r#"2 {"canFollowUp":true,"retryAfterSeconds":2}"#);
    assert_eq!(advice(Scenario::happy(), 5), final_code);
    assert_eq!(advice(Scenario::late_success(), 5), final_code);
}

#[test]
fn a_message_stands_in_the_status_or_on_top() {
    let message = |scenario| {
        let (merchant, tracking) = at(scenario, 5);
        let result = merchant.status(&tracking).1;
        format!("{} {}", result["status"]["message"], result["message"])
    };
    assert_eq!(message(Scenario::failed()), r#""card declined" null"#);
    assert_eq!(message(Scenario::failed_message_on_top()), r#"null "card declined""#);
    assert_eq!(message(Scenario::happy()), "null null");
}

#[test]
fn the_payer_is_sooner_than_the_scenario_when_a_test_says_so() {
    let (merchant, tracking) = at(Scenario::three_ds_url(), 4);
    let sandbox = &merchant.sandbox;
    let advance = |seconds| sandbox.clock().advance(Duration::from_secs(seconds));
    assert_eq!(sandbox.complete_3ds(&tracking), Err(ChallengeError::NotWaiting), "there is none yet");
    advance(3);
    assert_eq!(code(&merchant, &tracking), "CHECK_OUT_3DS_REQUIRED");
    assert_eq!(sandbox.complete_3ds(&tracking), Ok(()));
    assert_eq!(code(&merchant, &tracking), "CHECK_OUT_PROCESSING");
    assert_eq!(sandbox.complete_3ds(&tracking), Err(ChallengeError::NotWaiting), "the challenge is past");
    assert_eq!(sandbox.fail_3ds(&tracking), Err(ChallengeError::NotWaiting));
    advance(4);
    assert_eq!(code(&merchant, &tracking), "CHECK_OUT_PROCESSING");
    advance(1);
    assert_eq!(code(&merchant, &tracking), "CHECK_OUT_DONE");
}

#[test]
fn a_challenge_that_is_not_passed_ends_the_checkout_at_once_and_for_good() {
    for scenario in [Scenario::three_ds_url(), Scenario::three_ds_abandoned(), Scenario::three_ds_twice()] {
        let (merchant, tracking) = at(scenario, 5);
        assert_eq!(merchant.sandbox.fail_3ds(&tracking), Ok(()));
        for _ in 0..2 {
            let result = merchant.status(&tracking).1;
            let expected = json!({
                "trackingNumber": tracking,
                "status": {"messageCode": "CHECK_OUT_FAILED", "message": "3DS authentication failed"},
                "followUpInstructions": {"canFollowUp": false},
            });
            assert_eq!(result, expected);
            merchant.sandbox.clock().advance(Duration::from_secs(10_000));
        }
        assert_eq!(merchant.sandbox.captures_of("order-1"), 0);
    }
}

#[test]
fn each_of_two_challenges_is_passed_by_itself() {
    let (merchant, tracking) = at(Scenario::three_ds_twice().browser_never_returns(), 1_000);
    let sandbox = &merchant.sandbox;
    for _ in 0..2 {
        assert_eq!(code(&merchant, &tracking), "CHECK_OUT_3DS_REQUIRED");
        sandbox.complete_3ds(&tracking).unwrap();
        assert_eq!(code(&merchant, &tracking), "CHECK_OUT_PROCESSING");
        sandbox.clock().advance(Duration::from_secs(1_000));
    }
    assert_eq!(code(&merchant, &tracking), "CHECK_OUT_DONE");
    assert_eq!(sandbox.captures_of("order-1"), 1);

    // The second alone is failed by hand.
    let (merchant, tracking) = at(Scenario::three_ds_twice(), 41);
    merchant.sandbox.fail_3ds(&tracking).unwrap();
    assert_eq!(code(&merchant, &tracking), "CHECK_OUT_FAILED");
}

#[test]
fn an_abandoned_challenge_can_still_be_passed() {
    let (merchant, tracking) = at(Scenario::three_ds_abandoned(), 100_000);
    merchant.sandbox.complete_3ds(&tracking).unwrap();
    merchant.sandbox.clock().advance(Duration::from_secs(5));
    assert_eq!(code(&merchant, &tracking), "CHECK_OUT_DONE");
}

#[test]
fn a_payer_who_leaves_a_later_challenge_takes_nothing_back() {
    let (merchant, tracking) = at(Scenario::three_ds_twice(), 41);
    let before = merchant.sandbox.checkout(&tracking).unwrap();
    merchant.sandbox.abandon(&tracking).unwrap();
    let after = merchant.sandbox.checkout(&tracking).unwrap();
    assert_eq!((after.changed_at, after.message_code), (before.changed_at, before.message_code));
    // Money that was captured between two challenges stays captured.
    let second = Duration::from_secs(1);
    let steps = [
        Step::after(second, "CHECK_OUT_PROCESSING").by_url(),
        Step::after(second, "CHECK_OUT_DONE"),
        Step::after(second, "CHECK_OUT_PROCESSING").by_url(),
    ];
    let (merchant, tracking) = at(Scenario::custom(steps).browser_returns_after(second), 4);
    assert_eq!(merchant.sandbox.captures_of("order-1"), 1);
    merchant.sandbox.abandon(&tracking).unwrap();
    assert_eq!(merchant.sandbox.captures_of("order-1"), 1);
}

#[test]
fn money_is_captured_with_the_first_done_and_never_again() {
    for name in Scenario::NAMES {
        let (merchant, tracking) = at(Scenario::by_name(name).unwrap(), 0);
        let mut was_done = false;
        for _ in 0..700 {
            was_done |= code(&merchant, &tracking) == "CHECK_OUT_DONE";
            assert_eq!(merchant.sandbox.captures_of("order-1"), u32::from(was_done), "{name}");
            merchant.sandbox.clock().advance(Duration::from_secs(1));
        }
    }
}

#[test]
fn a_payment_that_the_bank_declines_after_the_challenge_ends_at_once_and_for_good() {
    let (merchant, tracking) = at(Scenario::three_ds_twice(), 4);
    let sandbox = &merchant.sandbox;
    assert_eq!(sandbox.decline(&tracking), Err(ChallengeError::NotWaiting), "there is no challenge yet");
    assert_eq!(sandbox.decline("trk_1"), Err(ChallengeError::UnknownTracking));
    sandbox.clock().advance(Duration::from_secs(1));
    assert_eq!(sandbox.decline(&tracking), Ok(()));
    for _ in 0..2 {
        let status = merchant.status(&tracking).1["status"].clone();
        assert_eq!(status, json!({"messageCode": "CHECK_OUT_FAILED", "message": "card declined"}));
        assert_eq!(sandbox.complete_3ds(&tracking), Err(ChallengeError::NotWaiting));
        assert_eq!(sandbox.abandon(&tracking), Err(ChallengeError::NotWaiting));
        sandbox.clock().advance(Duration::from_secs(10_000));
    }
    assert_eq!(sandbox.captures_of("order-1"), 0);
}

#[test]
fn a_payer_who_leaves_comes_back_by_a_call_alone() {
    let (merchant, tracking) = at(Scenario::three_ds_twice(), 20);
    let sandbox = &merchant.sandbox;
    assert_eq!(sandbox.abandon(&tracking), Ok(()));
    for _ in 0..2 {
        sandbox.clock().advance(Duration::from_secs(10_000));
        assert_eq!(code(&merchant, &tracking), "CHECK_OUT_3DS_REQUIRED");
        assert_eq!(sandbox.complete_3ds(&tracking), Ok(()));
        assert_eq!(code(&merchant, &tracking), "CHECK_OUT_PROCESSING");
    }
    sandbox.clock().advance(Duration::from_secs(5));
    assert_eq!(
        (code(&merchant, &tracking), sandbox.captures_of("order-1")),
        ("CHECK_OUT_DONE".to_owned(), 1)
    );
    assert_eq!(sandbox.checkouts()[0].scenario, "three_ds_twice");
}
