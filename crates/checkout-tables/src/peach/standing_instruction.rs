//! The parts of a standing instruction: the use of stored card details.

use crate::code_table;

code_table! {
    /// The use of the card details under the instruction: the first, or a repeated one.
    ///
    /// Source (Public): *Card-on-file*, `standingInstruction.mode` (2 rows).
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::peach::StandingInstructionMode;
    ///
    /// assert_eq!(StandingInstructionMode::Initial.code(), "INITIAL");
    /// ```
    #[non_exhaustive]
    pub enum StandingInstructionMode, row = () {
        /// The first payment, which stores the details.
        Initial("INITIAL");
        /// A later payment, by details that are stored.
        Repeated("REPEATED");
    }
}

code_table! {
    /// The timing of the later payments of an instruction.
    ///
    /// Source (Public): *Card-on-file*, `standingInstruction.type` (3 rows).
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::peach::StandingInstructionType;
    ///
    /// assert_eq!(StandingInstructionType::Recurring.code(), "RECURRING");
    /// ```
    #[non_exhaustive]
    pub enum StandingInstructionType, row = () {
        /// At no agreed interval.
        Unscheduled("UNSCHEDULED");
        /// At a fixed interval, until the cardholder cancels.
        Recurring("RECURRING");
        /// At a fixed interval, for one purchase and with an end.
        Installment("INSTALLMENT");
    }
}

code_table! {
    /// The party that begins a payment under an instruction.
    ///
    /// Source (Public): *Card-on-file*, `standingInstruction.source` (2 rows).
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::peach::StandingInstructionSource;
    ///
    /// assert_eq!(StandingInstructionSource::Cardholder.code(), "CIT");
    /// ```
    #[non_exhaustive]
    pub enum StandingInstructionSource, row = () {
        /// The cardholder, who takes part in the payment.
        Cardholder("CIT");
        /// The merchant, by details that are stored and without the cardholder.
        Merchant("MIT");
    }
}

code_table! {
    /// The kind of recurring payment of an instruction.
    ///
    /// Source (Public): *Copy & Pay recurring payment flow*, `standingInstruction.recurringType` (2 rows).
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::peach::RecurringType;
    ///
    /// assert_eq!(RecurringType::from_code("STANDING_ORDER"), Some(RecurringType::StandingOrder));
    /// ```
    #[non_exhaustive]
    pub enum RecurringType, row = () {
        /// A subscription.
        Subscription("SUBSCRIPTION");
        /// A standing order.
        StandingOrder("STANDING_ORDER");
    }
}
