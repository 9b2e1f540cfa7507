//! A watch as one line of text.

use super::{Known, Watch, Watchable};
use checkout_lifecycle::{ParseTrackerError, Tracker};
use checkout_poll::{ParsePollerError, Poller};

impl<E: Watchable> Watch<E> {
    /// The watch's knowledge, in one line of text that stays the same from version to version. Keep the text
    /// in a column of the order, beside the id, whenever something changed. The text names no checkout and
    /// holds nothing of the payer.
    ///
    /// The text does not hold changes that were not reported yet, but does hold the mark for a person's look:
    /// [in conflict](Self::has_conflict). The text does not hold the answer that the watch ended with either:
    /// a watch that goes on from an end reads once more. Nor does the text hold the payer's challenge, which
    /// the next read reports again: nudge the [`handle`](Self::handle) for a report at once.
    ///
    /// ```
    /// # #[cfg(feature = "system")] {
    /// # use checkout_auth::{SecretString, allscale::SigningKey};
    /// # use checkout_client::allscale::Client;
    /// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
    /// let watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?;
    /// let column = watch.stored();
    /// assert!(column.starts_with("v1 -; v1 - - -; v1 "));
    ///
    /// let watch = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?.restore_from(&column)?;
    /// assert_eq!(watch.stored(), column);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stored(&self) -> String {
        self.known.stored(&self.poller)
    }

    /// Goes on from the [`stored`](Self::stored) text of the same checkout, as if nothing had come between.
    ///
    /// # Errors
    /// [`ParseWatchError`], which names the part that is wrong.
    pub fn restore_from(mut self, stored: &str) -> Result<Self, ParseWatchError> {
        let mut parts = stored.split(BETWEEN);
        let mut part = || parts.next().unwrap_or_default();
        let (head, tracker, poller) = (part(), part(), part());
        let conflict = match head.strip_prefix(VERSION).and_then(|head| head.strip_prefix(' ')) {
            Some(CONFLICT) => true,
            Some(NO_CONFLICT) => false,
            Some(_) => return Err(ParseWatchError::Conflict),
            None => return Err(ParseWatchError::Version),
        };
        let tracker: Tracker<E::Status> = tracker.parse().map_err(ParseWatchError::Tracker)?;
        let poller = poller.parse().map_err(ParseWatchError::Poller)?;
        if parts.next().is_some() {
            return Err(ParseWatchError::Surplus);
        }
        self.poller = poller;
        (self.known.tracker, self.known.conflict, self.known.begun) = (tracker, conflict, true);
        self.known.forget();
        Ok(self)
    }
}

impl<E: Watchable> Known<E> {
    pub(crate) fn stored(&self, poller: &Poller) -> String {
        let conflict = if self.conflict { CONFLICT } else { NO_CONFLICT };
        format!("{VERSION} {conflict}{BETWEEN}{}{BETWEEN}{poller}", self.tracker)
    }
}

/// A text that is not a stored watch: the part that is wrong.
///
/// ```
/// # #[cfg(feature = "system")] {
/// # use checkout_auth::{SecretString, allscale::SigningKey};
/// # use checkout_client::{ParseWatchError, allscale::Client};
/// # let client = Client::builder(SigningKey::new("st_key", SecretString::from("st_secret"))?).build()?;
/// let error = client.watch("65b2f3d0d2d9c0a1b2c3d4e5")?.restore_from("v2").unwrap_err();
/// assert_eq!(error, ParseWatchError::Version);
/// assert_eq!(error.to_string(), "a stored watch does not begin with v1");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseWatchError {
    /// The text does not begin with `v1`.
    #[error("a stored watch does not begin with v1")]
    Version,
    /// The part behind `v1` is neither `conflict` nor `-`.
    #[error("a stored watch does not say if its reads are in conflict")]
    Conflict,
    /// The tracker is missing or not readable.
    #[error("{0}")]
    Tracker(ParseTrackerError),
    /// The poller is missing or not readable.
    #[error("{0}")]
    Poller(ParsePollerError),
    /// The text goes on behind the poller.
    #[error("a stored watch goes on behind its poller")]
    Surplus,
}

const VERSION: &str = "v1";
const CONFLICT: &str = "conflict";
const NO_CONFLICT: &str = "-";
const BETWEEN: &str = "; ";
