//! A transport that answers from a cassette.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use checkout_transport::{BlockingTransport, Request, Response, Transport, TransportError};

use super::cassette::Cassette;

/// A transport that answers with recorded exchanges, and with nothing else.
///
/// A request is scrubbed as the recorded requests were and compared with the next of them: its method, its
/// scheme and host, its path, its query and its body, whose values count as far as they are kept. Headers are
/// not compared. A request that differs gets no answer: the result is a [`TransportError::not_sent`] whose
/// source is a [`ReplayError`] that names the difference, and the recorded request stays the next. After the
/// test, [`finish`](Self::finish) checks that all went as recorded.
///
/// `Debug` shows how many exchanges there are and how many remain.
///
/// ```
/// use checkout_testkit::record::{Recording, Replaying};
/// use checkout_transport::{BlockingTransport, Response, bytes::Bytes, from_fn_blocking, http};
///
/// let get = |path| http::Request::get(format!("https://provider.example{path}")).body(Bytes::new());
///
/// let provider = from_fn_blocking(|_| Ok(Response::new(Bytes::from_static(b"{\"code\":0}"))));
/// let recording = Recording::new(provider);
/// recording.send_blocking(get("/v1/test/ping")?)?;
///
/// let replaying = Replaying::new(recording.cassette());
/// let error = replaying.send_blocking(get("/v1/test/fail")?).unwrap_err();
/// let source = std::error::Error::source(&error).unwrap();
/// assert_eq!(source.to_string(), "exchange 1 of 1 is another request: the path differs");
///
/// let replaying = Replaying::new(recording.cassette());
/// assert_eq!(replaying.remaining(), 1);
/// assert_eq!(replaying.send_blocking(get("/v1/test/ping")?)?.body(), "{\"code\":0}");
/// replaying.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Replaying {
    cassette: Cassette,
    in_any_order: bool,
    state: Mutex<State>,
}

struct State {
    /// For each exchange, true if the program asked for the exchange.
    asked: Vec<bool>,
    /// The first fault.
    fault: Option<ReplayError>,
}

impl Replaying {
    /// Answers in the order of the cassette alone.
    ///
    /// ```
    /// # use checkout_testkit::record::{Cassette, Replaying};
    /// assert!(Replaying::new(Cassette::default()).finish().is_ok());
    /// ```
    #[must_use]
    pub fn new(cassette: Cassette) -> Self {
        Self::of(cassette, false)
    }

    /// Answers each request with the first recorded exchange of an equal one that is still there: for
    /// programs that send several requests at once.
    ///
    /// ```
    /// use checkout_testkit::record::{Recording, Replaying};
    /// use checkout_transport::{BlockingTransport, Request, Response, bytes::Bytes, from_fn_blocking, http};
    ///
    /// let get = |path| http::Request::get(format!("https://provider.example{path}")).body(Bytes::new());
    /// let recording = Recording::new(from_fn_blocking(|request: Request| {
    ///     Ok(Response::new(format!("{{\"status\":{}}}", request.uri().path().len()).into()))
    /// }));
    /// recording.send_blocking(get("/a")?)?;
    /// recording.send_blocking(get("/long")?)?;
    ///
    /// let replaying = Replaying::in_any_order(recording.cassette());
    /// assert_eq!(replaying.send_blocking(get("/long")?)?.body(), "{\"status\":5}");
    /// assert_eq!(replaying.send_blocking(get("/a")?)?.body(), "{\"status\":2}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn in_any_order(cassette: Cassette) -> Self {
        Self::of(cassette, true)
    }

    /// The number of exchanges that the program has not asked for yet.
    ///
    /// ```
    /// # use checkout_testkit::record::{Cassette, Replaying};
    /// assert_eq!(Replaying::new(Cassette::default()).remaining(), 0);
    /// ```
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.state().remaining()
    }

    /// Checks that the program asked for everything, and for nothing else.
    ///
    /// # Errors
    /// The first [`ReplayError`] that a request met, also if the program under test ignored the error;
    /// otherwise [`ReplayError::NotAsked`] when exchanges remain.
    ///
    /// ```
    /// use checkout_testkit::record::{Recording, ReplayError, Replaying};
    /// use checkout_transport::{BlockingTransport, Response, bytes::Bytes, from_fn_blocking, http};
    ///
    /// let recording = Recording::new(from_fn_blocking(|_| Ok(Response::new(Bytes::new()))));
    /// recording.send_blocking(http::Request::get("https://provider.example/").body(Bytes::new())?)?;
    ///
    /// let replaying = Replaying::new(recording.cassette());
    /// assert_eq!(replaying.finish(), Err(ReplayError::NotAsked { remaining: 1, of: 1 }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(&self) -> Result<(), ReplayError> {
        let state = self.state();
        match (&state.fault, state.remaining()) {
            (Some(fault), _) => Err(fault.clone()),
            (None, 0) => Ok(()),
            (None, remaining) => Err(ReplayError::NotAsked { remaining, of: self.cassette.len() }),
        }
    }

    fn of(cassette: Cassette, in_any_order: bool) -> Self {
        let asked = vec![false; cassette.len()];
        Self { cassette, in_any_order, state: Mutex::new(State { asked, fault: None }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replay(&self, request: &Request) -> Result<Response, TransportError> {
        let request = self.cassette.scrubber.request(request);
        let mut state = self.state();
        let State { asked, fault } = &mut *state;
        let of = self.cassette.len();
        let open = self.cassette.exchanges.iter().zip(asked.iter_mut()).enumerate();
        let open = open.filter(|(_, (_, asked))| !**asked);
        let mut closest: Option<(usize, usize, String)> = None;
        for (place, (exchange, asked)) in open.take(if self.in_any_order { of } else { 1 }) {
            let Some((agrees, difference)) = exchange.asked.difference(&request) else {
                *asked = true;
                return exchange.outcome.replayed();
            };
            if closest.as_ref().is_none_or(|(most, ..)| agrees > *most) {
                closest = Some((agrees, place.saturating_add(1), difference));
            }
        }
        let error = match closest {
            Some((_, exchange, difference)) => ReplayError::Differs { exchange, of, difference },
            None => ReplayError::NothingLeft { of },
        };
        fault.get_or_insert_with(|| error.clone());
        Err(TransportError::not_sent(error))
    }
}

impl Transport for Replaying {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.replay(&request)
    }
}

impl BlockingTransport for Replaying {
    fn send_blocking(&self, request: Request) -> Result<Response, TransportError> {
        self.replay(&request)
    }
}

impl fmt::Debug for Replaying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replaying")
            .field("exchanges", &self.cassette.len())
            .field("remaining", &self.remaining())
            .finish_non_exhaustive()
    }
}

/// A difference between the sent requests and the recorded requests. The error shows names of fields that the
/// providers document or that were added to the kept ones, and no value.
///
/// ```
/// use checkout_testkit::record::ReplayError;
///
/// let error = ReplayError::NotAsked { remaining: 2, of: 5 };
/// assert_eq!(error.to_string(), "2 of 5 recorded exchanges were not asked for");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The request is not the recorded one. With exchanges in any order, the request is compared with the
    /// exchange that agrees with the request the furthest.
    #[error("exchange {exchange} of {of} is another request: {difference}")]
    Differs {
        /// The exchange that the request was compared with, from 1.
        exchange: usize,
        /// The number of exchanges.
        of: usize,
        /// The first thing that differs: `the body differs at payload.amount_cents`.
        difference: String,
    },
    /// All exchanges have been replayed before.
    #[error("nothing is left to be replayed of {of} exchanges")]
    NothingLeft {
        /// The number of exchanges.
        of: usize,
    },
    /// Not all exchanges were asked for.
    #[error("{remaining} of {of} recorded exchanges were not asked for")]
    NotAsked {
        /// The number of exchanges that remain.
        remaining: usize,
        /// The number of exchanges.
        of: usize,
    },
}

impl State {
    fn remaining(&self) -> usize {
        self.asked.iter().filter(|asked| !**asked).count()
    }
}
