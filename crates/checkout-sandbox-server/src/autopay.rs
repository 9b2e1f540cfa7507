//! The scenarios of checkouts that are paid by themselves.

use std::time::Duration;

use checkout_sandbox::{allscale, azotte, peach};

/// AllScale's intent that is confirmed after this time.
pub(crate) fn allscale(after: Duration) -> allscale::Scenario {
    allscale::Scenario::custom([(after, 10), (Duration::ZERO, 20)])
}

/// Azotte's checkout that is done after this time.
pub(crate) fn azotte(after: Duration) -> azotte::Scenario {
    azotte::Scenario::custom([azotte::Step::after(after, "CHECK_OUT_DONE")])
}

/// Peach's checkout that is paid after this time.
pub(crate) fn peach(after: Duration) -> peach::Scenario {
    peach::Scenario::custom([(after, "000.200.100"), (Duration::ZERO, peach::SUCCESS)])
}
