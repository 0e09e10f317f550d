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
/// To let handlers finish first, [`drain`](Self::drain).
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
    drain: Option<Duration>,
}

impl<'a> Leave<'a> {
    pub(super) fn new(commands: &'a Commands<Command>) -> Self {
        Self {
            commands,
            reason: Uri::new(reason::CLOSE_REALM),
            details: GoodbyeDetails::new(),
            drain: None,
        }
    }

    /// Before GOODBYE, finish what is under way, as long as `limit` allows. Default: say GOODBYE at
    /// once.
    ///
    /// All procedures are unregistered; invocations that came before are served, those that wait in
    /// a queue too; publications that the broker is to acknowledge are waited for. The peer calls
    /// and publishes as ever meanwhile, as handlers may have to. Then it says GOODBYE, for whose
    /// answer the router has its own time. A peer with nothing under way leaves at once.
    ///
    /// When the time is up, invocations that are not answered are: those that a handler, or the
    /// reader of a stream, has taken with `wamp.error.canceled`, and they are
    /// [interrupted](crate::Interruption::Stopped); those that waited with
    /// `wamp.error.unavailable`, so that a router can have another callee serve them.
    /// [`Registration::interrupted`](crate::Registration::interrupted) counts both. The peer leaves
    /// then, and [`LeaveError::Overdue`] tells.
    ///
    /// The peer leaves in any case: if it is asked to leave again, without draining, at once; and if
    /// the connection ends before, no other follows.
    ///
    /// ```
    /// # use spell_peer::PeerBuilder;
    /// # use spell_roles::{Callee, Session};
    /// use std::time::Duration;
    /// use spell_roles::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let router = spell_router::Router::local();
    /// # let peer = PeerBuilder::new(Session::new("com.example.realm")).role(Callee::new());
    /// # let peer = peer.connect(router.connector()).await?;
    /// let echo = peer.register("com.example.echo");
    /// let _echo = echo.handler(|(text,): (String,)| async move { Ok(text) }).await?;
    ///
    /// peer.leave().drain(Duration::from_secs(20)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn drain(mut self, limit: Duration) -> Self {
        self.drain = Some(limit);
        self
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
        let sent = self.commands.send(Command(Ask::Leave {
            goodbye,
            drain: self.drain,
            reply,
        }));
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
            .field("drain", &self.drain)
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
    /// What was under way was not finished in this time, and was interrupted. The peer left.
    #[error("what was under way was not finished within {0:?}")]
    Overdue(Duration),
    /// The connection ended, or the router sent ABORT, before it answered. The peer left.
    #[error("the connection ended before the router said goodbye")]
    Interrupted,
    /// The peer had ended before, for this reason.
    #[error("the peer had ended before")]
    Closed(#[source] CloseReason),
}
