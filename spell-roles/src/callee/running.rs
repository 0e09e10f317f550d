use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use spell_message::{
    Message, Payload, RequestId, RoleName, Uri,
    message::{self, ErrorMessage, RequestKind, Yield},
    options::{CancelMode, ErrorDetails, YieldOptions},
    reason,
};
use spell_peer::{Context, SendError};
use spell_serializer::EncodeError;
use tracing::{Span, debug, debug_span, field::Empty};

use super::{
    AnswerError, Interrupt, Interruption, Part,
    answer::Outcome,
    cut_off::CutOff,
    info::timeout,
    interrupt::Interrupter,
    parts::{More, Unheard},
    registration::{Counted, Counters},
    role::Command,
    wanted::Wanted,
};
use crate::{
    id_map::IdMap,
    passthru::{self, Attributed, PassthruAttributes, PassthruError, SealedParts},
    queue::Consumer,
    span::RequestSpan,
    weight::weight,
};

/// The invocations that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Running {
    invocations: IdMap<RequestId, Invoked>,
    /// When those time out that the callee has to time.
    deadlines: BTreeSet<(Instant, RequestId)>,
    cut_off: CutOff,
}

#[derive(Debug)]
struct Invoked {
    // Before the queue of parts: whoever reads that is told why it ends.
    interrupter: Interrupter,
    more: More,
    counted: Counted,
    error_uri: Uri,
    timer: Option<Timer>,
    span: RequestSpan,
}

/// What the user gets of an invocation that began.
pub(super) struct Begun {
    pub(super) interrupt: Interrupt,
    /// The parts to come, if there are any.
    pub(super) parts: Option<Consumer<Part>>,
    pub(super) span: Option<Box<Span>>,
}

/// Times an invocation.
///
/// WAMP spec, "Call Timeouts": between progressive results it begins anew.
#[derive(Clone, Copy, Debug)]
struct Timer {
    limit: Duration,
    deadline: Instant,
}

impl Timer {
    /// `None` if it would never fire.
    fn start(limit: Duration, now: Instant) -> Option<Self> {
        let deadline = now.checked_add(limit)?;
        Some(Self { limit, deadline })
    }
}

impl Running {
    /// Take what belongs to an invocation that is under way, or was; what begins one comes back.
    ///
    /// WAMP spec, "Progressive Call Invocations": of later parts only `progress` is read, and those
    /// of an invocation that is over are ignored silently.
    pub(super) fn resume(
        &mut self,
        message: message::Invocation,
        cx: &mut Context<'_, Command>,
    ) -> Option<message::Invocation> {
        let request = message.request;
        let Some(invoked) = self.invocations.get_mut(&request) else {
            return (!self.cut_off.contains(request)).then_some(message);
        };
        let size = weight(message.details.as_dict(), &message.payload);
        let part = Part::new(&message.details, message.payload);
        match invoked.more.push(part, size) {
            Ok(()) => {}
            Err(Unheard::Complete) => {
                debug!(%request, "an invocation with the id of one that is under way was dropped");
            }
            Err(Unheard::Overflow) => {
                self.fail(request, Interruption::Overflow, reason::CANCELED, cx);
            }
        }
        None
    }

    /// An invocation came.
    pub(super) fn begin(
        &mut self,
        message: &message::Invocation,
        wanted: &Wanted,
        cx: &Context<'_, Command>,
    ) -> Begun {
        let request = message.request;
        let interrupter = Interrupter::new(request);
        let interrupt = interrupter.interrupt();
        let (more, parts) = if is_progressive(message) {
            let (more, parts) = wanted.parts();
            (more, Some(parts))
        } else {
            (More::Complete, None)
        };
        let timer = timeout(&message.details).and_then(|limit| Timer::start(limit, cx.now()));
        if let Some(timer) = timer {
            self.deadlines.insert((timer.deadline, request));
        }
        let span = || {
            let details = &message.details;
            debug_span!(
                parent: None,
                "invocation",
                procedure = details.procedure().unwrap_or(wanted.procedure.as_str()),
                realm = Empty,
                session = Empty,
                request = Empty,
                traceparent = details.traceparent(),
                outcome = Empty
            )
        };
        let span = RequestSpan::open(span, "closed");
        span.sent(request, cx.session());
        let begun = Begun {
            interrupt,
            parts,
            span: span.span(),
        };
        let invoked = Invoked {
            interrupter,
            more,
            counted: Counted::new(&wanted.counters),
            error_uri: wanted.error_uri.clone(),
            timer,
            span,
        };
        self.invocations.insert(request, invoked);
        begun
    }

    /// An invocation is refused before it began.
    pub(super) fn pass_over(&mut self, message: &message::Invocation) {
        if is_progressive(message) {
            self.cut_off.insert(message.request);
        }
    }

    /// The caller gave up. What is over already is not concerned.
    pub(super) fn interrupt(&mut self, request: RequestId, mode: Option<CancelMode>) {
        // WAMP spec, "Call Canceling": in this mode the dealer has answered already.
        if mode == Some(CancelMode::KillNoWait) {
            self.finish(request, Interruption::Canceled { mode }, "canceled");
        } else if let Some(invoked) = self.invocations.get_mut(&request) {
            invoked.interrupter.cancel(mode);
            invoked.more.close();
        }
    }

    /// Answer an invocation with an ERROR, whatever the user does.
    pub(super) fn fail(
        &mut self,
        request: RequestId,
        cause: Interruption,
        uri: &'static str,
        cx: &mut Context<'_, Command>,
    ) {
        if self.finish(request, cause, uri).is_some() {
            refuse(request, uri, cx);
        }
    }

    /// When the next invocation times out.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// End the invocations whose time is up.
    pub(super) fn expire(&mut self, cx: &mut Context<'_, Command>) {
        while self.deadline().is_some_and(|next| next <= cx.now())
            && let Some((_, request)) = self.deadlines.pop_first()
        {
            self.fail(request, Interruption::TimedOut, reason::TIMEOUT, cx);
        }
    }

    /// Cut off all invocations that are not answered, or those that these count. Gives how many.
    pub(super) fn cut(
        &mut self,
        counters: Option<&Arc<Counters>>,
        cx: &mut Context<'_, Command>,
    ) -> u64 {
        let is_meant = |invoked: &Invoked| {
            counters.is_none_or(|counters| Arc::ptr_eq(counters, invoked.counted.counters()))
        };
        let invocations = self.invocations.iter();
        let meant = invocations.filter(|(_, invoked)| is_meant(invoked));
        let meant: Vec<_> = meant
            .map(|(request, invoked)| (*request, invoked.interrupter.is_begun()))
            .collect();
        let mut interrupted: u64 = 0;
        for (request, is_begun) in meant {
            if let Some(invoked) = self.invocations.get(&request) {
                let counters = invoked.counted.counters();
                counters.interrupted.fetch_add(1, Ordering::Relaxed);
            }
            // WAMP spec, "Call Re-Routing": another callee may serve what nobody began to work on.
            let uri = if is_begun {
                reason::CANCELED
            } else {
                reason::UNAVAILABLE
            };
            self.fail(request, Interruption::Stopped, uri, cx);
            interrupted = interrupted.saturating_add(1);
        }
        interrupted
    }

    /// Whether all are answered.
    pub(super) fn is_empty(&self) -> bool {
        self.invocations.is_empty()
    }

    /// The session ended: nothing can be answered any more.
    pub(super) fn clear(&mut self) {
        // Dropping them tells the users.
        *self = Self::default();
    }

    /// Send a progressive result, or the answer, of an invocation. The caller gets an answer in any
    /// case: if it cannot be sent, an ERROR that says so.
    pub(super) fn answer(
        &mut self,
        interrupt: &Interrupt,
        outcome: Outcome,
        cx: &mut Context<'_, Command>,
    ) -> Result<(), AnswerError> {
        let request = interrupt.request();
        let running = self.invocations.get(&request);
        let Some(invoked) = running.filter(|invoked| invoked.interrupter.is_of(interrupt)) else {
            return Err(AnswerError::over(interrupt.cause(), cx.last_end()));
        };
        let is_canceled = invoked.interrupter.is_canceled();
        let unanswered = |uri: &str| {
            // These are URIs all.
            let uri = Uri::new(uri).unwrap_or_else(|_| invoked.error_uri.clone());
            Ok(error(request, uri, ErrorDetails::new(), Payload::default()))
        };
        let message = match outcome {
            Outcome::Progress(_) if is_canceled => return Err(AnswerError::Canceled),
            Outcome::Progress(payload) => return self.progress(request, payload, cx),
            Outcome::Result(sealed) => yielded(request, YieldOptions::new(), sealed, cx),
            Outcome::Error(uri, sealed) => failed(request, uri, sealed, cx),
            Outcome::TooLarge => unanswered(reason::PAYLOAD_SIZE_EXCEEDED),
            Outcome::Dropped if is_canceled => unanswered(reason::CANCELED),
            Outcome::Failed | Outcome::Dropped => unanswered(&invoked.error_uri),
        };
        let outcome = match &message {
            Ok(Message::Error(error)) => error.error.as_str(),
            Ok(_) => "ok",
            Err(_) => "not sent",
        };
        self.finish(request, Interruption::Answered, outcome);
        let sent = message.and_then(|message| cx.send(message));
        if let Err(error) = &sent {
            let uri = match error {
                SendError::TooLarge { .. } => reason::PAYLOAD_SIZE_EXCEEDED,
                _ => reason::RUNTIME_ERROR,
            };
            // The user is told the first error, which is the cause.
            refuse(request, uri, cx);
        }
        sent.map_err(|error| AnswerError::not_sent(error, cx.last_end()))
    }

    fn progress(
        &mut self,
        request: RequestId,
        sealed: SealedParts,
        cx: &mut Context<'_, Command>,
    ) -> Result<(), AnswerError> {
        let mut options = YieldOptions::new();
        options.set_progress(true);
        let message = yielded(request, options, sealed, cx);
        let sent = message.and_then(|message| cx.send(message));
        sent.map_err(|error| AnswerError::not_sent(error, cx.last_end()))?;
        let invoked = self.invocations.get_mut(&request);
        let timer = invoked.and_then(|invoked| invoked.timer.as_mut());
        if let Some(timer) = timer {
            self.deadlines.remove(&(timer.deadline, request));
            // A time that cannot be reached any more was far away already.
            *timer = Timer::start(timer.limit, cx.now()).unwrap_or(*timer);
            self.deadlines.insert((timer.deadline, request));
        }
        Ok(())
    }

    /// It is over. `None` if it was already.
    fn finish(&mut self, request: RequestId, cause: Interruption, outcome: &str) -> Option<()> {
        let invoked = self.invocations.remove(&request)?;
        if let Some(timer) = invoked.timer {
            self.deadlines.remove(&(timer.deadline, request));
        }
        if invoked.more.is_open() {
            self.cut_off.insert(request);
        }
        invoked.interrupter.end(cause);
        invoked.span.end(outcome);
        Some(())
    }
}

/// Answer an invocation by the role's own decision.
pub(super) fn refuse(request: RequestId, uri: &'static str, cx: &mut Context<'_, Command>) {
    // These are constants of the specification.
    let Ok(uri) = Uri::new(uri) else { return };
    let refusal = error(request, uri, ErrorDetails::new(), Payload::default());
    if let Err(error) = cx.send(refusal) {
        debug!(%request, %error, "an invocation could not be refused");
    }
}

fn is_progressive(message: &message::Invocation) -> bool {
    message.details.progress() == Some(true)
}

fn yielded(
    request: RequestId,
    mut options: YieldOptions,
    (payload, attributes): SealedParts,
    cx: &Context<'_, Command>,
) -> Result<Message, SendError> {
    describe(&mut options, attributes, cx)?;
    Ok(Message::Yield(Yield {
        request,
        options,
        payload,
    }))
}

fn failed(
    request: RequestId,
    uri: Uri,
    (payload, attributes): SealedParts,
    cx: &Context<'_, Command>,
) -> Result<Message, SendError> {
    let mut details = ErrorDetails::new();
    describe(&mut details, attributes, cx)?;
    Ok(error(request, uri, details, payload))
}

/// Say how the payload is sealed, as the router takes it.
fn describe(
    options: &mut impl Attributed,
    attributes: Option<Box<PassthruAttributes>>,
    cx: &Context<'_, Command>,
) -> Result<(), SendError> {
    options.describe(attributes);
    passthru::fit(options, RoleName::Dealer, cx).map_err(|_| {
        let source = PassthruError::NotAnnounced.into();
        SendError::Encode(EncodeError::Sealed { source })
    })
}

fn error(request: RequestId, error: Uri, details: ErrorDetails, payload: Payload) -> Message {
    Message::Error(ErrorMessage {
        request_kind: RequestKind::Invocation,
        request,
        details,
        error,
        payload,
    })
}
