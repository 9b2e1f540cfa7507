//! The content of a webhook, and the signatures over the content.

use checkout_auth::allscale::SigningKey;
use checkout_auth::allscale::webhook as auth;
use checkout_auth::peach::SecretToken;
use checkout_sandbox::{allscale, peach};
use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use serde_json::Value;

use super::post::Letter;
use super::target::Target;
use crate::keys::Keys;

/// A provider that sends webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    AllScale,
    Peach,
}

impl Provider {
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        [Self::AllScale, Self::Peach].into_iter().find(|provider| provider.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AllScale => "allscale",
            Self::Peach => "peach",
        }
    }
}

/// A webhook as the provider's sandbox has made the webhook.
#[derive(Clone)]
pub(crate) enum Content {
    AllScale(allscale::Webhook),
    Peach(peach::Webhook),
}

/// The deviations of one delivery from the right delivery.
#[derive(Clone, Default)]
pub(crate) struct Twist {
    /// The receiver's own secret, which signs in place of the world's.
    pub(crate) secret: Option<String>,
    /// Another body, which is signed like the right body.
    pub(crate) body: Option<Bytes>,
    pub(crate) wrong_key: bool,
    /// The number of seconds by which the signed time is too old.
    pub(crate) stale_seconds: u64,
}

impl Content {
    pub(crate) fn provider(&self) -> Provider {
        match self {
            Self::AllScale(_) => Provider::AllScale,
            Self::Peach(_) => Provider::Peach,
        }
    }

    /// The moment of the first sending.
    pub(crate) fn at(&self) -> Moment {
        match self {
            Self::AllScale(webhook) => webhook.at,
            Self::Peach(webhook) => webhook.at,
        }
    }

    /// The event: Peach's result code, or `confirmed`, the one event of AllScale.
    pub(crate) fn event(&self) -> &str {
        match self {
            Self::AllScale(_) => CONFIRMED,
            Self::Peach(webhook) => &webhook.code,
        }
    }

    pub(crate) fn checkout(&self) -> &str {
        match self {
            Self::AllScale(webhook) => &webhook.intent_id,
            Self::Peach(webhook) => &webhook.checkout_id,
        }
    }

    /// The shop's name of the order, from the body.
    pub(crate) fn order(&self) -> Option<String> {
        match self {
            Self::AllScale(webhook) => {
                let body: Value = serde_json::from_slice(&webhook.body).ok()?;
                body.get("order_id")?.as_str().map(str::to_owned)
            }
            Self::Peach(webhook) => {
                let mut fields = form_urlencoded::parse(&webhook.body);
                fields.find(|(name, _)| name == "merchantTransactionId").map(|(_, order)| order.into_owned())
            }
        }
    }

    /// The URL of the one checkout, which takes the place of the endpoints.
    pub(crate) fn url_of_checkout(&self) -> Option<&str> {
        match self {
            Self::AllScale(_) => None,
            Self::Peach(webhook) => Some(&*webhook.url).filter(|url| *url != peach::WEBHOOK_URL),
        }
    }

    pub(crate) fn body(&self) -> &Bytes {
        match self {
            Self::AllScale(webhook) => &webhook.body,
            Self::Peach(webhook) => &webhook.body,
        }
    }

    /// Signs the body with the keys of another world. AllScale's body has no signature.
    pub(crate) fn sign_anew(&mut self, keys: &Keys) {
        let Self::Peach(webhook) = self else { return };
        let Ok(token) = SecretToken::new((&*keys.peach_secret_token).into()) else { return };
        let mut fields: Vec<(String, String)> = form_urlencoded::parse(&webhook.body).into_owned().collect();
        let signed = fields.iter().filter(|(name, _)| name != "signature");
        let Ok(signature) = token.sign(signed.map(|(name, value)| (&**name, &**value))) else { return };
        let signature = signature.as_str().to_owned();
        for (_, value) in fields.iter_mut().filter(|(name, _)| name == "signature") {
            value.clone_from(&signature);
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        webhook.body = form.extend_pairs(fields).finish().into();
    }

    /// The webhook as a letter to `target`, which the provider's own clock sends at `now`, signed for the
    /// delivery with this number.
    ///
    /// AllScale's letter has the time and a nonce of the delivery. Peach's letter has the time of the event,
    /// and is the same at each delivery (Assumed).
    ///
    /// # Errors
    /// The reason why there is no signature.
    pub(crate) fn letter(
        &self,
        target: &Target,
        keys: &Keys,
        (now, number): (Moment, u32),
        twist: &Twist,
    ) -> Result<Letter, String> {
        match self {
            Self::AllScale(webhook) => of_allscale(webhook, target, keys, (now, number), twist),
            Self::Peach(webhook) => of_peach(webhook, target, keys, twist),
        }
    }
}

fn of_allscale(
    webhook: &allscale::Webhook,
    target: &Target,
    keys: &Keys,
    (now, number): (Moment, u32),
    twist: &Twist,
) -> Result<Letter, String> {
    let body = twist.body.clone().unwrap_or_else(|| webhook.body.clone());
    let now = earlier(now, twist.stale_seconds);
    let mut headers = webhook.signed_at(now, number).to_vec();
    let nonce = headers.iter().find(|(name, _)| *name == "x-webhook-nonce").map(|(_, nonce)| nonce.clone());
    let secret = secret(&keys.allscale_api_secret, twist);
    let key =
        SigningKey::new(&*keys.allscale_api_key, (&*secret).into()).map_err(|error| error.to_string())?;
    let to_sign = auth::Webhook {
        method: "POST",
        path: target.path(),
        query: target.query(),
        webhook_id: &webhook.webhook_id,
        timestamp: now.unix_seconds(),
        nonce: &nonce.unwrap_or_default(),
        body: &body,
    };
    let signature = to_sign.sign(&key).map_err(|error| format!("cannot be signed: {error}"))?;
    for (name, value) in &mut headers {
        match *name {
            "x-webhook-signature" => signature.as_str().clone_into(value),
            // The webhook may be a copy from another world.
            "x-api-key" => keys.allscale_api_key.clone_into(value),
            _ => {}
        }
    }
    headers.push(("content-type", "application/json".to_owned()));
    Ok(Letter { headers, body })
}

fn of_peach(webhook: &peach::Webhook, target: &Target, keys: &Keys, twist: &Twist) -> Result<Letter, String> {
    let secret = secret(&keys.peach_secret_token, twist);
    let token = SecretToken::new((&*secret).into()).map_err(|error| error.to_string())?;
    let sign = |pairs: &[(&str, &str)]| {
        let signature =
            token.sign(pairs.iter().copied()).map_err(|error| format!("cannot be signed: {error}"));
        Ok::<_, String>(signature?.as_str().to_owned())
    };
    let mut body = twist.body.clone().unwrap_or_else(|| webhook.body.clone());
    if twist.body.is_some() || twist.secret.is_some() || twist.wrong_key {
        let fields: Vec<_> = form_urlencoded::parse(&body).filter(|(name, _)| name != "signature").collect();
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let signature = sign(&pairs)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        body = form.extend_pairs(pairs).append_pair("signature", &signature).finish().into();
    }
    let header = |wanted: &str| {
        let found = webhook.headers.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let timestamp = match twist.stale_seconds {
        0 => header("x-webhook-timestamp"),
        seconds => {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            let right: i64 = header("x-webhook-timestamp").parse().unwrap_or_default();
            right.saturating_sub(seconds).to_string()
        }
    };
    let id = header("x-webhook-id");
    // The only field of a message is the whole message: keys and values are signed with nothing between.
    let message = format!("{timestamp}.{id}.{}.{}", target.url, String::from_utf8_lossy(&body));
    let signature = sign(&[(&message, "")])?;
    let headers = vec![
        ("x-webhook-timestamp", timestamp),
        ("x-webhook-id", id),
        ("x-webhook-signature", signature),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
    ];
    Ok(Letter { headers, body })
}

/// The secret, or another secret of the same form.
fn secret(of_world: &str, twist: &Twist) -> String {
    let right = twist.secret.as_deref().unwrap_or(of_world);
    if !twist.wrong_key {
        return right.to_owned();
    }
    // A reversed secret could be the same secret.
    right.chars().map(|c| if c == '0' { '1' } else { '0' }).collect()
}

/// Checks a secret of a receiver's own.
///
/// # Errors
/// The reason why the secret signs nothing of the provider's.
pub(crate) fn check_secret(provider: Provider, secret: &str, keys: &Keys) -> Result<(), String> {
    match provider {
        Provider::AllScale => SigningKey::new(&*keys.allscale_api_key, secret.into())
            .map(|_| ())
            .map_err(|error| error.to_string()),
        Provider::Peach => SecretToken::new(secret.into()).map(|_| ()).map_err(|error| error.to_string()),
    }
}

fn earlier(moment: Moment, seconds: u64) -> Moment {
    let millis = i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
    Moment::from_unix_millis(moment.unix_millis().saturating_sub(millis))
}

/// The name of AllScale's one event.
pub(crate) const CONFIRMED: &str = "confirmed";
