//! What the model asks of a provider.

use checkout_lifecycle::{Observation, Status};
use checkout_trust::Verified;
use std::rc::Rc;

/// A provider, and what a merchant's back end makes of it: events are signed and verified, reads are written
/// and read, by the code that is under test.
pub(crate) trait Provider {
    type Status: Status;
    type Raw;
    /// What is delivered: the raw request.
    type Message: Clone;
    type Event;
    /// What the answer to a read holds.
    type Read;

    const NAME: &'static str;
    /// All the ways in which a checkout goes here.
    const COURSES: &'static [Course<Self::Status>];

    fn new() -> Self;
    /// The request by which this is told, for the `attempt`th time, at `now` in Unix milliseconds.
    fn send(&self, telling: Telling<Self::Status>, attempt: u32, now: i64) -> Self::Message;
    fn receive(&self, message: &Self::Message, now: i64) -> Result<Verified<Self::Event>, u16>;
    /// The place of the order that an event says it is about.
    fn order(event: &Verified<Self::Event>) -> usize;
    /// What the event says by itself, and whether a read is to follow.
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

/// One way in which a checkout goes.
pub(crate) struct Course<S: 'static> {
    pub(crate) statuses: &'static [S],
    /// Which event tells of each status: none, or one by its number. Two statuses can be told by one event.
    pub(crate) told: &'static [Option<u8>],
    pub(crate) money: Money,
}

/// What has come at the end of a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Money {
    Nothing,
    All,
    /// Less than is owed, although the provider calls it a success.
    Less,
    /// The provider calls it a success and does not say that the money has come.
    Unsaid,
}

/// What an event is about.
#[derive(Clone, Copy)]
pub(crate) struct Telling<S> {
    pub(crate) order: usize,
    /// The event's number within the course.
    pub(crate) number: u8,
    pub(crate) status: S,
    /// When the status came, in Unix milliseconds.
    pub(crate) changed: i64,
    pub(crate) money: Money,
}

/// Of the orders in a run: none has more.
pub(crate) const MOST_ORDERS: usize = 2;

/// When every run begins: 2024-05-23T00:00:00Z.
pub(crate) const BEGIN: i64 = 1_716_422_400_000;
