//! Hints between processes, by NOTIFY: something may be due. Nothing depends on a hint: a lost one costs a
//! pause.

use core::fmt;
use core::future::{pending, poll_fn};
use core::pin::Pin;
use core::time::Duration;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use deadpool_postgres::Pool;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Socket};

/// A process sends no two hints within this time.
const EVERY: Duration = Duration::from_millis(100);

/// How long an operation waits for its own hint at most.
const LONGEST: Duration = Duration::from_secs(1);

/// The pause after a hint that was heard: many processes may send many hints.
const PACE: Duration = Duration::from_millis(20);

/// So many processes listen: a nudge wakes no more, however many there are.
const SLOTS: i64 = 2;

/// The pause before a connection that broke is replaced.
const AGAIN: Duration = Duration::from_secs(1);

/// The first pause before a process that does not listen asks again for a place among those who do. The
/// pauses double, up to [`DEAF`]: a process at rest has few questions.
const PLACE: Duration = Duration::from_secs(5);

/// How long a process waits for its own word.
const ECHO: Duration = Duration::from_secs(1);

/// The pause of a process that did not hear its own word, as behind a pooler in transaction mode.
const DEAF: Duration = Duration::from_secs(60);

/// The setting is of the transaction alone: a hint may be lost with the machine.
const SEND: &str = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";

type Connecting = Pin<Box<dyn Future<Output = Result<Client, tokio_postgres::Error>> + Send>>;

/// Makes a connection that passes on what it hears.
type Connect = Box<dyn Fn(UnboundedSender<String>) -> Connecting + Send + Sync>;

/// The hints of a process.
pub(crate) struct Wake {
    shared: Arc<Shared>,
    notify: bool,
    /// The moment of the next hint that is sent, or of the last one that was.
    sent: Mutex<Option<Instant>>,
    listener: Mutex<Option<AbortHandle>>,
}

struct Shared {
    pool: Pool,
    schema: String,
    channel: String,
    connect: OnceLock<Connect>,
    woken: Notify,
}

/// The connection broke, or there is none.
struct Broken;

impl From<tokio_postgres::Error> for Broken {
    fn from(_: tokio_postgres::Error) -> Self {
        Self
    }
}

impl Wake {
    pub(crate) fn new(pool: Pool, schema: &str, notify: bool) -> Self {
        let shared = Shared {
            pool,
            schema: schema.to_owned(),
            channel: format!("checkout_{schema}"),
            connect: OnceLock::new(),
            woken: Notify::new(),
        };
        Self { shared: Arc::new(shared), notify, sent: Mutex::default(), listener: Mutex::default() }
    }

    /// Sets how to connect, unless that is set.
    pub(crate) fn listen<T>(&self, config: Config, tls: T)
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let connect: Connect = Box::new(move |heard| {
            let (config, tls) = (config.clone(), tls.clone());
            Box::pin(async move {
                let (client, mut connection) = config.connect(tls).await?;
                tokio::spawn(async move {
                    while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                        if let AsyncMessage::Notification(word) = message
                            && heard.send(word.payload().to_owned()).is_err()
                        {
                            break;
                        }
                    }
                });
                Ok(client)
            })
        });
        // The first one counts.
        let _ = self.shared.connect.set(connect);
    }

    /// Tells the processes that listen that something may be due, beside the caller. For after a commit.
    pub(crate) fn hint(&self) {
        drop(self.begin());
    }

    /// As [`hint`](Self::hint), for a caller whose process may end next: waits until the hint has gone out,
    /// unless another one has just gone out.
    pub(crate) async fn hint_now(&self) {
        if let Some(sending) = self.begin() {
            let _ = timeout(LONGEST, sending).await;
        }
    }

    /// Begins to send a hint. Returns the task of a hint that goes out at once.
    fn begin(&self) -> Option<JoinHandle<()>> {
        if !self.notify {
            return None;
        }
        let now = Instant::now();
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let at = match *sent {
            Some(at) if at > now => return None,
            Some(at) => at.checked_add(EVERY).map_or(now, |next| next.max(now)),
            None => now,
        };
        *sent = Some(at);
        drop(sent);
        let shared = Arc::clone(&self.shared);
        let sending = tokio::spawn(async move {
            sleep(at.saturating_duration_since(now)).await;
            // Nobody asks if a hint has arrived.
            let _ = shared.send("").await;
        });
        (at <= now).then_some(sending)
    }

    /// Waits for a hint.
    pub(crate) async fn woken(&self) {
        if !self.notify || self.shared.connect.get().is_none() {
            return pending().await;
        }
        {
            let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
            // A listener can end with its runtime.
            if listener.as_ref().is_none_or(AbortHandle::is_finished) {
                *listener = Some(tokio::spawn(Arc::clone(&self.shared).listens()).abort_handle());
            }
        }
        self.shared.woken.notified().await;
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        let listener = self.listener.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listener.take() {
            listener.abort();
        }
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wake").field("notify", &self.notify).finish_non_exhaustive()
    }
}

impl Shared {
    async fn send(&self, word: &str) -> Result<(), Broken> {
        let client = self.pool.get().await.map_err(|_| Broken)?;
        let values: [(&(dyn ToSql + Sync), Type); 2] = [(&self.channel, Type::TEXT), (&word, Type::TEXT)];
        client.query_typed(SEND, &values).await?;
        Ok(())
    }

    async fn listens(self: Arc<Self>) {
        loop {
            let pause = match self.session().await {
                Ok(()) => DEAF,
                Err(Broken) => AGAIN,
            };
            sleep(pause).await;
        }
    }

    /// Listens on a connection of its own until the connection breaks. Returns without an error if the
    /// connection hears nothing.
    async fn session(&self) -> Result<(), Broken> {
        let (to, mut heard) = unbounded_channel();
        let client = self.connect.get().ok_or(Broken)?(to).await?;
        let (listen, unlisten) =
            (format!("LISTEN \"{}\"", self.channel), format!("UNLISTEN \"{}\"", self.channel));
        client.batch_execute(&listen).await?;
        // Before the lock: behind a pooler the lock would be another connection's.
        if !self.hears_itself(&mut heard).await? {
            client.batch_execute(&unlisten).await?;
            return Ok(());
        }
        if !self.has_slot(&client).await? {
            client.batch_execute(&unlisten).await?;
            let mut pause = PLACE;
            while !self.has_slot(&client).await? {
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(DEAF);
            }
            client.batch_execute(&listen).await?;
        }
        // What came before nobody has heard.
        self.woken.notify_one();
        while let Some(word) = heard.recv().await {
            let mut any = word.is_empty();
            while let Ok(word) = heard.try_recv() {
                any |= word.is_empty();
            }
            if any {
                self.woken.notify_one();
                sleep(PACE).await;
            }
        }
        Err(Broken)
    }

    /// The word goes over another connection. Over the same one a pooler would pass on the word too.
    async fn hears_itself(&self, heard: &mut UnboundedReceiver<String>) -> Result<bool, Broken> {
        let own = format!("{:x}", RandomState::new().hash_one(0));
        self.send(&own).await?;
        let echo = async {
            while let Some(word) = heard.recv().await {
                if word == own {
                    return true;
                }
            }
            false
        };
        Ok(timeout(ECHO, echo).await.unwrap_or(false))
    }

    /// Takes a lock of the session, which the server gives back with the connection's end.
    async fn has_slot(&self, client: &Client) -> Result<bool, Broken> {
        let key = format!("checkout-store-postgres listens {}", self.schema);
        let values: [(&(dyn ToSql + Sync), Type); 2] = [(&key, Type::TEXT), (&SLOTS, Type::INT8)];
        // The places are asked for one after the other, until one is free.
        let take = "SELECT true FROM generate_series(0, $2 - 1) slot \
            WHERE pg_try_advisory_lock(hashtextextended($1, slot)) LIMIT 1";
        Ok(!client.query_typed(take, &values).await?.is_empty())
    }
}
