//! No printed value of the crate holds a secret, a page's address, or a text about the payer.

mod world;

use checkout_engine::{
    Ask, Builder, Challenge, Claimed, Decision, Draft, Engine, Lane, Limited, Machine, Memory, MemoryLimits,
    New, News, Next, Nudge, ReadMade, Store, StoreError, Subject, Target, Task, Write, person,
};
use checkout_money::Cents;
use checkout_tables::allscale::Currency;
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
        let exchange = machine.first(due.clone(), now);
        let Task::Send(sent) = &exchange else { return Err("no request".into()) };
        let save = machine.next(due.clone(), now);
        let key = Key::allscale_transaction("default", PLANTED, Duration::MAX);
        let nudge = Nudge { target: Target::Id("o"), event: &[key] };
        let builder: Builder<Memory, Providers> = Engine::builder(Memory::new(), world.providers.clone());
        let client = machine.client(row.provider, "default").ok_or("no client")?;
        let list = [
            ("checkout_engine::Challenge", debug(&Challenge::Html(PLANTED.into()))),
            ("checkout_engine::Checkout", debug(&row)),
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
