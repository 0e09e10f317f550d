//! The ways to reach a router.

/// A transport and what it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the tests match on all of them")]
pub enum Link {
    /// WebSocket over TCP.
    WebSocket,
    /// RawSocket over TCP.
    RawSocketTcp,
    /// RawSocket over a Unix socket.
    RawSocketUnix,
}

/// Where one router listens.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by the launchers of several routers"
)]
pub struct Urls {
    /// Of the listener for [`Link::WebSocket`].
    pub websocket: Option<String>,
    /// Of the listener for [`Link::RawSocketTcp`].
    pub rawsocket_tcp: Option<String>,
    /// Of the listener for [`Link::RawSocketUnix`].
    pub rawsocket_unix: Option<String>,
}

impl Urls {
    /// The URL to dial for this link, if the router has it.
    pub fn url(&self, link: Link) -> Option<&str> {
        match link {
            Link::WebSocket => self.websocket.as_deref(),
            Link::RawSocketTcp => self.rawsocket_tcp.as_deref(),
            Link::RawSocketUnix => self.rawsocket_unix.as_deref(),
        }
    }
}
