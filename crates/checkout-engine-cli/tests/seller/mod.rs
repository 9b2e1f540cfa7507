//! An engine that sells by AllScale's sandbox, whose payers pay at once. The store's clock is the sandbox's.
#![allow(dead_code, reason = "each test file uses a part")]

use checkout_engine::{Checkout, Draft, Engine, EngineError, News, State, Store};
use checkout_money::Cents;
use checkout_sandbox::allscale::{API_KEY, API_SECRET, Sandbox, Scenario};
use checkout_tables::Environment;
use checkout_tables::allscale::Currency;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone)]
pub(crate) struct Seller {
    pub(crate) sandbox: Sandbox,
    /// The news that the shop was told: how often, by the key.
    told: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Seller {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new(1);
        sandbox.set_scenario(Some(Scenario::custom([(Duration::ZERO, 10), (Duration::ZERO, 20)])));
        Self { sandbox, told: Arc::default() }
    }

    /// An engine over a store, which says its errors.
    pub(crate) fn engine<S: Store + 'static>(
        &self,
        store: S,
        on_error: impl Fn(&EngineError) + Send + Sync + 'static,
    ) -> Outcome<Engine<S, Sandbox>> {
        let key = checkout_auth::allscale::SigningKey::new(API_KEY, API_SECRET.into())?;
        let client = checkout_client::allscale::Client::builder(key).environment(Environment::Sandbox);
        let builder = Engine::builder(store, self.sandbox.clone()).provider(client.build()?);
        Ok(builder.poll_every(Duration::from_millis(20)).on_error(on_error).build()?)
    }

    pub(crate) fn draft(id: &str) -> Outcome<Draft> {
        let draft = checkout_validate::allscale::Draft::fiat(Currency::EUR, Cents::new(49_90));
        Ok(draft.order_id(id.to_owned()).check()?.into())
    }

    /// Tells the shop.
    pub(crate) async fn tell(&self, news: News) -> Outcome {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner).entry(news.key).or_insert(0) += 1;
        Ok(())
    }

    /// Each of these orders is settled, was made once, and was told once; and there is nothing else. The end
    /// of a telling failed so many times at most: an order may be told again then, under the same key.
    pub(crate) async fn all_are_settled(&self, store: &impl Store, ids: &[String], failed: u32) -> Outcome {
        for id in ids {
            let row = store.checkout(id).await?.ok_or_else(|| format!("{id}: lost"))?;
            if !is_settled(&row) {
                return Err(format!("{row:?}").into());
            }
        }
        let mut made: Vec<String> =
            self.sandbox.intents().into_iter().filter_map(|intent| intent.order_id).collect();
        made.sort();
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut keys: Vec<String> = ids.iter().map(|id| format!("{id}/settled")).collect();
        keys.sort();
        let repeats = told.values().sum::<u32>().checked_sub(u32::try_from(keys.len())?);
        let is_told = told.keys().eq(&keys) && repeats.is_some_and(|repeats| repeats <= failed);
        let mut ids = ids.to_vec();
        ids.sort();
        if made == ids && is_told { Ok(()) } else { Err(format!("{made:?}, told {told:?}").into()) }
    }
}

pub(crate) fn is_settled(row: &Checkout) -> bool {
    row.state == State::Settled && row.hold.is_none()
}

/// SQL that lets the clock of a schema stand at this moment.
pub(crate) fn standing(schema: &str, now: checkout_tables::Moment) -> String {
    format!(
        "CREATE OR REPLACE FUNCTION {schema}.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS \
         $$ SELECT {}::bigint $$",
        now.unix_millis()
    )
}
