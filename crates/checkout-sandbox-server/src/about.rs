//! The addresses and keys of a world, as JSON and as environment variables.

use serde_json::{Value, json};

use checkout_sandbox::peach;

use crate::keys::Keys;
use crate::urls::Urls;

/// The place of the state of a server without a file.
pub(crate) const STATE: &str = "in memory, lost at exit";

/// The addresses and keys, as the ready file, the banner and `GET /_/` have them.
pub(crate) fn json(urls: &Urls, keys: &Keys, state: &str) -> Value {
    json!({
        "url": urls.root(),
        "admin_url": urls.admin(),
        "allscale": {
            "url": urls.allscale(),
            "api_key": keys.allscale_api_key,
            "api_secret": keys.allscale_api_secret,
            "webhook_secret": keys.allscale_api_secret,
        },
        "azotte": {
            "url": urls.azotte(),
            "x_tn": keys.azotte_x_tn,
            "api_key": keys.azotte_api_key,
        },
        "peach": {
            "url": urls.peach(),
            "auth_url": urls.peach_auth(),
            "entity_id": keys.peach_entity_id,
            "secret_token": keys.peach_secret_token,
            "webhook_secret": keys.peach_secret_token,
            "client_id": keys.peach_client_id,
            "client_secret": keys.peach_client_secret,
            "merchant_id": keys.peach_merchant_id,
            "referer": peach::REFERER,
        },
        "state": state,
    })
}

/// The addresses and keys as environment variables.
pub(crate) fn variables(urls: &Urls, keys: &Keys) -> Vec<(String, String)> {
    let addresses = [
        ("URL", urls.root()),
        ("ADMIN_URL", &urls.admin()),
        ("ALLSCALE_URL", urls.allscale()),
        ("AZOTTE_URL", urls.azotte()),
        ("PEACH_URL", urls.peach()),
        ("PEACH_AUTH_URL", urls.peach_auth()),
        ("PEACH_REFERER", peach::REFERER),
    ];
    let all = addresses.into_iter().chain(keys.variables());
    all.map(|(name, value)| (format!("CHECKOUT_SANDBOX_{name}"), value.to_owned())).collect()
}
