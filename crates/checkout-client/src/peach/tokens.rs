//! The sources of V2's access tokens.

use checkout_tables::Moment;
use checkout_validate::SecretString;
use checkout_wire::peach::AccessToken;
use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Gives the access token to send at a moment, or None. Every closure of that form is a token source: bring
/// your own where several processes share a token.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::peach::TokenSource;
/// use checkout_kit::tables::Moment;
///
/// let fixed = |_now| Some("eyJh".into());
/// assert!(TokenSource::token(&fixed, Moment::from_unix_millis(0)).is_some());
/// ```
pub trait TokenSource: Send + Sync {
    /// The token, if there is a token that is still good at that moment.
    fn token(&self, now: Moment) -> Option<SecretString>;
}

impl<F: Fn(Moment) -> Option<SecretString> + Send + Sync> TokenSource for F {
    fn token(&self, now: Moment) -> Option<SecretString> {
        self(now)
    }
}

impl<T: TokenSource> TokenSource for Arc<T> {
    fn token(&self, now: Moment) -> Option<SecretString> {
        T::token(self, now)
    }
}

/// One token in memory, given out until a minute before the token expires (Assumed: a minute is enough for
/// the journey). A token that is good for less than two minutes is given out for half of its time.
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::peach::{AccessToken, TokenSource, TokenStore};
/// use checkout_kit::tables::Moment;
///
/// let store = TokenStore::default();
/// let token = AccessToken { access_token: "eyJh".into(), expires_in_seconds: 3600, token_type: None };
/// store.keep(&token, Moment::from_unix_seconds(1_000));
/// assert!(store.token(Moment::from_unix_millis(1_000_000 + 3_539_999)).is_some());
/// assert!(store.token(Moment::from_unix_millis(1_000_000 + 3_540_000)).is_none());
/// assert!(!format!("{store:?}").contains("eyJh"));
/// ```
#[derive(Default)]
pub struct TokenStore(Mutex<Option<Held>>);

impl TokenStore {
    /// Stores a token that was asked for at a moment, in place of any token that was asked for before.
    pub fn keep(&self, token: &AccessToken, asked_at: Moment) {
        let life = token.expires_in_seconds;
        let good_for = Duration::from_secs(life.saturating_sub(MARGIN_SECONDS).max(life / 2));
        let until = asked_at.saturating_add(good_for);
        let mut held = self.held();
        if held.as_ref().is_none_or(|held| held.asked_at <= asked_at) {
            *held = Some(Held { token: token.access_token.clone(), asked_at, until });
        }
    }

    /// Forgets the token, such as after a 401.
    ///
    /// ```
    /// # use checkout_client::peach::{TokenSource, TokenStore};
    /// # use checkout_tables::Moment;
    /// let store = TokenStore::default();
    /// store.forget();
    /// assert!(store.token(Moment::from_unix_millis(0)).is_none());
    /// ```
    pub fn forget(&self) {
        *self.held() = None;
    }

    /// Forgets a token that a call of that moment can have carried, and keeps a newer token.
    pub(super) fn forget_of(&self, sent_at: Moment) {
        self.held().take_if(|held| held.asked_at <= sent_at);
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenSource for TokenStore {
    fn token(&self, now: Moment) -> Option<SecretString> {
        let held = self.held();
        held.as_ref().filter(|held| now < held.until).map(|held| held.token.clone())
    }
}

impl fmt::Debug for TokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenStore").finish_non_exhaustive()
    }
}

struct Held {
    token: SecretString,
    asked_at: Moment,
    until: Moment,
}

const MARGIN_SECONDS: u64 = 60;
