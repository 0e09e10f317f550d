use std::{
    mem,
    sync::{Arc, OnceLock},
};

use spell_message::{
    RequestId, Uri,
    options::{CallOptions, CancelMode},
};
use spell_peer::{Context, Count, SessionInfo};
use tracing::warn;

use super::{
    CallResult,
    role::{CallReply, Command, NewCall},
};
use crate::{
    error::Failure,
    pending::Waiter,
    queue::{Offered, Overflow, Producer, Pushed},
    span::RequestSpan,
    weight::weight,
};

/// A call that was sent, as its role keeps it to the end.
#[derive(Debug)]
pub(super) struct Ongoing {
    /// Gets the result or the error that ends the call, whatever the queues hold.
    pub(super) reply: CallReply,
    /// How it is cancelled when it is given up.
    pub(super) mode: CancelMode,
    /// Boxed, as few calls have any.
    pub(super) streams: Option<Box<Streams>>,
    pub(super) span: RequestSpan,
}

/// What a call has beside its first arguments and its last result.
#[derive(Debug, Default)]
pub(super) struct Streams {
    pub(super) results: Option<Results>,
    pub(super) arguments: Option<Arguments>,
}

/// Progressive results.
#[derive(Debug)]
pub(super) struct Results {
    queue: Producer<CallResult>,
    overflow: Overflow,
    has_warned: bool,
}

/// Arguments that follow the first ones, until the last ones were sent.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) procedure: Uri,
    /// Told why the call failed, if it did.
    pub(super) failure: Arc<OnceLock<Failure>>,
}

impl Ongoing {
    pub(super) fn results(&mut self) -> Option<&mut Results> {
        self.streams.as_mut()?.results.as_mut()
    }

    pub(super) fn arguments(&self) -> Option<&Arguments> {
        self.streams.as_ref()?.arguments.as_ref()
    }

    /// The last arguments were sent.
    pub(super) fn finish(&mut self) {
        if let Some(streams) = &mut self.streams {
            streams.arguments = None;
        }
    }
}

impl Waiter for Ongoing {
    type Answer = CallResult;
    type Order = NewCall;

    fn reply(&self) -> &CallReply {
        &self.reply
    }

    fn sent(&self, request: RequestId, session: Option<&SessionInfo>) {
        self.span.sent(request, session);
    }

    fn answer(self, answer: Result<CallResult, Failure>) {
        if let Some(Arguments { failure, .. }) = self.streams.and_then(|streams| streams.arguments)
            && let Err(cause) = &answer
        {
            // Nothing was told before: there is one answer.
            let _ = failure.set(cause.clone());
        }
        match &answer {
            Ok(_) => self.span.end("ok"),
            Err(failure) => self.span.end(failure.outcome()),
        }
        self.reply.send(answer);
    }
}

impl Streams {
    /// Say in the options of the first CALL what the call has.
    pub(super) fn announce(&self, options: &mut CallOptions) {
        if self.results.is_some() {
            options.set_receive_progress(true);
        }
        if self.arguments.is_some() {
            options.set_progress(true);
        }
    }
}

impl Results {
    pub(super) fn new(queue: Producer<CallResult>, overflow: Overflow) -> Self {
        Self {
            queue,
            overflow,
            has_warned: false,
        }
    }

    /// Queue a result that is not the last.
    pub(super) fn offer(
        &mut self,
        request: RequestId,
        result: CallResult,
        cx: &mut Context<'_, Command>,
    ) -> Offered {
        let bytes = weight(result.details().as_dict(), result.payload());
        let is_refused = match self.queue.push(result, bytes) {
            Pushed::Queued => return Offered::Taken,
            Pushed::Filled => return Offered::Filled,
            Pushed::Displaced => false,
            Pushed::Refused(_) => true,
        };
        self.queue.count_lost(Count::ResultsDropped, cx);
        if !mem::replace(&mut self.has_warned, true) {
            warn!(%request, "a call is read too slowly: it begins to lose progressive results");
        }
        if is_refused && self.overflow == Overflow::End {
            return Offered::Lagging;
        }
        Offered::Taken
    }
}
