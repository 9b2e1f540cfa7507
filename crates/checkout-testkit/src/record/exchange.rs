//! A request and its result, scrubbed: the unit that is recorded, compared and replayed.

use checkout_transport::bytes::Bytes;
use checkout_transport::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use checkout_transport::{Delivery, Response, TransportError};

use super::json::Json;

/// A request and its result.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) asked: Asked,
    pub(super) outcome: Outcome,
}

/// A request, scrubbed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) origin: String,
    pub(super) path: String,
    pub(super) query: Pairs,
    pub(super) headers: Pairs,
    pub(super) body: Body,
}

/// The result of a request.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Answer(Answer),
    Error { delivery: Delivery, exceeded_cap: Option<usize> },
}

/// An answer, scrubbed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Pairs,
    pub(super) body: Body,
}

/// A body, scrubbed.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Body {
    Empty,
    Json(Json),
    Form(Pairs),
    /// Something else, of so many bytes.
    Bytes(usize),
}

/// Names and their values, in their order.
pub(super) type Pairs = Vec<(String, String)>;

impl Asked {
    /// The first difference between a request, which was scrubbed just now, and this one, and the number of
    /// parts that agree before the difference. Headers are not compared.
    ///
    /// The text names places alone, and only by names that scrubbing has let through.
    pub(super) fn difference(&self, asked: &Self) -> Option<(usize, String)> {
        if self.method != asked.method {
            return Some((0, "the method differs".to_owned()));
        }
        if self.origin != asked.origin {
            return Some((1, "the scheme or the host differs".to_owned()));
        }
        if self.path != asked.path {
            return Some((2, "the path differs".to_owned()));
        }
        if let Some(at) = pairs_difference(&self.query, &asked.query) {
            return Some((3, format!("the query differs{at}")));
        }
        let at = match (&self.body, &asked.body) {
            (Body::Json(recorded), Body::Json(asked)) => json_difference(recorded, asked, ""),
            (Body::Form(recorded), Body::Form(asked)) => pairs_difference(recorded, asked),
            (Body::Bytes(recorded), Body::Bytes(asked)) => {
                (recorded != asked).then(|| " in length".to_owned())
            }
            (Body::Empty, Body::Empty) => None,
            _ => Some(" in kind".to_owned()),
        };
        at.map(|at| (4, format!("the body differs{at}")))
    }
}

impl Outcome {
    pub(super) fn replayed(&self) -> Result<Response, TransportError> {
        match self {
            Self::Answer(answer) => Ok(answer.response()),
            Self::Error { exceeded_cap: Some(cap), .. } => Err(TransportError::too_large(*cap)),
            Self::Error { delivery: Delivery::NotSent, .. } => Err(TransportError::not_sent(RECORDED)),
            Self::Error { delivery: Delivery::Unknown, .. } => Err(TransportError::unknown(RECORDED)),
        }
    }
}

impl Answer {
    fn response(&self) -> Response {
        let mut response = Response::new(self.body.bytes());
        *response.status_mut() = self.status;
        let headers = self.headers.iter().filter_map(|(name, value)| header(name, value));
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value);
        }
        *response.headers_mut() = all;
        response
    }
}

impl Body {
    fn bytes(&self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::Json(json) => json.compact().into(),
            Self::Form(pairs) => {
                let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
                pairs.collect::<Vec<_>>().join("&").into()
            }
            Self::Bytes(_) => Bytes::from_static(MARK.as_bytes()),
        }
    }
}

/// The header of a name and a value, if they are ones of HTTP.
pub(super) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
}

/// The first place where two values differ, as the text that follows "differs".
fn json_difference(recorded: &Json, asked: &Json, at: &str) -> Option<String> {
    let here = || Some(if at.is_empty() { String::new() } else { format!(" at {at}") });
    match (recorded, asked) {
        (Json::Object(recorded), Json::Object(asked)) => {
            for (place, (name, value)) in asked.iter().enumerate() {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                match recorded.get(place) {
                    Some((same, recorded)) if same == name => {
                        let difference = json_difference(recorded, value, &at);
                        if difference.is_some() {
                            return difference;
                        }
                    }
                    _ => return Some(format!(" at {at}")),
                }
            }
            if recorded.len() == asked.len() { None } else { here() }
        }
        (Json::List(recorded), Json::List(asked)) if recorded.len() == asked.len() => {
            let pairs = recorded.iter().zip(asked).enumerate();
            pairs
                .filter_map(|(place, (recorded, asked))| {
                    json_difference(recorded, asked, &format!("{at}[{place}]"))
                })
                .next()
        }
        _ if recorded == asked => None,
        _ => here(),
    }
}

fn pairs_difference(recorded: &Pairs, asked: &Pairs) -> Option<String> {
    let differing = asked.iter().enumerate().find(|(place, pair)| recorded.get(*place) != Some(pair));
    match differing {
        Some((_, (name, _))) => Some(format!(" at {name}")),
        None if recorded.len() == asked.len() => None,
        None => Some(String::new()),
    }
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The text that replaces a scrubbed text.
pub(super) const MARK: &str = "(scrubbed)";

const RECORDED: &str = "replayed as it was recorded";
