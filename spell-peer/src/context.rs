use std::{fmt, sync::Arc, time::Instant};

use spell_message::{Message, RequestId, RoleFeatures};

use crate::{
    CloseReason, Count, PeerEvent, RoleEvent, SendError, SessionInfo, Task, Violation,
    engine::{Core, Draining},
    task::{Mapped, Spawn},
};

/// What a role may do while it handles something. `C` is the role's command.
pub struct Context<'a, C> {
    core: &'a mut Core,
    tasks: &'a mut dyn Spawn<C>,
}

impl<'a, C: Send + 'static> Context<'a, C> {
    pub(crate) fn new(core: &'a mut Core, tasks: &'a mut dyn Spawn<C>) -> Self {
        Self { core, tasks }
    }

    /// Make a request: number it, encode it and commit it to the wire, in one step that succeeds
    /// whole or leaves no trace.
    ///
    /// There is no other way to get a request id, so ids have no gap on the wire.
    ///
    /// WAMP spec, "IDs" (session scope).
    pub fn request(
        &mut self,
        message: impl FnOnce(RequestId) -> Message,
    ) -> Result<RequestId, SendError> {
        if !self.is_joined() {
            return Err(SendError::NotJoined);
        }
        self.core.outbox.request(message)
    }

    /// Send a message that has no request id of its own: YIELD, ERROR, CANCEL, GOODBYE, HELLO, and
    /// a CALL with more arguments of a call that was requested before.
    ///
    /// Works as soon as the transport is open.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        if self.core.is_ending() {
            return Err(SendError::NotJoined);
        }
        self.core.outbox.send(&mut message.into())
    }

    /// Run `task` beside the driver; what it gives comes back as a command to this role. It ends
    /// with the connection.
    pub fn spawn(&mut self, task: impl Future<Output = C> + Send + 'static) {
        self.tasks.spawn(Task::new(task));
    }

    /// The session was established: tell all roles. For the role that opens the session.
    pub fn join(&mut self, mut session: SessionInfo) {
        if let Some(endpoint) = &self.core.endpoint {
            session.set_endpoint(endpoint.clone());
        }
        self.core.joining = Some(Arc::new(session));
    }

    /// The session that is joined, with what the router announced.
    pub fn session(&self) -> Option<&SessionInfo> {
        self.core.session.as_deref()
    }

    /// Whether requests can be made: a session is joined, and it is not ending.
    pub fn is_joined(&self) -> bool {
        self.core.session.is_some() && !self.core.is_ending()
    }

    /// Whether a transport is open.
    pub fn is_open(&self) -> bool {
        self.core.outbox.is_open()
    }

    /// What this peer's roles announce.
    pub fn announced(&self) -> &RoleFeatures {
        &self.core.announced
    }

    /// End the session, after what was sent so far. Requests that were not handed to the transport
    /// yet are dropped, so that what is told of them, that they were not sent, is true; only a peer
    /// that is [stopped](CloseReason::Stopped) still sends them.
    pub fn close(&mut self, reason: CloseReason) {
        self.core.close(reason);
    }

    /// The peer is to leave once what is under way is done: all roles get
    /// [`on_drain`](crate::Role::on_drain), with [`Drain::Begin`](crate::Drain::Begin) now and with
    /// [`Drain::Done`](crate::Drain::Done) when all of them
    /// [are drained](crate::Role::is_drained). Should the session end before, no other follows, and
    /// all are told [`CloseReason::Left`].
    ///
    /// For the role that opens the session.
    pub fn drain(&mut self) {
        self.core.drain.get_or_insert(Draining::Asked);
    }

    /// What is under way is not waited for any longer: all roles get
    /// [`Drain::Overdue`](crate::Drain::Overdue), then `Done`. Does nothing unless the peer
    /// [drains](Self::drain).
    pub fn overdue(&mut self) {
        if let Some(draining) = &mut self.core.drain {
            *draining = Draining::Overdue;
        }
    }

    /// The peer ends, for good: nothing more is sent from here on, no other session follows, and
    /// `reason` is what all are told, however the connection ends. Until then, messages still come.
    ///
    /// For the role that opens the session, after its farewell to the router. Works without a
    /// connection too.
    pub fn finish(&mut self, reason: CloseReason) {
        self.core.finishing.get_or_insert(reason);
    }

    /// The router violated the protocol: send ABORT and end the session.
    ///
    /// WAMP spec, "Protocol Errors".
    pub fn violation(&mut self, violation: Violation) {
        self.core.violation(violation);
    }

    /// Tell whoever [listens to the peer](crate::PeerEvent): of what failed, or was lost, though no
    /// handle waits for it. Not for what happens often.
    pub fn report(&mut self, event: impl RoleEvent) {
        self.core.reports.push(PeerEvent::Role(Arc::new(event)));
    }

    /// Why the peer has no session, when it has none: the last end of one.
    pub fn last_end(&self) -> Option<&CloseReason> {
        let core = &self.core;
        let now = core.finishing.as_ref().or(core.closed.as_ref());
        now.or(core.last_end.as_ref())
    }

    /// Count something for the [`Statistics`](crate::Statistics) of the peer.
    pub fn count(&mut self, what: Count, how_many: u64) {
        self.core.counters.count(what, how_many);
    }

    /// The time the engine was given.
    pub fn now(&self) -> Instant {
        self.core.now
    }

    /// Lend the context to a role whose command is a part of `C`.
    pub(crate) fn narrow<D: Send + 'static, T>(
        &mut self,
        wrap: fn(D) -> C,
        role: impl FnOnce(&mut Context<'_, D>) -> T,
    ) -> T {
        role(&mut Context {
            core: self.core,
            tasks: &mut Mapped {
                tasks: self.tasks,
                wrap,
            },
        })
    }
}

impl<C> fmt::Debug for Context<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("core", &self.core)
            .finish_non_exhaustive()
    }
}
