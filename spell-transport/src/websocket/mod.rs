//! WebSocket.

mod error;

pub use error::UpgradeError;
