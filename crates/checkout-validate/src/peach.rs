//! Peach Payments Hosted Checkout: from a draft to a checkout that its documents allow, for
//! `/checkout/initiate` and `/checkout/validate` of V1 and for `/v2/checkout` of V2; and the ids that look up
//! a status.
//!
//! ```
//! # checkout_doctest::facade!(validate);
//! use checkout_kit::Cents;
//! use checkout_kit::peach::{Currency, Draft};
//!
//! let checkout = Draft::debit(Currency::ZAR, Cents::new(200))
//!     .entity_id("8ac7a4ca68c22c4d0168c2caab2e0025")
//!     .merchant_transaction_id("Test1234")
//!     .shopper_result_url("https://shop.example/result")
//!     .field("customer.email", "tom@example.com")
//!     .check()?;
//! let pairs: Vec<_> = checkout.pairs().collect();
//! assert!(pairs.contains(&("amount", "2.00")) && pairs.contains(&("customer.email", "tom@example.com")));
//! # Ok::<(), checkout_validate::peach::Violations>(())
//! ```
//!
//! # The same pairs for the form, the JSON and the signature
//! [`InitiateCheckout::pairs`] gives every parameter in the provider's words, but for `nonce` and
//! `signature`: these belong to an attempt, and a checked request can be attempted more than once. Add the
//! nonce, sign all of the pairs, add the signature.
//!
//! # Card data
//! The customer types the card into the provider's page. This crate sends no field of the card. It can send
//! the token of a card that Peach has stored ([`Draft::card_token`]), and prints the token nowhere.

mod draft;
mod fields;
mod initiate;
mod lookup;
mod rules;
mod stored;
mod violation;

pub use draft::{Amount, Draft};
pub use initiate::InitiateCheckout;
pub use lookup::{CheckoutId, Lookup, LookupError, MerchantTransactionId, PaymentId};
pub use rules::{Limits, Rules};
pub use stored::StandingInstruction;
pub use violation::{Field, Violation, Violations, Warning};
