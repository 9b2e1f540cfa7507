//! Rows as values.

use crate::fault;
use checkout_engine::{Checkout, Provider, State, StoreError};
use checkout_tables::Moment;
use checkout_validate::Redacted;
use rusqlite::Row;
use rusqlite::types::FromSql;
use std::time::Duration;

/// The columns of a checkout that [`checkout`] reads, in its order.
macro_rules! columns {
    () => {
        "c.id, c.provider, c.merchant, c.environment, c.state, c.reference, c.checkout_id, c.page, c.hold, \
         c.notes, c.version, c.created_at, c.changed_at"
    };
}
pub(crate) use columns;

/// The number of columns that [`checkout`] reads: the place of the next.
pub(crate) const COLUMNS: usize = 13;

/// A column whose type the table holds.
pub(crate) fn get<T: FromSql>(row: &Row<'_>, place: usize) -> Result<T, StoreError> {
    row.get(place).map_err(fault::of)
}

/// A column of a row that is named, if the column cannot be read.
pub(crate) fn field<T: FromSql>(
    row: &Row<'_>,
    place: usize,
    id: &str,
    field: &'static str,
) -> Result<T, StoreError> {
    row.get(place).map_err(|_| corrupt(id, field))
}

pub(crate) fn corrupt(id: &str, field: &'static str) -> StoreError {
    StoreError::Corrupt { id: id.to_owned(), field }
}

/// The id in a column, with a sign in place of what is no UTF-8.
pub(crate) fn id(row: &Row<'_>, place: usize) -> Result<String, StoreError> {
    let value = row.get_ref(place).map_err(fault::of)?;
    Ok(String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned())
}

pub(crate) fn checkout(row: &Row<'_>) -> Result<Checkout, StoreError> {
    let of = id(row, 0)?;
    let name = |place, name| field::<String>(row, place, &of, name);
    let moment = |place, name| field::<i64>(row, place, &of, name).map(Moment::from_unix_millis);
    Ok(Checkout {
        id: field(row, 0, &of, "id")?,
        provider: Provider::by_name(&name(1, "provider")?).ok_or_else(|| corrupt(&of, "provider"))?,
        merchant: name(2, "merchant")?,
        environment: name(3, "environment")?.parse().map_err(|_| corrupt(&of, "environment"))?,
        state: State::by_name(&name(4, "state")?).ok_or_else(|| corrupt(&of, "state"))?,
        reference: name(5, "reference")?,
        checkout_id: field(row, 6, &of, "checkout_id")?,
        page: field::<Option<String>>(row, 7, &of, "page")?.map(Redacted::from),
        hold: field(row, 8, &of, "hold")?,
        notes: Redacted::from(name(9, "notes")?),
        version: field(row, 10, &of, "version")?,
        created_at: moment(11, "created_at")?,
        changed_at: moment(12, "changed_at")?,
    })
}

/// A moment some time from now, in the tables' milliseconds.
pub(crate) fn from_now(now: Moment, span: Duration) -> i64 {
    now.saturating_add(span).unix_millis()
}

/// A number that the tables hold as a signed one.
pub(crate) fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A count, which is never negative.
pub(crate) fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(if number < 0 { 0 } else { u32::MAX })
}
