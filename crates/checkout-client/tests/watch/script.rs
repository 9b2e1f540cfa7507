//! Azotte, as a script: the answer to a read at each second.

use crate::world::line;
use checkout_client::{Change, Watch, azotte};
use checkout_sandbox::VirtualClock;
use checkout_sandbox::azotte::{API_KEY, X_TN};
use checkout_tables::Environment;
use checkout_tables::Moment;
use checkout_transport::bytes::Bytes;
use checkout_transport::{BlockingTransport, Response, from_fn_blocking, http};
use checkout_wire::azotte::CheckoutResult;
use std::sync::{Arc, Mutex};

/// The time at which the clock begins.
pub(crate) const BEGAN: Moment = Moment::from_unix_seconds(1_716_501_000);

/// A clock, and the requests to the provider.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) clock: VirtualClock,
    reads: Arc<Mutex<Vec<u64>>>,
}

/// An answer: the HTTP status, the `Retry-After`, the body.
pub(crate) type Answer = (u16, Option<&'static str>, String);

/// A status with these members beside the code.
pub(crate) fn status(code: &str, members: &str) -> Answer {
    (200, None, format!(r#"{{"trackingNumber":"trk_1","status":{{"messageCode":"{code}"}}{members}}}"#))
}

pub(crate) fn instructions(members: &str) -> String {
    format!(r#","redirectInstructions":{members}"#)
}

pub(crate) fn not_found() -> Answer {
    (404, None, r#"{"status":{"messageCode":"ORDERED_ITEM_NOT_FOUND"}}"#.to_owned())
}

impl Script {
    pub(crate) fn new() -> Self {
        Self { clock: VirtualClock::new(BEGAN), reads: Arc::default() }
    }

    pub(crate) fn client(&self) -> azotte::Client {
        let clock = self.clock.clone();
        let builder = azotte::Client::builder("acme", X_TN, API_KEY.into()).environment(Environment::Sandbox);
        builder.clock(move || clock.now()).build().unwrap()
    }

    /// Milliseconds since the beginning.
    pub(crate) fn millis(&self) -> u64 {
        u64::try_from(self.clock.now().saturating_since(BEGAN).as_millis()).unwrap()
    }

    /// The times of the reads, in milliseconds since the beginning.
    pub(crate) fn reads(&self) -> Vec<u64> {
        self.reads.lock().unwrap().clone()
    }

    /// A transport that answers by the number of the read, and the milliseconds since the beginning.
    pub(crate) fn answering(&self, answer: impl Fn(usize, u64) -> Answer) -> impl BlockingTransport {
        let script = self.clone();
        from_fn_blocking(move |request| {
            let (millis, mut reads) = (script.millis(), script.reads.lock().unwrap());
            let (http_status, retry_after, body) = answer(reads.len(), millis);
            if request.method() == http::Method::GET {
                reads.push(millis);
            }
            let mut response = Response::new(Bytes::from(body));
            *response.status_mut() = http::StatusCode::from_u16(http_status).unwrap();
            if let Some(wait) = retry_after {
                response.headers_mut().insert("retry-after", wait.parse().unwrap());
            }
            Ok(response)
        })
    }

    /// The changes up to the end, each with the milliseconds since the beginning.
    pub(crate) fn told(
        &self,
        watch: &mut Watch<CheckoutResult<'static>>,
        transport: &impl BlockingTransport,
    ) -> Vec<(u64, String)> {
        let mut told = Vec::new();
        loop {
            let change = watch.next_change_blocking(transport, |wait| self.clock.advance(wait));
            told.push((self.millis(), line(&change)));
            if let Change::End(_) = change {
                return told;
            }
        }
    }

    /// The same without the times.
    pub(crate) fn lines(
        &self,
        watch: &mut Watch<CheckoutResult<'static>>,
        transport: &impl BlockingTransport,
    ) -> Vec<String> {
        self.told(watch, transport).into_iter().map(|(_, line)| line).collect()
    }
}
