//! A small HTTP/1.1 client over `std::net`, right as it stands, and wrong in the one way of its fault.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use checkout_transport::bytes::Bytes;
use checkout_transport::http::{self, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use checkout_transport::{BODY_CAP, BlockingTransport, BodyBuffer, Request, Response, TransportError};

/// The faults of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    UpperCasesMethods,
    SwapsMethods,
    DecodesPaths,
    SortsQueries,
    ResolvesDots,
    KeepsTheLastOfDoubledHeaders,
    JoinsDoubledHeaders,
    SortsHeaders,
    LowerCasesValues,
    TrimsBodies,
    DropsBodiesOfGets,
    AddsAUserAgent,
    AsksForCompression,
    SendsTheUserOfTheUri,
    RefusesOtherVersions,
    SendsHttpsInClear,
    FollowsRedirects,
    RefusesBadLocations,
    RefusalsAreErrors,
    WaitsForTheBodyOfAHead,
    TakesInterimResponses,
    KeepsTheLastOfDoubledResponseHeaders,
    SortsResponseHeaders,
    UpperCasesResponseValues,
    ReadsBodiesAsText,
    LeavesChunksAsTheyAre,
    Decompresses,
    HidesTheCoding,
    HasALowerCap,
    HasNoCap,
    CutsAtTheCap,
    CapsWhatItHasRead,
    HasNoCapOnHeads,
    RetryPolicy,
    RetriesOnConnectionsThatServed,
    RepeatsRefusals,
    KeepsCookies,
    Caches,
    RefusedIsUnknown,
    ResetIsNotSent,
    StaleIsNotSent,
    TakesShortBodies,
    TakesShortChunks,
    TakesAnyLength,
    HasNoTimeout,
    TimeoutIsNotSent,
    TimesEachRead,
    TellsHeaders,
    TellsBodiesAsBytes,
    TellsQueries,
    TellsAnswers,
    ForgetsTrailers,
    KeepsWhatIsLeft,
    KeepsConnectionsThatTimedOut,
    AnswersInTurn,
}

/// The client. The client keeps one connection if the settings say so, and else opens a connection for every
/// request.
pub(crate) struct Wire {
    timeout: Duration,
    keeps: bool,
    fault: Option<Fault>,
    kept: Mutex<Option<(String, Connection)>>,
    cookie: Mutex<Option<HeaderValue>>,
    cache: Mutex<HashMap<String, Response>>,
    turns: Turns,
}

/// The number of requests, and the answers in the order of their arrival.
#[derive(Default)]
struct Turns(Mutex<(usize, Vec<Option<Outcome>>)>, Condvar);

type Outcome = Result<Response, TransportError>;

impl Wire {
    pub(crate) fn new(timeout: Duration, fault: Option<Fault>) -> Self {
        Self {
            timeout,
            keeps: false,
            fault,
            kept: Mutex::default(),
            cookie: Mutex::default(),
            cache: Mutex::default(),
            turns: Turns::default(),
        }
    }

    pub(crate) fn keeping(timeout: Duration, fault: Option<Fault>) -> Self {
        Self { keeps: true, ..Self::new(timeout, fault) }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }
}

impl BlockingTransport for Wire {
    fn send_blocking(&self, mut request: Request) -> Result<Response, TransportError> {
        let version = request.version();
        if self.is(Fault::RefusesOtherVersions) && version != Version::HTTP_11 {
            return Err(TransportError::not_sent("another version"));
        }
        let uri = request.uri().to_string();
        if self.is(Fault::Caches)
            && let Some(cached) = self.cache.lock().unwrap().get(&uri)
        {
            return Ok(cached.clone());
        }
        if self.is(Fault::KeepsCookies)
            && let Some(cookie) = self.cookie.lock().unwrap().clone()
        {
            request.headers_mut().insert("cookie", cookie);
        }
        if self.is(Fault::AnswersInTurn) {
            return self.in_turn(&request);
        }
        let mut outcome = self.attempt(&request);
        let retries = match &outcome {
            Err(_) => self.is(Fault::RetryPolicy),
            Ok(response) => self.is(Fault::RepeatsRefusals) && response.status().is_server_error(),
        };
        if retries {
            outcome = self.attempt(&request);
        }
        let mut response = outcome?;
        if self.is(Fault::FollowsRedirects)
            && response.status().is_redirection()
            && let Some(location) = response.headers().get("location")
            && let Ok(location) = location.to_str().unwrap().parse::<http::Uri>()
            && location.host().is_some()
        {
            *request.uri_mut() = location;
            response = self.attempt(&request)?;
        }
        if self.is(Fault::KeepsCookies)
            && let Some(cookie) = response.headers().get("set-cookie")
        {
            *self.cookie.lock().unwrap() = Some(cookie.clone());
        }
        if self.is(Fault::Caches) && response.headers().contains_key("etag") {
            self.cache.lock().unwrap().insert(uri, response.clone());
        }
        if self.is(Fault::RefusesBadLocations)
            && response.headers().get_all("location").iter().any(|location| {
                location.to_str().ok().and_then(|location| location.parse::<http::Uri>().ok()).is_none()
            })
        {
            return Err(TransportError::unknown("a bad location"));
        }
        if self.is(Fault::RefusalsAreErrors) && response.status().as_u16() >= 400 {
            return Err(TransportError::unknown("a refusal"));
        }
        Ok(response)
    }
}

impl Wire {
    /// The answer that comes first, for the request that was sent first.
    fn in_turn(&self, request: &Request) -> Outcome {
        let Turns(turns, changed) = &self.turns;
        let turn = {
            let asked = &mut turns.lock().unwrap().0;
            *asked += 1;
            *asked - 1
        };
        let outcome = self.attempt(request);
        let mut turns = turns.lock().unwrap();
        turns.1.push(Some(outcome));
        changed.notify_all();
        changed.wait_while(turns, |turns| turns.1.len() <= turn).unwrap().1[turn].take().unwrap()
    }

    fn attempt(&self, request: &Request) -> Result<Response, TransportError> {
        let head = self.head(request)?;
        let authority = request.uri().authority().unwrap().as_str().rsplit('@').next().unwrap().to_owned();
        let end = Instant::now() + self.timeout;
        let kept = self.kept.lock().unwrap().take();
        let served = match kept {
            Some((to, connection)) if to == authority && (connection.timed_out || connection.is_idle()) => {
                Some(connection)
            }
            _ => None,
        };
        let is_served = served.is_some();
        let mut connection = match served {
            Some(connection) => connection,
            None => {
                let limit = self.timeout.min(Duration::from_secs(60));
                let address = authority.parse().map_err(TransportError::not_sent)?;
                let stream =
                    TcpStream::connect_timeout(&address, limit).map_err(|error| match self.fault {
                        Some(Fault::RefusedIsUnknown) => TransportError::unknown(error),
                        _ => TransportError::not_sent(error),
                    })?;
                stream.set_nodelay(true).map_err(TransportError::not_sent)?;
                Connection {
                    stream,
                    end,
                    left: Vec::new(),
                    heard: Vec::new(),
                    per_read: None,
                    timed_out: false,
                }
            }
        };
        connection.end = end;
        connection.per_read = match self.fault {
            Some(Fault::HasNoTimeout) => Some(Duration::from_secs(3600)),
            // Longer than the machine may stand still between two bytes of the server.
            Some(Fault::TimesEachRead) => Some(self.timeout * 4),
            _ => None,
        };
        match self.exchange(&mut connection, request, &head) {
            Ok((response, reusable)) => {
                let clean = connection.left.is_empty()
                    || self.is(Fault::KeepsWhatIsLeft)
                    || self.is(Fault::ForgetsTrailers);
                if self.keeps && reusable && clean {
                    *self.kept.lock().unwrap() = Some((authority, connection));
                }
                Ok(response)
            }
            Err(_) if is_served && self.is(Fault::RetriesOnConnectionsThatServed) => self.attempt(request),
            Err(error) => {
                let heard = String::from_utf8_lossy(&connection.heard).into_owned();
                let timed_out = io_kind(&error) == Some(io::ErrorKind::TimedOut);
                if timed_out && self.is(Fault::KeepsConnectionsThatTimedOut) {
                    connection.timed_out = true;
                    *self.kept.lock().unwrap() = Some((authority, connection));
                }
                let not_sent = match self.fault {
                    Some(Fault::ResetIsNotSent) => {
                        matches!(
                            io_kind(&error),
                            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
                        )
                    }
                    Some(Fault::StaleIsNotSent) => is_served,
                    Some(Fault::TimeoutIsNotSent) => timed_out,
                    _ => false,
                };
                if not_sent {
                    return Err(TransportError::not_sent("lost"));
                }
                if error.exceeded_cap().is_some() {
                    return Err(error);
                }
                Err(match self.fault {
                    Some(Fault::TellsHeaders) => TransportError::unknown(format!("{:?}", request.headers())),
                    Some(Fault::TellsBodiesAsBytes) => {
                        // The largest bodies would take longer than the server waits.
                        let start = &request.body()[..request.body().len().min(1_024)];
                        TransportError::unknown(format!("{start:?}"))
                    }
                    Some(Fault::TellsQueries) => TransportError::unknown(format!("to {}", request.uri())),
                    Some(Fault::TellsAnswers) => TransportError::unknown(heard),
                    _ => error,
                })
            }
        }
    }

    /// The bytes of a request's head.
    fn head(&self, request: &Request) -> Result<Vec<u8>, TransportError> {
        let uri = request.uri();
        let https = uri.scheme_str() == Some("https") && !self.is(Fault::SendsHttpsInClear);
        if uri.scheme().is_none() || https {
            return Err(TransportError::not_sent("a plain http URI is needed"));
        }
        let authority = uri.authority().unwrap().as_str();
        if authority.contains('@') && !self.is(Fault::SendsTheUserOfTheUri) {
            return Err(TransportError::not_sent("a URI without a user is needed"));
        }
        let mut target = uri.path().to_owned();
        if let Some(query) = uri.query() {
            target = format!("{target}?{query}");
        }
        match self.fault {
            Some(Fault::DecodesPaths) => target = target.replace("%7E", "~"),
            Some(Fault::ResolvesDots) => target = target.replace("/a/./b/../c", "/a/c"),
            Some(Fault::SortsQueries) => {
                if let Some((path, query)) = target.clone().split_once('?') {
                    let mut pairs: Vec<&str> = query.split('&').collect();
                    pairs.sort_unstable();
                    target = format!("{path}?{}", pairs.join("&"));
                }
            }
            _ => {}
        }
        let mut method = request.method().to_string();
        match self.fault {
            Some(Fault::UpperCasesMethods) => method = method.to_uppercase(),
            Some(Fault::SwapsMethods) if method == "PATCH" => method = "POST".to_owned(),
            _ => {}
        }
        let mut head = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        };
        let given = request.headers();
        if !given.contains_key("host") {
            line("Host", authority.rsplit('@').next().unwrap().as_bytes());
        }
        if !given.contains_key("connection") && !self.keeps {
            line("connection", b"close");
        }
        if !given.contains_key("content-length") {
            line("Content-Length", self.body(request).len().to_string().as_bytes());
        }
        match self.fault {
            Some(Fault::AddsAUserAgent) if !given.contains_key("user-agent") => line("User-Agent", b"wire/1"),
            Some(Fault::AsksForCompression) if !given.contains_key("accept-encoding") => {
                line("accept-encoding", b"gzip");
            }
            Some(Fault::SendsTheUserOfTheUri) if authority.contains('@') => {
                line("authorization", b"Basic dXNlcjpwYXNz");
            }
            _ => {}
        }
        for name in given.keys() {
            let mut values: Vec<&[u8]> = given.get_all(name).iter().map(HeaderValue::as_bytes).collect();
            if self.is(Fault::SortsHeaders) {
                values.sort_unstable();
            }
            match self.fault {
                Some(Fault::KeepsTheLastOfDoubledHeaders) => line(name.as_str(), values.last().unwrap()),
                Some(Fault::JoinsDoubledHeaders) => line(name.as_str(), &values.join(&b", "[..])),
                Some(Fault::LowerCasesValues) => {
                    values.iter().for_each(|value| line(name.as_str(), &value.to_ascii_lowercase()));
                }
                _ => values.iter().for_each(|value| line(name.as_str(), value)),
            }
        }
        head.extend_from_slice(b"\r\n");
        Ok(head)
    }

    fn body(&self, request: &Request) -> Bytes {
        match self.fault {
            Some(Fault::TrimsBodies) => Bytes::copy_from_slice(request.body().trim_ascii()),
            Some(Fault::DropsBodiesOfGets) if request.method() == Method::GET => Bytes::new(),
            _ => request.body().clone(),
        }
    }

    /// The response, and true if the connection can serve again.
    fn exchange(
        &self,
        connection: &mut Connection,
        request: &Request,
        head: &[u8],
    ) -> Result<(Response, bool), TransportError> {
        let written = connection.write(head).and_then(|()| connection.write(&self.body(request)));
        // An answer may have come before all bytes were written, so the client looks for an answer.
        let response = self.response(connection, request);
        match (written, response) {
            (Err(error), Err(_)) => Err(TransportError::unknown(error)),
            (_, response) => response,
        }
    }

    fn response(
        &self,
        connection: &mut Connection,
        request: &Request,
    ) -> Result<(Response, bool), TransportError> {
        let (status, version_1_1, mut headers) = loop {
            let head = self.response_head(connection)?;
            if !head.0.is_informational() || self.is(Fault::TakesInterimResponses) {
                break head;
            }
        };
        let bodiless = request.method() == Method::HEAD && !self.is(Fault::WaitsForTheBodyOfAHead)
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED;
        let chunked = headers.get("transfer-encoding").is_some_and(|coding| {
            coding.as_bytes().eq_ignore_ascii_case(b"chunked") && !self.is(Fault::LeavesChunksAsTheyAre)
        });
        let length = self.length(&headers)?;
        let mut body = Body::new(self.fault);
        let mut to_the_end = false;
        if bodiless {
        } else if chunked {
            self.chunks(connection, &mut body)?;
        } else if let Some(length) = length {
            body.expect(length)?;
            let mut left = usize::try_from(length).map_err(TransportError::unknown)?;
            while left > 0 {
                let read = connection.some(left);
                let bytes = match read {
                    Ok(bytes) if bytes.is_empty() && self.is(Fault::TakesShortBodies) => break,
                    Ok(bytes) if bytes.is_empty() => {
                        return Err(TransportError::unknown(io::Error::from(io::ErrorKind::UnexpectedEof)));
                    }
                    Ok(bytes) => bytes,
                    Err(error) => return Err(TransportError::unknown(error)),
                };
                left -= bytes.len();
                body.push(&bytes)?;
            }
        } else {
            to_the_end = true;
            loop {
                let bytes = connection.some(usize::MAX).map_err(TransportError::unknown)?;
                if bytes.is_empty() {
                    break;
                }
                body.push(&bytes)?;
            }
        }
        let mut body = body.finish()?;
        if headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
            match self.fault {
                Some(Fault::Decompresses) => body = Bytes::from_static(b"{\"a\":1}{\"a\":1}{\"a\":1}"),
                Some(Fault::HidesTheCoding) => drop(headers.remove("content-encoding")),
                _ => {}
            }
        }
        if self.is(Fault::ReadsBodiesAsText) {
            body = Bytes::from(String::from_utf8_lossy(&body).into_owned());
        }
        let closes = headers.get("connection").is_some_and(|word| word == "close");
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok((response, version_1_1 && !closes && !to_the_end))
    }

    fn response_head(
        &self,
        connection: &mut Connection,
    ) -> Result<(StatusCode, bool, HeaderMap), TransportError> {
        let cap = if self.is(Fault::HasNoCapOnHeads) { usize::MAX } else { 64 << 10 };
        let head = connection.until(b"\r\n\r\n", cap).map_err(TransportError::unknown)?;
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut parsed = httparse::Response::new(&mut fields);
        // The faults that this parser finds quote nothing.
        parsed.parse(&head).map_err(TransportError::unknown)?;
        let code = parsed.code.ok_or_else(|| TransportError::unknown("no status"))?;
        let status = StatusCode::from_u16(code).map_err(TransportError::unknown)?;
        let mut fields: Vec<(&str, &[u8])> =
            parsed.headers.iter().map(|field| (field.name, field.value)).collect();
        if self.is(Fault::SortsResponseHeaders) {
            fields.sort_unstable();
        }
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(TransportError::unknown)?;
            let value = match self.fault {
                Some(Fault::UpperCasesResponseValues) => HeaderValue::from_bytes(&value.to_ascii_uppercase()),
                _ => HeaderValue::from_bytes(value),
            }
            .map_err(TransportError::unknown)?;
            if self.is(Fault::KeepsTheLastOfDoubledResponseHeaders) {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
        Ok((status, parsed.version == Some(1), headers))
    }

    fn length(&self, headers: &HeaderMap) -> Result<Option<u64>, TransportError> {
        let mut lengths = headers.get_all("content-length").iter();
        let Some(length) = lengths.next() else { return Ok(None) };
        let digits = length.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let length = digits.and_then(|digits| digits.parse().ok());
        if self.is(Fault::TakesAnyLength) {
            return Ok(length);
        }
        match length {
            Some(length) if lengths.all(|other| Some(other.as_bytes()) == digits.map(str::as_bytes)) => {
                Ok(Some(length))
            }
            _ => Err(TransportError::unknown("the length of the response is uncertain")),
        }
    }

    fn chunks(&self, connection: &mut Connection, body: &mut Body) -> Result<(), TransportError> {
        let garbled = || TransportError::unknown("the chunks of the response are garbled");
        loop {
            let line = match connection.until(b"\r\n", 4 << 10) {
                Err(error)
                    if error.kind() == io::ErrorKind::UnexpectedEof && self.is(Fault::TakesShortChunks) =>
                {
                    return Ok(());
                }
                line => line.map_err(TransportError::unknown)?,
            };
            let Ok(httparse::Status::Complete((_, size))) = httparse::parse_chunk_size(&line) else {
                return Err(garbled());
            };
            let mut left = usize::try_from(size).map_err(|_| garbled())?;
            if left == 0 {
                while !self.is(Fault::ForgetsTrailers)
                    && connection.until(b"\r\n", 4 << 10).map_err(TransportError::unknown)? != b"\r\n"
                {
                }
                return Ok(());
            }
            while left > 0 {
                let bytes = connection.some(left).map_err(TransportError::unknown)?;
                if bytes.is_empty() {
                    return Err(TransportError::unknown(io::Error::from(io::ErrorKind::UnexpectedEof)));
                }
                left -= bytes.len();
                body.push(&bytes)?;
            }
            if connection.until(b"\r\n", 2).map_err(TransportError::unknown)? != b"\r\n" {
                return Err(garbled());
            }
        }
    }
}

/// A body with the cap, or with the fault's cap.
struct Body {
    capped: BodyBuffer,
    uncapped: Option<Vec<u8>>,
    fault: Option<Fault>,
}

impl Body {
    fn new(fault: Option<Fault>) -> Self {
        let cap = if fault == Some(Fault::HasALowerCap) { BODY_CAP - 1 } else { BODY_CAP };
        let uncapped = match fault {
            Some(Fault::HasNoCap | Fault::CutsAtTheCap | Fault::CapsWhatItHasRead) => Some(Vec::new()),
            _ => None,
        };
        Self { capped: BodyBuffer::new(cap), uncapped, fault }
    }

    fn expect(&mut self, length: u64) -> Result<(), TransportError> {
        if self.uncapped.is_some() { Ok(()) } else { self.capped.expect_length(length) }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        match &mut self.uncapped {
            Some(uncapped) => {
                uncapped.extend_from_slice(bytes);
                Ok(())
            }
            None => self.capped.push(bytes),
        }
    }

    fn finish(self) -> Result<Bytes, TransportError> {
        match self.uncapped {
            Some(all) if self.fault == Some(Fault::CapsWhatItHasRead) && all.len() > BODY_CAP => {
                Err(TransportError::too_large(BODY_CAP))
            }
            Some(mut all) => {
                if self.fault == Some(Fault::CutsAtTheCap) {
                    all.truncate(BODY_CAP);
                }
                Ok(Bytes::from(all))
            }
            None => self.capped.finish(),
        }
    }
}

struct Connection {
    stream: TcpStream,
    end: Instant,
    left: Vec<u8>,
    /// The start of all bytes that came.
    heard: Vec<u8>,
    per_read: Option<Duration>,
    /// A request on the connection timed out, and the client uses the connection again without a check.
    timed_out: bool,
}

impl Connection {
    /// True if the server has neither sent anything nor closed since the last answer.
    fn is_idle(&self) -> bool {
        let peeked = self.stream.set_nonblocking(true).and_then(|()| self.stream.peek(&mut [0]));
        let back = self.stream.set_nonblocking(false);
        back.is_ok() && matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    fn time_left(&self) -> io::Result<Option<Duration>> {
        if self.per_read.is_some() {
            return Ok(self.per_read);
        }
        match self.end.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.set_write_timeout(self.time_left()?)?;
            match self.stream.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(timed_out(error)),
            }
        }
        Ok(())
    }

    /// The next bytes, at most so many; none at the end of the connection.
    fn some(&mut self, most: usize) -> io::Result<Vec<u8>> {
        if self.left.is_empty() {
            self.fill()?;
        }
        let most = most.min(self.left.len());
        Ok(self.left.drain(..most).collect())
    }

    /// The next bytes, to the end of `mark`.
    fn until(&mut self, mark: &[u8], cap: usize) -> io::Result<Vec<u8>> {
        let mut looked = 0;
        loop {
            let found = self.left[looked..].windows(mark.len()).position(|window| window == mark);
            if let Some(at) = found {
                return Ok(self.left.drain(..looked + at + mark.len()).collect());
            }
            looked = self.left.len().saturating_sub(mark.len());
            if self.left.len() > cap {
                return Err(io::Error::other("too much"));
            }
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut room = [0; 16 << 10];
        let read = loop {
            self.stream.set_read_timeout(self.time_left()?)?;
            match self.stream.read(&mut room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(timed_out)?,
            }
        };
        self.left.extend_from_slice(&room[..read]);
        self.heard.extend_from_slice(&room[..read.min(1_024_usize.saturating_sub(self.heard.len()))]);
        Ok(read)
    }
}

fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

fn io_kind(error: &TransportError) -> Option<io::ErrorKind> {
    std::error::Error::source(error)?.downcast_ref::<io::Error>().map(io::Error::kind)
}
