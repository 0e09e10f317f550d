//! What a client sends.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use spell_message::{Message, message::RequestKind, reason};
use spell_serializer::DecodeError;
use spell_transport::{Transport, TransportError};

use super::{Connection, Ended, Phase, Progress, goodbye};
use crate::{
    carrier::Line,
    error::{Violation, describe},
    realm::{Flow, abort},
    session::Step,
    watch::Watch,
};

impl<T: Transport> Connection<T> {
    /// Reads what the client sends, as far as others wait no longer for their turn. Gives whether it
    /// was left for all that waits for this client.
    pub(super) fn poll_read(
        &mut self,
        budget: &mut usize,
        cx: &mut Context<'_>,
    ) -> Result<bool, Ended> {
        while *budget > 0 && !self.read_ended {
            if self.queue.is_crowded() {
                return Ok(true);
            }
            let Poll::Ready(frame) = Pin::new(&mut self.transport).poll_next(cx) else {
                break;
            };
            *budget = budget.saturating_sub(1);
            self.receive(frame)?;
        }
        Ok(false)
    }

    fn receive(&mut self, frame: Option<Result<Bytes, TransportError>>) -> Progress {
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return self.broken(&error),
            // What is queued may still be read.
            None if matches!(self.phase, Phase::Closing) => {
                self.read_ended = true;
                return Ok(());
            }
            None => return Err(Ended),
        };
        if matches!(self.phase, Phase::Closing | Phase::Draining) {
            return Ok(());
        }
        if matches!(self.phase, Phase::Opening(..)) && frame.len() > LARGEST_OPENING {
            self.violated(Violation::LargeOpening {
                size: frame.len(),
                limit: LARGEST_OPENING,
            });
            return Ok(());
        }
        match self.serializer.decode(&frame) {
            Ok(message) => self.handle(message),
            Err(error) => self.undecodable(&error),
        }
        Ok(())
    }

    /// The transport failed. Where that is the client's fault, it may still be told.
    fn broken(&mut self, error: &TransportError) -> Progress {
        tracing::debug!(%error, "the transport failed");
        let misbehaved = match error {
            TransportError::Oversized { .. } => error.to_string(),
            TransportError::Protocol(detail) => detail.to_string(),
            _ => return Err(Ended),
        };
        self.read_ended = true;
        match self.phase {
            Phase::Opening(..) | Phase::Joined(_) => {
                self.violated(Violation::Transport(misbehaved));
            }
            // Nothing follows GOODBYE.
            Phase::Leaving => self.end(),
            Phase::Closing => {}
            Phase::Draining => return Err(Ended),
        }
        Ok(())
    }

    fn handle(&mut self, message: Message) {
        match &mut self.phase {
            Phase::Opening(handshake, _) => {
                let step = handshake.handle(message, |realm| self.shared.access(realm));
                self.advance(step);
            }
            Phase::Joined(membership) => match message {
                Message::Goodbye(_) => {
                    // Leave first, so that nothing follows the answer. If the session was killed at
                    // the same time, each GOODBYE is the answer to the other.
                    self.end();
                    self.queue.push(goodbye(reason::GOODBYE_AND_OUT));
                }
                Message::Abort(message) => {
                    tracing::debug!(reason = ?message.reason.as_str(), "the client aborted the session");
                    self.end();
                }
                message => {
                    let flow = membership.handle(message);
                    self.follow(flow);
                }
            },
            Phase::Leaving => {
                // WAMP spec, "Session Closing": anything but the answer is ignored.
                if matches!(message, Message::Goodbye(_) | Message::Abort(_)) {
                    self.end();
                }
            }
            Phase::Closing | Phase::Draining => {}
        }
    }

    fn advance(&mut self, step: Step) {
        match step {
            Step::Challenge(challenge) => self.queue.push(challenge),
            Step::Admit(admission) => {
                let phase = std::mem::replace(&mut self.phase, Phase::Closing);
                if let Phase::Opening(_, reserved) = phase {
                    let line = Line::new(self.serializer.clone(), self.max_send);
                    let membership = self.shared.join(reserved, admission, &self.queue, line);
                    self.phase = Phase::Joined(membership);
                    self.deadline = None;
                    self.watch = Watch::begin(self.shared.limits.keep_alive, &self.transport);
                }
            }
            Step::Refuse(abort) => {
                tracing::debug!(reason = abort.reason.as_str(), "session refused");
                self.shared.counters.refused.up();
                self.queue.push(abort);
                self.end();
            }
            Step::Close => {
                self.shared.counters.refused.up();
                self.end();
            }
        }
    }

    fn undecodable(&mut self, error: &DecodeError) {
        if let (Phase::Joined(membership), DecodeError::Uri { source, .. }) = (&self.phase, error)
            && let Some(request) = error.request()
        {
            let answer = match error.failed() {
                None => error.reply().map(|(kind, _)| kind),
                // Only callees send ERROR; its request is an invocation.
                Some((RequestKind::Invocation, _)) => Some(RequestKind::Invocation),
                Some((kind, _)) => return self.violated(Violation::ErrorFor(kind)),
            };
            let flow = membership.refuse_uri(answer, request, &source.to_string());
            self.follow(flow);
        } else if matches!(self.phase, Phase::Opening(..)) && error.is_invalid_uri() {
            self.shared.counters.refused.up();
            self.queue
                .push(abort(reason::INVALID_URI, error.to_string()));
            self.end();
        } else if !matches!(self.phase, Phase::Leaving) {
            self.violated(Violation::Undecodable(describe(error)));
        }
    }

    fn violated(&mut self, violation: Violation) {
        if let Phase::Joined(membership) = &self.phase {
            self.shared.counters.violations.up();
            membership.violated(violation);
        } else {
            self.shared.counters.refused.up();
            self.queue.push(violation.abort());
        }
        self.end();
    }

    fn follow(&mut self, flow: Flow) {
        if flow == Flow::Closed {
            self.shared.counters.violations.up();
            self.end();
        }
    }
}

/// The largest frame to look at before the session is established, in bytes: who has proven nothing
/// yet must not make the router work much.
const LARGEST_OPENING: usize = 64 << 10;
