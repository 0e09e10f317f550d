//! How the HTTP handshake fails.

/// How a WebSocket handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The server accepted the connection but agreed to no subprotocol.
    ///
    /// WAMP spec, "WebSocket Transport": without an agreed subprotocol there is no session, and
    /// guessing one is not allowed.
    #[error("the server agreed to no subprotocol")]
    NoSubprotocol,
    /// The server agreed to a subprotocol that was not offered.
    #[error("the server agreed to the subprotocol {name:?}, which was not offered")]
    ForeignSubprotocol {
        /// The subprotocol in its answer.
        name: String,
    },
    /// The server answered with an HTTP status instead of switching protocols. Redirects are not
    /// followed.
    #[error("the server answered with HTTP status {status}")]
    Status {
        /// The status code, as 404.
        status: u16,
    },
    /// The other side's HTTP is not that of a WebSocket handshake.
    #[error("not a WebSocket handshake: {detail}")]
    Invalid {
        /// What is wrong with it.
        detail: String,
    },
}
