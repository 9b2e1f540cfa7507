//! The test keys of a world. The keys guard nothing.

use std::fmt;

use checkout_auth::allscale::SigningKey;
use checkout_auth::peach::SecretToken;
use checkout_sandbox::{allscale, azotte, peach};

/// The test keys of a world, for the three providers.
///
/// `Debug` prints the names of the world's accounts, and no secret.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = checkout_sandbox_server::Server::builder().bind().await?;
/// let keys = server.default_world().keys();
/// assert_eq!(keys.allscale_api_key, checkout_sandbox::allscale::API_KEY);
/// assert!(!format!("{keys:?}").contains(&keys.allscale_api_secret));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keys {
    /// AllScale's `X-API-Key`.
    pub allscale_api_key: String,
    /// The secret that signs AllScale's requests and webhooks.
    pub allscale_api_secret: String,
    /// Azotte's `x-tn`.
    pub azotte_x_tn: String,
    /// Azotte's `x-api-key`.
    pub azotte_api_key: String,
    /// Peach's `authentication.entityId`.
    pub peach_entity_id: String,
    /// The secret token that signs Peach's requests, answers and webhooks.
    pub peach_secret_token: String,
    /// The `clientId` of Peach's V2.
    pub peach_client_id: String,
    /// The `clientSecret` of Peach's V2.
    pub peach_client_secret: String,
    /// The `merchantId` of Peach's V2.
    pub peach_merchant_id: String,
}

impl Keys {
    /// The keys that the sandboxes publish.
    pub(crate) fn published() -> Self {
        Self {
            allscale_api_key: allscale::API_KEY.to_owned(),
            allscale_api_secret: allscale::API_SECRET.to_owned(),
            azotte_x_tn: azotte::X_TN.to_owned(),
            azotte_api_key: azotte::API_KEY.to_owned(),
            peach_entity_id: peach::ENTITY_ID.to_owned(),
            peach_secret_token: peach::SECRET_TOKEN.to_owned(),
            peach_client_id: peach::CLIENT_ID.to_owned(),
            peach_client_secret: peach::CLIENT_SECRET.to_owned(),
            peach_merchant_id: peach::MERCHANT_ID.to_owned(),
        }
    }

    /// The keys of the world with this name, which follow from the name alone.
    pub(crate) fn of_world(name: &str) -> Self {
        let hex = |purpose: &str| {
            let halves = ["1", "2"].map(|half| number_of(&format!("{half} {purpose} {name}")));
            halves.map(|half| format!("{half:016x}")).concat()
        };
        let uuid = hex("tenant");
        let part = |from: usize, to: usize| uuid.get(from..to).unwrap_or_default();
        Self {
            allscale_api_key: format!("st_sandbox_key_{name}"),
            allscale_api_secret: format!("st_sandbox_secret_{name}"),
            azotte_x_tn: format!(
                "{}-{}-4{}-8{}-{}",
                part(0, 8),
                part(8, 12),
                part(12, 15),
                part(15, 18),
                part(18, 30)
            ),
            azotte_api_key: format!("sk_sandbox_key_{name}"),
            peach_entity_id: hex("entity"),
            peach_secret_token: hex("token"),
            peach_client_id: format!("sandbox_client_{name}"),
            peach_client_secret: format!("sandbox_client_secret_{name}"),
            peach_merchant_id: format!("sandbox_merchant_{name}"),
        }
    }

    /// Each key with the name of an environment variable, without `CHECKOUT_SANDBOX_` in front.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 9] {
        [
            ("ALLSCALE_API_KEY", &self.allscale_api_key),
            ("ALLSCALE_API_SECRET", &self.allscale_api_secret),
            ("AZOTTE_X_TN", &self.azotte_x_tn),
            ("AZOTTE_API_KEY", &self.azotte_api_key),
            ("PEACH_ENTITY_ID", &self.peach_entity_id),
            ("PEACH_SECRET_TOKEN", &self.peach_secret_token),
            ("PEACH_CLIENT_ID", &self.peach_client_id),
            ("PEACH_CLIENT_SECRET", &self.peach_client_secret),
            ("PEACH_MERCHANT_ID", &self.peach_merchant_id),
        ]
    }

    /// AllScale's store with these keys. `None` if a key has no place in a header, which no name of a world
    /// leads to.
    pub(crate) fn store(&self) -> Option<allscale::Store> {
        let key = SigningKey::new(&*self.allscale_api_key, (&*self.allscale_api_secret).into()).ok()?;
        // The receivers of the server take the place of the store's URL.
        allscale::Store::new(key).webhook_url(allscale::WEBHOOK_URL).ok()
    }

    /// Azotte's tenant with these keys.
    pub(crate) fn tenant(&self) -> azotte::Tenant {
        azotte::Tenant::new(&*self.azotte_x_tn, &*self.azotte_api_key)
    }

    /// Peach's merchant with these keys. A `Referer` may be the published domain, or this machine.
    pub(crate) fn merchant(&self) -> Option<peach::Merchant> {
        let token = SecretToken::new((&*self.peach_secret_token).into()).ok()?;
        let merchant = peach::Merchant::new(&*self.peach_entity_id, token)
            .client(&*self.peach_client_id, &*self.peach_client_secret, &*self.peach_merchant_id)
            .domain(peach::REFERER.trim_start_matches("https://"));
        Some(["localhost", "127.0.0.1"].into_iter().fold(merchant, peach::Merchant::domain))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("azotte_x_tn", &self.azotte_x_tn)
            .field("peach_entity_id", &self.peach_entity_id)
            .field("peach_merchant_id", &self.peach_merchant_id)
            .finish_non_exhaustive()
    }
}

/// A number that follows from a text: FNV-1a, and a last mixing. The number is **not for security**.
pub(crate) fn number_of(text: &str) -> u64 {
    let fnv = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_keys_of_a_world_have_the_providers_forms() {
        let keys = Keys::of_world("a-1");
        let form = |text: &str| text.replace(|c: char| c.is_ascii_digit() || ('a'..='f').contains(&c), "x");
        let x = |count| "x".repeat(count);
        assert_eq!(form(&keys.azotte_x_tn), [x(8), x(4), x(4), x(4), x(12)].join("-"));
        assert_eq!(keys.azotte_x_tn.get(14..15), Some("4"));
        assert_eq!((form(&keys.peach_entity_id), form(&keys.peach_secret_token)), (x(32), x(32)));
        assert_eq!(keys.allscale_api_key, "st_sandbox_key_a-1");
        assert!(keys.store().is_some() && keys.merchant().is_some());
    }

    #[test]
    fn no_two_of_ten_thousand_worlds_share_a_key() {
        let mut seen = BTreeSet::new();
        for name in 0..10_000 {
            for (variable, value) in Keys::of_world(&format!("w{name}")).variables() {
                assert!(seen.insert((variable, value.to_owned())), "{name} {variable}");
            }
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        for keys in [Keys::published(), Keys::of_world("a")] {
            let shown = format!("{keys:?}");
            for secret in [
                &keys.allscale_api_secret,
                &keys.azotte_api_key,
                &keys.peach_secret_token,
                &keys.peach_client_secret,
            ] {
                assert!(!shown.contains(&**secret), "{shown}");
            }
        }
    }
}
