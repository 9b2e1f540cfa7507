//! Peach, as the calls see it.

use super::merchant::Merchant;
use crate::base_url::is_page;
use crate::call::{JSON, sensitive};
use crate::not_sent::NotSent;
use crate::observable::Observable;
use crate::provider::sealed::{Answers, Ask, Backend, RefusalCode, Stamp, Trouble};
use crate::provider::{Operation, Provider, Readable};
use checkout_auth::peach::VerifyError;
use checkout_lifecycle::Observation;
use checkout_tables::peach::{Outcome, PaymentStatus, ResultCode, ResultGroup, Route};
use checkout_tables::{Environment, Moment, Open};
use checkout_transport::Request;
use checkout_transport::bytes::Bytes;
use checkout_transport::http::{self, header};
use checkout_validate::ExposeSecret;
use checkout_wire::peach::{
    AccessToken, Created, Initiated, Payment, Refusal, Reply, Validated, body, create_body, query,
    read_created, read_initiated, read_payment, read_token, read_validated, token_body,
};
use checkout_wire::{Head, ReadError};
use core::convert::Infallible;
use core::fmt;
use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Peach, V1 and V2, as a [`Provider`].
///
/// ```
/// # checkout_doctest::facade!(client);
/// use checkout_kit::client::Readable;
/// use checkout_kit::peach::Peach;
///
/// fn is_asked_of_peach<T: Readable<Provider = Peach>>() {}
/// is_asked_of_peach::<checkout_kit::peach::Payment<'static>>();
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Peach {}

impl Provider for Peach {}

impl Backend for Peach {
    type Client = Arc<Merchant>;
    type Route = Route;
    type Asked = Asked;
    type Refusal = Refusal<'static>;
    type Difference = Infallible;

    fn environment(merchant: &Arc<Merchant>) -> Environment {
        merchant.environment
    }

    fn now(merchant: &Arc<Merchant>) -> Moment {
        merchant.clock.now()
    }

    fn nonce(merchant: &Arc<Merchant>) -> String {
        merchant.nonces.nonce()
    }

    fn request(merchant: &Arc<Merchant>, ask: &Ask<'_, Self>, stamp: &Stamp<'_>) -> Result<Request, NotSent> {
        let host = if ask.route == Route::Token { &merchant.auth_url } else { &merchant.checkout_url };
        let mut uri = format!("{host}{}", ask.path);
        let params = || ask.asked.params.iter().map(|(key, text)| (&**key, &**text));
        let (mut bearer, mut referer, mut sent) = (false, false, Bytes::new());
        match ask.route {
            Route::Initiate | Route::Validate => {
                checked(stamp.nonce)?;
                let nonce = [(NONCE, stamp.nonce)];
                let signature = merchant.signature(params().chain(nonce))?;
                let signature = [(checkout_auth::peach::SIGNATURE, signature.as_str())];
                sent = body(params().chain(nonce).chain(signature)).into();
                referer = true;
            }
            Route::Status => {
                let signature = merchant.signature(params())?;
                let signature = [(checkout_auth::peach::SIGNATURE, signature.as_str())];
                uri = format!("{uri}?{}", query(params().chain(signature)));
            }
            Route::Token => {
                let oauth = merchant.oauth.as_ref().ok_or(NotSent::NoAccessToken)?;
                sent = token_body(&oauth.client_id, oauth.client_secret.expose_secret(), &oauth.merchant_id)
                    .into();
            }
            Route::CreateCheckout => {
                checked(stamp.nonce)?;
                sent = create_body(params().chain([(NONCE, stamp.nonce)])).into();
                (bearer, referer) = (true, true);
            }
            Route::CheckoutStatus => bearer = true,
            // A route that joins the table is a route that no call here asks.
            _ => return Err(NotSent::Request),
        }
        let mut request =
            http::Request::builder().method(ask.route.method()).uri(uri).header(header::ACCEPT, JSON);
        if bearer {
            let oauth = merchant.oauth.as_ref().ok_or(NotSent::NoAccessToken)?;
            let token = oauth.tokens.token(stamp.now).ok_or(NotSent::NoAccessToken)?;
            let value = sensitive(&format!("Bearer {}", token.expose_secret())).ok_or(NotSent::Request)?;
            request = request.header(header::AUTHORIZATION, value);
        }
        if referer {
            request = request.header(header::REFERER, merchant.referer.clone());
        }
        if !sent.is_empty() {
            request = request.header(header::CONTENT_TYPE, JSON);
        }
        request.body(sent).map_err(|_| NotSent::Request)
    }

    fn code<'r>(refusal: &'r Refusal<'static>) -> Option<RefusalCode<'r>> {
        refusal.code.as_deref().map(RefusalCode::Text)
    }

    /// Initiate documents 400 alone, with a message or with validation errors. Assumed: a request that V2
    /// refuses in these ways is not done either. The same holds for a refusal in a form of Peach's with 401
    /// or 403, for want of a token, a signature or an allowed domain, and for a code of the groups "format",
    /// "amount" or "mac". Any other code proves nothing, because such a code is about a payment. Neither does
    /// a signature, or a transaction, that was there before, wherever the refusal says so: the request with
    /// its first use may have been done.
    fn proves_not_processed(route: Route, refusal: &Refusal<'static>) -> bool {
        let says = |text: &str| text.to_ascii_lowercase().contains("duplicate");
        let duplicate = [&refusal.message, &refusal.description].into_iter().flatten().any(|text| says(text))
            || refusal.validation_errors.iter().any(|error| says(error.text.as_str()))
            || refusal.code.as_deref() == Some(DUPLICATE_TRANSACTION);
        let of_the_request =
            |group| matches!(group, ResultGroup::Format | ResultGroup::Amount | ResultGroup::Mac);
        let code = match &refusal.code {
            Some(_) => refusal.result_code().and_then(ResultCode::group).is_some_and(of_the_request),
            None => true,
        };
        match route {
            _ if duplicate => false,
            Route::Status | Route::CheckoutStatus => matches!(refusal.http_status, 400 | 401 | 403 | 404),
            Route::Initiate | Route::Validate | Route::Token | Route::CreateCheckout | _ => {
                matches!(refusal.http_status, 400 | 401 | 403) && code
            }
        }
    }

    /// True for the code 200.300.404, or a 404 with another code (V2 documents none).
    fn is_not_there(refusal: &Refusal<'static>) -> bool {
        refusal.is_not_found() || refusal.http_status == 404
    }

    fn unauthorized(merchant: &Arc<Merchant>, route: Route, sent_at: Moment) {
        // The call for a token carries no token. A call that is older than the token carried another.
        if route != Route::Token {
            merchant.forget_token(sent_at);
        }
    }

    fn can_be_the_clock(_: &Refusal<'static>) -> bool {
        false
    }

    /// The kind of trouble by the HTTP status, and by the two groups of codes that are about Peach itself:
    /// "communication" and "system".
    fn trouble(refusal: &Refusal<'static>, http_status: u16) -> Trouble {
        let group = refusal.result_code().and_then(ResultCode::group);
        let broken = matches!(group, Some(ResultGroup::Communication | ResultGroup::System));
        match Trouble::of_http(http_status) {
            Trouble::Refused if broken => Trouble::Temporary,
            trouble @ (Trouble::Limited | Trouble::Temporary | Trouble::Refused) => trouble,
        }
    }
}

impl From<Route> for Operation {
    fn from(route: Route) -> Self {
        Self {
            method: route.method(),
            path: route.path(),
            repeat: route.repeat(),
            lookup_key: route.lookup_key(),
        }
    }
}

/// The request's facts, which an answer must agree with.
#[derive(Clone)]
pub struct Asked {
    environment: Environment,
    /// The parameters without nonce and signature. The parameters can hold anything about the payer.
    params: Arc<[(String, String)]>,
    /// The id of the lookup.
    lookup: Option<(&'static str, String)>,
}

impl Asked {
    pub(super) fn new(environment: Environment) -> Self {
        Self { environment, params: Arc::default(), lookup: None }
    }

    pub(super) fn lookup(environment: Environment, (key, id): (&'static str, &str)) -> Self {
        Self { lookup: Some((key, id.to_owned())), ..Self::new(environment) }
    }

    pub(super) fn with_params<'p>(self, pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Self {
        let params = pairs.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect();
        Self { params, ..self }
    }
}

impl Default for Asked {
    fn default() -> Self {
        Self::new(Environment::Live)
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("lookup", &self.lookup).finish_non_exhaustive()
    }
}

impl Answers<Peach> for Payment<'_> {
    fn read(head: &Head<'_>, body: &[u8], asked: &Asked) -> Result<Reply<'static, Self>, ReadError> {
        read_payment(head, body, asked.environment).map(|reply| reply.map_owned(Payment::into_owned))
    }

    /// Every answer of V1 must be signed, over all the fields that came, and so must an answer of V2 if the
    /// client requires that (Stated: PS-16). One answer alone need not be signed: that the page was not
    /// opened yet, which says nothing about the checkout and can settle nothing. An unsigned answer has an
    /// error of its own; the cause can be a provider's slip, and the checkout is read again. V2 answers over
    /// TLS with a token, and Assumed: a status of V2 may be unsigned otherwise.
    ///
    /// A signature that is there is verified wherever the secret is known. Another reading of the signed text
    /// does not matter here: the answer came over TLS, as signed.
    fn verified(&self, merchant: &Arc<Merchant>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let signed = self.signature().is_some_and(|signature| !signature.is_empty());
        match (&merchant.secret, merchant.must_be_signed) {
            (_, true) if !signed && !self.is_not_opened_yet() => Err(VerifyError::Missing.into()),
            // The word around the fields would be the status, and nobody signs that word.
            (_, true) if self.code().is_none() => Err("it is not over the status".into()),
            (Some(secret), _) if signed => Ok(secret.verify(self.fields().iter()).map(|_| ())?),
            (None, true) if signed => Err("there is no secret token to verify it with".into()),
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// The answer must name the checkout that was asked for. An answer without a status (a page not opened
    /// yet) need not name the checkout.
    fn answers(&self, _: &Arc<Merchant>, asked: &Asked) -> Result<(), &'static str> {
        let says = self.status().is_some_and(|status| status.known().is_some());
        // A wrapper without fields shows at most that the checkout is open.
        let says = says && !self.fields().is_empty();
        match &asked.lookup {
            Some((key, id)) => match self.fields().get(key) {
                Some(given) if given == id => Ok(()),
                None if !says => Ok(()),
                Some(_) | None => Err(key),
            },
            None => Ok(()),
        }
    }
}

impl Answers<Peach> for Initiated<'_> {
    fn read(head: &Head<'_>, body: &[u8], _: &Asked) -> Result<Reply<'static, Self>, ReadError> {
        read_initiated(head, body).map(|reply| reply.map_owned(Initiated::into_owned))
    }

    fn answers(&self, _: &Arc<Merchant>, _: &Asked) -> Result<(), &'static str> {
        if is_page(self.redirect_url.as_str()) { Ok(()) } else { Err("redirectUrl") }
    }
}

impl Answers<Peach> for Validated {
    fn read(head: &Head<'_>, body: &[u8], _: &Asked) -> Result<Reply<'static, Self>, ReadError> {
        read_validated(head, body).map(|reply| reply.map_owned(|validated| validated))
    }

    fn answers(&self, _: &Arc<Merchant>, _: &Asked) -> Result<(), &'static str> {
        Ok(())
    }
}

impl Answers<Peach> for Created<'_> {
    fn read(head: &Head<'_>, body: &[u8], _: &Asked) -> Result<Reply<'static, Self>, ReadError> {
        read_created(head, body).map(|reply| reply.map_owned(Created::into_owned))
    }

    fn answers(&self, _: &Arc<Merchant>, _: &Asked) -> Result<(), &'static str> {
        if is_page(self.redirect_url.as_str()) { Ok(()) } else { Err("redirectUrl") }
    }
}

impl Answers<Peach> for AccessToken {
    fn read(head: &Head<'_>, body: &[u8], _: &Asked) -> Result<Reply<'static, Self>, ReadError> {
        read_token(head, body).map(|reply| reply.map_owned(|token| token))
    }

    /// The token is sent as a bearer token. So the answer must name that type, if the answer names a type,
    /// and the token must be a header's text.
    fn answers(&self, _: &Arc<Merchant>, _: &Asked) -> Result<(), &'static str> {
        let token = self.access_token.expose_secret();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("access_token");
        }
        let bearer = self.token_type.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        if bearer { Ok(()) } else { Err("token_type") }
    }
}

macro_rules! readable {
    ($($payload:ty),+) => {
        $(
            impl Readable for $payload {
                type Provider = Peach;
            }
        )+
    };
}

readable!(Payment<'_>, Initiated<'_>, Validated, Created<'_>, AccessToken);

impl Observable for Payment<'_> {
    type Status = PaymentStatus;
    type Raw = Outcome<Cow<'static, str>>;
    /// Two a minute, of all of a merchant's checkouts together: a single checkout may be read every 30 s.
    const POLL_EVERY: Duration = Duration::from_secs(30);

    /// In the order of the answer's own `timestamp`, like webhooks.
    ///
    /// None for a code beside the list of statuses that its group explains and that ends nothing: a declined
    /// attempt after which the payer may try again, a review, something pending. The known status stays, and
    /// there is nothing to report; [`Payment::result_code`] has the code. A code that nothing explains, and a
    /// chargeback's, is an observation of something unknown.
    fn observed(&self, _: Moment) -> Option<Observation<PaymentStatus, Outcome<Cow<'static, str>>>> {
        let status = match self.status()? {
            Open::Known(status) => Open::Known(status),
            Open::Unknown(outcome) => {
                let outcome = outcome.into_raw();
                let listed = outcome.result_code().is_some_and(|code| code.status().is_some());
                let phase = outcome.result_code().and_then(checkout_lifecycle::peach::phase);
                if !listed && phase.is_some_and(|phase| !phase.is_final()) {
                    return None;
                }
                Open::from(outcome.into_owned())
            }
        };
        Some(Observation::read_ordered(status, self.moment()))
    }
}

/// An entity's id: 32 of the digits 0 to 9 and a to f.
pub(super) fn is_entity(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A nonce is 1 to 64 characters; here of visible ASCII.
fn checked(nonce: &str) -> Result<(), NotSent> {
    if (1..=64).contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(NotSent::Signature("the nonce is not 1 to 64 characters of visible ASCII".into()))
    }
}

const NONCE: &str = "nonce";
/// "A duplicate transaction", in the group of the format.
const DUPLICATE_TRANSACTION: &str = "200.200.106";
