//! The suite that transports are held to, held to transports itself: right transports pass, and each wrong
//! transport breaks the law that names the fault.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests, and the clients that they are of"
)]

#[path = "contract/threaded.rs"]
mod threaded;
#[path = "contract/wire.rs"]
mod wire;

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use checkout_testkit::contract::{Broken, Law, check, check_blocking, check_local, check_shared};
use checkout_transport::{BlockingTransport as _, from_fn_blocking};
use threaded::{Flaw, OnOneThread, Threaded};
use wire::{Fault, Wire};

/// The faults of a client that opens a connection for every request, and the law that names each fault.
const FAULTS: &[(Fault, Law)] = &[
    (Fault::UpperCasesMethods, Law::OddRequestIsNotChanged),
    (Fault::SwapsMethods, Law::MethodGoesOutAsGiven),
    (Fault::DecodesPaths, Law::TargetGoesOutAsGiven),
    (Fault::SortsQueries, Law::TargetGoesOutAsGiven),
    (Fault::ResolvesDots, Law::OddRequestIsNotChanged),
    (Fault::KeepsTheLastOfDoubledHeaders, Law::HeadersGoOutAsGiven),
    (Fault::JoinsDoubledHeaders, Law::HeadersGoOutAsGiven),
    (Fault::SortsHeaders, Law::HeadersGoOutAsGiven),
    (Fault::LowerCasesValues, Law::HeadersGoOutAsGiven),
    (Fault::TrimsBodies, Law::BodyGoesOutAsGiven),
    (Fault::DropsBodiesOfGets, Law::OddRequestIsNotChanged),
    (Fault::AddsAUserAgent, Law::NothingIsAdded),
    (Fault::AsksForCompression, Law::NothingIsAdded),
    (Fault::SendsTheUserOfTheUri, Law::OddRequestIsNotChanged),
    (Fault::RefusesOtherVersions, Law::AnyVersionIsCarried),
    (Fault::SendsHttpsInClear, Law::HttpsStaysHttps),
    (Fault::FollowsRedirects, Law::NoRedirectIsFollowed),
    (Fault::RefusesBadLocations, Law::NoRedirectIsFollowed),
    (Fault::RefusalsAreErrors, Law::EveryStatusIsOk),
    (Fault::WaitsForTheBodyOfAHead, Law::BodilessResponseIsWhole),
    (Fault::TakesInterimResponses, Law::InterimResponseIsSkipped),
    (Fault::KeepsTheLastOfDoubledResponseHeaders, Law::ResponseHeadersAreKept),
    (Fault::SortsResponseHeaders, Law::ResponseHeadersAreKept),
    (Fault::UpperCasesResponseValues, Law::ResponseHeadersAreKept),
    (Fault::ReadsBodiesAsText, Law::BodyComesBackAsSent),
    (Fault::LeavesChunksAsTheyAre, Law::BodyComesBackAsSent),
    (Fault::Decompresses, Law::EncodedBodyStaysEncoded),
    (Fault::HidesTheCoding, Law::EncodedBodyStaysEncoded),
    (Fault::HasALowerCap, Law::BodyUpToTheCapIsWhole),
    (Fault::HasNoCap, Law::BodyOverTheCapIsRefused),
    (Fault::CutsAtTheCap, Law::BodyOverTheCapIsRefused),
    (Fault::CapsWhatItHasRead, Law::EndlessResponseIsCutOff),
    (Fault::HasNoCapOnHeads, Law::EndlessResponseIsCutOff),
    (Fault::RetryPolicy, Law::NothingIsSentTwice),
    (Fault::RepeatsRefusals, Law::RefusalIsNotRepeated),
    (Fault::KeepsCookies, Law::NothingIsRemembered),
    (Fault::Caches, Law::NothingIsRemembered),
    (Fault::RefusedIsUnknown, Law::RefusedConnectionIsNotSent),
    (Fault::ResetIsNotSent, Law::LostAnswerIsUnknown),
    (Fault::TakesShortBodies, Law::LostAnswerIsUnknown),
    (Fault::TakesShortChunks, Law::CutAnswerIsUnknown),
    (Fault::TakesAnyLength, Law::GarbageIsUnknown),
    (Fault::HasNoTimeout, Law::SilenceEnds),
    (Fault::TimeoutIsNotSent, Law::SilenceEnds),
    (Fault::TimesEachRead, Law::DripEnds),
    (Fault::TellsHeaders, Law::ErrorsTellNothing),
    (Fault::TellsBodiesAsBytes, Law::ErrorsTellNothing),
    (Fault::TellsQueries, Law::ErrorsTellNothing),
    (Fault::TellsAnswers, Law::ErrorsTellNothing),
];

/// The same for a client that keeps its connection.
const FAULTS_OF_KEEPING: &[(Fault, Law)] = &[
    (Fault::RetriesOnConnectionsThatServed, Law::NothingIsSentTwice),
    (Fault::StaleIsNotSent, Law::LostAnswerIsUnknown),
    (Fault::ForgetsTrailers, Law::AnswersMeetTheirRequests),
    (Fault::KeepsWhatIsLeft, Law::UnaskedAnswerIsNobodys),
    (Fault::KeepsConnectionsThatTimedOut, Law::LateAnswerIsNobodys),
];

/// The same for a client that threads share.
const FAULTS_OF_SHARING: &[(Fault, Law)] = &[(Fault::AnswersInTurn, Law::RequestsAtOnceDoNotMix)];

/// The same for an asynchronous client.
const FLAWS: &[(Flaw, Law)] = &[
    (Flaw::StartsUnpolled, Law::UnpolledFutureSendsNothing),
    (Flaw::HasOneMailbox, Law::RequestsAtOnceDoNotMix),
    (Flaw::QueuesBehindTheDropped, Law::DroppedFutureIsForgotten),
];

/// Asserts that each of many wrong transports breaks its law, which is checked alone.
fn assert_broken<F: Copy + Send + Sync + std::fmt::Debug>(
    table: &[(F, Law)],
    checked: impl Fn(F, Law) -> Result<(), Broken> + Sync,
) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((fault, law)) = table.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let broken = checked(*fault, *law);
                    assert_eq!(law_of(broken.clone()), Some(*law), "{fault:?}: {broken:?}");
                }
            });
        }
    });
}

fn law_of(checked: Result<(), Broken>) -> Option<Law> {
    checked.err().map(|broken| broken.law())
}

/// Asserts the finding of each of many runs of the whole suite. The runs are under way at the same time: a
/// run mostly waits.
fn assert_said(runs: &[(&str, &Run, Option<Law>)]) {
    thread::scope(|scope| {
        for (what, run, law) in runs {
            scope.spawn(move || {
                let said = run();
                assert_eq!(law_of(said.clone()), *law, "{what}: {said:?}");
            });
        }
    });
}

type Run = dyn Fn() -> Result<(), Broken> + Sync;

#[test]
fn a_right_client_keeps_every_law_for_its_kind() {
    assert_said(&[
        (
            "it opens a connection for every request",
            &|| check_shared(|timeout| Wire::new(timeout, None)),
            None,
        ),
        ("it keeps its connection", &|| check_shared(|timeout| Wire::keeping(timeout, None)), None),
        (
            "it is asynchronous",
            &|| pollster::block_on(check(|timeout| Threaded::new(Wire::keeping(timeout, None), None))),
            None,
        ),
        (
            "it is asynchronous and stays on its thread",
            &|| pollster::block_on(check_local(|timeout| OnOneThread::new(Wire::new(timeout, None)))),
            None,
        ),
        ("it blocks and stays on its thread", &on_one_thread, None),
        ("it sends one request at a time", &one_at_a_time, None),
    ]);
}

fn on_one_thread() -> Result<(), Broken> {
    let sent = Rc::new(Cell::new(0));
    check_blocking(|timeout| {
        let (wire, sent) = (Wire::keeping(timeout, None), Rc::clone(&sent));
        from_fn_blocking(move |request| {
            sent.set(sent.get() + 1);
            wire.send_blocking(request)
        })
    })?;
    assert!(sent.get() > 100, "{} requests", sent.get());
    Ok(())
}

fn one_at_a_time() -> Result<(), Broken> {
    check_shared(|timeout| {
        let wire = Mutex::new(Wire::keeping(timeout, None));
        from_fn_blocking(move |request| wire.lock().unwrap().send_blocking(request))
    })
}

#[test]
fn a_wrong_client_breaks_the_law_that_names_its_fault() {
    assert_broken(FAULTS, |fault, law| law.check_blocking(|timeout| Wire::new(timeout, Some(fault))));
}

#[test]
fn a_wrong_client_that_keeps_its_connection_breaks_the_law_that_names_its_fault() {
    assert_broken(FAULTS_OF_KEEPING, |fault, law| {
        law.check_blocking(|timeout| Wire::keeping(timeout, Some(fault)))
    });
}

#[test]
fn a_wrong_client_that_threads_share_breaks_the_law_that_names_its_fault() {
    assert_broken(FAULTS_OF_SHARING, |fault, law| {
        law.check_shared(|timeout| Wire::new(timeout, Some(fault)))
    });
    // Futures have a way to see the fault too.
    assert_broken(FAULTS_OF_SHARING, |fault, law| {
        pollster::block_on(law.check(|timeout| Threaded::new(Wire::new(timeout, Some(fault)), None)))
    });
}

#[test]
fn a_wrong_asynchronous_client_breaks_the_law_that_names_its_fault() {
    assert_broken(FLAWS, |flaw, law| {
        pollster::block_on(law.check(|timeout| Threaded::new(Wire::new(timeout, None), Some(flaw))))
    });
}

#[test]
fn the_whole_suite_names_the_first_broken_law() {
    // This client breaks a later law as well, as a check of that law alone shows.
    let refusing = |timeout| Wire::new(timeout, Some(Fault::RefusalsAreErrors));
    for law in [Law::EveryStatusIsOk, Law::RefusalIsNotRepeated] {
        assert_eq!(law_of(law.check_blocking(refusing)), Some(law));
    }
    assert_eq!(law_of(check_blocking(refusing)), Some(Law::EveryStatusIsOk));
}

#[test]
fn the_whole_suite_goes_to_the_last_law() {
    assert_said(&[
        (
            "of threads",
            &|| check_shared(|timeout| Wire::new(timeout, Some(Fault::AnswersInTurn))),
            Some(Law::RequestsAtOnceDoNotMix),
        ),
        (
            "of futures",
            &|| {
                pollster::block_on(check(|timeout| {
                    Threaded::new(Wire::keeping(timeout, None), Some(Flaw::QueuesBehindTheDropped))
                }))
            },
            Law::ALL.last().copied(),
        ),
    ]);
}

#[test]
fn a_law_of_another_kind_of_transport_is_not_checked_alone() {
    for law in Law::ALL {
        let made = Cell::new(false);
        let make = |timeout| {
            made.set(true);
            Wire::new(timeout, None)
        };
        if Law::OF_FUTURES.contains(law) {
            assert_eq!(law_of(law.check_shared(make)), Some(*law));
        }
        if Law::OF_FUTURES.contains(law) || Law::OF_THREADS.contains(law) {
            assert_eq!(law_of(law.check_blocking(make)), Some(*law));
        }
        assert!(!made.get(), "{law}");
    }
}

#[test]
fn every_law_is_broken_by_a_wrong_client() {
    let broken: HashSet<Law> = FAULTS
        .iter()
        .chain(FAULTS_OF_KEEPING)
        .chain(FAULTS_OF_SHARING)
        .map(|(_, law)| *law)
        .chain(FLAWS.iter().map(|(_, law)| *law))
        .collect();
    let unbroken: Vec<&Law> = Law::ALL.iter().filter(|law| !broken.contains(law)).collect();
    assert!(unbroken.is_empty(), "{unbroken:?}");
}

#[test]
fn every_law_is_listed_once_and_has_a_name_of_its_own() {
    let names: HashSet<&str> = Law::ALL.iter().map(|law| law.name()).collect();
    assert_eq!(names.len(), Law::ALL.len());
    assert!(Law::ALL.is_sorted(), "in the order of their declaration");
    assert!(Law::OF_FUTURES.iter().chain(Law::OF_THREADS).all(|law| Law::ALL.contains(law)));
    assert!(!Law::OF_THREADS.iter().any(|law| Law::OF_FUTURES.contains(law)));
    // The report on a broken law has the law's name and the observation.
    let broken = check_blocking(|timeout| Wire::new(timeout, Some(Fault::AsksForCompression))).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "nothing is added to a request: of a GET with 0 headers and 0 bytes: \
         the header accept-encoding: \"gzip\" was added"
    );
    assert_eq!(broken.to_string(), format!("{}: {}", broken.law(), broken.seen()));
}
