//! Real money, or none.

use crate::code_table;

code_table! {
    /// Whether a payment is a real one. With Azotte and Peach each has its own hosts and its own credentials.
    ///
    /// Sources: Peach Payments, *Hosted Checkout*, the list of hosts; Azotte C2A, *Get Checkout Status*, Sample Codes.
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
        /// Simulated payments, with Peach with codes of their own for success.
        Sandbox("sandbox");
    }
}
