//! The replay guard.

use core::time::Duration;

use checkout_engine::StoreError;
use checkout_tables::Moment;
use checkout_trust::replay::{AsyncStore, Commit, FencingToken, Key, Release, Slot};
use tokio_postgres::types::Type;

use crate::postgres::Postgres;
use crate::read::{column, moment};

impl AsyncStore for Postgres {
    type Error = StoreError;

    async fn claim(&self, key: &Key, now: Moment, lease: Duration) -> Result<Slot, StoreError> {
        let key = key.to_string();
        let (end, at) = (now.saturating_add(lease).unix_millis(), now.unix_millis());
        let claim = [(&key as _, Type::TEXT), (&end as _, Type::INT8), (&at as _, Type::INT8)];
        if let Some(row) = self.ask(&self.statements().guard_claim, &claim).await?.first() {
            return column(row, "fence").map(FencingToken::new).map(Slot::Fresh);
        }
        match self.ask(&self.statements().guard_held, &[(&key, Type::TEXT)]).await?.first() {
            Some(row) if column(row, "done")? => Ok(Slot::Done),
            Some(row) => Ok(Slot::InFlight { until: moment(row, "until")? }),
            // Released in between.
            None => Ok(Slot::InFlight { until: now }),
        }
    }

    async fn commit(&self, key: &Key, fence: FencingToken, now: Moment) -> Result<Commit, StoreError> {
        let text = key.to_string();
        let (fence, until) = (fence.number(), now.saturating_add(key.retention()).unix_millis());
        let commit = [(&text as _, Type::TEXT), (&fence as _, Type::INT8), (&until as _, Type::INT8)];
        let rows = self.ask(&self.statements().guard_commit, &commit).await?;
        Ok(if rows.is_empty() { Commit::Lost } else { Commit::Committed })
    }

    async fn release(&self, key: &Key, fence: FencingToken) -> Result<Release, StoreError> {
        let (key, fence) = (key.to_string(), fence.number());
        let release = [(&key as _, Type::TEXT), (&fence as _, Type::INT8)];
        let rows = self.ask(&self.statements().guard_release, &release).await?;
        Ok(if rows.is_empty() { Release::Lost } else { Release::Released })
    }
}
