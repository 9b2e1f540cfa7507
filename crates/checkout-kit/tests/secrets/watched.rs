//! The texts of a watch on the way to its end, and the stored text; and a schedule of many.

use super::*;
use checkout_client::{CallErrorKind, Change, End, Nudged, Watch, WatchSet, Watchable};
use checkout_lifecycle::Moment;
use checkout_poll::{PollPolicy, Poller, Schedule};
use checkout_sandbox::VirtualClock;
use std::collections::{BTreeSet, HashSet};
use std::mem::discriminant;
use std::ops::ControlFlow;

pub(super) fn watched(list: &mut List) {
    let mut told = BTreeSet::new();
    watched_by_allscale(list, &mut told);
    watched_by_azotte(list, &mut told);
    watched_by_peach(list, &mut told);
    let all = ["asks payer", "attention", "ended", "gave up", "not shown"];
    let not_read =
        ["no response", "unreadable", "mismatch", "not authentic", "refused", "unexpected response"];
    let all = all.into_iter().chain(not_read);
    let nudged = ["nudged: glance", "nudged: not read", "nudged: no read"];
    for kind in all.chain(nudged).chain(["phase"]) {
        assert!(told.contains(kind), "{kind} of {told:?}");
    }
    stored(list);
    let now = Moment::from_unix_millis(1_717_246_327_923);
    many(list);
    let mut schedule = Schedule::new(now, 7);
    let merchant = schedule.merchant(PollPolicy::allscale(), None);
    schedule.add(merchant, now, now, ALL);
    list! { list, "checkout_poll::Schedule" => schedule; }
}

/// The changes of a watch that reads these answers, each with its status, and goes on to the end from there.
fn to_its_end<E: Watchable>(
    list: &mut List,
    told: &mut BTreeSet<&'static str>,
    mut watch: Watch<E>,
    answers: &[(u16, Vec<u8>)],
    transport: &impl BlockingTransport,
    clock: &VirtualClock,
) {
    shown(list, &watch);
    for (status, body) in answers {
        watch.handle().nudge();
        let _step = watch.next(watch.now());
        watch.mark_sent(watch.now());
        watch.handle_status(watch.now(), answer(watch.status_call(), *status, body));
        watch.handle_read(watch.now(), answer(watch.full_call(), *status, body));
        shown(list, &watch);
        while let Some(change) = watch.take_change() {
            told.insert(changed(list, change));
        }
    }
    loop {
        let change = watch.next_change_blocking(transport, |wait| clock.advance(wait));
        let is_end = change.is_end();
        told.insert(changed(list, change));
        shown(list, &watch);
        if is_end {
            return;
        }
    }
}

/// Lists a watch with the stored text, but for the poller's part: a number of hundredths of a second is like
/// a code or a year by chance, and there are many.
fn shown<E: Watchable>(list: &mut List, watch: &Watch<E>) {
    shown! { list, "checkout_client::Watch" => watch }
    let stored = watch.stored();
    let poller = stored.rsplit("; ").next().unwrap();
    assert!(poller.parse::<Poller>().is_ok());
    let texts = &mut list.entries.last_mut().unwrap().texts;
    texts.push(stored.clone());
    texts.iter_mut().for_each(|text| *text = text.replace(poller, "(poller)"));
}

/// Lists a change with its parts, and returns the kind of the change.
fn changed<E: Watchable>(list: &mut List, change: Change<E>) -> &'static str {
    shown! { list, "checkout_client::Change" => &change }
    match change {
        Change::Phase { .. } => "phase",
        Change::Attention { verdict, tracker } => {
            let texts = [format!("{verdict} {verdict:?}"), format!("{tracker} {tracker:?}")];
            list.entries.last_mut().unwrap().texts.extend(texts);
            "attention"
        }
        Change::AskPayer { payload } => {
            list.entries.last_mut().unwrap().texts.extend([format!("{payload:?}"), format!("{payload:#?}")]);
            "asks payer"
        }
        Change::NotShown { payload, reason } => {
            let texts = [format!("{payload:?}"), format!("{payload:#?}"), reason.to_owned()];
            list.entries.last_mut().unwrap().texts.extend(texts);
            "not shown"
        }
        // The poller's moments are like codes by chance, as above.
        Change::Refused { answer, .. } => {
            list! { list, "checkout_client::Answer" => answer; }
            "ended by a refusal"
        }
        Change::Nudged(nudged) => {
            shown! { list, "checkout_client::Nudged" => &nudged }
            match nudged {
                Nudged::Status(_) => "nudged: glance",
                Nudged::Full(_) => "nudged: whole",
                Nudged::NotRead(_) => "nudged: not read",
                Nudged::NoRead => "nudged: no read",
            }
        }
        Change::NotRead { error, again } => {
            // The moment is like a code by chance, as above.
            let again = again.map_or(0, Moment::unix_millis);
            let texts = &mut list.entries.last_mut().unwrap().texts;
            for again in [again.to_string(), format!("{again:x}"), format!("{again:X}")] {
                texts.iter_mut().for_each(|text| *text = text.replace(&again, "(again)"));
            }
            failed(list, &error);
            match error.kind() {
                CallErrorKind::NotSent(_) => "not sent",
                CallErrorKind::NoResponse(_) => "no response",
                CallErrorKind::Unreadable(_) => "unreadable",
                CallErrorKind::Mismatch(_) => "mismatch",
                CallErrorKind::NotAuthentic(_) => "not authentic",
                CallErrorKind::Refused(_) => "refused",
                CallErrorKind::UnexpectedResponse(_) => "unexpected response",
                kind => panic!("{kind:?}"),
            }
        }
        Change::End(end) => {
            shown! { list, "checkout_client::End" => &end }
            match end {
                End::Ended { .. } => "ended",
                End::GaveUp { .. } => "gave up",
            }
        }
    }
}

/// Every response that is no answer, with the planted texts.
fn no_answers(refusal: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let bodies = unreadable().into_iter().map(String::into_bytes).chain([ALL.into(), refusal.to_vec()]);
    bodies.flat_map(|body| [200, 302, 400, 401, 502].map(|status| (status, body.clone()))).collect()
}

fn watched_by_allscale(list: &mut List, told: &mut BTreeSet<&'static str>) {
    use sandbox_allscale::{Fault, Sandbox, Store};
    let sandbox = Sandbox::builder().store(Store::new(signing_key())).build();
    let (clock, now) = (sandbox.clock().clone(), sandbox.clock().clone());
    let builder = allscale::Client::builder(signing_key()).nonces(nonces());
    let client = builder.clock(move || now.now()).build().unwrap();
    let draft = validate_allscale::Draft::coin(StableCoin::USDT, Cents::new(1_000)).user(USER_ID, USER_NAME);
    let intent = draft.extra(extra()).check().unwrap();
    let created = client.create(&intent).send_blocking(&sandbox).unwrap();
    let watch = || client.watch(&created.payload.intent_id).unwrap();
    to_its_end(list, told, watch(), &[], &sandbox, &clock);
    to_its_end(list, told, watch(), &no_answers(&allscale_refusal()), &sandbox, &clock);
    [Fault::EmptyUnauthorized, Fault::EmptyUnauthorized, Fault::EmptyUnauthorized]
        .into_iter()
        .for_each(|fault| sandbox.inject(fault));
    to_its_end(list, told, watch(), &[], &sandbox, &clock);
    // The intent with all planted texts, which the sandbox does not know; and a status that nobody knows.
    let unknown = br#"{"code":0,"payload":77}"#.to_vec();
    let answers = [(200, unknown), (200, allscale_intent())];
    let watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5").unwrap();
    to_its_end(list, told, watch, &answers, &sandbox, &clock);
}

fn watched_by_azotte(list: &mut List, told: &mut BTreeSet<&'static str>) {
    use sandbox_azotte::{Fault, Sandbox, Scenario, Tenant};
    let sandbox = Sandbox::builder().tenant(Tenant::new(TENANT, API_KEY).project("acme"));
    let sandbox = sandbox.scenario(Scenario::three_ds_html()).build();
    let (clock, now) = (sandbox.clock().clone(), sandbox.clock().clone());
    let builder = azotte::Client::builder("acme", TENANT, API_KEY.into()).environment(Environment::Sandbox);
    let client = builder.clock(move || now.now()).build().unwrap();
    let submitted = client.submit(&submit()).send_blocking(&sandbox).unwrap();
    let watch = || client.watch(&submitted.payload.tracking_number).unwrap();
    [Fault::LostAnswer, Fault::Truncated].into_iter().for_each(|fault| sandbox.inject(fault));
    to_its_end(list, told, watch(), &[], &sandbox, &clock);
    to_its_end(list, told, watch(), &no_answers(&azotte_refusal()), &sandbox, &clock);
    let challenge = azotte_challenge();
    let done = String::from_utf8(challenge.clone()).unwrap();
    let done = done.replace("CHECK_OUT_3DS_REQUIRED", "CHECK_OUT_DONE").into_bytes();
    let http = String::from_utf8(challenge.clone()).unwrap().replace("https://", "http://");
    let http = http.replace("htmlContent", "noContent").into_bytes();
    // A submit's answer that cannot be taken makes no watch; an answer with a challenge shows the challenge
    // at once.
    for (status, body) in no_answers(&azotte_refusal()).into_iter().chain([(200, challenge.clone())]) {
        match answer(&client.submit(&submit()), status, &body) {
            Ok(submitted) => {
                list! { list, "checkout_client::azotte::Submitted" => submitted.payload.clone(); }
                let mut watch = client.watch_submitted(submitted).unwrap();
                shown(list, &watch);
                while let Some(change) = watch.take_change() {
                    told.insert(changed(list, change));
                }
            }
            Err(error) => failed(list, &error),
        }
    }
    for answers in [vec![(200, challenge.clone())], vec![(200, challenge), (200, http), (200, done)]] {
        to_its_end(list, told, client.watch("trk_1").unwrap(), &answers, &sandbox, &clock);
    }
}

fn watched_by_peach(list: &mut List, told: &mut BTreeSet<&'static str>) {
    let sandbox = sandbox_peach::Sandbox::builder().merchant(merchant()).build();
    let clock = sandbox.clock().clone();
    let now = || {
        let clock = clock.clone();
        move || clock.now()
    };
    let checkout = peach_draft().check().unwrap();
    let v1 = peach::Client::builder(ENTITY, secret_token()).environment(Environment::Sandbox);
    let v1 = v1.referer("https://shop.example").nonces(nonces()).clock(now()).build().unwrap();
    v1.initiate(&checkout).unwrap().send_blocking(&sandbox).unwrap();
    let answers =
        [vec![], no_answers(&peach_refusal()), vec![(200, peach_payment()), (200, peach_wrapped())]];
    for answers in &answers {
        to_its_end(list, told, v1.watch(checkout.lookup()), answers, &sandbox, &clock);
    }
    let credentials = peach::v2::Credentials {
        client_id: "client-1".into(),
        client_secret: CLIENT_SECRET.into(),
        merchant_id: "merchant-1".into(),
    };
    let v2 = peach::v2::Client::builder(ENTITY, credentials).environment(Environment::Sandbox);
    let v2 = v2.referer("https://shop.example").tokens(|_| Some(SecretString::from(ACCESS_TOKEN)));
    let v2 = v2.nonces(nonces()).clock(now()).build().unwrap();
    for answers in &answers {
        to_its_end(list, told, v2.watch("checkout-1").unwrap(), answers, &sandbox, &clock);
    }
}

/// A set of many watches, whose keys are the caller's own.
fn many(list: &mut List) {
    use sandbox_allscale::{Sandbox, Store};
    let sandbox = Sandbox::builder().store(Store::new(signing_key())).build();
    let (clock, now) = (sandbox.clock().clone(), sandbox.clock().clone());
    let builder = allscale::Client::builder(signing_key()).nonces(nonces());
    let client = builder.clock(move || now.now()).build().unwrap();
    let draft = validate_allscale::Draft::coin(StableCoin::USDT, Cents::new(1_000)).user(USER_ID, USER_NAME);
    let created = client.create(&draft.check().unwrap()).send_blocking(&sandbox);
    let watch = client.watch(&created.unwrap().payload.intent_id).unwrap();
    let mut watches = WatchSet::new(watch.now(), 7);
    let merchant = watches.merchant();
    let watch_id = watches.add(merchant, watch, ALL);
    list! { list, "checkout_client::WatchId" => watch_id; }
    let mut events = 0;
    loop {
        shown! { list, "checkout_client::WatchSet" => &watches }
        let event = watches.next_event_blocking(&sandbox, |wait| {
            clock.advance(wait);
            ControlFlow::Continue(())
        });
        let Some(event) = event else { break };
        list! { list, "checkout_client::WatchEvent" => event; }
        events += 1;
    }
    assert_eq!(events, 4);
}

/// The errors of a text that no watch and no poller stored: a planted text stands in the place of each part.
fn stored(list: &mut List) {
    let client = allscale::Client::builder(signing_key())
        .nonces(nonces())
        .clock(|| Moment::from_unix_millis(1_717_246_327_923));
    let client = client.build().unwrap();
    let watch = || client.watch("65b2f3d0d2d9c0a1b2c3d4e5").unwrap();
    let whole = watch().stored();
    let mut errors = Vec::new();
    for planted in [ALL, CARD_NUMBER, MAIL] {
        errors.extend(spoiled(&whole, planted).iter().filter_map(|text| watch().restore_from(text).err()));
        let texts = [planted.to_owned(), format!("v1 -; {planted}"), format!("{whole}; {planted}")];
        errors.extend(texts.iter().filter_map(|text| watch().restore_from(text).err()));
    }
    assert_eq!(errors.iter().map(discriminant).collect::<HashSet<_>>().len(), 5, "{errors:?}");
    for error in errors {
        list! { list, "checkout_client::ParseWatchError" => error; }
    }

    let whole = Poller::new(&PollPolicy::allscale(), Moment::from_unix_millis(0), 7).to_string();
    let mut errors = HashSet::new();
    for planted in [ALL, CARD_NUMBER, MAIL] {
        errors.extend(spoiled(&whole, planted).iter().filter_map(|text| text.parse::<Poller>().err()));
        errors.extend(format!("{whole} {planted}").parse::<Poller>().err());
    }
    assert_eq!(errors.len(), 12, "{errors:?}");
    for error in errors {
        list! { list, "checkout_poll::ParsePollerError" => error; }
    }
}

/// The text with this planted text in the place of each word.
fn spoiled(text: &str, planted: &str) -> Vec<String> {
    let with = |spoiled: usize| {
        let words = text.split(' ').enumerate();
        words.map(|(at, word)| if at == spoiled { planted } else { word }).collect::<Vec<_>>().join(" ")
    };
    (0..text.split(' ').count()).map(with).collect()
}
