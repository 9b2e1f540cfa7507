//! The environment of a payment: real money, or none.

use crate::code_table;

code_table! {
    /// The environment of a payment: real or simulated. Azotte and Peach have separate hosts for each; only
    /// the keys distinguish AllScale's live and test stores.
    ///
    /// Sources: Peach Payments, *Hosted Checkout*, the list of hosts; Azotte C2A, *Get Checkout Status*,
    /// Sample Codes.
    ///
    /// ```
    /// # checkout_doctest::facade!(tables);
    /// use checkout_kit::Environment;
    ///
    /// assert_eq!("sandbox".parse(), Ok(Environment::Sandbox));
    /// assert_eq!(Environment::Live.to_string(), "live");
    /// ```
    pub enum Environment, row = () {
        /// Real payments.
        Live("live");
        /// Simulated payments: of a test store or a sandbox. Peach has separate codes for their success.
        Sandbox("sandbox");
    }
}
