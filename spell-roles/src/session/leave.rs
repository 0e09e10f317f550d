use std::{fmt, pin::Pin, time::Duration};

use spell_message::{IntoUri, InvalidUri, Uri, message::Goodbye, options::GoodbyeDetails, reason};
use spell_peer::{CloseReason, Commands, SendError};
use thiserror::Error;
use tokio::sync::oneshot;

use super::handle::{Ask, Command};

/// A farewell in the making; `.await` it to leave the realm and end the peer.
///
/// Sends GOODBYE after all that was sent before, and waits for the router's. From then on nothing
/// else is sent, what still comes is ignored, and the peer ends with [`CloseReason::Left`], however
/// its connection ends; no retry policy is asked. What was pending ends with the same reason.
///
/// The router has [`Session::leave_timeout`](super::Session::leave_timeout) to answer. Leaving
/// again, or leaving a peer that left before, does no harm; a peer without a session just ends.
///
/// # Errors
///
/// [`LeaveError`], when the router did not confirm. Unless GOODBYE itself could not be sent, the
/// peer ends all the same.
///
/// # Cancel safety
///
/// Dropped before it was first polled, nothing happens. Dropped later, GOODBYE was or will be sent
/// and the peer ends; only the router's answer is not reported.
///
/// WAMP spec, "GOODBYE".
#[must_use = "a peer leaves only when this is awaited"]
pub struct Leave<'a> {
    commands: &'a Commands<Command>,
    reason: Result<Uri, InvalidUri>,
    details: GoodbyeDetails,
}

impl<'a> Leave<'a> {
    pub(super) fn new(commands: &'a Commands<Command>) -> Self {
        Self {
            commands,
            reason: Uri::new(reason::CLOSE_REALM),
            details: GoodbyeDetails::new(),
        }
    }

    /// Why, as a URI. Default: `wamp.close.close_realm`.
    pub fn reason(mut self, reason: impl IntoUri) -> Self {
        self.reason = reason.into_uri();
        self
    }

    /// Why, as a text for people. Default: none.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.details.set_message(message);
        self
    }

    /// Any details for GOODBYE, instead of those set before.
    pub fn details(mut self, details: GoodbyeDetails) -> Self {
        self.details = details;
        self
    }

    /// Leave: what `.await` does, without the box.
    pub async fn send(self) -> Result<(), LeaveError> {
        let goodbye = Goodbye {
            details: self.details,
            reason: self.reason?,
        };
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command(Ask::Leave(goodbye, reply)));
        if let Err(closed) = sent.await {
            return ended(closed.reason);
        }
        match answer.await {
            Ok(answer) => answer,
            Err(_) => ended(self.commands.end().unwrap_or(CloseReason::Panicked)),
        }
    }
}

/// The peer ended before it could leave.
fn ended(reason: CloseReason) -> Result<(), LeaveError> {
    match reason {
        CloseReason::Left => Ok(()),
        reason => Err(LeaveError::Closed(reason)),
    }
}

impl<'a> IntoFuture for Leave<'a> {
    type Output = Result<(), LeaveError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for Leave<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leave")
            .field("reason", &self.reason)
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

/// The router did not confirm that the peer left.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum LeaveError {
    /// The reason is no URI. Nothing was done.
    #[error("the reason for leaving is not valid")]
    Reason(#[from] InvalidUri),
    /// GOODBYE could not be sent; the peer goes on.
    #[error("GOODBYE could not be sent")]
    Send(#[source] std::sync::Arc<SendError>),
    /// The router did not answer in this time. The peer left.
    #[error("the router did not say goodbye within {0:?}")]
    Unanswered(Duration),
    /// The connection ended, or the router sent ABORT, before it answered. The peer left.
    #[error("the connection ended before the router said goodbye")]
    Interrupted,
    /// The peer had ended before, for this reason.
    #[error("the peer had ended before")]
    Closed(#[source] CloseReason),
}
