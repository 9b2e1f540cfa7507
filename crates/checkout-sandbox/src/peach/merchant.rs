//! The merchants that the sandbox knows.

use std::fmt;

use checkout_auth::peach::SecretToken;

/// A merchant: the entity, the token that signs, the credentials that get access tokens, and the settings.
///
/// `Debug` prints the entity's id and the settings, and neither the secret token nor the client's secret.
///
/// ```
/// use checkout_auth::peach::SecretToken;
/// use checkout_sandbox::peach::{Merchant, Sandbox};
///
/// let token = SecretToken::new("a_secret_token".into())?;
/// let merchant = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0025", token)
///     .client("my_client", "my_client_secret", "my_merchant_id")
///     .domain("shop.example");
/// let sandbox = Sandbox::builder().merchant(merchant).build();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Merchant {
    entity_id: String,
    token: SecretToken,
    client: Option<Client>,
    domains: Vec<String>,
    webhook_url: String,
    wrapped: bool,
}

#[derive(Clone)]
struct Client {
    id: String,
    secret: String,
    merchant_id: String,
}

impl Merchant {
    /// A merchant with one entity that signs with `token`. The merchant has no V2, no allowed domain, the
    /// webhook URL of [`WEBHOOK_URL`](super::WEBHOOK_URL), and flat replies.
    ///
    /// An id that is not 32 digits of lower-case hexadecimal makes every request for the entity fail.
    ///
    /// ```
    /// use checkout_auth::peach::SecretToken;
    /// use checkout_sandbox::peach::Merchant;
    ///
    /// let token = SecretToken::new("a_secret_token".into())?;
    /// let merchant = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0025", token);
    /// assert!(!format!("{merchant:?}").contains("a_secret_token"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(entity_id: impl Into<String>, token: SecretToken) -> Self {
        Self {
            entity_id: entity_id.into(),
            token,
            client: None,
            domains: Vec::new(),
            webhook_url: super::WEBHOOK_URL.to_owned(),
            wrapped: false,
        }
    }

    /// Sets the credentials for V2's access tokens: the client's id and secret, and the merchant's id.
    ///
    /// ```
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_sandbox::peach::Merchant;
    /// # let token = SecretToken::new("a_secret_token".into())?;
    /// let merchant = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0025", token).client("id", "hidden", "m1");
    /// assert!(!format!("{merchant:?}").contains("hidden"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn client(
        mut self,
        id: impl Into<String>,
        secret: impl Into<String>,
        merchant_id: impl Into<String>,
    ) -> Self {
        let (id, secret, merchant_id) = (id.into(), secret.into(), merchant_id.into());
        self.client = Some(Client { id, secret, merchant_id });
        self
    }

    /// Adds a domain that a `Referer` may be of, in any case. A domain does not allow its subdomains.
    ///
    /// ```
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_sandbox::peach::Merchant;
    /// # let token = SecretToken::new("a_secret_token".into())?;
    /// let merchant = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0025", token)
    ///     .domain("shop.example")
    ///     .domain("www.shop.example");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domains.push(domain.into());
        self
    }

    /// Sets the URL of the webhooks of requests without a `notificationUrl`.
    ///
    /// ```
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_sandbox::peach::Merchant;
    /// # let token = SecretToken::new("a_secret_token".into())?;
    /// let merchant = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0025", token)
    ///     .webhook_url("https://shop.example/peach");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn webhook_url(mut self, url: impl Into<String>) -> Self {
        self.webhook_url = url.into();
        self
    }

    /// Answers V1's status in the other published shape: `status`, `timestamp` (the seconds that remain),
    /// `redirect_url`, and the flat signed fields in `redirect_post_data`.
    ///
    /// ```
    /// # use checkout_auth::peach::SecretToken;
    /// # use checkout_sandbox::peach::Merchant;
    /// # let token = SecretToken::new("a_secret_token".into())?;
    /// let merchant = Merchant::new("8ac7a4ca68c22c4d0168c2caab2e0025", token).wrapped_status();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn wrapped_status(mut self) -> Self {
        self.wrapped = true;
        self
    }

    pub(super) fn entity_id(&self) -> &str {
        &self.entity_id
    }

    pub(super) fn token(&self) -> &SecretToken {
        &self.token
    }

    pub(super) fn has_client(&self, id: &str, secret: &str, merchant_id: &str) -> bool {
        self.client.as_ref().is_some_and(|client| {
            client.id == id && client.secret == secret && client.merchant_id == merchant_id
        })
    }

    /// True if a `Referer` is an address of an allowed domain, or the bare domain.
    pub(super) fn allows(&self, referer: &str) -> bool {
        let without_scheme = referer.strip_prefix("https://").or_else(|| referer.strip_prefix("http://"));
        let rest = without_scheme.unwrap_or(referer);
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        self.domains.iter().any(|domain| domain.eq_ignore_ascii_case(host))
    }

    pub(super) fn notified_at(&self) -> &str {
        &self.webhook_url
    }

    pub(super) fn is_wrapped(&self) -> bool {
        self.wrapped
    }
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merchant")
            .field("entity_id", &self.entity_id)
            .field("has_client", &self.client.is_some())
            .field("domains", &self.domains)
            .field("wrapped", &self.wrapped)
            .finish_non_exhaustive()
    }
}
