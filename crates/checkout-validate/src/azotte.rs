//! Azotte C2A: from a draft to a submit that its documents allow.
//!
//! The ordinary way is a **stored method**: the customer's card is on file with Azotte, and the card's number
//! comes nowhere near you.
//!
//! ```
//! # checkout_doctest::facade!(validate);
//! use checkout_kit::azotte::{Draft, PaymentChannel, PaymentMethod};
//!
//! let submit = Draft::stored_method(PaymentChannel::CreditCard)
//!     .offer_identifier("off_1")
//!     .correlation_id("order_123") // sent again under the same one, it is not charged twice
//!     .item("plan_gold")
//!     .customer_urn("urn:customer:42")
//!     .check()?;
//! assert!(matches!(submit.payment_method(), PaymentMethod::StoredMethod { .. }));
//!
//! let violations = Draft::stored_method(PaymentChannel::CreditCard)
//!     .offer_identifier("off_1")
//!     .item("plan_gold")
//!     .customer_urn("urn:customer:42")
//!     .check()
//!     .unwrap_err();
//! assert_eq!(
//!     violations.to_string(),
//!     "order.correlationId: required: without it a submit whose answer was lost could charge twice"
//! );
//! # Ok::<(), checkout_validate::azotte::Violations>(())
//! ```
//!
//! # Raw card numbers
//! **A merchant that sends raw card numbers falls under PCI DSS**, with every machine that they pass through.
//! [`CardDraft`] is there for such merchants. Its texts are secrets: `Debug` shows nothing of them, nothing
//! here prints, compares or serializes them, they are overwritten when they are dropped, and a violation or a
//! warning names only their field.
//!
//! # Ids in paths
//! The `trackingId` of a status is a [`PathSegment`](crate::PathSegment), unchanged.
//!
//! # Rules of our own
//! The documents require no `correlationId`, and are silent on the form of a card. [`Violation::is_ours`]
//! identifies the refusals that are our own; each gives its reason.

mod card;
mod draft;
mod rules;
mod submit;
mod violation;

pub use card::{Card, CardDraft};
pub use draft::{Draft, ItemDraft};
pub use rules::{Limits, Rules, YearMonth};
pub use submit::{Item, PaymentMethod, SubmitCheckout};
pub use violation::{Field, ItemField, Violation, Violations, Warning};
