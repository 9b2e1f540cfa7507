//! A test suite for a transport of your own: the suite checks [the
//! contract](checkout_transport#the-contract), law by law, against a misbehaving HTTP server of the suite's
//! own on loopback.
//!
//! A test in your own crate is one line. The suite makes transports of your type, with a time-out that the
//! suite chooses and the cap [`BODY_CAP`](checkout_transport::BODY_CAP):
//!
//! ```
//! use std::time::Duration;
//!
//! use checkout_testkit::contract;
//! use checkout_transport::{BlockingTransport, Request, Response, from_fn_blocking};
//!
//! /// It answers without asking anybody.
//! fn offline(_timeout: Duration) -> impl BlockingTransport {
//!     from_fn_blocking(|_request: Request| Ok(Response::default()))
//! }
//!
//! let broken = contract::check_blocking(offline).unwrap_err();
//! assert_eq!(broken.law(), contract::Law::MethodGoesOutAsGiven);
//! assert_eq!(broken.to_string(), "the method goes out as given: of a GET: 0 requests came");
//! ```
//!
//! No law can be skipped. A stack may refuse a request that the stack cannot send as given, where
//! [`Law::OddRequestIsNotChanged`] names the request, as long as nothing goes out then. While you mend one
//! law, [`Law::check`] and its siblings check that law alone, in less time. Only the whole suite shows that
//! the other laws hold.
//!
//! The server speaks HTTP/1.1 over plain TCP on `127.0.0.1` (a port of `127.0.0.2` is the one where nobody
//! listens), in threads of its own, which end with each law. Whatever a transport does, the server lets go
//! after some seconds, so a suite ends as long as the transport's calls end when the connection does. For a
//! transport that keeps the contract the suite takes a few seconds, most of them for the time-outs.
//!
//! **What is not checked:** TLS, beyond that nothing goes out in clear; HTTP/2 and HTTP/3; names that do not
//! resolve and connections that are never accepted; threads that share a blocking transport, other than by
//! [`check_shared`]; logs. Proxies are not checked either: they are the operator's choice. If a transport
//! takes proxies from the environment, make the transport without them for this suite, or run the suite with
//! `NO_PROXY=127.0.0.1,127.0.0.2`.

mod connection;
mod crowd;
mod failure;
mod request;
mod response;
mod server;
mod stage;

use std::fmt;
use std::time::Duration;

use checkout_transport::{BlockingTransport, LocalTransport, Transport};

use stage::{AtOnce, Stage};

/// Checks every law of [`Law::ALL`] but those of [`Law::OF_FUTURES`] and [`Law::OF_THREADS`], which do not
/// apply to a blocking transport of one thread. `make` makes the transports for a time-out over the whole
/// exchange.
///
/// For a transport that threads can share there is [`check_shared`].
///
/// # Errors
/// The first law that does not hold, and the observation that shows the breach.
///
/// ```
/// use checkout_testkit::contract::{Law, check_blocking};
/// use checkout_transport::{TransportError, from_fn_blocking};
///
/// let broken = check_blocking(|_timeout| {
///     from_fn_blocking(|_request| Err(TransportError::not_sent("there is no network in this test")))
/// });
/// assert_eq!(broken.unwrap_err().law(), Law::MethodGoesOutAsGiven);
/// ```
pub fn check_blocking<T: BlockingTransport>(make: impl Fn(Duration) -> T) -> Result<(), Broken> {
    check_one_by_one(&|timeout| AtOnce(make(timeout)))
}

/// Checks the laws that [`check_blocking`] checks, and the laws of [`Law::OF_THREADS`], on blocking
/// transports that threads can share.
///
/// # Errors
/// The first law that does not hold, and the observation that shows the breach.
///
/// # Panics
///
/// When the transport panics, in one of the threads.
///
/// ```
/// use checkout_testkit::contract::{Law, check_shared};
/// use checkout_transport::{TransportError, from_fn_blocking};
///
/// let broken = check_shared(|_timeout| {
///     from_fn_blocking(|_request| Err(TransportError::not_sent("there is no network in this test")))
/// });
/// assert_eq!(broken.unwrap_err().law(), Law::MethodGoesOutAsGiven);
/// ```
pub fn check_shared<T: BlockingTransport + Sync>(make: impl Fn(Duration) -> T) -> Result<(), Broken> {
    let make = |timeout| AtOnce(make(timeout));
    check_one_by_one(&make)?;
    check_of_threads(&make)
}

/// Checks every law of [`Law::ALL`], on transports that `make` makes for a time-out over the whole exchange.
///
/// The transports run in the runtime of the caller, on whose thread the suite itself waits now and then for
/// its server, for milliseconds. The future is not [`Send`]: use the future with `block_on` and the test
/// attributes of runtimes, and do not spawn it.
///
/// # Errors
/// The first law that does not hold, and the observation that shows the breach.
///
/// ```
/// use checkout_testkit::contract::{Law, check};
/// use checkout_transport::{Response, from_fn};
///
/// let checked = check(|_timeout| from_fn(|_request| async { Ok(Response::default()) }));
/// let broken = pollster::block_on(checked).unwrap_err();
/// assert_eq!(broken.law(), Law::MethodGoesOutAsGiven);
/// ```
pub async fn check<T: Transport>(make: impl Fn(Duration) -> T) -> Result<(), Broken> {
    check_laws(Law::ALL, &make).await
}

/// Checks every law of [`Law::ALL`], on transports that stay on their thread: see [`check`].
///
/// # Errors
/// The first law that does not hold, and the observation that shows the breach.
///
/// ```
/// use checkout_testkit::contract::{Law, check_local};
/// use checkout_transport::{Response, from_fn_local};
///
/// let checked = check_local(|_timeout| from_fn_local(|_request| async { Ok(Response::default()) }));
/// let broken = pollster::block_on(checked).unwrap_err();
/// assert_eq!(broken.law(), Law::MethodGoesOutAsGiven);
/// ```
pub async fn check_local<T: LocalTransport>(make: impl Fn(Duration) -> T) -> Result<(), Broken> {
    check_laws(Law::ALL, &make).await
}

/// A law that the suite checks.
///
/// ```
/// use checkout_testkit::contract::Law;
///
/// assert_eq!(Law::NothingIsSentTwice.name(), "nothing is sent twice");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::VariantArray)]
#[non_exhaustive]
pub enum Law {
    /// The method goes out as given.
    MethodGoesOutAsGiven,
    /// Path and query go out byte for byte: percent-escapes, doubled slashes, dots and the order of the
    /// query.
    TargetGoesOutAsGiven,
    /// Every header goes out with its value untouched. Values of one name stay apart and in their order.
    HeadersGoOutAsGiven,
    /// The body goes out byte for byte.
    BodyGoesOutAsGiven,
    /// No header is added but those of [`Added`].
    NothingIsAdded,
    /// A request goes out whatever version of HTTP the request names.
    AnyVersionIsCarried,
    /// A request that an HTTP stack may not be able to send goes out as given, or is an error and nothing
    /// goes out: dot segments, a backslash, a `GET` with a body, a method in lower case, a password in the
    /// URI.
    OddRequestIsNotChanged,
    /// A request to an `https` URI never goes out in clear, and a server without TLS does not count as an
    /// answer.
    HttpsStaysHttps,
    /// A `3xx` is a response like any other, and the transport does not ask the target of its `location`.
    NoRedirectIsFollowed,
    /// A `4xx` or `5xx` is a response like any other.
    EveryStatusIsOk,
    /// The transport does not wait for the body of a response without a body by its status or method, or with
    /// an empty body.
    BodilessResponseIsWhole,
    /// A `1xx` is not an answer; the response after the `1xx` is.
    InterimResponseIsSkipped,
    /// Every header comes back with its value untouched, up to 16 KiB and 62 fields in all. Values of one
    /// name stay apart and in their order.
    ResponseHeadersAreKept,
    /// The body comes back byte for byte, whichever way the body was framed and cut, and without the framing.
    BodyComesBackAsSent,
    /// A compressed body comes back compressed, with its `content-encoding`.
    EncodedBodyStaysEncoded,
    /// A body of at most [`BODY_CAP`](checkout_transport::BODY_CAP) bytes comes back whole.
    BodyUpToTheCapIsWhole,
    /// A body over [`BODY_CAP`](checkout_transport::BODY_CAP) bytes is an error that names the cap.
    BodyOverTheCapIsRefused,
    /// The transport refuses an endless body before reading the body to its end, and an endless head
    /// likewise.
    EndlessResponseIsCutOff,
    /// A request whose answer is lost was sent once, also on a connection that has served before.
    NothingIsSentTwice,
    /// A status that invites to try again comes back, and is not followed by a second attempt.
    RefusalIsNotRepeated,
    /// A call that is made twice is sent twice, and nothing of an answer goes out with a later request: there
    /// is no cache, no cookie, no password.
    NothingIsRemembered,
    /// A request to an address where nobody listens was not sent, and the error says so.
    RefusedConnectionIsNotSent,
    /// When the connection is closed or reset after a byte of the request has come, the delivery is unknown.
    LostAnswerIsUnknown,
    /// When a response ends before its end, the delivery is unknown, and the received part is not a response.
    CutAnswerIsUnknown,
    /// Bytes that are not an HTTP response, or whose length is uncertain, are not a response, and the
    /// delivery is unknown.
    GarbageIsUnknown,
    /// There is a time-out, at whichever point the server falls silent; the delivery is unknown.
    SilenceEnds,
    /// The time-out is over the whole exchange: a server that sends a byte now and then does not put the end
    /// off.
    DripEnds,
    /// No text of an error, nor of its sources, has a header, a body, or the query in it.
    ErrorsTellNothing,
    /// In a row of requests each request has its own answer, whichever way the answers are framed.
    AnswersMeetTheirRequests,
    /// Bytes that a server sends beyond its answer are not an answer to the next request.
    UnaskedAnswerIsNobodys,
    /// The answer to a request that has timed out is not an answer to the next request.
    LateAnswerIsNobodys,
    /// Requests that are under way at the same time each have their own answer and are sent once, whichever
    /// of them is answered first, and while others are answered slowly. Of futures, and of
    /// [threads](check_shared).
    RequestsAtOnceDoNotMix,
    /// Of futures: nothing is sent before the first poll.
    UnpolledFutureSendsNothing,
    /// A transport works after one of its futures was dropped half way, and the answer to the dropped request
    /// goes to no other request.
    DroppedFutureIsForgotten,
}

impl Law {
    /// Every law, in the order in which they are checked.
    ///
    /// ```
    /// # use checkout_testkit::contract::Law;
    /// assert_eq!(Law::ALL[0], Law::MethodGoesOutAsGiven);
    /// ```
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Those of them that say nothing of a blocking transport.
    ///
    /// ```
    /// # use checkout_testkit::contract::Law;
    /// assert!(Law::OF_FUTURES.contains(&Law::DroppedFutureIsForgotten));
    /// ```
    pub const OF_FUTURES: &'static [Self] =
        &[Self::UnpolledFutureSendsNothing, Self::DroppedFutureIsForgotten];

    /// Those of them that say nothing of a blocking transport of one thread: [`check_shared`] checks them,
    /// [`check_blocking`] does not.
    ///
    /// ```
    /// # use checkout_testkit::contract::Law;
    /// assert_eq!(Law::OF_THREADS, [Law::RequestsAtOnceDoNotMix]);
    /// ```
    pub const OF_THREADS: &'static [Self] = &[Self::RequestsAtOnceDoNotMix];

    /// The law in a few words.
    ///
    /// ```
    /// # use checkout_testkit::contract::Law;
    /// assert_eq!(Law::SilenceEnds.name(), "silence ends");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MethodGoesOutAsGiven => "the method goes out as given",
            Self::TargetGoesOutAsGiven => "the path and the query go out as given",
            Self::HeadersGoOutAsGiven => "the headers go out as given",
            Self::BodyGoesOutAsGiven => "the body goes out as given",
            Self::NothingIsAdded => "nothing is added to a request",
            Self::AnyVersionIsCarried => "a request of any version is carried",
            Self::OddRequestIsNotChanged => "an odd request goes out as given or not at all",
            Self::HttpsStaysHttps => "https stays https",
            Self::NoRedirectIsFollowed => "no redirect is followed",
            Self::EveryStatusIsOk => "every status is ok",
            Self::BodilessResponseIsWhole => "a response without a body is whole",
            Self::InterimResponseIsSkipped => "an interim response is skipped",
            Self::ResponseHeadersAreKept => "the response's headers are kept",
            Self::BodyComesBackAsSent => "the body comes back as sent",
            Self::EncodedBodyStaysEncoded => "an encoded body stays encoded",
            Self::BodyUpToTheCapIsWhole => "a body up to the cap is whole",
            Self::BodyOverTheCapIsRefused => "a body over the cap is refused",
            Self::EndlessResponseIsCutOff => "an endless response is cut off",
            Self::NothingIsSentTwice => "nothing is sent twice",
            Self::RefusalIsNotRepeated => "a refusal is not repeated",
            Self::NothingIsRemembered => "nothing is remembered",
            Self::RefusedConnectionIsNotSent => "a refused connection is not sent",
            Self::LostAnswerIsUnknown => "a lost answer is unknown",
            Self::CutAnswerIsUnknown => "a cut answer is unknown",
            Self::GarbageIsUnknown => "garbage is unknown",
            Self::SilenceEnds => "silence ends",
            Self::DripEnds => "a drip ends",
            Self::ErrorsTellNothing => "errors tell nothing",
            Self::AnswersMeetTheirRequests => "answers meet their requests",
            Self::UnaskedAnswerIsNobodys => "an unasked answer is nobody's",
            Self::LateAnswerIsNobodys => "a late answer is nobody's",
            Self::RequestsAtOnceDoNotMix => "requests at once do not mix",
            Self::UnpolledFutureSendsNothing => "an unpolled future sends nothing",
            Self::DroppedFutureIsForgotten => "a dropped future is forgotten",
        }
    }

    /// Checks this law alone, on the transports that [`check`] or [`check_local`] takes.
    ///
    /// Use this on a transport that you are mending: only the whole suite shows that a transport keeps the
    /// contract.
    ///
    /// # Errors
    /// The law, if the law does not hold, and the observation that shows the breach.
    ///
    /// ```
    /// use checkout_testkit::contract::Law;
    /// use checkout_transport::{TransportError, from_fn};
    ///
    /// let offline = |_| from_fn(|_| async { Err(TransportError::not_sent("there is no network")) });
    /// pollster::block_on(async {
    ///     assert_eq!(Law::RefusedConnectionIsNotSent.check(offline).await, Ok(()));
    ///     let broken = Law::EveryStatusIsOk.check(offline).await.unwrap_err();
    ///     assert_eq!(broken.law(), Law::EveryStatusIsOk);
    /// });
    /// ```
    pub async fn check<T: LocalTransport>(self, make: impl Fn(Duration) -> T) -> Result<(), Broken> {
        check_law(self, &make).await
    }

    /// Checks this law alone, on the transports that [`check_shared`] takes: see [`Law::check`].
    ///
    /// # Errors
    /// The law, if the law does not hold, and the observation that shows the breach. A law of
    /// [`Law::OF_FUTURES`] does not apply to a blocking transport, and is an error rather than a check that
    /// nothing can fail.
    ///
    /// # Panics
    ///
    /// When the transport panics, in one of the threads of [`Law::RequestsAtOnceDoNotMix`].
    ///
    /// ```
    /// use checkout_testkit::contract::Law;
    /// use checkout_transport::{TransportError, from_fn_blocking};
    ///
    /// let offline = |_| from_fn_blocking(|_| Err(TransportError::not_sent("there is no network")));
    /// assert_eq!(Law::RefusedConnectionIsNotSent.check_shared(offline), Ok(()));
    /// assert!(Law::RequestsAtOnceDoNotMix.check_shared(offline).is_err());
    /// ```
    pub fn check_shared<T: BlockingTransport + Sync>(
        self,
        make: impl Fn(Duration) -> T,
    ) -> Result<(), Broken> {
        if self == Self::RequestsAtOnceDoNotMix {
            return check_of_threads(&|timeout| AtOnce(make(timeout)));
        }
        self.check_blocking(make)
    }

    /// Checks this law alone, on the transports that [`check_blocking`] takes: see [`Law::check`].
    ///
    /// # Errors
    /// The law, if the law does not hold, and the observation that shows the breach. A law of
    /// [`Law::OF_FUTURES`] or of [`Law::OF_THREADS`] does not apply to a blocking transport of one thread,
    /// and is an error rather than a check that nothing can fail.
    ///
    /// ```
    /// use checkout_testkit::contract::Law;
    /// use checkout_transport::{TransportError, from_fn_blocking};
    ///
    /// let offline = |_| from_fn_blocking(|_| Err(TransportError::not_sent("there is no network")));
    /// assert_eq!(Law::RefusedConnectionIsNotSent.check_blocking(offline), Ok(()));
    ///
    /// let unfit = Law::DroppedFutureIsForgotten.check_blocking(offline).unwrap_err();
    /// assert_eq!(unfit.seen(), "it says nothing of such a transport, and nothing was checked");
    /// ```
    pub fn check_blocking<T: BlockingTransport>(self, make: impl Fn(Duration) -> T) -> Result<(), Broken> {
        if !self.is_of_one_by_one() {
            return Err(Broken { law: self, seen: NOT_OF_THIS_KIND.to_owned() });
        }
        stage::block_on(check_law(self, &|timeout| AtOnce(make(timeout))))
    }

    /// True if the law applies to a blocking transport that sends one request after the other.
    fn is_of_one_by_one(self) -> bool {
        !Self::OF_FUTURES.contains(&self) && !Self::OF_THREADS.contains(&self)
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A header that a transport may add to a request that has no header of this name. The transport may add no
/// other header: no `user-agent`, no `accept-encoding`, nothing of a trace.
///
/// ```
/// use checkout_testkit::contract::Added;
///
/// assert_eq!(Added::of("host"), Some(Added::Host));
/// assert_eq!(Added::of("accept-encoding"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Added {
    /// `host`, the authority of the URI without a user. HTTP/1.1 requires the header.
    Host,
    /// `content-length`, the length of the body, also of an empty one.
    ContentLength,
    /// `transfer-encoding: chunked` in place of a `content-length`.
    TransferEncoding,
    /// `connection: keep-alive` or `close`: the connection's own.
    Connection,
    /// `accept: */*`, which means the same as a request without `accept`: RFC 9110, 12.5.1. The header is
    /// allowed because some stacks cannot leave it out.
    Accept,
}

impl Added {
    /// The header of this name in lower case, if the transport may add the header.
    ///
    /// ```
    /// # use checkout_testkit::contract::Added;
    /// assert_eq!(Added::of("connection"), Some(Added::Connection));
    /// ```
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "host" => Some(Self::Host),
            "content-length" => Some(Self::ContentLength),
            "transfer-encoding" => Some(Self::TransferEncoding),
            "connection" => Some(Self::Connection),
            "accept" => Some(Self::Accept),
            _ => None,
        }
    }
}

/// A law that does not hold, and the observation that shows the breach.
///
/// ```
/// use checkout_testkit::contract::{Law, check_blocking};
/// use checkout_transport::{Response, from_fn_blocking};
///
/// let broken = check_blocking(|_| from_fn_blocking(|_| Ok(Response::default()))).unwrap_err();
/// assert_eq!(broken.to_string(), "the method goes out as given: of a GET: 0 requests came");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{law}: {seen}")]
pub struct Broken {
    law: Law,
    seen: String,
}

impl Broken {
    /// The law.
    ///
    /// ```
    /// # use checkout_testkit::contract::{Law, check_blocking};
    /// # use checkout_transport::{Response, from_fn_blocking};
    /// let broken = check_blocking(|_| from_fn_blocking(|_| Ok(Response::default()))).unwrap_err();
    /// assert_eq!(broken.law(), Law::MethodGoesOutAsGiven);
    /// ```
    #[must_use]
    pub const fn law(&self) -> Law {
        self.law
    }

    /// The observation, in words. The text may quote the transport's error, and the suite's own requests and
    /// their results. Of a header that the transport added, the text has the name and the length, and the
    /// value only if the value cannot be a secret.
    ///
    /// ```
    /// # use checkout_testkit::contract::{Law, check_blocking};
    /// # use checkout_transport::{Response, from_fn_blocking};
    /// let broken = check_blocking(|_| from_fn_blocking(|_| Ok(Response::default()))).unwrap_err();
    /// assert_eq!(broken.seen(), "of a GET: 0 requests came");
    /// ```
    #[must_use]
    pub fn seen(&self) -> &str {
        &self.seen
    }
}

/// The laws of blocking transports that are asked one thing after the other.
fn check_one_by_one<T: BlockingTransport>(make: &dyn Fn(Duration) -> AtOnce<T>) -> Result<(), Broken> {
    let theirs = Law::ALL.iter().filter(|law| law.is_of_one_by_one());
    stage::block_on(check_laws(theirs, make))
}

/// The one law of [`Law::OF_THREADS`].
fn check_of_threads<T: BlockingTransport + Sync>(make: &dyn Fn(Duration) -> AtOnce<T>) -> Result<(), Broken> {
    crowd::of_threads(&Stage::new(Law::RequestsAtOnceDoNotMix, make))
}

async fn check_laws<T: LocalTransport>(
    laws: impl IntoIterator<Item = &Law>,
    make: &dyn Fn(Duration) -> T,
) -> Result<(), Broken> {
    for law in laws {
        check_law(*law, make).await?;
    }
    Ok(())
}

async fn check_law<T: LocalTransport>(law: Law, make: &dyn Fn(Duration) -> T) -> Result<(), Broken> {
    let stage = &Stage::new(law, make);
    match law {
        Law::MethodGoesOutAsGiven => request::method_goes_out_as_given(stage).await,
        Law::TargetGoesOutAsGiven => request::target_goes_out_as_given(stage).await,
        Law::HeadersGoOutAsGiven => request::headers_go_out_as_given(stage).await,
        Law::BodyGoesOutAsGiven => request::body_goes_out_as_given(stage).await,
        Law::NothingIsAdded => request::nothing_is_added(stage).await,
        Law::AnyVersionIsCarried => request::any_version_is_carried(stage).await,
        Law::OddRequestIsNotChanged => request::odd_request_is_not_changed(stage).await,
        Law::HttpsStaysHttps => request::https_stays_https(stage).await,
        Law::NoRedirectIsFollowed => request::no_redirect_is_followed(stage).await,
        Law::EveryStatusIsOk => response::every_status_is_ok(stage).await,
        Law::BodilessResponseIsWhole => response::bodiless_response_is_whole(stage).await,
        Law::InterimResponseIsSkipped => response::interim_response_is_skipped(stage).await,
        Law::ResponseHeadersAreKept => response::response_headers_are_kept(stage).await,
        Law::BodyComesBackAsSent => response::body_comes_back_as_sent(stage).await,
        Law::EncodedBodyStaysEncoded => response::encoded_body_stays_encoded(stage).await,
        Law::BodyUpToTheCapIsWhole => response::body_up_to_the_cap_is_whole(stage).await,
        Law::BodyOverTheCapIsRefused => response::body_over_the_cap_is_refused(stage).await,
        Law::EndlessResponseIsCutOff => response::endless_response_is_cut_off(stage).await,
        Law::NothingIsSentTwice => failure::nothing_is_sent_twice(stage).await,
        Law::RefusalIsNotRepeated => failure::refusal_is_not_repeated(stage).await,
        Law::NothingIsRemembered => request::nothing_is_remembered(stage).await,
        Law::RefusedConnectionIsNotSent => failure::refused_connection_is_not_sent(stage).await,
        Law::LostAnswerIsUnknown => failure::lost_answer_is_unknown(stage).await,
        Law::CutAnswerIsUnknown => failure::cut_answer_is_unknown(stage).await,
        Law::GarbageIsUnknown => failure::garbage_is_unknown(stage).await,
        Law::SilenceEnds => failure::silence_ends(stage).await,
        Law::DripEnds => failure::drip_ends(stage).await,
        Law::ErrorsTellNothing => failure::errors_tell_nothing(stage).await,
        Law::AnswersMeetTheirRequests => connection::answers_meet_their_requests(stage).await,
        Law::UnaskedAnswerIsNobodys => connection::unasked_answer_is_nobodys(stage).await,
        Law::LateAnswerIsNobodys => connection::late_answer_is_nobodys(stage).await,
        Law::RequestsAtOnceDoNotMix => crowd::of_futures(stage).await,
        Law::UnpolledFutureSendsNothing => connection::unpolled_future_sends_nothing(stage).await,
        Law::DroppedFutureIsForgotten => connection::dropped_future_is_forgotten(stage).await,
    }
}

/// The observation when a law is checked alone on a transport to which the law does not apply.
const NOT_OF_THIS_KIND: &str = "it says nothing of such a transport, and nothing was checked";
