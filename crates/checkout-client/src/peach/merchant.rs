//! One merchant's access, as V1 and V2 share it.

use super::tokens::{TokenSource, TokenStore};
use crate::not_sent::NotSent;
use crate::sources::{Clock, NonceSource};
use checkout_auth::peach::SecretToken;
use checkout_tables::{Environment, Moment};
use checkout_transport::http::HeaderValue;
use checkout_validate::SecretString;
use core::fmt;
use std::sync::Arc;

/// One merchant's access.
pub struct Merchant {
    pub(super) checkout_url: String,
    pub(super) auth_url: String,
    pub(super) environment: Environment,
    pub(super) entity_id: String,
    pub(super) referer: HeaderValue,
    /// The secret token, which V1 always has. For V2 the token verifies signed answers.
    pub(super) secret: Option<SecretToken>,
    /// True if a status must be signed: for V1, and for V2 if the caller asks for that.
    pub(super) must_be_signed: bool,
    /// The OAuth client, for V2.
    pub(super) oauth: Option<OAuth>,
    pub(super) clock: Box<dyn Clock>,
    pub(super) nonces: Box<dyn NonceSource>,
}

impl Merchant {
    /// Forgets a stored token that a call of that moment can have carried, if the store is the client's own.
    pub(super) fn forget_token(&self, sent_at: Moment) {
        if let Some(store) = self.oauth.as_ref().and_then(|oauth| oauth.store.as_ref()) {
            store.forget_of(sent_at);
        }
    }

    pub(super) fn signature<'p>(
        &self,
        pairs: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Result<checkout_auth::peach::Signature, NotSent> {
        let secret = self.secret.as_ref().ok_or(NotSent::Request)?;
        secret.sign(pairs).map_err(|error| NotSent::Signature(error.into()))
    }
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merchant")
            .field("environment", &self.environment)
            .field("entity_id", &self.entity_id)
            .field("checkout_url", &self.checkout_url)
            .finish_non_exhaustive()
    }
}

/// The credentials of V2's calls.
pub(super) struct OAuth {
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) merchant_id: String,
    pub(super) tokens: Box<dyn TokenSource>,
    /// The client's own store, if the tokens come from there.
    pub(super) store: Option<Arc<TokenStore>>,
}
