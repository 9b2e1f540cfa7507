//! Rows to values.

use checkout_engine::{Checkout, Provider, State, StoreError};
use checkout_tables::Moment;
use checkout_validate::Redacted;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

/// A column of a row.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, name: &'static str) -> Result<T, StoreError> {
    row.try_get(name).map_err(|_| StoreError::Corrupt {
        id: row.try_get::<_, String>("id").unwrap_or_default(),
        field: name,
    })
}

pub(crate) fn moment(row: &Row, name: &'static str) -> Result<Moment, StoreError> {
    column(row, name).map(Moment::from_unix_millis)
}

/// The checkout of a row.
pub(crate) fn checkout(row: &Row) -> Result<Checkout, StoreError> {
    let id: String = column(row, "id")?;
    let corrupt = |field| StoreError::Corrupt { id: id.clone(), field };
    let provider = Provider::by_name(column(row, "provider")?).ok_or_else(|| corrupt("provider"))?;
    let environment: &str = column(row, "environment")?;
    let environment = environment.parse().map_err(|_| corrupt("environment"))?;
    let state = State::by_name(column(row, "state")?).ok_or_else(|| corrupt("state"))?;
    Ok(Checkout {
        provider,
        merchant: column(row, "merchant")?,
        environment,
        state,
        reference: column(row, "reference")?,
        checkout_id: column(row, "checkout_id")?,
        page: column::<Option<String>>(row, "page")?.map(Redacted::from),
        hold: column(row, "hold")?,
        notes: Redacted::from(column::<String>(row, "notes")?),
        version: column(row, "version")?,
        created_at: moment(row, "created_at")?,
        changed_at: moment(row, "changed_at")?,
        id,
    })
}
