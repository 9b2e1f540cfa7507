//! Observations in any order, of any age and source. Four bytes are one observation: the status; in the next
//! byte the source (two bits), a bit for a moment, and a bit for the ends of the range; and the moment.
#![no_main]

use checkout_lifecycle::{Attestation, Moment, Observation, Phase, Status, Tracker, Verdict};
use checkout_tables::allscale::IntentStatus;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut tracker = Tracker::<IntentStatus>::new();
    for chunk in input.as_chunks().0 {
        let observation = observation(*chunk);
        let before = tracker;
        // After every moment there is: the caller's clock is right.
        let verdict = tracker.observe(observation, Moment::from_unix_millis(i64::MAX));
        assert_law(before, observation, verdict, tracker);
        assert_eq!(tracker.to_string().parse(), Ok(tracker), "the stored form is another tracker");
    }
});

fn observation([status, how, low, high]: [u8; 4]) -> Observation<IntentStatus> {
    let status = i64::from(status.cast_signed());
    let millis = i64::from(i16::from_le_bytes([low, high]));
    let moment = Moment::from_unix_millis(if how & 8 == 0 { millis } else { millis << 48 });
    let order = (how & 4 == 0).then_some(moment);
    match how & 3 {
        0 | 3 => Observation::read(status, moment),
        1 => Observation::verified_webhook(status, order, Attestation::by_caller()),
        _ => Observation::verified_redirect(status, order, Attestation::by_caller()),
    }
}

fn assert_law(
    before: Tracker<IntentStatus>,
    observation: Observation<IntentStatus>,
    verdict: Verdict<IntentStatus>,
    after: Tracker<IntentStatus>,
) {
    let observed = observation.status().known();
    if before.status() == Some(IntentStatus::Confirmed) {
        assert_eq!(
            (after.status(), after.superseded()),
            (before.status(), before.superseded()),
            "paid, and left"
        );
    }
    if verdict.is_adopted() {
        assert_eq!(after.status(), observed);
    } else {
        assert_eq!(after, before, "{verdict} changes something");
    }
    if before.is_final() && after.status() != before.status() {
        assert!(
            matches!(verdict, Verdict::LateSuccess { .. } | Verdict::Reopened { .. }),
            "{verdict} leaves an end"
        );
        assert_eq!(after.superseded(), before.status());
    }
    let older = observation.order().is_some_and(|moment| before.order().is_some_and(|known| moment <= known));
    let refunding = before.status() == Some(IntentStatus::SendBack);
    if observed == Some(IntentStatus::Confirmed) && !(older && refunding) {
        assert_eq!(after.phase(), Some(Phase::Succeeded), "a payment was lost");
    }
    if let (Some(known), Some(observed)) = (before.status(), observed)
        && older
        && known != observed
        && observed.may_become_late(known)
    {
        assert_eq!(after, before, "{verdict} of what came before");
    }
    // The moment goes on, or is unknown because the adopted observation has no moment.
    let moment = match (verdict.is_adopted(), observation.order()) {
        (true, Some(moment)) => before.order().max(Some(moment)),
        (true, None) if before.status() != observed => None,
        _ => before.order(),
    };
    assert_eq!(after.order(), moment, "{verdict} gives another moment");
    assert!(after.superseded().is_none_or(|refusal| matches!(refusal.phase(), Phase::Failed(_))));
}
