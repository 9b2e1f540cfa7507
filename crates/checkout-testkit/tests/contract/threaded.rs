//! The client as an asynchronous one: every request has a thread, and its future waits for it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

use checkout_transport::{BlockingTransport, LocalTransport, Request, Response, Transport, TransportError};

use crate::wire::Wire;

/// The faults of an asynchronous client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    StartsUnpolled,
    HasOneMailbox,
    QueuesBehindTheDropped,
}

pub(crate) struct Threaded {
    wire: Arc<Wire>,
    flaw: Option<Flaw>,
    mailbox: Arc<Mailbox>,
    queue: Arc<Mutex<()>>,
}

type Outcome = Result<Response, TransportError>;

/// Answers that have come, and the futures that wait for them.
#[derive(Default)]
struct Mailbox(Mutex<(Vec<Outcome>, Vec<Waker>)>);

impl Threaded {
    pub(crate) fn new(wire: Wire, flaw: Option<Flaw>) -> Self {
        Self { wire: Arc::new(wire), flaw, mailbox: Arc::default(), queue: Arc::default() }
    }

    fn start(&self, request: Request) -> impl Future<Output = Outcome> + Send + 'static {
        let wire = Arc::clone(&self.wire);
        let queue = (self.flaw == Some(Flaw::QueuesBehindTheDropped)).then(|| Arc::clone(&self.queue));
        let mailbox = match self.flaw {
            Some(Flaw::HasOneMailbox) => Arc::clone(&self.mailbox),
            _ => Arc::default(),
        };
        let to = Arc::clone(&mailbox);
        let mut start = Some(move || {
            thread::spawn(move || {
                let in_turn = queue.as_ref().map(|queue| queue.lock().unwrap());
                let outcome = wire.send_blocking(request);
                drop(in_turn);
                let mut mailbox = to.0.lock().unwrap();
                mailbox.0.push(outcome);
                mailbox.1.drain(..).for_each(Waker::wake);
            })
        });
        if self.flaw == Some(Flaw::StartsUnpolled) {
            start.take().map(|start| start());
        }
        poll_fn(move |context| {
            if let Some(start) = start.take() {
                start();
            }
            let mut mailbox = mailbox.0.lock().unwrap();
            match mailbox.0.pop() {
                Some(outcome) => Poll::Ready(outcome),
                None => {
                    mailbox.1.push(context.waker().clone());
                    Poll::Pending
                }
            }
        })
    }
}

impl Transport for Threaded {
    fn send(&self, request: Request) -> impl Future<Output = Outcome> + Send {
        self.start(request)
    }
}

/// The same client, which cannot leave its thread.
pub(crate) struct OnOneThread {
    threaded: Threaded,
    sent: Rc<Cell<usize>>,
}

impl OnOneThread {
    pub(crate) fn new(wire: Wire) -> Self {
        Self { threaded: Threaded::new(wire, None), sent: Rc::default() }
    }
}

impl LocalTransport for OnOneThread {
    async fn send_local(&self, request: Request) -> Outcome {
        let sent = Rc::clone(&self.sent);
        let outcome = self.threaded.start(request).await;
        sent.set(sent.get() + 1);
        outcome
    }
}
