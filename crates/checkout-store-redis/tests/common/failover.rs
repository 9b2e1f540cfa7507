//! Two servers that take over from each other.

use std::time::{Duration, Instant};

use super::{
    HELD, LANE, LEASE, Prefix, Server, Standing, Switch, Tested, at_last, configure, connection, replicated,
    runtime, synced, url,
};
use checkout_engine::conformance::Clock as _;
use checkout_engine::{Limits, ReadMade, Reserved, StoreError};
use checkout_store_redis::Redis;

const LOSS: Duration = HELD.saturating_add(LEASE);
const START: i64 = 1_716_501_000_000;

/// Two servers, of which the second follows the first, and an address that leads to the first.
struct Two {
    one: Server,
    two: Server,
    switch: Switch,
    prefix: Prefix,
}

impl Two {
    async fn start() -> Self {
        let (mut one, mut two) = (Server::new(), Server::new());
        one.start(&["--repl-diskless-sync-delay", "0"]);
        two.start(&["--repl-diskless-sync-delay", "0"]);
        follow(&two, &one).await;
        let (switch, prefix) = (Switch::to(&one), Prefix::new(&one.url()));
        let this = Self { one, two, switch, prefix };
        this.clock(&this.one).await.set(START).await.unwrap();
        this.process().await.nothing_was_lost().await.unwrap();
        this
    }

    /// A process that knows the address, and nothing of what was before.
    async fn process(&self) -> Redis {
        self.process_over(&self.switch).await
    }

    async fn process_over(&self, switch: &Switch) -> Redis {
        let options = self.prefix.options().clock_key(&self.prefix.key("clock"));
        options.connect(&switch.url()).await.unwrap()
    }

    async fn clock(&self, server: &Server) -> Standing {
        Standing { prefix: self.prefix.clone(), connection: connection(&server.url()).await }
    }

    /// Leads to a server whose clock goes on from a moment.
    async fn turn(&self, server: &Server, millis: i64) {
        self.clock(server).await.set(millis).await.unwrap();
        self.forgotten(server).await;
        self.switch.turn(server);
    }

    async fn forgotten(&self, server: &Server) {
        super::forgotten(server, &self.prefix).await;
    }
}

/// Ends the following: the server takes writes.
async fn lead(server: &Server) {
    let mut connection = connection(&server.url()).await;
    redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec_async(&mut connection).await.unwrap();
}

async fn follow(server: &Server, main: &Server) {
    let mut connection = connection(&server.url()).await;
    redis::cmd("REPLICAOF").arg("127.0.0.1").arg(main.port).exec_async(&mut connection).await.unwrap();
    synced(server).await;
}

/// The answer over a connection that may have been broken off.
async fn reserve(redis: &Redis, place: i64) -> Result<Reserved, StoreError> {
    at_last(async || redis.reserve(LANE, place, LEASE).await).await
}

#[test]
pub(crate) fn a_main_server_that_comes_back_without_the_last_places_of_the_other_is_noticed() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    for idle_comes_first in [false, true] {
        runtime().block_on(async {
            let two = Two::start().await;
            let (busy, idle) = (two.process().await, two.process().await);
            assert_eq!(reserve(&busy, 1).await?, Reserved::Granted);
            idle.room(&[LANE], LEASE).await?;
            replicated(&two.one).await;
            // The second takes over, and the first follows: nothing is lost, and nobody can know that.
            lead(&two.two).await;
            follow(&two.one, &two.two).await;
            two.turn(&two.two, START).await;
            assert_eq!(reserve(&busy, 2).await?, Reserved::Wait(LOSS));
            two.clock(&two.two).await.set(START + 91_000).await?;
            replicated(&two.two).await;
            // A process that knows the term grants, also where the server has to be looked at.
            two.forgotten(&two.two).await;
            // The first takes over again, without the last places of the second.
            lead(&two.one).await;
            for place in [3, 4] {
                assert_eq!(reserve(&busy, place).await?, Reserved::Granted);
            }
            two.turn(&two.one, START + 91_001).await;
            let order = if idle_comes_first { [&idle, &busy] } else { [&busy, &idle] };
            for (redis, place) in order.into_iter().zip(5..) {
                assert_eq!(reserve(redis, place).await?, Reserved::Wait(LOSS), "{idle_comes_first}");
            }
            two.clock(&two.one).await.set(START + 91_001 + 91_000).await?;
            for (redis, place) in order.into_iter().zip(7..) {
                assert_eq!(reserve(redis, place).await?, Reserved::Granted);
            }
            Tested::Ok(())
        })?;
    }
    Ok(())
}

#[test]
pub(crate) fn a_way_back_to_a_server_that_never_followed_is_noticed_by_who_comes_from_the_other() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    runtime().block_on(async {
        let two = Two::start().await;
        let (busy, idle) = (two.process().await, two.process().await);
        assert_eq!(reserve(&busy, 1).await?, Reserved::Granted);
        idle.room(&[LANE], LEASE).await?;
        replicated(&two.one).await;
        // From here on both take writes, and neither knows of the other's.
        lead(&two.two).await;
        let mut now = START;
        // Back, and forth, and back again: each time the places of the other server are missing.
        for (turn, server) in (0..).zip([&two.two, &two.one, &two.two, &two.one]) {
            two.turn(server, now).await;
            for redis in [&busy, &idle] {
                assert_eq!(reserve(redis, 10 * turn + 2).await?, Reserved::Wait(LOSS), "turn {turn}");
            }
            now += 91_000;
            two.clock(server).await.set(now).await?;
            for place in [3, 4] {
                assert_eq!(reserve(&busy, 10 * turn + place).await?, Reserved::Granted, "turn {turn}");
            }
            let full = reserve(&busy, 10 * turn + 5).await?;
            assert_eq!(full, Reserved::Wait(LOSS));
        }
        Ok(())
    })
}

#[test]
pub(crate) fn a_main_server_that_followed_for_a_moment_and_lost_places_is_noticed_over_the_same_connection()
-> Tested {
    let Some(_) = url() else { return Ok(()) };
    runtime().block_on(async {
        let two = Two::start().await;
        let redis = two.process().await;
        replicated(&two.one).await;
        lead(&two.two).await;
        for place in [1, 2] {
            assert_eq!(redis.reserve(LANE, place, LEASE).await?, Reserved::Granted);
        }
        // The places are gone with the data of the second. Nobody was there, and no connection broke.
        follow(&two.one, &two.two).await;
        lead(&two.one).await;
        assert_eq!(redis.reserve(LANE, 3, LEASE).await?, Reserved::Wait(LOSS));
        Ok(())
    })
}

#[test]
pub(crate) fn what_a_process_took_on_a_server_that_others_had_left_is_waited_for_and_no_more() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    for ends_late in [false, true] {
        runtime().block_on(stays(ends_late))?;
    }
    Ok(())
}

/// The last process takes a place of the server that the others have left, and may end the place a while
/// later.
async fn stays(ends_late: bool) -> Tested {
    let two = Two::start().await;
    let way = Switch::to(&two.one);
    let (first, last) = (two.process().await, two.process_over(&way).await);
    for redis in [&first, &last] {
        redis.room(&[LANE], LEASE).await?;
    }
    replicated(&two.one).await;
    lead(&two.two).await;
    two.turn(&two.two, START).await;
    assert_eq!(reserve(&first, 1).await?, Reserved::Wait(LOSS));
    // A minute later the last process still takes places of the old server, and then comes too.
    let mut before = Instant::now();
    assert_eq!(reserve(&last, 2).await?, Reserved::Granted);
    if ends_late {
        two.forgotten(&two.one).await;
        before = Instant::now();
        last.end(LANE, 2, ReadMade::Sent).await?;
    }
    let after = Instant::now();
    two.clock(&two.two).await.set(START + 60_000).await?;
    way.turn(&two.two);
    // Until the process has been idle for a time that can be told.
    while after.elapsed().as_millis() < 2 {
        two.forgotten(&two.one).await;
    }
    let idle = after.elapsed();
    let Reserved::Wait(wait) = reserve(&last, 3).await? else { panic!("the place 2 was forgotten") };
    assert!(wait >= LOSS.saturating_sub(before.elapsed()), "{wait:?}");
    let most = LOSS.saturating_sub(Duration::from_millis(u64::try_from(idle.as_millis())?));
    assert!(wait <= most, "{wait:?} is more than {most:?}");
    assert_eq!(reserve(&first, 4).await?, Reserved::Wait(wait));
    two.clock(&two.two).await.pass(wait).await?;
    assert_eq!(reserve(&first, 5).await?, Reserved::Granted);
    Ok(())
}

#[test]
pub(crate) fn a_server_that_evicts_keys_is_refused_when_it_takes_over_again() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    runtime().block_on(async {
        let two = Two::start().await;
        let redis = two.process().await;
        redis.room(&[LANE], LEASE).await?;
        replicated(&two.one).await;
        lead(&two.two).await;
        two.turn(&two.two, START).await;
        assert_eq!(reserve(&redis, 1).await?, Reserved::Wait(LOSS));
        configure(&two.one, "maxmemory-policy", "allkeys-lru").await?;
        two.turn(&two.one, START + 91_000).await;
        for place in [2, 3] {
            let refused = reserve(&redis, place).await;
            assert!(matches!(refused, Err(StoreError::Settings(_))), "{refused:?}");
        }
        Ok(())
    })
}

#[test]
pub(crate) fn who_comes_from_elsewhere_is_noticed_also_where_the_server_was_just_looked_at() -> Tested {
    let Some(_) = url() else { return Ok(()) };
    runtime().block_on(async {
        let two = Two::start().await;
        let redis = two.process().await;
        assert_eq!(reserve(&redis, 1).await?, Reserved::Granted);
        replicated(&two.one).await;
        lead(&two.two).await;
        two.turn(&two.two, START).await;
        assert_eq!(reserve(&redis, 2).await?, Reserved::Wait(LOSS));
        // A process that stayed has had the first server looked at, for as long as this test takes.
        two.switch.turn(&two.one);
        let mut connection = connection(&two.one.url()).await;
        let mut keep = redis::cmd("PERSIST");
        keep.arg(two.prefix.key("sure"));
        while !keep.query_async::<bool>(&mut connection).await? {
            two.process().await.room(&[LANE], LEASE).await?;
        }
        assert_eq!(reserve(&redis, 3).await?, Reserved::Wait(LOSS));
        Ok(())
    })
}
