//! The merchants' stores that the sandbox knows.

use checkout_auth::allscale::SigningKey;
use checkout_tables::allscale::StableCoin;

use super::webhook::{WebhookUrl, WebhookUrlError};

/// A merchant's store: the key that the store signs with, and the settings.
///
/// `Debug` prints neither the API key nor the secret nor the webhook URL.
///
/// ```
/// use checkout_auth::allscale::SigningKey;
/// use checkout_sandbox::allscale::{Sandbox, Store};
/// use checkout_tables::allscale::StableCoin;
///
/// let key = SigningKey::new("st_key_of_mine", "st_secret_of_mine".into())?;
/// let sandbox = Sandbox::builder().store(Store::new(key).settlement_coin(StableCoin::USDC)).build();
/// # Ok::<(), checkout_auth::allscale::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    key: SigningKey,
    settlement_coin: Option<StableCoin>,
    ip_allowed: bool,
    webhook_url: Option<WebhookUrl>,
}

impl Store {
    /// A store that signs with `key`. The store has no settlement coin of its own and no webhook URL, and
    /// every address is on the store's list.
    ///
    /// ```
    /// use checkout_auth::allscale::SigningKey;
    /// use checkout_sandbox::allscale::Store;
    ///
    /// let store = Store::new(SigningKey::new("st_key", "st_secret".into())?);
    /// assert!(!format!("{store:?}").contains("st_"));
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        Self { key, settlement_coin: None, ip_allowed: true, webhook_url: None }
    }

    /// Sets the coin that a fiat order settles in if the request names no coin. The default is USDT.
    ///
    /// A coin that is not supported makes every such create fail with 10001.
    ///
    /// ```
    /// # use checkout_auth::allscale::SigningKey;
    /// # use checkout_sandbox::allscale::Store;
    /// # use checkout_tables::allscale::StableCoin;
    /// # let key = SigningKey::new("st_key", "st_secret".into())?;
    /// let store = Store::new(key).settlement_coin(StableCoin::USDC);
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn settlement_coin(mut self, coin: StableCoin) -> Self {
        self.settlement_coin = Some(coin);
        self
    }

    /// Takes the caller's address off the store's list: every create is refused with 30001.
    ///
    /// ```
    /// # use checkout_auth::allscale::SigningKey;
    /// # use checkout_sandbox::allscale::Store;
    /// # let key = SigningKey::new("st_key", "st_secret".into())?;
    /// let store = Store::new(key).ip_not_allowed();
    /// # Ok::<(), checkout_auth::allscale::KeyError>(())
    /// ```
    #[must_use]
    pub fn ip_not_allowed(mut self) -> Self {
        self.ip_allowed = false;
        self
    }

    /// Sets the URL of the store's webhooks. A store without a URL has no webhooks.
    ///
    /// # Errors
    /// [`WebhookUrlError`], unless the text is a whole `http` or `https` URL of visible ASCII, without a user
    /// and a fragment.
    ///
    /// ```
    /// # use checkout_auth::allscale::SigningKey;
    /// # use checkout_sandbox::allscale::Store;
    /// # let key = SigningKey::new("st_key", "st_secret".into())?;
    /// let store = Store::new(key).webhook_url("http://127.0.0.1:8080/hooks/allscale?store=7")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn webhook_url(mut self, url: impl Into<String>) -> Result<Self, WebhookUrlError> {
        self.webhook_url = Some(WebhookUrl::new(url.into())?);
        Ok(self)
    }

    pub(super) fn notified_at(&self) -> Option<&WebhookUrl> {
        self.webhook_url.as_ref()
    }

    pub(super) fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(super) fn api_key(&self) -> &str {
        self.key.api_key()
    }

    pub(super) fn default_coin(&self) -> Option<StableCoin> {
        self.settlement_coin
    }

    pub(super) fn is_ip_allowed(&self) -> bool {
        self.ip_allowed
    }
}
