//! The functions of the schema, each comparison of a lease, a fence, a version or a due neutralised in turn:
//! a law has to fail each time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::time::Duration;

use checkout_engine::conformance::{self, Law};
use checkout_engine::{
    Ask, Checkout, Due, Inserted, New, Next, Nudge, Nudged, Provider, ReadMade, Store, StoreError, Target,
    Write, Written,
};
use checkout_store_postgres::Postgres;
use checkout_tables::{Environment, Moment};
use common::{OPEN, Schema, Standing, Tested, runtime};

/// A comparison, what stands in its place, and the laws that notice.
struct Mutation {
    function: &'static str,
    text: &'static str,
    neutral: &'static str,
    laws: &'static [Law],
    /// The claim is overtaken by another transaction: no law of one caller can see that.
    overtaken: bool,
}

const fn mutation(
    function: &'static str,
    text: &'static str,
    neutral: &'static str,
    laws: &'static [Law],
) -> Mutation {
    Mutation { function, text, neutral, laws, overtaken: false }
}

/// A mutation by which a claim that is overtaken takes what it saw before.
const fn overtaken(function: &'static str, text: &'static str, neutral: &'static str) -> Mutation {
    Mutation { overtaken: true, ..mutation(function, text, neutral, &[]) }
}

const MUTATIONS: &[Mutation] = &[
    mutation("write", "w.fence = i.fence", "w.id = i.id", &[Law::OldFenceIsLost]),
    mutation("write", "AND x.leased", "AND true", &[Law::OldFenceIsLost]),
    mutation("write", "OR x.due > now", "OR true", &[Law::KeepNeedsTheLease]),
    mutation("write", "x.come > x.nudges", "false", &[Law::NudgeSparesTheLease]),
    mutation("write", "e.nudge <= x.nudges", "true", &[Law::LaterEventsStayPending]),
    mutation("ended", "reads[i] = 'none'", "false", &[Law::UnusedPlaceIsFree]),
    mutation("ended", "reads[i] = 'sent'", "true", &[Law::LimitIsExact]),
    mutation("ended", "reads[i] = 'sent'", "false", &[Law::LimitIsExact]),
    mutation("ended", "leases[i] > now", "true", &[Law::CrashedPlaceIsHeld]),
    mutation("write", "WHERE done[n.write]", "WHERE true", &[Law::OldFenceIsLost, Law::NewsNeedsItsFence]),
    mutation("write", "greatest(l.wait_until, now + (", "(now + (", &[Law::WaitBindsTheLane]),
    mutation("decide", "c.version <> in_version", "false", &[Law::DecisionNeedsTheVersion]),
    mutation("decide", "OR c.nudged", "OR false", &[Law::UnansweredNudgesOutliveDecisions]),
    mutation("nudge", "WHEN w.leased THEN", "WHEN false THEN", &[Law::NudgeSparesTheLease]),
    mutation("nudge", "AND (NOT e.done OR e.until >= ", "AND (true OR e.until >= ", &[Law::EventsAreKept]),
    mutation("nudge", "e.until >= checkout.now_ms()", "false", &[Law::EventsAreKept]),
    mutation("news_told", "AND n.fence = in_fence", "", &[Law::NewsNeedsItsFence, Law::NewsComesAgain]),
    mutation("news_told", ", tries = 0", "", &[Law::NewsComesAgain]),
    mutation("claim_news", "n.due <= (SELECT now FROM t)", "true", &[Law::NewsIsLeased]),
    mutation("claim_news", "n.tries >= in_suspect", "false", &[Law::SuspectNewsComesAlone]),
    mutation("waiting", "AND w.due <= in_now", "", &[Law::DueComesDue]),
    mutation(
        "waiting",
        "w.due BETWEEN in_from AND in_now",
        "w.due >= in_from",
        &[Law::ClaimLeases, Law::EarliestComesFirst],
    ),
    mutation("claim", "WHERE a.due <= t.now", "WHERE true", &[Law::ClaimLeases, Law::MaxZeroLooks]),
    mutation("claim", "n.due <= t.now", "true", &[Law::NewsIsLeased]),
    mutation("claim", "coalesce(l.full_until <= t.now, true)", "true", &[Law::LimitIsExact]),
    mutation("claim", "coalesce(l.wait_until <= t.now, true)", "true", &[Law::WaitBindsTheLane]),
    overtaken("claim", "AND w.rev = s.rev", ""),
    overtaken("write", "SET rev = w.rev + 1", "SET rev = w.rev"),
    overtaken("nudge", "SET rev = w.rev + 1", "SET rev = w.rev"),
];

/// Where a row is found by the fence that the same transaction has compared, or given.
const LOOKUPS: &[&str] = &[
    "w.fence = in_fences[1] FOR UPDATE",
    "w.fence = ANY (in_fences)",
    "WHERE w.fence = x.fence",
    "s.fence = h.fence ELSE",
    "WHERE w.fence = s.fence",
    "WHERE w.fence = h.fence AND w.fence = ANY (ARRAY(SELECT fence FROM numbered))",
];

/// The text of a function that the schema holds, for the schema `checkout`.
async fn definition(schema: &Schema, name: &str) -> Result<String, tokio_postgres::Error> {
    let of = "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
              WHERE n.nspname = $1 AND p.proname = $2";
    let text: String = schema.client.query_one(of, &[&schema.name, &name]).await?.try_get(0)?;
    let name = &schema.name;
    Ok(text.replace(&format!("\"{name}\"."), "checkout.").replace(&format!("{name}."), "checkout."))
}

/// The function with one occurrence of the text replaced, for each occurrence.
fn mutants(definition: &str, mutation: &Mutation) -> Vec<String> {
    let places: Vec<usize> = definition.match_indices(mutation.text).map(|(place, _)| place).collect();
    let mutant = |place: &usize| {
        let (before, rest) = definition.split_at(*place);
        format!("{before}{}{}", mutation.neutral, &rest[mutation.text.len()..])
    };
    places.iter().map(mutant).collect()
}

#[test]
fn a_law_fails_for_each_comparison_that_is_neutralised() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    let runtime = runtime();
    let mut unseen = Vec::new();
    for mutation in MUTATIONS {
        let definition = runtime.block_on(async {
            let schema = Schema::new().await?;
            schema.store().await?;
            definition(&schema, mutation.function).await.map_err(Box::<dyn std::error::Error>::from)
        })?;
        let mutants = mutants(&definition, mutation);
        assert!(!mutants.is_empty(), "{} does not have {:?}", mutation.function, mutation.text);
        for (number, mutant) in mutants.iter().enumerate() {
            let make = async || {
                let schema = Schema::new().await.unwrap();
                let store = schema.standing().await.unwrap();
                schema.run(mutant).await.unwrap();
                (store, Standing(schema))
            };
            let laws = mutation.laws.iter().copied();
            let seen = if mutation.overtaken {
                let mut by = Overtaker::ALL.into_iter();
                by.any(|by| runtime.block_on(async { overtake(make().await, by).await }).is_err())
            } else {
                laws.chain([Law::AnswersAsTheModel])
                    .any(|law| runtime.block_on(conformance::check_law(law, &make)).is_err())
            };
            if !seen {
                unseen.push(format!("{} {:?}, occurrence {number}", mutation.function, mutation.text));
            }
        }
    }
    assert_eq!(unseen, Vec::<String>::new());
    Ok(())
}

/// Each comparison of a fence, a version or a count of changes is in the list.
#[test]
fn no_comparison_of_a_fence_is_left_out() {
    let text = include_str!("../sql/functions.sql");
    for function in text.split("CREATE FUNCTION checkout.").skip(1) {
        let (name, body) = function.split_once('(').expect("a function has arguments");
        let mut body = body.to_owned();
        for mutation in MUTATIONS.iter().filter(|mutation| mutation.function == name) {
            body = body.replace(mutation.text, "");
        }
        for lookup in LOOKUPS {
            body = body.replace(lookup, "");
        }
        for comparison in
            [".fence =", ".fence <>", "= x.fence", ".version <>", ".version =", ".rev =", ".leased AND"]
        {
            assert!(!body.contains(comparison), "{name} has {comparison:?}");
        }
    }
}

/// The fence is new, or rev is: a claim leases nothing by what it saw before.
#[test]
fn each_change_of_work_gives_a_new_fence_or_counts_rev_up() {
    let changes: Vec<&str> =
        include_str!("../sql/functions.sql").split("UPDATE checkout.work w").skip(1).collect();
    assert!(!changes.is_empty());
    for change in changes {
        let (settings, _) = change.split_once("WHERE").expect("a condition");
        let gives_fence =
            settings.contains("fence = nextval('checkout.fence')") || settings.contains("fence = h.number");
        assert!(gives_fence || settings.contains("rev = w.rev + 1"), "{settings}");
    }
}

#[test]
fn a_claim_that_is_overtaken_leases_nothing_by_what_it_saw() -> Tested {
    if common::has_no_server() {
        return Ok(());
    }
    runtime().block_on(async {
        for by in Overtaker::ALL {
            let schema = Schema::new().await?;
            let store = schema.standing().await?;
            overtake((store, Standing(schema)), by).await.map_err(|error| format!("{by:?}: {error}"))?;
        }
        Ok(())
    })
}

/// A call that commits between the snapshot of a claim and the claim's locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overtaker {
    Nudge,
    /// A write of a lease that has ended, and that the claim would take over.
    LateWrite,
    /// A write under a lease that ends before the claim's locks.
    Keep,
}

impl Overtaker {
    const ALL: [Self; 3] = [Self::Nudge, Self::LateWrite, Self::Keep];
}

async fn claim(store: &Postgres) -> Result<Vec<Due>, StoreError> {
    let lanes = ["peach/shop".to_owned()];
    Ok(store.claim(&Ask { lanes: &lanes, max: 1, lease: LEASE }).await?.due)
}

const LEASE: Duration = Duration::from_secs(30);

async fn overtake((store, Standing(schema)): (Postgres, Standing), by: Overtaker) -> Tested {
    let never = Moment::from_unix_millis(0);
    let checkout = Checkout {
        id: "a".into(),
        provider: Provider::Peach,
        merchant: "shop".into(),
        environment: Environment::Sandbox,
        state: OPEN,
        reference: "reference".into(),
        checkout_id: None,
        page: None,
        hold: None,
        notes: "{}".into(),
        version: 0,
        created_at: never,
        changed_at: never,
    };
    let new = New { checkout: &checkout, watch: "", lease: Duration::ZERO };
    assert!(matches!(store.insert(&new).await?, Inserted::Fresh(..)));
    let late = if by == Overtaker::Nudge { None } else { Some(claim(&store).await?.remove(0)) };
    let end = LEASE + Duration::from_millis(1);
    if by == Overtaker::LateWrite {
        schema.pass(end).await?;
    }
    // A claim asks for the time behind its snapshot, and before its locks. The first one to ask waits there.
    let other = schema.store().await?;
    let gate = format!("hashtextextended('{}', 0)", schema.name);
    schema
        .run(&format!(
            "SELECT pg_advisory_lock({gate}); CREATE SEQUENCE checkout.asked; \
             CREATE OR REPLACE FUNCTION checkout.now_ms() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$ BEGIN \
             IF nextval('checkout.asked') = 1 THEN PERFORM pg_advisory_xact_lock_shared({gate}); END IF; \
             RETURN (SELECT ms FROM checkout.clock); END $$"
        ))
        .await?;
    let waiting = tokio::spawn(async move { claim(&other).await });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))";
    while schema.number(waits).await? == 0 {
        assert!(!waiting.is_finished());
    }
    match &late {
        None => {
            let target =
                Target::Named { lane: "peach/shop", checkout_id: Some("c1"), reference: Some("reference") };
            let nudged = store.nudge(&Nudge { target, event: &[] }).await?;
            assert_eq!(nudged, Nudged::Queued { id: "a".into() });
        }
        Some(late) => {
            let noted = Checkout { hold: Some("noted".into()), ..late.checkout.clone() };
            let next = match by {
                Overtaker::Keep => Next::Keep,
                Overtaker::Nudge | Overtaker::LateWrite => {
                    Next::Due { after: Duration::ZERO, watch: String::new() }
                }
            };
            let read = ReadMade::None;
            let write = Write { checkout: Some(noted), next, read, lane_wait: None, news: Vec::new() };
            assert_eq!(store.write(&late.lease, &write).await?, Written::Done);
        }
    }
    if by == Overtaker::Keep {
        schema.pass(end).await?;
    }
    schema.run(&format!("SELECT pg_advisory_unlock({gate})")).await?;
    let mut due = waiting.await??;
    due.extend(claim(&store).await?);
    let seen: Vec<_> =
        due.iter().map(|due| (due.nudged, due.named.as_deref(), due.checkout.hold.as_deref())).collect();
    let wanted = if late.is_none() { (true, Some("c1"), None) } else { (false, None, Some("noted")) };
    if seen == [wanted] { Ok(()) } else { Err(format!("{seen:?}").into()) }
}
