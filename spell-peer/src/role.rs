use std::{ops::ControlFlow, time::Instant};

use spell_message::{Message, RoleFeatures, Uri, message::Kind};

use crate::{Commands, Context, InitError, PeerConfig, SessionEnd, SessionInfo};

/// One role of a peer: a plain state machine that never does IO, never awaits and never reads the
/// clock.
///
/// A tuple of roles is itself a role, so `Peer<(Session, Publisher)>` needs no second trait.
/// Callbacks run on the task that drives the connection: they must be short. Whatever takes time
/// goes into [`Context::spawn`], whose output comes back as a command.
///
/// The built-in roles of `spell-roles` use nothing that a third party's role could not use.
///
/// # The life of a role
///
/// `init` once; then for every connection `on_open`, `on_join` when the session is established,
/// `restore` until all is asked for again, `resume` until all that waited is sent, any number of
/// `observe`, `on_message`, `handle_call` and `on_deadline`, and `on_close`. A role
/// outlives its connections, and so do its handles: what the user wants belongs into the role, what
/// the session had ends with `on_close`.
///
/// `handle_call` may come while there is no session: [`Context::session`] tells.
///
/// # Examples
///
/// A role that counts what comes in:
///
/// ```
/// use std::ops::ControlFlow;
/// use spell_message::Message;
/// use spell_peer::{Commands, Context, Role};
///
/// #[derive(Debug, Default)]
/// struct Meter(u64);
///
/// impl Role for Meter {
///     type Command = std::convert::Infallible;
///     type Handle = ();
///
///     fn handle(_: Commands<Self::Command>) {}
///
///     fn observe(&mut self, _: &Message, _: &mut Context<'_, Self::Command>) {
///         self.0 += 1;
///     }
///
///     fn handle_call(&mut self, command: Self::Command, _: &mut Context<'_, Self::Command>) {
///         match command {}
///     }
/// }
/// ```
pub trait Role: Sized + Send + 'static {
    /// What the role's handle, or a task of the role, asks of it.
    type Command: Send + 'static;

    /// What user code holds to drive the role.
    type Handle: Clone + Send + Sync + 'static;

    /// Make the handle, given the way to send the role commands.
    fn handle(commands: Commands<Self::Command>) -> Self::Handle;

    /// The realm to join, of the role that opens the session; `None` of others. For people: it is in
    /// the span of each session, and in its metrics.
    fn realm(&self) -> Option<&Uri> {
        None
    }

    /// Add the role and its features to what HELLO announces. Announce exactly what works.
    fn features(&self, _announced: &mut RoleFeatures) {}

    /// The peer was configured; called once, before anything else.
    fn init(&mut self, _config: &PeerConfig) -> Result<(), InitError> {
        Ok(())
    }

    /// The transport is open.
    fn on_open(&mut self, _cx: &mut Context<'_, Self::Command>) {}

    /// The session is joined. Requests may be made from here on; if there are many, bit by bit, see
    /// [`is_restoring`](Self::is_restoring).
    fn on_join(&mut self, _session: &SessionInfo, _cx: &mut Context<'_, Self::Command>) {}

    /// Whether the role has yet to ask a session that began for all that its user wants of every
    /// session, such as subscriptions. Until no role has, no commands are taken, and the user does
    /// not hear of the session.
    fn is_restoring(&self) -> bool {
        false
    }

    /// There is room on the wire: ask for more of it. Called again and again while
    /// [`is_restoring`](Self::is_restoring), so that much of it neither piles up nor delays what
    /// comes in; each call must be a step to the end.
    fn restore(&mut self, _cx: &mut Context<'_, Self::Command>) {}

    /// Whether the role has requests that waited for a session. They are made once no role
    /// [is restoring](Self::is_restoring) any more, and before commands are taken.
    fn is_resuming(&self) -> bool {
        false
    }

    /// There is room on the wire: make one of the requests that waited. Called again and again while
    /// [`is_resuming`](Self::is_resuming); each call must be a step to the end.
    fn resume(&mut self, _cx: &mut Context<'_, Self::Command>) {}

    /// Whether reading from the connection is to pause, because of a user who wishes to delay the
    /// router rather than to lose what it sends. Asked after every other callback; not heeded before
    /// the session is joined. What ends the pause must be a command.
    fn pauses_reading(&self) -> bool {
        false
    }

    /// A message arrived. Called for every role and every message, before any role claims it.
    fn observe(&mut self, _message: &Message, _cx: &mut Context<'_, Self::Command>) {}

    /// Whether [`on_message`](Self::on_message) may claim a message of this kind, `None` being those
    /// that the specification does not know. Where it says no, `on_message` is not called. Asked for
    /// each message, so it should not take long. Default: it may claim any.
    fn reads(&self, _kind: Option<Kind>) -> bool {
        true
    }

    /// A message arrived that this role [reads](Self::reads), and no role before this one claimed
    /// it.
    ///
    /// `Break(())` claims the message; `Continue(message)` hands it to the next role. What no role
    /// claims the engine judges.
    fn on_message(
        &mut self,
        message: Message,
        _cx: &mut Context<'_, Self::Command>,
    ) -> ControlFlow<(), Message> {
        ControlFlow::Continue(message)
    }

    /// The handle sent a command, or a task gave one.
    fn handle_call(&mut self, command: Self::Command, cx: &mut Context<'_, Self::Command>);

    /// How many requests wait for the router's answer, for [`Statistics`](crate::Statistics).
    fn pending(&self) -> usize {
        0
    }

    /// When [`on_deadline`](Self::on_deadline) is to be called; asked after every other callback.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The deadline passed.
    fn on_deadline(&mut self, _cx: &mut Context<'_, Self::Command>) {}

    /// The peer is to leave, once what is under way is done; see [`Context::drain`].
    fn on_drain(&mut self, _step: Drain, _cx: &mut Context<'_, Self::Command>) {}

    /// Whether nothing is under way that a peer which leaves should wait for. Asked after every
    /// callback from [`Drain::Begin`] on.
    fn is_drained(&self) -> bool {
        true
    }

    /// The peer is to end: say what is to be said to the router, and
    /// [`close`](Context::close). The connection is closed in any case.
    fn on_stop(&mut self, _cx: &mut Context<'_, Self::Command>) {}

    /// The connection is gone: fail what is pending.
    fn on_close(&mut self, _end: &SessionEnd) {}
}

/// How far a peer is that leaves once what is under way is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drain {
    /// Take no new work on, and finish what is under way.
    Begin,
    /// The time is up: end at once what is not finished.
    Overdue,
    /// All roles are done: the role that opens the session may say its farewell.
    Done,
}

/// A set of roles that has the role `T`; the compiler finds its place `I`.
///
/// In generic code, take the role's handle where you can; its type has no `I`.
#[diagnostic::on_unimplemented(
    message = "this peer does not have the role `{T}`",
    label = "needs the role `{T}`, but the peer's roles are `{Self}`",
    note = "add the role when you build the peer: `PeerBuilder::new(session).role({T}::default())`"
)]
pub trait Contains<T: Role, I>: Role {
    /// Pick the role's handle out of the set's handles.
    fn pick(handles: &Self::Handle) -> &T::Handle;
}
