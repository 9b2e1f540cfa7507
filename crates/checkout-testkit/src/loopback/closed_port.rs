//! A port where nobody listens.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A port of this machine that refuses every connection, for as long as this is held.
///
/// Use this to test the error when nothing could be sent. A port that was bound and let go again is not
/// enough: the next server of the same process may be given that port.
///
/// ```
/// use checkout_testkit::loopback::ClosedPort;
///
/// let port = ClosedPort::find()?;
/// let error = std::net::TcpStream::connect(port.address()).unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
/// assert_eq!(port.url(), format!("http://{}", port.address()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ClosedPort {
    address: SocketAddr,
    /// The hold that keeps the system from giving the port to another program.
    _held: Held,
}

impl ClosedPort {
    /// Takes a port that is free now.
    ///
    /// The address is one of `127.0.0.2` where all of `127.0.0.0/8` is this machine, as on Linux, and else
    /// one of `127.0.0.1`.
    ///
    /// # Errors
    /// [`io::Error`] when no port is available, or none that refuses.
    ///
    /// ```
    /// use checkout_testkit::loopback::ClosedPort;
    /// assert!(ClosedPort::find()?.address().ip().is_loopback());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn find() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let bound = listener.local_addr()?;
        // The port is taken on the one address, and so the system does not give the port on the other
        // address.
        let beside = SocketAddr::from(([127, 0, 0, 2], bound.port()));
        if is_refused(beside) {
            return Ok(Self { address: beside, _held: Held::Beside { _listener: listener } });
        }
        // A connection keeps the port that it was made from, and nobody listens there.
        let from = TcpStream::connect(bound)?;
        let (to, _) = listener.accept()?;
        let address = from.local_addr()?;
        if is_refused(address) {
            return Ok(Self { address, _held: Held::Connected { _from: from, _to: to } });
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// The socket address where nobody listens.
    ///
    /// ```
    /// # use checkout_testkit::loopback::ClosedPort;
    /// assert_ne!(ClosedPort::find()?.address().port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL where nobody listens: `http://{address}`, without a slash at the end.
    ///
    /// ```
    /// # use checkout_testkit::loopback::ClosedPort;
    /// assert!(ClosedPort::find()?.url().starts_with("http://127.0.0."));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

#[derive(Debug)]
enum Held {
    Beside { _listener: TcpListener },
    Connected { _from: TcpStream, _to: TcpStream },
}

fn is_refused(address: SocketAddr) -> bool {
    let connected = TcpStream::connect_timeout(&address, Duration::from_secs(1));
    matches!(connected, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}
