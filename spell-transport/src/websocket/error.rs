//! The errors of the WebSocket library in our words.

use tokio_tungstenite::tungstenite::{
    Error,
    error::{ProtocolError as WebSocketError, SubProtocolError},
};

use crate::{AcceptError, ConnectError};

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
    #[error("the server agreed to a subprotocol that was not offered")]
    ForeignSubprotocol,
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

/// During the handshake, on the side that dials.
pub(super) fn during_connect(error: Error) -> ConnectError {
    let upgrade = match error {
        Error::Io(error) => return error.into(),
        Error::Protocol(WebSocketError::HandshakeIncomplete) => return ConnectError::Closed,
        Error::Protocol(WebSocketError::SecWebSocketSubProtocolError(error)) => match error {
            SubProtocolError::NoSubProtocol => UpgradeError::NoSubprotocol,
            _ => UpgradeError::ForeignSubprotocol,
        },
        Error::Http(response) => UpgradeError::Status {
            status: response.status().as_u16(),
        },
        error => UpgradeError::Invalid {
            detail: detail(&error),
        },
    };
    ConnectError::WebSocket(upgrade)
}

/// During the handshake, on the side that listens.
pub(super) fn during_accept(error: Error) -> AcceptError {
    match error {
        Error::Io(error) => error.into(),
        Error::Protocol(WebSocketError::HandshakeIncomplete) => AcceptError::Closed,
        // The one answer by which this side refuses a client that did all else right.
        Error::Http(_) => AcceptError::UnsupportedSerialization,
        error => AcceptError::WebSocket(UpgradeError::Invalid {
            detail: detail(&error),
        }),
    }
}

/// Without the outer layer of the text, which only says that it is an error of the protocol.
fn detail(error: &Error) -> String {
    match error {
        Error::Protocol(error) => error.to_string(),
        Error::Capacity(error) => error.to_string(),
        error => error.to_string(),
    }
}
