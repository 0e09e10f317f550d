//! The spans of calls and invocations: what `tracing` shows of them, from beginning to end.
//!
//! They say what was asked of whom and what became of it, never with which arguments. Where nobody
//! listens, there is none.

use std::fmt::Display;

use spell_message::RequestId;
use spell_peer::SessionInfo;
use tracing::{Span, field::display, level_filters::LevelFilter};

/// The span of a request, kept by its role. Empty when nobody listens.
#[derive(Debug, Default)]
pub(crate) struct RequestSpan(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    span: Span,
    /// What became of it if nobody says otherwise.
    outcome: &'static str,
}

impl RequestSpan {
    /// Open a span of the level `debug`, which has the fields `realm`, `session`, `request` and
    /// `outcome`. The last is this if nothing else is told.
    pub(crate) fn open(span: impl FnOnce() -> Span, outcome: &'static str) -> Self {
        if LevelFilter::current() < LevelFilter::DEBUG {
            return Self(None);
        }
        let span = span();
        let is_open = !span.is_disabled();
        Self(is_open.then(|| Box::new(Open { span, outcome })))
    }

    /// The span, for what is done within.
    pub(crate) fn span(&self) -> Option<Box<Span>> {
        let open = self.0.as_ref();
        open.map(|open| Box::new(open.span.clone()))
    }

    /// The request has its id in this session.
    pub(crate) fn sent(&self, request: RequestId, session: Option<&SessionInfo>) {
        let Some(open) = &self.0 else { return };
        open.span.record("request", request.get());
        record_session(&open.span, session);
    }

    /// This became of it.
    pub(crate) fn end(mut self, outcome: impl Display) {
        if let Some(open) = self.0.take() {
            open.span.record("outcome", display(outcome));
        }
    }
}

impl Drop for RequestSpan {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            open.span.record("outcome", open.outcome);
        }
    }
}

/// Say in a span in which session it is.
pub(crate) fn record_session(span: &Span, session: Option<&SessionInfo>) {
    if let Some(session) = session {
        span.record("realm", session.realm().as_str());
        span.record("session", session.id().get());
    }
}
