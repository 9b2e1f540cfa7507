//! The result of reading an answer.

use crate::Head;
use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::{self, Write};

/// The answer to a request for `T`, from a provider that refuses in the form `R`. A refusal is a reply like
/// any other, and not an error of this crate. Each provider's module has this type with the provider's own
/// form filled in.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::{ErrorCode, IntentStatus};
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Head, Reply, allscale};
///
/// let body = br#"{"code":50001,"payload":null,"error":{"message":"no such intent"},"request_id":"req_1"}"#;
/// let reply = allscale::read::<Open<IntentStatus>>(&Head::new(404), body)?;
/// let Reply::Refused(refusal) = &reply else { panic!("{reply:?}") };
/// assert_eq!(refusal.code, Open::Known(ErrorCode::IntentNotFound));
/// assert_eq!(refusal.message.as_deref(), Some("no such intent"));
/// assert_eq!(reply.request_id(), Some("req_1"));
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a refusal is a reply too"]
pub enum Reply<'a, T, R> {
    /// Done as asked.
    Done(Answer<'a, T>),
    /// Refused by the provider, in its own form.
    Refused(R),
    /// An unexpected response: a proxy's page, an empty 401, a redirect.
    UnexpectedResponse(UnexpectedResponse<'a>),
}

impl<'a, T, R: ProviderRefusal> Reply<'a, T, R> {
    /// The provider's id of the request. Always log the id: the provider asks for the id.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Done(answer) => answer.request_id.as_deref(),
            Self::Refused(refusal) => refusal.request_id(),
            Self::UnexpectedResponse(_) => None,
        }
    }

    /// Returns the answer, or else the refusal or unexpected response as an error.
    ///
    /// # Errors
    /// [`NotDone`], for a refusal and for an unexpected response.
    ///
    /// ```
    /// # checkout_doctest::facade!(wire);
    /// use checkout_kit::allscale::IntentStatus;
    /// use checkout_kit::tables::Open;
    /// use checkout_kit::wire::{Head, allscale};
    ///
    /// let reply = allscale::read::<Open<IntentStatus>>(&Head::new(401), b"")?;
    /// assert_eq!(reply.into_answer().unwrap_err().to_string(), "not an answer of the API's: HTTP status 401");
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    pub fn into_answer(self) -> Result<Answer<'a, T>, NotDone<'a, R>> {
        match self {
            Self::Done(answer) => Ok(answer),
            Self::Refused(refusal) => Err(NotDone::Refused(refusal)),
            Self::UnexpectedResponse(other) => Err(NotDone::UnexpectedResponse(other)),
        }
    }

    /// Returns the same reply, with the payload converted and nothing borrowed.
    ///
    /// ```
    /// # checkout_doctest::facade!(wire);
    /// use checkout_kit::allscale::IntentStatus;
    /// use checkout_kit::tables::Open;
    /// use checkout_kit::wire::{Head, Reply, allscale};
    ///
    /// let body = br#"{"code":0,"payload":20}"#.to_vec();
    /// let reply = allscale::read::<Open<IntentStatus>>(&Head::new(200), &body)?.map_owned(|status| status.value());
    /// drop(body);
    /// assert!(matches!(reply, Reply::Done(answer) if answer.payload == 20));
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    pub fn map_owned<U>(self, payload: impl FnOnce(T) -> U) -> Reply<'static, U, R::Owned> {
        match self {
            Self::Done(answer) => Reply::Done(Answer {
                payload: payload(answer.payload),
                request_id: answer.request_id.map(|id| Cow::Owned(id.into_owned())),
            }),
            Self::Refused(refusal) => Reply::Refused(refusal.into_owned()),
            Self::UnexpectedResponse(other) => Reply::UnexpectedResponse(other.into_owned()),
        }
    }
}

/// An answer with the requested payload.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::Answer;
///
/// let answer = Answer { payload: 20, request_id: Some("req_1".into()) };
/// assert_eq!(answer.payload, 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'a, T> {
    /// The requested payload.
    pub payload: T,
    /// The provider's id of the request.
    pub request_id: Option<Cow<'a, str>>,
}

/// A provider's own form of a refusal, such as [`allscale::Refusal`](crate::allscale::Refusal). The printed
/// form has the code, and can be logged.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::ProviderRefusal;
///
/// fn log(refusal: &impl ProviderRefusal) -> String {
///     format!("{refusal} {:?}", refusal.request_id())
/// }
/// ```
pub trait ProviderRefusal: fmt::Debug + fmt::Display {
    /// The same refusal with nothing borrowed.
    type Owned: ProviderRefusal + 'static;

    /// The provider's id of the request, if the provider gives an id.
    fn request_id(&self) -> Option<&str>;

    /// Makes the refusal own its borrowed parts.
    fn into_owned(self) -> Self::Owned;
}

/// An unexpected response: a proxy's page, an empty 401, a redirect.
///
/// The request may still have been done: a gateway can fail on the way back.
///
/// For a redirect, only the scheme and the host of the target are printed: a session or a token can stand
/// behind them. A redirect is mostly a base URL with `http` or another host.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Head, Reply, allscale};
///
/// let head = Head { content_type: Some("text/html"), ..Head::new(502) };
/// let Reply::UnexpectedResponse(other) = allscale::read::<Open<IntentStatus>>(&head, b"<h1>Bad Gateway</h1>")? else { panic!() };
/// assert_eq!(other.status, 502);
/// assert_eq!(other.excerpt.as_str(), "<h1>Bad Gateway</h1>");
/// // A page can echo the headers that it was sent, so what is printed leaves the excerpt out.
/// assert_eq!(other.to_string(), "not an answer of the API's: HTTP status 502, text/html");
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnexpectedResponse<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<Cow<'a, str>>,
    /// `Retry-After`.
    pub retry_after: Option<Cow<'a, str>>,
    /// `Location`, the whole target of a redirect. The redirect is not followed: the signature covers the
    /// path.
    pub location: Option<Excerpt<'a>>,
    /// The beginning of the body: the first 512 bytes, with invalid UTF-8 replaced.
    pub excerpt: Excerpt<'a>,
}

impl UnexpectedResponse<'_> {
    /// Returns the same response, with nothing borrowed.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::IntentStatus};
    /// # use checkout_wire::{Head, UnexpectedResponse, Reply, allscale};
    /// let Reply::UnexpectedResponse(other) = allscale::read::<Open<IntentStatus>>(&Head::new(401), b"")? else { panic!() };
    /// let owned: UnexpectedResponse<'static> = other.into_owned();
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    #[must_use]
    pub fn into_owned(self) -> UnexpectedResponse<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        UnexpectedResponse {
            status: self.status,
            content_type: self.content_type.map(owned),
            retry_after: self.retry_after.map(owned),
            location: self.location.map(Excerpt::into_owned),
            excerpt: self.excerpt.into_owned(),
        }
    }
}

impl UnexpectedResponse<'_> {
    /// True for a redirect: the five statuses of RFC 9110, 15.4, that name another place.
    ///
    /// ```
    /// # use checkout_tables::{Open, allscale::IntentStatus};
    /// # use checkout_wire::{Head, Reply, allscale};
    /// let head = Head { location: Some("https://elsewhere.example/"), ..Head::new(302) };
    /// let Reply::UnexpectedResponse(other) = allscale::read::<Open<IntentStatus>>(&head, b"")? else { panic!() };
    /// assert!(other.is_redirect());
    /// # Ok::<(), checkout_wire::ReadError>(())
    /// ```
    #[must_use]
    pub const fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }
}

impl<'a> UnexpectedResponse<'a> {
    pub(crate) fn new(head: &Head<'a>, body: &'a [u8]) -> Self {
        UnexpectedResponse {
            status: head.status,
            content_type: head.content_type.map(Cow::Borrowed),
            retry_after: head.retry_after.map(Cow::Borrowed),
            location: head.location.map(|location| Excerpt(Cow::Borrowed(location))),
            excerpt: Excerpt::of(body),
        }
    }
}

impl fmt::Display for UnexpectedResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an answer of the API's: HTTP status {}", self.status)?;
        if self.is_redirect() {
            f.write_str(", a redirect")?;
            if let Some(origin) = self.location.as_ref().and_then(|location| origin(location.as_str())) {
                write!(f, " to {origin}")?;
            }
            f.write_str(", which is not followed")?;
        }
        if let Some(content_type) = &self.content_type {
            write!(f, ", {}", Printable(content_type))?;
        }
        Ok(())
    }
}

/// Returns the scheme and the host of a URL, without a user, a path or a query. `None` if these are long, or
/// have other characters than the plain ones of a scheme and a host.
fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let plain = |text: &str, others: &[u8]| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
    };
    let length = scheme.len().saturating_add("://".len()).saturating_add(authority.len());
    let printed = length <= ORIGIN
        && plain(scheme, b"+-.")
        && plain(authority, b"-._:[]")
        && masked(authority).all(|p| p.is_some());
    if printed { url.get(..length) } else { None }
}

/// A text from outside, in printable form. Characters that are not printable are escaped, so that the text
/// cannot forge a line of a log or steer a terminal, and a text of more than 256 characters is cut short.
///
/// Twelve or more digits, also in groups as a card's are written, with one blank or dash between two, are
/// printed as `[digits]`: a provider can quote the request. `[digits]` counts as one character, and so an id
/// of that many digits is not shown either.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::wire::Printable;
///
/// assert_eq!(Printable("card 4111 1111 1111 1111 refused").to_string(), "card [digits] refused");
/// assert_eq!(Printable("isn't").to_string(), "isn't");
/// assert_eq!(Printable("a\r\nb\u{1b}[2J").to_string(), r"a\r\nb\u{1b}[2J");
/// assert_eq!(Printable(&"x".repeat(1_000)).to_string(), "x".repeat(256) + "...");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(
    /// The text, unchanged.
    pub &'a str,
);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pieces = masked(self.0);
        for piece in pieces.by_ref().take(PRINTED) {
            match piece {
                None => f.write_str(DIGITS)?,
                Some(character @ ('\'' | '"')) => f.write_char(character)?,
                Some(character) => write!(f, "{}", character.escape_debug())?,
            }
        }
        if pieces.next().is_some() { f.write_str("...") } else { Ok(()) }
    }
}

/// Text of an unexpected response: the beginning of the body, or the target of a redirect. `Debug` shows
/// nothing of the text: the text can echo the request.
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Head, Reply, allscale};
///
/// let Reply::UnexpectedResponse(other) = allscale::read::<Open<IntentStatus>>(&Head::new(500), b"oops")? else { panic!() };
/// assert_eq!(other.excerpt.as_str(), "oops");
/// assert_eq!(format!("{:?}", other.excerpt), "[4 bytes]");
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt<'a>(Cow<'a, str>);

impl<'a> Excerpt<'a> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the same text, with nothing borrowed.
    fn into_owned(self) -> Excerpt<'static> {
        Excerpt(Cow::Owned(self.0.into_owned()))
    }

    fn of(body: &'a [u8]) -> Self {
        Self(String::from_utf8_lossy(body.get(..EXCERPT).unwrap_or(body)))
    }
}

impl fmt::Debug for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// A refusal or an unexpected response: the error of [`Reply::into_answer`].
///
/// ```
/// # checkout_doctest::facade!(wire);
/// use checkout_kit::allscale::IntentStatus;
/// use checkout_kit::tables::Open;
/// use checkout_kit::wire::{Head, NotDone, allscale};
///
/// let reply = allscale::read::<Open<IntentStatus>>(&Head::new(400), br#"{"code":10001}"#)?;
/// let NotDone::Refused(refusal) = reply.into_answer().unwrap_err() else { panic!() };
/// assert_eq!(refusal.code.value(), 10001);
/// # Ok::<(), checkout_wire::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDone<'a, R> {
    /// Refused by the provider, in its own form.
    #[error("{0}")]
    Refused(R),
    /// An unexpected response.
    #[error("{0}")]
    UnexpectedResponse(UnexpectedResponse<'a>),
}

/// The characters of a text, with `None` in the place of digits that can be a card number; see [`Printable`].
pub(crate) fn masked(text: &str) -> impl Iterator<Item = Option<char>> {
    let mut rest = text;
    core::iter::from_fn(move || {
        let (piece, after) = match long_number(rest) {
            Some(length) => (None, rest.get(length..)?),
            None => {
                let mut characters = rest.chars();
                (Some(characters.next()?), characters.as_str())
            }
        };
        rest = after;
        Some(piece)
    })
}

/// Returns the length in bytes of the digits at the beginning of a text, if there are enough of them, with at
/// most one blank or dash between two.
fn long_number(text: &str) -> Option<usize> {
    let (mut digits, mut end, mut in_gap) = (0usize, 0usize, true);
    for (byte, at) in text.bytes().zip(1..) {
        match byte {
            b'0'..=b'9' => (digits, end, in_gap) = (digits.saturating_add(1), at, false),
            b' ' | b'-' if !in_gap => in_gap = true,
            _ => break,
        }
    }
    (digits >= FEWEST).then_some(end)
}

/// The printed form of digits that are not shown.
pub(crate) const DIGITS: &str = "[digits]";

/// The digits of the shortest number of a card.
const FEWEST: usize = 12;

const EXCERPT: usize = 512;
const ORIGIN: usize = 128;
const PRINTED: usize = 256;

#[cfg(test)]
mod tests {
    use super::{Printable, UnexpectedResponse};
    use crate::Head;
    use alloc::format;
    use alloc::string::{String, ToString};

    #[test]
    fn a_redirect_names_its_host_and_nothing_behind_the_host() {
        fn said(status: u16, location: Option<&str>) -> String {
            let head = Head { location, content_type: Some("text/html"), ..Head::new(status) };
            UnexpectedResponse::new(&head, b"<h1>moved</h1>").to_string()
        }
        for status in [301, 302, 303, 307, 308] {
            let beginning = format!("not an answer of the API's: HTTP status {status}, a redirect");
            for (location, to) in [
                ("https://elsewhere.example/login?session=SECRET#SECRET", " to https://elsewhere.example"),
                ("http://openapi.allscale.io", " to http://openapi.allscale.io"),
                ("HTTPS://[2001:db8::1]:8443/SECRET", " to HTTPS://[2001:db8::1]:8443"),
                ("https://elsewhere.example?SECRET", " to https://elsewhere.example"),
                ("https://elsewhere.example\\SECRET", " to https://elsewhere.example"),
                // If there is more than a scheme and a host, or neither, nothing is printed.
                ("https://user:SECRET@elsewhere.example/", ""),
                ("https://4111-1111-1111-1111.example/", ""),
                ("https://a\nb.example/", ""),
                ("https://SECRET SECRET/", ""),
                ("https:///SECRET", ""),
                ("://SECRET", ""),
                ("/SECRET", ""),
                ("", ""),
            ] {
                let expected = format!("{beginning}{to}, which is not followed, text/html");
                assert_eq!(said(status, Some(location)), expected, "{location}");
            }
            let long = format!("https://{}.example/", "x".repeat(200));
            assert_eq!(said(status, Some(&long)), format!("{beginning}, which is not followed, text/html"));
            assert_eq!(said(status, None), format!("{beginning}, which is not followed, text/html"));
        }
        // Not modified, and statuses that are not redirects at all.
        for status in [200, 304, 401, 502] {
            let expected = format!("not an answer of the API's: HTTP status {status}, text/html");
            assert_eq!(said(status, Some("https://elsewhere.example/")), expected);
        }
    }

    fn check(text: &str, printed: &str) {
        assert_eq!(Printable(text).to_string(), printed, "{text}");
    }

    #[test]
    fn twelve_or_more_digits_are_masked_alone_and_in_groups() {
        for number in [
            "411111111111",
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "3782 822463-10005",
            "4 1 1 1 1 1 1 1 1 1 1 1",
            &"1".repeat(100_000),
        ] {
            check(number, "[digits]");
            check(&["a", number, "b"].concat(), "a[digits]b");
            check(&["- ", number, "- "].concat(), "- [digits]- ");
            check(&["\u{e9}\n", number, "\t", number].concat(), "\u{e9}\\n[digits]\\t[digits]");
            // No digit is left at the point where a text is cut short.
            check(&["x".repeat(250), number.into(), "yz".into()].concat(), &("x".repeat(250) + "[digits]yz"));
            check(
                &["x".repeat(255), number.into(), "yz".into()].concat(),
                &("x".repeat(255) + "[digits]..."),
            );
            check(&["x".repeat(256), number.into()].concat(), &("x".repeat(256) + "..."));
        }
    }

    #[test]
    fn fewer_digits_and_digits_that_stand_apart_are_printed() {
        for text in [
            "",
            " - ",
            "41111111111",
            "4111 1111 111",
            "4111  1111  1111  1111",
            "4111 -1111 -1111 -1111",
            "411111.1111111111",
            "2019-01-25T08:27:46.916519Z",
            "000.100.110",
            "12345678901a12345678901",
        ] {
            check(text, text);
        }
    }
}
