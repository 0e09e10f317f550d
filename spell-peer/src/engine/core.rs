use std::{sync::Arc, time::Instant};

use spell_message::{Payload, RequestId, RoleFeatures, Uri, message::Abort, options::AbortDetails};
use tracing::{Span, info};

use super::Probing;
use crate::{
    CloseReason, PeerConfig, SessionInfo, Violation, counters::Counters, event::EventQueue,
    outbox::Outbox,
};

/// What all roles share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) outbox: Outbox,
    pub(crate) announced: RoleFeatures,
    pub(crate) session: Option<Arc<SessionInfo>>,
    /// A session that was established during the callback under way.
    pub(crate) joining: Option<Arc<SessionInfo>>,
    pub(crate) closed: Option<CloseReason>,
    /// The peer said its farewell: how the connection ends does not matter any more.
    pub(crate) finishing: Option<CloseReason>,
    /// The peer leaves once what is under way is done.
    pub(crate) drain: Option<Draining>,
    pub(crate) last_end: Option<CloseReason>,
    pub(crate) probing: Probing,
    /// Where the transport leads to, for people.
    pub(crate) endpoint: Option<Arc<str>>,
    /// What roles reported, for whoever listens to the peer.
    pub(crate) reports: EventQueue,
    pub(crate) counters: Arc<Counters>,
    /// Of the session, from dialling to its end.
    pub(crate) span: Span,
    pub(crate) now: Instant,
    pub(crate) config: PeerConfig,
}

/// How far the roles are told that the peer drains.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Draining {
    /// They are to be told.
    Asked,
    /// They were told, and are waited for.
    UnderWay,
    /// They are to be told that the time is up.
    Overdue,
}

impl Core {
    /// Whether nothing may be sent any more, whatever is still under way.
    pub(crate) fn is_ending(&self) -> bool {
        self.closed.is_some() || self.finishing.is_some()
    }

    /// Tell people of the session that was established.
    pub(crate) fn joined(&self, session: &SessionInfo) {
        self.span.record("session", session.id().get());
        self.span.record("realm", session.realm().as_str());
        let (id, realm) = (session.id(), session.realm());
        info!(session = %id, %realm, "session joined");
    }

    pub(crate) fn close(&mut self, reason: CloseReason) {
        if self.closed.is_some() {
            return;
        }
        // A peer that ends by its own wish still sends what it took; after a loss nothing can be
        // sent, and what waits is told that it was not.
        if !matches!(reason, CloseReason::Stopped) {
            self.outbox.drop_requests();
        }
        self.closed = Some(reason);
    }

    /// The last request that the router may get to see.
    pub(crate) fn last_sent(&self) -> Option<RequestId> {
        match self.closed {
            Some(CloseReason::Stopped) => self.outbox.last_committed(),
            _ => self.outbox.last_sent(),
        }
    }

    pub(crate) fn violation(&mut self, violation: Violation) {
        // After the farewell nothing that comes matters any more.
        if self.is_ending() {
            return;
        }
        // WAMP spec, "Protocol Errors": ABORT, then nothing more to this router.
        self.outbox.clear();
        let mut details = AbortDetails::new();
        details.set_message(violation.to_string());
        if let Ok(reason) = Uri::new(violation.reason()) {
            let abort = Abort {
                details,
                reason,
                payload: Payload::default(),
            };
            // What cannot be told is not told; the connection ends all the same.
            let _ = self.outbox.send(&mut abort.into());
        }
        self.closed = Some(CloseReason::Violation(Arc::new(violation)));
    }
}
