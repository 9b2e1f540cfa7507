//! The events of many watches.

use crate::{Change, Watch, Watchable};
use core::fmt;

/// A checkout in a [`WatchSet`](super::WatchSet). After the checkout has left, the id never means another
/// checkout.
///
/// The id is not the key of a [`Schedule`](checkout_poll::Schedule).
///
/// ```
/// # checkout_doctest::facade!(client);
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::allscale::Client;
/// # use checkout_lifecycle::Moment;
/// use checkout_kit::WatchSet;
///
/// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
/// # let now = Moment::from_unix_millis(1_716_501_000_000);
/// let mut watches = WatchSet::new(now, 42);
/// let shop = watches.merchant();
/// let stale = watches.add(shop, client.watch("65b2")?, "order_1");
/// watches.remove(stale);
/// let watch_id = watches.add(shop, client.watch("65b2")?, "order_1");
/// assert_ne!(stale, watch_id);
/// assert!(!watches.nudge(stale) && watches.nudge(watch_id));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(pub(super) u64);

/// A change of one of many checkouts.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::client::WatchEvent;
/// use checkout_kit::{Change, End, Watchable};
///
/// /// What to write into the order's row, and whether its checkout is watched on.
/// fn row<E: Watchable>(event: &WatchEvent<E, u64>) -> (u64, &str, bool) {
///     match &event.change {
///         // A person has to look before goods leave.
///         Change::End(end) if end.wants_attention() => {}
///         // The evidence: hold it to the order before goods leave.
///         Change::End(End::Ended { answer, .. }) => drop(answer.clone()),
///         _ => {}
///     }
///     (event.key, &event.stored, event.watch.is_none())
/// }
/// ```
#[must_use = "a conflict or an end must not go unheard"]
pub struct WatchEvent<E: Watchable, K> {
    /// The id of the checkout. After an end the id means no checkout any more.
    pub watch_id: WatchId,
    /// The key that the checkout was added with.
    pub key: K,
    /// The change.
    pub change: Change<E>,
    /// The knowledge of the checkout now, in one line of text: keep the text in a column of the order
    /// ([`Watch::stored`]).
    pub stored: String,
    /// The watch itself, once the checkout has left, with its [`Change::End`]. A watch that gave up can be
    /// [resumed](Watch::resume) and [added](super::WatchSet::add) again, now or later from the stored text.
    pub watch: Option<Watch<E>>,
}

impl<E: Watchable, K> fmt::Debug for WatchEvent<E, K> {
    /// The change, without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchEvent")
            .field("watch_id", &self.watch_id)
            .field("change", &self.change)
            .field("has_left", &self.watch.is_some())
            .finish_non_exhaustive()
    }
}
