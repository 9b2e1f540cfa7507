//! Real money, or none.

use crate::code_table;

code_table! {
    /// Whether a payment is a real one. Azotte and Peach have hosts of their own for each; AllScale's live
    /// and test stores are told apart by their keys alone.
    ///
    /// Sources: Peach Payments, *Hosted Checkout*, the list of hosts; Azotte C2A, *Get Checkout Status*,
    /// Sample Codes.
    ///
    /// ```
    /// use checkout_tables::Environment;
    ///
    /// assert_eq!("sandbox".parse(), Ok(Environment::Sandbox));
    /// assert_eq!(Environment::Live.to_string(), "live");
    /// ```
    pub enum Environment, row = () {
        /// Real payments.
        Live("live");
        /// Simulated payments: a test store's, a sandbox's. Peach has codes of their own for their success.
        Sandbox("sandbox");
    }
}
