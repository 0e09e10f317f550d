//! The ways to reach a router.

use std::path::PathBuf;

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

/// The addresses at which one router listens, one for each [`Link`].
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by the launchers of several routers"
)]
pub struct Addresses {
    /// TCP port of the WebSocket listener, on the loopback interface.
    pub websocket: u16,
    /// TCP port of the RawSocket listener, on the loopback interface.
    pub rawsocket: u16,
    /// Path of the RawSocket listener's Unix socket.
    pub unix: PathBuf,
}

impl Addresses {
    /// The URL of a listener.
    pub fn url(&self, link: Link) -> String {
        match link {
            Link::WebSocket => format!("ws://127.0.0.1:{}/ws", self.websocket),
            Link::RawSocketTcp => format!("rs://127.0.0.1:{}", self.rawsocket),
            Link::RawSocketUnix => format!("rs+unix:{}", self.unix.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_link_has_its_own_url() {
        let addresses = Addresses {
            websocket: 1,
            rawsocket: 2,
            unix: PathBuf::from("/run/router.sock"),
        };
        assert_eq!(addresses.url(Link::WebSocket), "ws://127.0.0.1:1/ws");
        assert_eq!(addresses.url(Link::RawSocketTcp), "rs://127.0.0.1:2");
        assert_eq!(
            addresses.url(Link::RawSocketUnix),
            "rs+unix:/run/router.sock"
        );
    }
}
