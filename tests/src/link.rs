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
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by the launchers of several routers"
)]
pub struct Urls {
    /// Of the listener for [`Link::WebSocket`].
    pub websocket: String,
    /// Of the listener for [`Link::RawSocketTcp`].
    pub rawsocket_tcp: String,
    /// Of the listener for [`Link::RawSocketUnix`].
    pub rawsocket_unix: String,
}

impl Urls {
    /// The URL to dial for this link.
    pub fn url(&self, link: Link) -> &str {
        match link {
            Link::WebSocket => &self.websocket,
            Link::RawSocketTcp => &self.rawsocket_tcp,
            Link::RawSocketUnix => &self.rawsocket_unix,
        }
    }
}
