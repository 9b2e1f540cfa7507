//! Every table as it prints, with all that its rows say: `tests/snapshots`.
//!
//! Each list is the derive's, so that no row can be left out. The right content of the rows comes from the
//! pages and is held by the tests of each provider; a picture shows every change of the content to the reader
//! of the change. `INSTA_UPDATE=always cargo test -p checkout-tables --all-features --test snapshots` renews
//! the pictures.
#![cfg(feature = "strum")]
#![allow(missing_docs, reason = "tests")]

use checkout_tables::{IntCode, Repeat, TextCode, allscale, azotte, peach};
use std::fmt::{Debug, Display};
use strum::{EnumCount, IntoEnumIterator};

/// A heading with the number of rows, and a line for each row.
fn table<T>(name: &str, cells: impl Fn(T) -> String) -> String
where
    T: IntoEnumIterator + EnumCount + Copy + Debug + Display,
{
    let lines = T::iter().map(|row| format!("{row:?} prints {row}{}\n", cells(row)));
    format!("# {name}, {} rows\n{}", T::COUNT, lines.collect::<String>())
}

fn value<T: IntCode>(row: T) -> String {
    format!(", is {}", row.value())
}

fn code<T: TextCode>(row: T) -> String {
    format!(", is {:?}", row.code())
}

macro_rules! routes {
    ($route:ty) => {
        table("Route", |row: $route| {
            format!(", {} {}, {}, read first: {:?}", row.method(), row.path(), row.repeat(), row.lookup_key())
        })
    };
}

#[test]
fn tables_of_allscale() {
    use allscale::{Currency, ErrorCode, IntentStatus, PaymentMethodType, Route, StableCoin};

    let picture = [
        table("IntentStatus", |row: IntentStatus| {
            format!("{}{}", value(row), if row.is_terminal() { ", terminal" } else { "" })
        }),
        table("StableCoin", |row: StableCoin| {
            let supported = if row.is_supported() { "" } else { ", not supported" };
            format!("{}, {}, flag {}{supported}", value(row), row.name(), row.flag())
        }),
        table("ErrorCode", |row: ErrorCode| {
            format!("{}, {}, of {:?}", value(row), row.meaning(), row.routes())
        }),
        table("PaymentMethodType", value::<PaymentMethodType>),
        routes!(Route),
        table("Currency", |row: Currency| format!("{}, {}", value(row), row.name())),
    ];
    insta::assert_snapshot!(picture.join("\n"));
}

#[test]
fn tables_of_azotte() {
    use azotte::{ErrorCode, MessageCode, PaymentChannel, Route};

    let picture = [
        table("MessageCode", |row: MessageCode| {
            let terminal = if row.is_terminal() { ", terminal" } else { "" };
            format!("{}{terminal}, {:?}", code(row), row.action())
        }),
        table("ErrorCode", code::<ErrorCode>),
        table("PaymentChannel", code::<PaymentChannel>),
        routes!(Route),
    ];
    insta::assert_snapshot!(picture.join("\n"));
}

#[test]
fn tables_of_peach() {
    use peach::{Currency, Environment, PaymentStatus, PaymentType, Route};

    let picture = [
        table("PaymentStatus", |row: PaymentStatus| {
            format!("{}{}", code(row), if row.is_final() { ", final" } else { "" })
        }),
        table("PaymentType", |row: PaymentType| format!("{}, {}", code(row), row.name())),
        table("Environment", code::<Environment>),
        routes!(Route),
        table("Currency", |row: Currency| format!("{}, {}", code(row), row.name())),
    ];
    insta::assert_snapshot!(picture.join("\n"));
}

#[test]
fn table_of_repeat() {
    insta::assert_snapshot!(table("Repeat", |_: Repeat| String::new()));
}
