//! A server that loses its memory, and the life of keys.

use std::time::Duration;

use super::{
    HELD, LANE, LEASE, Prefix, Server, Standing, Tested, at_last, configure, connection, forgotten, make,
    replicated, runtime, synced, url, waits_for_a_loss,
};
use checkout_engine::conformance::Clock as _;
use checkout_engine::{Limit, Limits, ReadMade, Reserved, StoreError};
use checkout_tables::Moment;
use checkout_trust::replay::{AsyncStore, Commit, Key, Scheme, Slot};

const LATE: Limit<'static> = Limit { lane: "peach/late", ..LANE };

#[test]
pub(crate) fn keys_expire_by_themselves_and_the_epoch_does_not() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    runtime().block_on(async {
        let prefix = Prefix::new(&url);
        let redis = prefix.open().await;
        let mut connection = connection(&url).await;
        let mut life = async |key: &str| -> redis::RedisResult<i64> {
            redis::cmd("PTTL").arg(prefix.key(key)).query_async(&mut connection).await
        };
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        let reserved = life("lane:peach/m").await?;
        assert!((85_000..=91_000).contains(&reserved), "{reserved}");
        redis.end(LANE, 1, ReadMade::Answered).await?;
        let read = life("lane:peach/m").await?;
        assert!((61_000..=reserved).contains(&read), "as long as the place at least, and no longer: {read}");
        // A read that ends so late that its place lasts longer than before, and one whose place was over.
        assert_eq!(redis.reserve(LATE, 1, Duration::ZERO).await?, Reserved::Granted);
        while life("lane:peach/late").await? > 60_000 {}
        for place in [1, 2] {
            redis.end(LATE, place, ReadMade::Answered).await?;
            let late = life("lane:peach/late").await?;
            assert!((60_001..=61_000).contains(&late), "{late}");
            redis.end(LATE, place, ReadMade::None).await?;
        }
        assert_eq!(redis.reserve(LANE, 2, LEASE).await?, Reserved::Granted);
        redis.end(LANE, 1, ReadMade::Answered).await?;
        assert!(life("lane:peach/m").await? > 80_000, "the last place decides");
        redis.end(LANE, 1, ReadMade::None).await?;
        redis.end(LANE, 2, ReadMade::None).await?;
        assert_eq!(life("lane:peach/m").await?, -2, "a lane without a place has no key");
        assert_eq!(life("epoch").await?, -1);
        for (place, lease) in [(3, LEASE * 4), (4, LEASE)] {
            assert_eq!(redis.reserve(LANE, place, lease).await?, Reserved::Granted);
            assert!(life("lane:peach/m").await? > 170_000, "the longer lease decides");
        }
        redis.wait("peach/m", HELD).await?;
        let waits = life("wait:peach/m").await?;
        assert!((115_000..=121_000).contains(&waits), "{waits}");

        let key = |retention| Key::new(Scheme::named("test").unwrap(), "m", ["event"], retention);
        let short = key(Duration::from_secs(600));
        let Slot::Fresh(fence) = redis.claim(&short, Moment::now(), LEASE).await? else {
            panic!("not fresh")
        };
        let (name, day) = (format!("seen:{short}"), 24 * 60 * 60 * 1_000);
        assert!(life(&name).await? <= day + 30_000);
        assert_eq!(redis.commit(&short, fence, Moment::now()).await?, Commit::Committed);
        assert!((day + 500_000..=day + 600_000).contains(&life(&name).await?));
        assert_eq!(redis.commit(&key(Duration::MAX), fence, Moment::now()).await?, Commit::Committed);
        assert_eq!(life(&name).await?, -1, "for ever");
        assert_eq!(redis.commit(&short, fence, Moment::now()).await?, Commit::Committed);
        assert_eq!(life(&name).await?, -1, "for ever, though a shorter time was asked for");
        Ok(())
    })
}

#[test]
pub(crate) fn nothing_is_granted_after_a_first_start_until_any_lease_and_any_span_are_over() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    runtime().block_on(async {
        let (redis, clock) = Prefix::new(&url).standing().await;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
pub(crate) fn flushall_is_noticed_and_nothing_is_granted_until_what_was_lost_is_over() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        let mut connection = connection(&server.url()).await;
        redis::cmd("FLUSHALL").exec_async(&mut connection).await?;
        clock.set(1_716_501_000_000).await?;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
pub(crate) fn a_restart_without_a_copy_is_noticed() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        server.kill();
        let away = redis.reserve(LANE, 2, LEASE).await;
        assert!(matches!(away, Err(StoreError::Unavailable(_))), "{away:?}");
        let away = redis.room(&[LANE], LEASE).await;
        assert!(matches!(away, Err(StoreError::Unavailable(_))), "{away:?}");
        server.start(&[]);
        let clock = Standing { prefix: clock.prefix.clone(), connection: connection(&server.url()).await };
        clock.set(1_716_501_000_000).await?;
        at_last(async || redis.room(&[LANE], LEASE).await).await?;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
pub(crate) fn a_restart_from_an_older_copy_is_noticed_though_the_epoch_is_in_the_copy() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        let mut connection_ = connection(&server.url()).await;
        redis::cmd("SAVE").exec_async(&mut connection_).await?;
        // Not in the copy.
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        assert_eq!(redis.reserve(LANE, 2, LEASE).await?, Reserved::Granted);
        server.kill();
        server.start(&[]);
        let mut connection_ = connection(&server.url()).await;
        let epoch: Option<i64> =
            redis::cmd("GET").arg(clock.prefix.key("epoch")).query_async(&mut connection_).await?;
        assert!(epoch.is_some_and(|epoch| epoch < 0), "the copy has the epoch: {epoch:?}");
        let clock = Standing { prefix: clock.prefix.clone(), connection: connection_ };
        at_last(async || redis.room(&[LANE], LEASE).await).await?;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
pub(crate) fn a_loss_under_one_prefix_is_noticed_though_another_prefix_noticed_it_first() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (one, _clock) = make(&server.url()).await;
        let (two, clock) = make(&server.url()).await;
        let mut first = connection(&server.url()).await;
        redis::cmd("SAVE").exec_async(&mut first).await?;
        server.kill();
        server.start(&[]);
        at_last(async || one.room(&[LANE], LEASE).await).await?;
        at_last(async || two.room(&[LANE], LEASE).await).await?;
        let clock = Standing { prefix: clock.prefix.clone(), connection: connection(&server.url()).await };
        waits_for_a_loss(&two, &clock).await
    })
}

#[test]
pub(crate) fn forgotten_scripts_alone_are_loaded_again_and_lose_nothing() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, _clock) = make(&server.url()).await;
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        let mut connection = connection(&server.url()).await;
        redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut connection).await?;
        assert_eq!(redis.reserve(LANE, 2, LEASE).await?, Reserved::Granted);
        assert_eq!(redis.reserve(LANE, 3, LEASE).await?, Reserved::Wait(LEASE + HELD));
        Ok(())
    })
}

#[test]
pub(crate) fn a_replica_that_takes_over_is_noticed_though_it_has_the_epoch() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let (mut main, mut replica) = (Server::new(), Server::new());
    main.start(&["--repl-diskless-sync-delay", "0"]);
    replica.start(&["--replicaof", &format!("127.0.0.1 {}", main.port)]);
    runtime().block_on(async {
        synced(&replica).await;
        let (redis, clock) = make(&main.url()).await;
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        replicated(&main).await;
        main.kill();
        let mut of_replica = connection(&replica.url()).await;
        redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec_async(&mut of_replica).await?;
        let options = clock.prefix.options().clock_key(&clock.prefix.key("clock"));
        let redis = options.connect(&replica.url()).await?;
        let clock = Standing { prefix: clock.prefix.clone(), connection: of_replica };
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
pub(crate) fn a_policy_that_evicts_is_noticed_at_run_time_and_all_counts_as_lost_then() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        assert_eq!(redis.reserve(LANE, 1, LEASE).await?, Reserved::Granted);
        let key = Key::new(Scheme::named("test").unwrap(), "m", ["event"], HELD);
        for policy in ["allkeys-lru", "volatile-ttl"] {
            configure(&server, "maxmemory-policy", policy).await?;
            forgotten(&server, &clock.prefix).await;
            let refused = [
                redis.reserve(LANE, 1, LEASE).await.map(drop),
                redis.room(&[LANE], LEASE).await.map(drop),
                redis.claim(&key, Moment::now(), LEASE).await.map(drop),
                redis.nothing_was_lost().await,
            ];
            for refused in refused {
                let Err(StoreError::Settings(text)) = refused else { panic!("{refused:?}") };
                assert!(text.contains(policy) && text.contains("maxmemory-policy noeviction"), "{text}");
            }
            // What has happened is told all the same.
            redis.end(LANE, 1, ReadMade::Sent).await?;
            redis.wait("peach/m", LEASE).await?;
        }
        configure(&server, "maxmemory-policy", "noeviction").await?;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
pub(crate) fn evictions_between_two_looks_are_noticed() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        for place in [1, 2] {
            assert_eq!(redis.reserve(LANE, place, LEASE).await?, Reserved::Granted);
        }
        forgotten(&server, &clock.prefix).await;
        // The places have a life, and go. The epoch has none, and stays.
        configure(&server, "maxmemory-policy", "volatile-lru").await?;
        configure(&server, "maxmemory", "1").await?;
        let mut connection = connection(&server.url()).await;
        let full = redis::cmd("SET").arg("more").arg(1).exec_async(&mut connection).await;
        assert_eq!(full.unwrap_err().code(), Some("OOM"));
        configure(&server, "maxmemory", "0").await?;
        configure(&server, "maxmemory-policy", "noeviction").await?;
        let mut exists = redis::cmd("EXISTS");
        let lane: bool = exists.arg(clock.prefix.key("lane:peach/m")).query_async(&mut connection).await?;
        assert!(!lane, "the places are there");
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
pub(crate) fn a_clock_that_is_put_back_waits_and_does_not_wait_for_ever() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    runtime().block_on(async {
        let (redis, clock) = Prefix::new(&url).standing().await;
        redis.room(&[LANE], LEASE).await?;
        clock.set(1_600_000_000_000).await?;
        waits_for_a_loss(&redis, &clock).await
    })
}

#[test]
pub(crate) fn the_guard_refuses_claims_after_a_loss_for_as_long_as_a_key_can_be_played_back() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    let mut server = Server::new();
    server.start(&[]);
    runtime().block_on(async {
        let (redis, clock) = make(&server.url()).await;
        let scheme = Scheme::named("test").unwrap();
        let key = |name: &str, seconds| Key::new(scheme, "m", [name], Duration::from_secs(seconds));
        let (short, long) = (key("short", 60), key("long", 1_000_000));
        let now = Moment::from_unix_millis(7);
        let Slot::Fresh(before) = redis.claim(&short, now, LEASE).await? else { panic!("not fresh") };
        assert_eq!(redis.commit(&short, before, now).await?, Commit::Committed);
        let mut connection = connection(&server.url()).await;
        redis::cmd("FLUSHALL").exec_async(&mut connection).await?;
        clock.set(1_716_501_000_000).await?;
        for (key, wait) in [(&short, 60), (&long, 600)] {
            let refused = redis.claim(key, now, LEASE).await;
            let Err(StoreError::Unavailable(source)) = refused else { panic!("{refused:?}") };
            let expected = if wait == 60 { "60000 ms" } else { "600000 ms" };
            assert!(source.to_string().contains(expected), "{source}");
            clock.pass(Duration::from_secs(60)).await?;
        }
        let Slot::Fresh(after) = redis.claim(&short, now, LEASE).await? else { panic!("not fresh") };
        assert!(after > before, "a number came back: {after} after {before}");
        clock.pass(Duration::from_secs(540)).await?;
        assert!(matches!(redis.claim(&long, now, LEASE).await?, Slot::Fresh(_)));
        Ok(())
    })
}

#[test]
pub(crate) fn a_lane_keeps_no_more_places_than_its_limit() -> Tested {
    let Some(url) = url() else { return Ok(()) };
    runtime().block_on(async {
        let (redis, clock) = make(&url).await;
        for place in 0..20 {
            assert_eq!(redis.reserve(LANE, place, LEASE).await?, Reserved::Granted);
            clock.pass(LEASE + HELD).await?;
        }
        let mut connection = connection(&url).await;
        let mut count = redis::cmd("ZCARD");
        let kept: u32 = count.arg(clock.prefix.key("lane:peach/m")).query_async(&mut connection).await?;
        assert!(kept <= 2, "{kept}");
        Ok(())
    })
}
