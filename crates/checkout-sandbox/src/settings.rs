//! The settings that the builders of all providers share.

use checkout_tables::Moment;

use crate::VirtualClock;

/// The settings of every sandbox. `Scenario` is the provider's type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings<Scenario> {
    pub(crate) seed: u64,
    pub(crate) clock: Option<VirtualClock>,
    pub(crate) forgets_requests: bool,
    /// The scenario of a checkout for which no scenario waits.
    pub(crate) scenario: Scenario,
    /// The address of the pages, without a slash at the end. `None` for the provider's own.
    pub(crate) pages: Option<String>,
}

impl<Scenario> Settings<Scenario> {
    /// The clock that was set, or else a new clock that shows `start`.
    pub(crate) fn clock_or(&self, start: Moment) -> VirtualClock {
        self.clock.clone().unwrap_or_else(|| VirtualClock::new(start))
    }
}
