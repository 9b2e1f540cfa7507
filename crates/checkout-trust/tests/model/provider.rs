//! The parts of a provider that the model needs.

use checkout_lifecycle::{Observation, Status};
use checkout_trust::Verified;
use std::rc::Rc;

/// A provider, and the back end's reading of the provider: the code under test signs and verifies the events,
/// and writes and reads the answers.
pub(crate) trait Provider {
    type Status: Status;
    type Raw;
    /// The delivered message: the raw request.
    type Message: Clone;
    type Event;
    /// The content of the answer to a read.
    type Read;

    const NAME: &'static str;
    /// All courses of a checkout with this provider.
    const COURSES: &'static [Course<Self::Status>];

    fn new() -> Self;
    /// The request that reports this, for the `attempt`th time, at `now` in Unix milliseconds.
    fn send(&self, telling: Telling<Self::Status>, attempt: u32, now: i64) -> Self::Message;
    fn receive(&self, message: &Self::Message, now: i64) -> Result<Verified<Self::Event>, u16>;
    /// The place of the order that an event names.
    fn order(event: &Verified<Self::Event>) -> usize;
    /// The word of the event itself, and true if a read is to follow.
    fn hint(event: &Verified<Self::Event>) -> Hint<Self>;
    /// The answer to a read of a checkout that has this status since `changed`.
    fn answer(&mut self, order: usize, status: Self::Status, changed: i64, money: Money) -> Rc<Self::Read>;
    fn observed(read: &Self::Read, sent: i64) -> Observation<Self::Status, Self::Raw>;
    fn settles(&self, order: usize, read: &Self::Read) -> bool;
}

pub(crate) struct Hint<P: Provider + ?Sized> {
    pub(crate) observation: Option<Observation<P::Status, P::Raw>>,
    pub(crate) wants_a_read: bool,
}

/// One course of a checkout.
pub(crate) struct Course<S: 'static> {
    pub(crate) statuses: &'static [S],
    /// The event that reports each status: none, or an event by its number. One event can report two
    /// statuses.
    pub(crate) told: &'static [Option<u8>],
    pub(crate) money: Money,
}

/// The money at the end of a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Money {
    Nothing,
    All,
    /// Less than is owed, although the provider calls it a success.
    Less,
    /// The provider calls it a success and does not say that the money has come.
    Unsaid,
}

/// The content of an event.
#[derive(Clone, Copy)]
pub(crate) struct Telling<S> {
    pub(crate) order: usize,
    /// The event's number within the course.
    pub(crate) number: u8,
    pub(crate) status: S,
    /// The time at which the status came, in Unix milliseconds.
    pub(crate) changed: i64,
    pub(crate) money: Money,
}

/// The largest number of orders in a run.
pub(crate) const MOST_ORDERS: usize = 2;

/// The beginning of every run: 2024-05-23T00:00:00Z.
pub(crate) const BEGIN: i64 = 1_716_422_400_000;
