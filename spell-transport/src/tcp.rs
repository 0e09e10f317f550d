//! What the system is asked to do for a TCP connection.

use std::{io, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};

use crate::{Incoming, Origin};

/// How the system looks after a TCP connection.
///
/// * `TCP_NODELAY` is always set: messages are small and answers awaited.
/// * Keep-alive: after 30 s without traffic the system asks the other system whether it is still
///   there, and gives the connection up when three questions, 10 s apart, stay unanswered.
/// * User time-out (`TCP_USER_TIMEOUT`, on Linux and Android): what was sent must be acknowledged
///   within 60 s. The other side is also given up when it leaves what it was sent unread for as long.
///
/// These find out that a host or the way to it is gone, not that a program hangs; for that there is
/// [`KeepAlive`](crate::KeepAlive). What a system does not offer is left out.
///
/// Connectors and listeners use the defaults. Give others to a connector with its method `tcp`, and
/// to a listener together with what it listens at:
///
/// ```
/// use std::time::Duration;
/// use spell_transport::{AnyListener, ConnectorBuilder, Serialization, TcpOptions};
/// use tokio::net::TcpListener;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let tcp = TcpOptions::new().keep_alive(None).user_timeout(Duration::from_secs(5));
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let listener = AnyListener::new((listener, tcp), [Serialization::JSON]);
/// let connector = ConnectorBuilder::new("ws://router.example")?.tcp(tcp).build()?;
/// # let _ = (listener, connector);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpOptions {
    keep_alive: Option<Duration>,
    user_timeout: Option<Duration>,
}

impl TcpOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            keep_alive: Some(Duration::from_secs(30)),
            user_timeout: Some(Duration::from_secs(60)),
        }
    }

    /// Sets after how long without traffic the system asks, for the first time; it asks again after
    /// a third of that. `None` turns it off. It counts in whole seconds.
    #[must_use]
    pub fn keep_alive(mut self, idle: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = idle.into();
        self
    }

    /// Sets how long what was sent may stay unacknowledged; `None` leaves it to the system, as zero
    /// does.
    #[must_use]
    pub fn user_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.user_timeout = limit.into();
        self
    }

    /// Sets them on a connection, for an [`Incoming`] or a [`Connector`](crate::Connector) of your
    /// own.
    ///
    /// # Errors
    ///
    /// That of the first one that the system refuses; those after it are not set then.
    pub fn apply(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(stream);
        if let Some(idle) = self.keep_alive {
            socket.set_tcp_keepalive(&keep_alive(idle))?;
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if self.user_timeout.is_some() {
            socket.set_tcp_user_timeout(self.user_timeout)?;
        }
        Ok(())
    }

    /// A connection is usable without them, too.
    pub(crate) fn try_apply(&self, stream: &TcpStream) {
        if let Err(error) = self.apply(stream) {
            tracing::debug!(%error, "an option of TCP cannot be set");
        }
    }
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// TCP, with the options that [`TcpOptions`] has by default.
impl Incoming for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Origin)> {
        accept(self, TcpOptions::new()).await
    }
}

/// TCP, with options of your choice.
impl Incoming for (TcpListener, TcpOptions) {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Origin)> {
        accept(&self.0, self.1).await
    }
}

/// Cancel-safe, as accepting is all that it waits for.
async fn accept(listener: &TcpListener, options: TcpOptions) -> io::Result<(TcpStream, Origin)> {
    let (stream, address) = listener.accept().await?;
    options.try_apply(&stream);
    let origin = Origin::new(address.to_string());
    if address.ip().is_loopback() {
        return Ok((stream, origin.confidential()));
    }
    Ok((stream, origin))
}

fn keep_alive(idle: Duration) -> TcpKeepalive {
    // Systems count in seconds, and refuse zero.
    let interval = idle.checked_div(PROBES).unwrap_or(idle).max(SECOND);
    let options = TcpKeepalive::new().with_time(idle.max(SECOND));
    #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_os = "macos",
        target_os = "ios",
        target_os = "freebsd",
        target_os = "windows"
    ))]
    let options = options.with_interval(interval).with_retries(PROBES);
    options
}

/// How often the system asks before it gives up.
const PROBES: u32 = 3;
const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{Endpoint, Target};

    async fn pair(options: TcpOptions) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut listener = (listener, options);
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    #[tokio::test]
    async fn a_connection_is_looked_after_by_default() {
        let (_near, far) = pair(TcpOptions::new()).await;
        let socket = SockRef::from(&far);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(
            socket.tcp_keepalive_time().unwrap(),
            Duration::from_secs(30)
        );
        #[cfg(target_os = "linux")]
        {
            let interval = socket.tcp_keepalive_interval().unwrap();
            assert_eq!(interval, Duration::from_secs(10));
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
            let limit = socket.tcp_user_timeout().unwrap();
            assert_eq!(limit, Some(Duration::from_secs(60)));
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_dialled_has_the_options_too() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = "127.0.0.1".to_owned();
        let mut endpoint = Endpoint::new(String::new(), Target::Tcp { host, port }, false);
        for (options, idle) in [(TcpOptions::new(), 30), (minute(), 60)] {
            endpoint.set_tcp(options);
            let (io, _) = endpoint.dial().await.unwrap();
            let socket = SockRef::from(io.inner().tcp().unwrap());
            assert!(socket.keepalive().unwrap());
            let found = socket.tcp_keepalive_time().unwrap();
            assert_eq!(found, Duration::from_secs(idle));
        }
    }

    fn minute() -> TcpOptions {
        TcpOptions::new().keep_alive(Duration::from_secs(60))
    }

    #[tokio::test]
    async fn what_is_turned_off_is_left_to_the_system() {
        let options = TcpOptions::new().keep_alive(None).user_timeout(None);
        let (_near, far) = pair(options).await;
        let socket = SockRef::from(&far);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(!socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_user_timeout().unwrap(), None);
    }

    #[tokio::test]
    async fn values_that_a_system_would_refuse_are_made_fit() {
        for extreme in [Duration::ZERO, Duration::from_millis(1), Duration::MAX] {
            let (near, _far) = pair(TcpOptions::new()).await;
            let options = TcpOptions::new().keep_alive(extreme).user_timeout(extreme);
            let applied = options.apply(&near);
            // How long the system can count is its own affair; only short ones are ours.
            assert!(
                applied.is_ok() || extreme == Duration::MAX,
                "{extreme:?}: {applied:?}"
            );
        }
    }
}
