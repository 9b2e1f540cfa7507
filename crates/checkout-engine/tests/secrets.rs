//! No printed value of the crate holds a secret, a page's address, or a text about the payer.

mod world;

use checkout_engine::{
    Ask, Builder, Challenge, Claimed, Decision, Draft, Due, Engine, Filter, Lane, Lease, Limited, Machine,
    Memory, MemoryLimits, New, News, Next, Nudge, ReadMade, Store, StoreError, Subject, Target, Task, Write,
    person,
};
use checkout_money::Cents;
use checkout_tables::allscale::Currency;
use checkout_transport::bytes::Bytes;
use checkout_transport::http;
use checkout_trust::replay::Key;
use checkout_validate::allscale;
use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;
use world::{Outcome, Providers, World, block_on, drafts};

/// The planted text: the payer's name, a session in an address, a card's token.
const PLANTED: &str = "planted-and-hidden";

fn debug(value: &impl Debug) -> String {
    format!("{value:?} {value:#?}")
}

fn error(value: &impl Error) -> String {
    let mut text = format!("{} {value}", debug(&value));
    let mut source = value.source();
    while let Some(cause) = source {
        text += &format!(" {cause} {cause:?}");
        source = cause.source();
    }
    text
}

fn planted() -> Outcome<Draft> {
    let draft = allscale::Draft::fiat(Currency::EUR, Cents::new(49_90))
        .order_id("order_1")
        .order_description(PLANTED)
        .user(PLANTED, PLANTED)
        .redirect_url(format!("https://shop.example/?session={PLANTED}"))
        .extra(format!(r#"{{"note":"{PLANTED}"}}"#));
    Ok(draft.check()?.into())
}

#[test]
fn nothing_printed_holds_a_page_a_draft_or_a_payers_text() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        let draft = planted()?;
        // The row as it is before the send, with the draft in its notes, and a page that is a secret.
        let now = world.store.now().await?;
        let mut row = world.engine.machine().prepare("default", "o", &draft, now)?;
        assert!(row.notes.as_str().contains(PLANTED), "the draft is in the notes");
        row.page = Some(format!("https://pay.example/{PLANTED}").into());
        let new = New { checkout: &row, watch: "", lease: Duration::ZERO };
        let inserted = world.store.insert(&new).await?;
        let lanes: Vec<Lane> = world.engine.machine().lanes();
        world.store.lanes(&lanes).await?;
        let names: Vec<String> = lanes.iter().map(|lane| lane.name.clone()).collect();
        let ask = Ask { lanes: &names, max: 1, lease: Duration::from_secs(30) };
        let claimed: Claimed = world.store.claim(&ask).await?;
        let due = claimed.due.first().cloned().ok_or("nothing is due")?;
        let news = News { key: "k".into(), id: "o".into(), subject: Subject::Held, reason: None };
        let write = Write {
            checkout: Some(row.clone()),
            next: Next::Ended { watch: String::new() },
            read: ReadMade::None,
            lane_wait: None,
            news: vec![news.clone()],
        };
        let decision =
            Decision { checkout: &row, work: false, news: vec![news], act: "close", by: "b", reason: "r" };
        let machine: &Machine = world.engine.machine();
        let Task::Save(first) = machine.first(due.clone(), now) else { return Err("no save".into()) };
        let exchange = first.into_parts().1(now);
        let Task::Send(sent) = &exchange else { return Err("no request".into()) };
        let save = machine.next(due.clone(), now);
        let key = Key::allscale_transaction("default", PLANTED, Duration::MAX);
        let nudge = Nudge { target: Target::Id("o"), event: &[key] };
        let builder: Builder<Memory, Providers> = Engine::builder(Memory::new(), world.providers.clone());
        let client = machine.client(row.provider, "default").ok_or("no client")?;
        let overview = world.store.overview(&Filter::default()).await?;
        assert!(!overview.is_empty());
        let list = [
            ("checkout_engine::Challenge", debug(&Challenge::Html(PLANTED.into()))),
            ("checkout_engine::Checkout", debug(&row)),
            ("checkout_engine::Overview", debug(&overview)),
            ("checkout_engine::Draft", debug(&draft)),
            ("checkout_engine::Engine", debug(&world.engine)),
            ("checkout_engine::Builder", debug(&builder)),
            ("checkout_engine::Client", debug(client)),
            ("checkout_engine::Exchange", debug(sent)),
            ("checkout_engine::Save", debug(&save)),
            ("checkout_engine::Task", debug(&exchange)),
            ("checkout_engine::Machine", debug(machine)),
            ("checkout_engine::Memory", debug(&world.store)),
            ("checkout_engine::Claimed", debug(&claimed)),
            ("checkout_engine::Decision", debug(&decision)),
            ("checkout_engine::Due", debug(&due)),
            ("checkout_engine::Inserted", debug(&inserted)),
            ("checkout_engine::New", debug(&new)),
            ("checkout_engine::Limited", debug(&Limited::new(Memory::new(), MemoryLimits::new()))),
            ("checkout_engine::Nudge", debug(&nudge)),
            ("checkout_engine::Write", debug(&write)),
        ];
        for (name, text) in &list {
            assert!(!text.is_empty(), "{name}");
            for hidden in [PLANTED, checkout_sandbox::allscale::API_SECRET, "pay.example"] {
                assert!(!text.contains(hidden), "{name} prints {hidden}: {text}");
            }
        }
        Ok(())
    })
}

/// What a provider says of a refusal, what an event names, and what a person writes is stored and told
/// without a card's number, on one line, and no longer than a person reads.
#[test]
fn no_stored_or_told_reason_holds_a_cards_number() -> Outcome {
    const CARD: &str = "4111 1111 1111 1111";
    block_on(async {
        let world = World::new(1)?;
        let now = world.store.now().await?;
        let machine = world.engine.machine();
        let mut texts = Vec::new();
        let mut collect = |name: &'static str, text: Option<&str>| -> Outcome {
            let text = text.ok_or(name)?;
            assert!(text.contains("[digits]"), "{name}: {text}");
            assert!(text.chars().count() <= 2_100 && !text.contains(['\r', '\n']), "{name}: {text}");
            texts.push((name, text.to_owned()));
            Ok(())
        };
        // A refusal of Peach's with a message, and with findings about a hundred fields.
        let fields: Vec<String> =
            (0..100).map(|at| format!(r#""f{at}. {CARD} {}":"m""#, "x".repeat(200))).collect();
        for body in [
            format!(r#"{{"message":"the card {CARD}\r\nwas refused"}}"#),
            format!(r#"{{"result.code":"200.300.404","validation_errors":{{{}}}}}"#, fields.join(",")),
        ] {
            let row = machine.prepare("default", "o", &drafts::peach("order0001")?, now)?;
            let lease = Lease { id: "o".to_owned(), fence: 1, nudges: 0 };
            let due = Due {
                lease,
                checkout: row,
                watch: String::new(),
                nudged: false,
                named: None,
                tries: 1,
                late: Duration::ZERO,
            };
            let Task::Send(exchange) = machine.first(due, now) else { return Err("no request".into()) };
            let response = http::Response::builder().status(400).header("content-type", "application/json");
            let task = exchange.into_parts().1(Ok(response.body(Bytes::from(body))?), now);
            let Task::Write(write) = task else { return Err("no write".into()) };
            let told = write.news.first().ok_or_else(|| format!("{write:?} tells nothing"))?;
            collect("a refusal", told.reason.as_deref())?;
        }
        // An event that names another checkout, and the person who looks.
        world.engine.create("o", drafts::allscale("order_1")?).await?;
        let (checkout_id, reference) = (Some("no 4111-1111-1111-1111\r\n"), Some("order_1"));
        let target = Target::Named { lane: "allscale/default", checkout_id, reference };
        world.store.nudge(&Nudge { target, event: &[] }).await?;
        world.step().await?;
        let held = world.checkout("o").await?;
        collect("a hold", held.hold.as_deref())?;
        let told = world.told.lock().map_err(|error| error.to_string())?.clone();
        collect("news", told.first().and_then(|news| news.reason.as_deref()))?;
        world.engine.settle(&held, CARD, &format!("paid by {CARD}, see 12-3")).await?;
        world.step().await?;
        let decided = world.store.decisions("o").await?;
        collect("a person", decided.first().map(|decided| &*decided.by))?;
        collect("a person's reason", decided.first().map(|decided| &*decided.reason))?;
        assert_eq!(decided.first().map(|one| &*one.reason), Some("paid by [digits], see 12-3"));
        let told = world.told.lock().map_err(|error| error.to_string())?.clone();
        collect("news of a settlement", told.last().and_then(|news| news.reason.as_deref()))?;
        for (nth, card) in
            ["4111  1111 - 1111/1111", "4111.1111.1111.1111", "4111\u{a0}1111\u{2013}1111\t1111"]
                .iter()
                .enumerate()
        {
            let id = format!("p{nth}");
            world.engine.create(&id, drafts::allscale(&format!("order_p{nth}"))?).await?;
            let target = Target::Named {
                lane: "allscale/default",
                checkout_id: Some("another"),
                reference: Some(&format!("order_p{nth}")),
            };
            world.store.nudge(&Nudge { target, event: &[] }).await?;
            world.step().await?;
            let row = world.checkout(&id).await?;
            let row = world.engine.close(&row, "Ada", &format!("paid by {card} on 2026-11-30")).await?;
            let decided = world.store.decisions(&row.id).await?;
            assert_eq!(decided.first().map(|one| &*one.reason), Some("paid by [digits] on 2026-11-30"));
        }
        for (name, text) in &texts {
            assert!(!text.contains("1111"), "{name}: {text}");
        }
        Ok(())
    })
}

#[test]
fn no_error_holds_a_draft_or_a_payers_text() -> Outcome {
    block_on(async {
        let world = World::new(1)?;
        world.engine.create("o", planted()?).await?;
        let other = drafts::allscale("order_2")?;
        let twice = world.engine.create("o", other.clone()).await.err().ok_or("no error")?;
        let taken = world.engine.create("p", planted()?).await.err().ok_or("no error")?;
        let no_client = world.engine.machine().prepare("nobody", "o", &planted()?, world.store.now().await?);
        let not_held = person::release(&world.store, &world.checkout("o").await?, "nora", "why")
            .await
            .err()
            .ok_or("no error")?;
        let no_provider = Engine::builder(Memory::new(), world.providers.clone()).build();
        let store = StoreError::Corrupt { id: "o".into(), field: "notes" };
        let list = [
            ("checkout_engine::EngineError", [error(&twice), error(&taken)].concat()),
            ("checkout_engine::PrepareError", error(&no_client.err().ok_or("no error")?)),
            ("checkout_engine::DecideError", error(&not_held)),
            ("checkout_engine::BuildError", error(&no_provider.err().ok_or("no error")?)),
            ("checkout_engine::StoreError", error(&store)),
        ];
        for (name, text) in &list {
            assert!(!text.contains(PLANTED), "{name}: {text}");
        }
        Ok(())
    })
}
