//! Creates, with every fault of the sandboxes and with a process that dies at every gate: no provider makes
//! two checkouts of one reference, nothing is left undone, and the state says what the provider's books say.

#![allow(clippy::wildcard_enum_match_arm, clippy::indexing_slicing, reason = "two workers, five kinds")]

mod world;

use checkout_engine::{
    Checkout, DEFAULT_MERCHANT, Draft, Due, EngineError, Filter, Inserted, New, PrepareError, Provider,
    State, Store as _, StoreError, Subject, Task,
};
use checkout_sandbox::{allscale, azotte, peach};
use checkout_tables::{allscale::Route as OfAllScale, azotte::Route as OfAzotte, peach::Route as OfPeach};
use checkout_validate::azotte as validate;
use std::sync::Arc;
use std::time::Duration;
use world::judge::{Case, book, over_the_limit};
use world::stage::{GatedStore, GatedTransport, Stage, dies_at, fails_at};
use world::{Outcome, World, block_on, drafts, engine_over};

const FORTY_DAYS: Duration = Duration::from_secs(40 * 24 * 60 * 60);
const REFERENCE: &str = "order0001";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    provider: Provider,
    merchant: &'static str,
    /// AllScale's price is in a coin.
    coin: bool,
}

const KINDS: [Kind; 5] = [
    Kind { provider: Provider::AllScale, merchant: DEFAULT_MERCHANT, coin: false },
    Kind { provider: Provider::AllScale, merchant: DEFAULT_MERCHANT, coin: true },
    Kind { provider: Provider::Azotte, merchant: DEFAULT_MERCHANT, coin: false },
    Kind { provider: Provider::Peach, merchant: DEFAULT_MERCHANT, coin: false },
    Kind { provider: Provider::PeachV2, merchant: "v2", coin: false },
];

impl Kind {
    fn draft(self) -> Outcome<Draft> {
        match (self.provider, self.coin) {
            (Provider::AllScale, false) => drafts::allscale(REFERENCE),
            (Provider::AllScale, true) => drafts::coin(REFERENCE),
            (Provider::Azotte, _) => drafts::azotte(REFERENCE),
            _ => drafts::peach(REFERENCE),
        }
    }

    fn faults(self) -> Vec<&'static str> {
        match self.provider {
            Provider::AllScale => allscale::Fault::NAMES.iter().map(|row| row.name).collect(),
            Provider::Azotte => azotte::Fault::NAMES.iter().map(|row| row.name).collect(),
            _ => peach::Fault::NAMES.iter().map(|row| row.name).collect(),
        }
    }

    /// Makes the next create go wrong. False for a fault that no create shows.
    fn inject(self, world: &World, name: &str) -> Outcome<bool> {
        let value = value_of(name);
        Ok(match self.provider {
            Provider::AllScale => {
                let fault = allscale::Fault::by_name(name, value).map_err(|error| error.to_string())?;
                let fits = fault.fits(Some(OfAllScale::Create));
                world.providers.allscale.inject_on(OfAllScale::Create, fault);
                fits
            }
            Provider::Azotte => {
                let value = value.map(|value| if name == "tampered_code" { "FAILED" } else { value });
                let fault = azotte::Fault::by_name(name, value).map_err(|error| error.to_string())?;
                let fits = fault.fits(Some(OfAzotte::SubmitCheckout));
                world.providers.azotte.inject_on(OfAzotte::SubmitCheckout, fault);
                fits
            }
            _ => {
                let route = if self.provider == Provider::Peach {
                    OfPeach::Initiate
                } else {
                    OfPeach::CreateCheckout
                };
                let fault = peach::Fault::by_name(name, value).map_err(|error| error.to_string())?;
                let fits = fault.fits(Some(route));
                world.providers.peach.inject_on(route, fault);
                fits
            }
        })
    }

    fn creates(self, world: &World) -> usize {
        let path = |path: &str| match self.provider {
            Provider::AllScale => path == "/v1/checkout_intents/",
            Provider::Azotte => !path.contains("Status"),
            Provider::Peach => path.ends_with("/initiate"),
            _ => path == "/v2/checkout",
        };
        match self.provider {
            Provider::AllScale => {
                world.providers.allscale.requests().iter().filter(|one| path(one.path())).count()
            }
            Provider::Azotte => {
                let posts = |one: &&azotte::RecordedRequest| one.method() == "POST" && path(one.path());
                world.providers.azotte.requests().iter().filter(posts).count()
            }
            _ => world.providers.peach.requests().iter().filter(|one| path(one.path())).count(),
        }
    }
}

fn value_of(fault: &str) -> Option<&'static str> {
    Some(match fault {
        "slow" => "1500",
        "huge_body" => "3000000",
        "tampered_status" | "tampered_code" => "20",
        "unknown_error_code" => "77777",
        "accepted_coins" | "settled_in" => "2",
        "refused" => "200.300.404",
        _ => return None,
    })
}

/// The laws that are broken at the end of a play.
async fn broken(world: &World, label: &str) -> Outcome<Vec<String>> {
    let mut broken = Vec::new();
    let rows = world.store.list(&Filter::default()).await?;
    let told = world.told.lock().map_err(|error| error.to_string())?.clone();
    for checkout in &rows {
        let told = told.iter().filter(|news| news.id == checkout.id).collect();
        let case = Case { checkout, book: book(&world.providers, checkout), told, acts: Vec::new() };
        broken.extend(case.broken());
    }
    broken.extend(over_the_limit(&world.providers.peach));
    let figures = world.store.figures().await?;
    if (figures.work, figures.news) != (0, 0) {
        broken.push(format!("something is left to do: {figures:?}"));
    }
    Ok(broken.into_iter().map(|law| format!("{label}: {law}")).collect())
}

/// The row, its end without a person, and the number of creates that reached the provider.
async fn end(world: &World, kind: Kind) -> Outcome<(Option<Checkout>, usize)> {
    Ok((world.store.checkout("o").await?, kind.creates(world)))
}

#[test]
fn no_fault_of_a_create_makes_two_checkouts_or_loses_one() -> Outcome {
    block_on(async {
        let mut faults = Vec::new();
        for kind in KINDS {
            for name in kind.faults() {
                let world = World::new(1)?;
                // Azotte's broken promise to charge once needs no engine to go wrong.
                if !kind.inject(&world, name)? || name == "key_forgotten" {
                    continue;
                }
                let label = format!("{} coin {} {name}", kind.provider, kind.coin);
                world.engine.create_for(kind.merchant, "o", kind.draft()?).await?;
                world.another()?.play(FORTY_DAYS).await?;
                faults.extend(broken(&world, &label).await?);
                let (row, creates) = end(&world, kind).await?;
                let row = row.ok_or("no row")?;
                if kind.provider == Provider::AllScale && creates > 2 {
                    faults.push(format!("{label}: {creates} creates"));
                }
                let is_harmless = ["lost_before", "slow", "extra_fields"].contains(&name);
                if is_harmless && (row.state, &row.hold, creates) != (State::Settled, &None, 1) {
                    faults.push(format!("{label}: {row:?}"));
                }
            }
        }
        assert_eq!(faults, Vec::<String>::new());
        Ok(())
    })
}

#[test]
fn no_death_of_a_process_within_a_create_makes_two_checkouts_or_loses_one() -> Outcome {
    block_on(async {
        let mut faults = Vec::new();
        for kind in KINDS {
            // The mishaps that change what is known of the create.
            for name in
                ["none", "lost_before", "lost_request", "lost_answer", "rate_limited", "late_internal_error"]
            {
                let mut died = 0;
                for gate in 0.. {
                    let world = World::new(1)?;
                    if name != "none" {
                        kind.inject(&world, name)?;
                    }
                    let stage = Stage::default();
                    let inner = Arc::clone(&world.store);
                    let store = GatedStore { inner, stage: stage.clone(), process: 0, sabotage: None };
                    let (providers, of_transport) = (world.providers.clone(), stage.clone());
                    let transport =
                        GatedTransport { providers, stage: of_transport, process: 0, network: false };
                    let engine = engine_over(store, transport)?;
                    let create = engine.create_for(kind.merchant, "o", kind.draft()?);
                    let done = dies_at(&stage, create, gate).await?;
                    let other = world.another()?;
                    other.play(FORTY_DAYS).await?;
                    let label = format!("{} coin {} {name} dies at {gate}", kind.provider, kind.coin);
                    faults.extend(broken(&world, &label).await?);
                    let (row, creates) = end(&world, kind).await?;
                    if kind.provider == Provider::AllScale && world.providers.allscale.intents().len() > 1 {
                        faults.push(format!("{label}: two intents"));
                    }
                    // Nothing is sent before the row is there.
                    if row.is_none() && creates > 0 {
                        faults.push(format!("{label}: sent before the row was there"));
                    }
                    if done.is_some() {
                        break;
                    }
                    died += 1;
                }
                assert!(died >= 10, "{kind:?}: {died} gates");
            }
        }
        assert_eq!(faults, Vec::<String>::new());
        Ok(())
    })
}

/// Whether the database breaks off or the payer's handler is dropped: what was not sent is sent, and no
/// person has to look.
#[test]
fn a_create_that_ends_between_its_row_and_its_send_is_made_without_a_person() -> Outcome {
    block_on(async {
        for kind in KINDS {
            for point in ["insert.before", "insert.after", "dropped"] {
                let world = World::new(1)?;
                let stage = Stage::default();
                let inner = Arc::clone(&world.store);
                let store = GatedStore { inner, stage: stage.clone(), process: 0, sabotage: None };
                let engine = engine_over(store, world.providers.clone())?;
                let create = engine.create_for(kind.merchant, "o", kind.draft()?);
                if point == "dropped" {
                    // Lanes, now and insert have two gates each, and the last is the one behind the insert.
                    assert!(dies_at(&stage, create, 5).await?.is_none());
                } else {
                    let created = fails_at(&stage, create, point).await?;
                    let lost = matches!(created, Err(EngineError::Store(StoreError::Unavailable(_))));
                    assert!(lost, "{kind:?} {point}: {created:?}");
                }
                assert_eq!(kind.creates(&world), 0, "{kind:?} {point}");
                if point == "insert.before" {
                    assert_eq!(world.store.checkout("o").await?, None);
                    continue;
                }
                // The handler that calls again gets the row, which the engine goes on with.
                let other = world.another()?;
                let again = other.engine.create_for(kind.merchant, "o", kind.draft()?).await?;
                assert_eq!((again.state, again.page), (State::Sending, None));
                other.play(FORTY_DAYS).await?;
                let (row, creates) = end(&world, kind).await?;
                let row = row.ok_or("no row")?;
                assert_eq!((row.state, row.hold, creates), (State::Settled, None, 1), "{kind:?} {point}");
                assert_eq!(world.subjects("o"), [Subject::Settled], "{kind:?} {point}");
            }
        }
        Ok(())
    })
}

/// A process that dies while it asks for an access token has sent no create.
#[test]
fn a_create_of_peach_v2_is_marked_as_sent_after_the_access_token() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        let (machine, now) = (world.engine.machine(), world.store.now().await?);
        let row = machine.prepare("v2", "o", &drafts::peach(REFERENCE)?, now)?;
        world.store.lanes(&machine.lanes()).await?;
        let new = New { checkout: &row, watch: "", lease: Duration::from_secs(30) };
        let Inserted::Fresh(lease, checkout) = world.store.insert(&new).await? else {
            return Err("the id is not new".into());
        };
        let (watch, late) = (String::new(), Duration::ZERO);
        let due = Due { lease, checkout, watch, nudged: false, named: None, tries: 1, late };
        assert!(matches!(machine.first(due, now), Task::Send(_)), "the token is asked for first");
        world.another()?.play(FORTY_DAYS).await?;
        let row = world.checkout("o").await?;
        assert_eq!((row.state, row.hold), (State::Settled, None));
        Ok(())
    })
}

/// The create that could not be sent is made again after the release: nobody takes the create for sent.
#[test]
fn a_release_of_an_unsent_create_sends_the_create() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        let currency = checkout_tables::peach::Currency::ZAR;
        let draft = checkout_validate::peach::Draft::debit(currency, checkout_money::Cents::new(14_99))
            .entity_id("8ac7a4c79394bdc801939736f1ab064e")
            .merchant_transaction_id(REFERENCE)
            .shopper_result_url("https://shop.example/result");
        let draft: Draft = draft.check()?.into();
        let held = world.engine.create_for("v2", "o", draft).await?;
        let reason = held.hold.clone().ok_or("not held")?;
        world.engine.release(&held, "Ada", "the client has the entity now").await?;
        world.play(FORTY_DAYS).await?;
        let again = world.checkout("o").await?;
        assert_eq!(
            (again.state, again.hold),
            (State::Sending, Some(reason)),
            "the same reason, and not a lost answer"
        );
        Ok(())
    })
}

#[test]
fn a_lost_answer_of_allscale_is_never_repeated_and_ends_with_a_person() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.providers.allscale.set_scenario(Some(allscale::Scenario::never_paid()));
        world.providers.allscale.inject_on(OfAllScale::Create, allscale::Fault::LostAnswer);
        let checkout = world.engine.create("o", drafts::allscale(REFERENCE)?).await?;
        assert_eq!((checkout.state, checkout.page, checkout.hold), (State::Unknown, None, None));
        world.another()?.play(FORTY_DAYS).await?;
        let checkout = world.checkout("o").await?;
        assert_eq!((checkout.state, checkout.hold.is_some()), (State::Unknown, true));
        assert_eq!(world.providers.allscale.intents().len(), 1);
        assert_eq!(world.providers.allscale.requests().len(), 1);
        assert_eq!(world.subjects("o"), [Subject::Held]);
        Ok(())
    })
}

#[test]
fn peach_v1_is_looked_up_for_a_minute_before_a_create_is_repeated() -> Outcome {
    block_on(async {
        for (fault, creates) in [(peach::Fault::LostAnswer, 1), (peach::Fault::LostRequest, 1)] {
            let world = World::new(1)?;
            world.providers.peach.inject_on(OfPeach::Initiate, fault.clone());
            let begin = world.providers.clock.now();
            world.engine.create("o", drafts::peach(REFERENCE)?).await?;
            world.another()?.play(FORTY_DAYS).await?;
            let requests = world.providers.peach.requests();
            let made: Vec<_> = requests.iter().filter(|one| one.path().ends_with("/initiate")).collect();
            assert_eq!(made.len(), creates);
            if fault == peach::Fault::LostRequest {
                // The sandbox has not seen the first.
                let repeat = made.first().ok_or("no create")?.at();
                assert!(repeat.saturating_since(begin) >= Duration::from_secs(60));
                let looked = requests.iter().filter(|one| one.at() < repeat && one.path() == "/status");
                assert!(looked.count() >= 2);
                assert_eq!(world.subjects("o"), [Subject::Settled]);
            }
            assert_eq!(world.providers.peach.checkouts().len(), 1);
        }
        Ok(())
    })
}

#[test]
fn a_create_of_peach_v1_that_is_lost_again_and_again_ends_within_the_time_of_creates() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        for _ in 0..1_000 {
            world.providers.peach.inject_on(OfPeach::Initiate, peach::Fault::LostRequest);
        }
        world.engine.create("o", drafts::peach(REFERENCE)?).await?;
        world.another()?.play(Duration::from_secs(2 * 60 * 60)).await?;
        let checkout = world.checkout("o").await?;
        assert!(checkout.state.is_end() || checkout.hold.is_some(), "{checkout:?}");
        assert!(!world.subjects("o").is_empty());
        Ok(())
    })
}

#[test]
fn azotte_repeats_a_lost_submit_under_its_key_and_charges_once() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.providers.azotte.inject_on(OfAzotte::SubmitCheckout, azotte::Fault::LostAnswer);
        world.engine.create("o", drafts::azotte(REFERENCE)?).await?;
        world.another()?.play(FORTY_DAYS).await?;
        assert_eq!(world.providers.azotte.captures_of(REFERENCE), 1);
        let checkouts = world.providers.azotte.checkouts();
        assert_eq!(checkouts.iter().map(|one| one.submits).collect::<Vec<_>>(), [2]);
        assert_eq!(world.subjects("o"), [Subject::Settled]);
        Ok(())
    })
}

#[test]
fn the_same_id_gives_the_same_checkout_and_another_draft_under_the_id_is_an_error() -> Outcome {
    block_on(async {
        for kind in KINDS {
            let world = World::new(1)?;
            let first = world.engine.create_for(kind.merchant, "o", kind.draft()?).await?;
            let again = world.another()?.engine.create_for(kind.merchant, "o", kind.draft()?).await?;
            assert_eq!(first, again);
            assert_eq!(kind.creates(&world), 1);
        }
        let world = World::new(1)?;
        world.engine.create("o", drafts::azotte(REFERENCE)?).await?;
        for draft in [drafts::azotte("order0002")?, drafts::peach(REFERENCE)?, drafts::allscale(REFERENCE)?] {
            let other = world.engine.create("o", draft).await;
            assert!(matches!(other, Err(EngineError::OtherCheckout { id }) if id == "o"));
        }
        let other = world.engine.create("p", drafts::azotte(REFERENCE)?).await;
        let taken = matches!(&other, Err(EngineError::ReferenceTaken { reference, id })
            if (reference.as_str(), id.as_str()) == (REFERENCE, "o"));
        assert!(taken, "{other:?}");
        assert_eq!(world.store.list(&Filter::default()).await?.len(), 1);
        Ok(())
    })
}

#[test]
fn a_draft_that_does_not_fit_is_refused_and_nothing_is_stored_or_sent() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        let card = validate::CardDraft::new("4111111111111111", "12", "2031").cvc("123");
        let card =
            validate::Draft::new_card(card).offer_identifier("off_1").correlation_id("c-1").item("gold");
        let card = Draft::from(card.customer_urn("urn:customer:42").check()?);
        let refused = world.engine.create("o", card).await;
        assert!(matches!(refused, Err(EngineError::Prepare(PrepareError::Card))));
        for id in ["", "a\0b", &"x".repeat(201)] {
            let refused = world.engine.create(id, drafts::azotte("c")?).await;
            assert!(matches!(refused, Err(EngineError::Prepare(PrepareError::Id))), "{id:?}");
        }
        let refused = world.engine.create_for("nobody", "o", drafts::azotte("c")?).await;
        assert!(matches!(refused, Err(EngineError::Prepare(PrepareError::NoClient { .. }))));
        let nameless = checkout_validate::allscale::Draft::fiat(
            checkout_tables::allscale::Currency::EUR,
            checkout_money::Cents::new(100),
        );
        let refused = world.engine.create("o", Draft::from(nameless.check()?)).await;
        assert!(matches!(refused, Err(EngineError::Prepare(PrepareError::NoOrderId))));
        assert!(world.store.list(&Filter::default()).await?.is_empty());
        assert_eq!(world.providers.azotte.requests().len() + world.providers.allscale.requests().len(), 0);
        Ok(())
    })
}
