//! The recorded exchanges, and their text.

use std::fmt;

use checkout_transport::Delivery;
use checkout_transport::http::StatusCode;

use super::exchange::{Answer, Asked, Body, Exchange, Outcome, Pairs, header};
use super::json::Json;
use super::scrub::Scrubber;

/// Requests and the result of each, scrubbed, in the order in which the requests were sent.
///
/// A cassette is kept as text: [`to_json`](Self::to_json) and [`from_json`](Self::from_json). The text is
/// made to be committed and compared: one line for each field, in the order in which the fields came. The
/// text has a version, and a text of another version is refused. The content of a cassette that you edit by
/// hand is yours; nothing is scrubbed when a cassette is read.
///
/// `Debug` shows the number of exchanges and nothing of the exchanges. The text shows them.
///
/// ```
/// use checkout_testkit::record::{Cassette, Recording};
/// use checkout_transport::{BlockingTransport, Request, Response, bytes::Bytes, from_fn_blocking, http};
///
/// let provider = from_fn_blocking(|_| {
///     let answer = http::Response::builder().header("set-cookie", "session=17");
///     Ok(answer.body(Bytes::from_static(br#"{"code":0,"payload":20,"user_name":"Tom"}"#)).unwrap())
/// });
/// let recording = Recording::new(provider);
/// let status = http::Request::get("https://provider.example/v1/checkout_intents/65b2/status");
/// recording.send_blocking(status.header("x-api-key", "st_17").body(Bytes::new())?)?;
///
/// let text = recording.cassette().to_json();
/// assert_eq!(
///     text,
///     r#"{
///   "version": 1,
///   "kept": [],
///   "exchanges": [
///     {
///       "request": {
///         "method": "GET",
///         "origin": "https://provider.example",
///         "path": "/v1/checkout_intents/65b2/status",
///         "query": [],
///         "headers": [
///           ["x-api-key", "(scrubbed)"]
///         ],
///         "body": null
///       },
///       "answer": {
///         "status": 200,
///         "headers": [
///           ["set-cookie", "(scrubbed)"]
///         ],
///         "body": {
///           "json": {
///             "code": 0,
///             "payload": 20,
///             "user_name": "(scrubbed)"
///           }
///         }
///       }
///     }
///   ]
/// }
/// "#
/// );
/// assert_eq!(Cassette::from_json(&text)?, recording.cassette());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Cassette {
    pub(super) scrubber: Scrubber,
    pub(super) exchanges: Vec<Exchange>,
}

impl Cassette {
    /// The number of recorded exchanges.
    ///
    /// ```
    /// # use checkout_testkit::record::Cassette;
    /// assert_eq!(Cassette::default().len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// True if nothing was recorded.
    ///
    /// ```
    /// # use checkout_testkit::record::Cassette;
    /// assert!(Cassette::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    /// The text to keep. The same cassette always gives the same text; the text ends with a line's end.
    ///
    /// ```
    /// # use checkout_testkit::record::Cassette;
    /// let text = Cassette::default().to_json();
    /// assert_eq!(text, "{\n  \"version\": 1,\n  \"kept\": [],\n  \"exchanges\": []\n}\n");
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let kept = self.scrubber.kept().iter().map(|name| text(name)).collect();
        let whole = object([
            ("version", Json::Number(VERSION.to_owned())),
            ("kept", Json::List(kept)),
            ("exchanges", Json::List(self.exchanges.iter().map(Exchange::to_json).collect())),
        ]);
        whole.pretty() + "\n"
    }

    /// The cassette of a text that [`Cassette::to_json`] gave.
    ///
    /// # Errors
    /// [`CassetteError`], which names the exchange and the field. A member that is not known is an error,
    /// too.
    ///
    /// ```
    /// # use checkout_testkit::record::Cassette;
    /// let error = Cassette::from_json(r#"{"version":2,"kept":[],"exchanges":[]}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "version: 1 is expected");
    /// let text = r#"{"version":1,"kept":[],"exchanges":[{"answer":{}}]}"#;
    /// let error = Cassette::from_json(text).unwrap_err();
    /// assert_eq!(error.to_string(), "exchange 1: request: it is missing");
    /// ```
    pub fn from_json(text: &str) -> Result<Self, CassetteError> {
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
            return Err(CassetteError::NotJson { line: error.line(), column: error.column() });
        }
        let whole = Json::read(text, LEVELS).ok_or(CassetteError::Unreadable)?;
        let at = At::default();
        let [version, kept, exchanges] = members(whole, &at, ["version", "kept", "exchanges"])?;
        if at.field("version").required(version)? != Json::Number(VERSION.to_owned()) {
            return Err(at.field("version").wrong("1 is expected"));
        }
        let mut scrubber = Scrubber::default();
        let kept_at = at.field("kept");
        for name in kept_at.list(kept)? {
            scrubber.keep(&kept_at.text(Some(name))?);
        }
        let exchanges = at.field("exchanges").list(exchanges)?.into_iter().enumerate();
        let exchanges = exchanges.map(|(place, exchange)| Exchange::of(exchange, &At::exchange(place)));
        Ok(Self { scrubber, exchanges: exchanges.collect::<Result<_, _>>()? })
    }
}

impl fmt::Debug for Cassette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cassette").field("exchanges", &self.len()).finish_non_exhaustive()
    }
}

/// The reason why a text is not a cassette. The error names a place and shows nothing of the text there.
///
/// ```
/// use checkout_testkit::record::{Cassette, CassetteError};
///
/// let error = Cassette::from_json("{\n  \"version\": 1,\n}").unwrap_err();
/// assert_eq!(error, CassetteError::NotJson { line: 3, column: 1 });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CassetteError {
    /// The text is not JSON. Lines and columns are counted from 1.
    #[error("not JSON at line {line}, column {column}")]
    NotJson {
        /// The line of the first fault.
        line: usize,
        /// The column of the fault.
        column: usize,
    },
    /// The text is JSON that is nested too deep, or has a text with half a character in it.
    #[error("JSON that is nested too deep, or has a text with half a character")]
    Unreadable,
    /// A member is missing, not known, or wrong.
    #[error("{at}: {fault}")]
    Member {
        /// Where: `exchange 2: answer.status`. Exchanges are counted from 1.
        at: String,
        /// The fault of the member.
        fault: &'static str,
    },
}

impl Exchange {
    fn to_json(&self) -> Json {
        let (name, outcome) = match &self.outcome {
            Outcome::Answer(answer) => ("answer", answer.to_json()),
            Outcome::Error { delivery, exceeded_cap } => {
                let cap = exceeded_cap.map_or(Json::Null, number);
                let delivery = ("delivery", text(&delivery.to_string()));
                ("error", object([delivery, ("exceeded_cap", cap)]))
            }
        };
        object([("request", self.asked.to_json()), (name, outcome)])
    }

    fn of(json: Json, at: &At) -> Result<Self, CassetteError> {
        let [request, answer, error] = members(json, at, ["request", "answer", "error"])?;
        let asked = Asked::of(at.field("request").required(request)?, &at.field("request"))?;
        let outcome = match (answer, error) {
            (Some(answer), None) => Outcome::Answer(Answer::of(answer, &at.field("answer"))?),
            (None, Some(error)) => error_of(error, &at.field("error"))?,
            _ => return Err(at.field("answer").wrong("either it or error is expected")),
        };
        Ok(Self { asked, outcome })
    }
}

impl Asked {
    fn to_json(&self) -> Json {
        object([
            ("method", text(&self.method)),
            ("origin", text(&self.origin)),
            ("path", text(&self.path)),
            ("query", pairs_to_json(&self.query)),
            ("headers", pairs_to_json(&self.headers)),
            ("body", self.body.to_json()),
        ])
    }

    fn of(json: Json, at: &At) -> Result<Self, CassetteError> {
        let names = ["method", "origin", "path", "query", "headers", "body"];
        let [method, origin, path, query, headers, body] = members(json, at, names)?;
        Ok(Self {
            method: at.field("method").text(method)?,
            origin: at.field("origin").text(origin)?,
            path: at.field("path").text(path)?,
            query: at.field("query").pairs(query)?,
            headers: at.field("headers").headers(headers)?,
            body: Body::of(body, &at.field("body"))?,
        })
    }
}

impl Answer {
    fn to_json(&self) -> Json {
        object([
            ("status", Json::Number(self.status.as_str().to_owned())),
            ("headers", pairs_to_json(&self.headers)),
            ("body", self.body.to_json()),
        ])
    }

    fn of(json: Json, at: &At) -> Result<Self, CassetteError> {
        let [status, headers, body] = members(json, at, ["status", "headers", "body"])?;
        let status = at.field("status").required(status)?.into_number();
        let status = status.and_then(|status| StatusCode::from_bytes(status.as_bytes()).ok());
        Ok(Self {
            status: status.ok_or_else(|| at.field("status").wrong("a number from 100 to 999 is expected"))?,
            headers: at.field("headers").headers(headers)?,
            body: Body::of(body, &at.field("body"))?,
        })
    }
}

impl Body {
    fn to_json(&self) -> Json {
        match self {
            Self::Empty => Json::Null,
            Self::Json(json) => object([("json", json.clone())]),
            Self::Form(pairs) => object([("form", pairs_to_json(pairs))]),
            Self::Bytes(len) => object([("bytes", number(*len))]),
        }
    }

    fn of(json: Option<Json>, at: &At) -> Result<Self, CassetteError> {
        let json = at.required(json)?;
        if json == Json::Null {
            return Ok(Self::Empty);
        }
        match members(json, at, ["json", "form", "bytes"])? {
            [Some(json), None, None] => Ok(Self::Json(json)),
            [None, form @ Some(_), None] => at.field("form").pairs(form).map(Self::Form),
            [None, None, Some(len)] => at.field("bytes").number(len).map(Self::Bytes),
            _ => Err(at.wrong("json, form or bytes is expected")),
        }
    }
}

/// A place in a cassette.
#[derive(Clone, Default)]
struct At {
    /// The exchange, if the place is in an exchange, from 1.
    exchange: Option<usize>,
    path: String,
}

impl At {
    fn exchange(place: usize) -> Self {
        Self { exchange: Some(place.saturating_add(1)), path: String::new() }
    }

    fn field(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { exchange: self.exchange, path }
    }

    fn wrong(&self, fault: &'static str) -> CassetteError {
        let at = match (self.exchange, self.path.as_str()) {
            (None, "") => "the cassette".to_owned(),
            (None, path) => path.to_owned(),
            (Some(exchange), "") => format!("exchange {exchange}"),
            (Some(exchange), path) => format!("exchange {exchange}: {path}"),
        };
        CassetteError::Member { at, fault }
    }

    fn required(&self, json: Option<Json>) -> Result<Json, CassetteError> {
        json.ok_or_else(|| self.wrong("it is missing"))
    }

    fn text(&self, json: Option<Json>) -> Result<String, CassetteError> {
        self.required(json)?.into_text().ok_or_else(|| self.wrong("a text is expected"))
    }

    fn number(&self, json: Json) -> Result<usize, CassetteError> {
        let number = json.into_number().and_then(|number| number.parse().ok());
        number.ok_or_else(|| self.wrong("a whole number is expected"))
    }

    fn list(&self, json: Option<Json>) -> Result<Vec<Json>, CassetteError> {
        self.required(json)?.into_list().ok_or_else(|| self.wrong("a list is expected"))
    }

    fn pairs(&self, json: Option<Json>) -> Result<Pairs, CassetteError> {
        let pair = |json: Json| {
            let [name, value] = <[Json; 2]>::try_from(json.into_list()?).ok()?;
            name.into_text().zip(value.into_text())
        };
        let pairs: Option<_> = self.list(json)?.into_iter().map(pair).collect();
        pairs.ok_or_else(|| self.wrong("pairs of a name and a value are expected"))
    }

    fn headers(&self, json: Option<Json>) -> Result<Pairs, CassetteError> {
        let pairs = self.pairs(json)?;
        if pairs.iter().all(|(name, value)| header(name, value).is_some()) {
            Ok(pairs)
        } else {
            Err(self.wrong("names and values of headers are expected"))
        }
    }
}

/// The members of an object that are known by these names. Others, and doubled ones, are faults.
fn members<const N: usize>(
    json: Json,
    at: &At,
    names: [&'static str; N],
) -> Result<[Option<Json>; N], CassetteError> {
    let Json::Object(members) = json else { return Err(at.wrong("an object is expected")) };
    let mut found = [const { None }; N];
    for (name, value) in members {
        let place = names.iter().position(|known| *known == name);
        match place.and_then(|place| found.get_mut(place)) {
            Some(place @ None) => *place = Some(value),
            Some(Some(_)) => return Err(at.field(&name).wrong("it stands twice")),
            None => return Err(at.wrong("it has a member that is not known")),
        }
    }
    Ok(found)
}

fn error_of(json: Json, at: &At) -> Result<Outcome, CassetteError> {
    let [delivery, exceeded_cap] = members(json, at, ["delivery", "exceeded_cap"])?;
    let delivery = at.field("delivery").text(delivery)?;
    let known =
        [Delivery::NotSent, Delivery::Unknown].into_iter().find(|known| known.to_string() == delivery);
    let delivery =
        known.ok_or_else(|| at.field("delivery").wrong("\"not sent\" or \"unknown\" is expected"))?;
    let cap_at = at.field("exceeded_cap");
    let exceeded_cap = cap_at.required(exceeded_cap)?;
    let exceeded_cap = if exceeded_cap == Json::Null { None } else { Some(cap_at.number(exceeded_cap)?) };
    if delivery == Delivery::NotSent && exceeded_cap.is_some() {
        return Err(cap_at.wrong("what was not sent has no answer"));
    }
    Ok(Outcome::Error { delivery, exceeded_cap })
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn pairs_to_json(pairs: &Pairs) -> Json {
    Json::List(pairs.iter().map(|(name, value)| Json::List(vec![text(name), text(value)])).collect())
}

fn text(text: &str) -> Json {
    Json::Text(text.to_owned())
}

fn number(number: usize) -> Json {
    Json::Number(number.to_string())
}

const VERSION: &str = "1";
/// The levels of a body, and those around the body.
const LEVELS: usize = 80;
