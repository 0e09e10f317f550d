use std::mem;

use serde::Deserialize;
use spell_message::IntoUri;
use spell_serializer::DecodeError;
use tracing::Span;

use super::{
    Answer, Interrupt, Interruption, InvocationInfo, Part, Parts, Progress, ProgressiveResult,
    line::{Line, Responder},
};
use crate::{
    passthru::{Passthru, PassthruAttributes},
    queue::Consumer,
};

/// A call of a procedure that this peer registered. Consumed by its answer.
///
/// Dropped unanswered, by a panic too, it is answered with an ERROR: `wamp.error.canceled` if the
/// caller gave up, otherwise the one of [`Register::error_uri`](super::Register::error_uri).
///
/// There is one answer, and no progress after it: the compiler sees to that.
///
/// WAMP spec, "INVOCATION".
#[derive(Debug)]
#[must_use = "an invocation that is dropped is answered with an error"]
pub struct Invocation {
    info: InvocationInfo,
    responder: Responder,
    /// The parts after the first one, until someone takes them.
    more: Option<Consumer<Part>>,
    is_divided: bool,
    is_watched: bool,
    codec: Option<Passthru>,
    span: Option<Box<Span>>,
}

impl Invocation {
    pub(super) fn new(
        info: InvocationInfo,
        line: Line,
        more: Option<Consumer<Part>>,
        span: Option<Box<Span>>,
    ) -> Self {
        Self {
            info,
            responder: Responder::new(line),
            more,
            is_divided: false,
            is_watched: false,
            codec: None,
            span,
        }
    }

    /// Someone begins to work on it. Open the arguments, if they are sealed and there is a codec for
    /// it; then the answers are sealed, too.
    pub(super) fn begin(&mut self, codec: Option<&Passthru>) {
        self.responder.line().interrupt().begin();
        let Some(codec) = codec else { return };
        self.info.open(codec);
        if PassthruAttributes::from_dict(self.info.details().as_dict()).is_some() {
            self.responder.seal(codec, self.info.procedure());
        }
        self.codec = Some(codec.clone());
    }

    /// What is called, by whom, and with which arguments.
    pub fn info(&self) -> &InvocationInfo {
        &self.info
    }

    /// The procedure that was called; see [`InvocationInfo::procedure`].
    pub fn procedure(&self) -> &str {
        self.info.procedure()
    }

    /// The positional arguments; see [`InvocationInfo::args`].
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.info.args()
    }

    /// The keyword arguments; see [`InvocationInfo::kwargs`].
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.info.kwargs()
    }

    /// The arguments part by part, the first part among them: those of a [progressive
    /// invocation](InvocationInfo::is_progressive), or the only part of another one. `None` if they
    /// were taken already.
    ///
    /// Not read, they wait until they are too many, which ends the invocation; dropped, they are
    /// ignored. An answer may be given before the last part came.
    pub fn parts(&mut self) -> Option<Parts> {
        if mem::replace(&mut self.is_divided, true) {
            return None;
        }
        let details = self.info.details();
        let opening = self.codec.clone().map(|codec| (codec, details.clone()));
        let (first, interrupt) = (self.info.first_part(), self.interrupt());
        Some(Parts::new(first, self.more.take(), interrupt, opening))
    }

    /// A progressive result in the making: `progress.arg(5).await?`; `None` if the caller did not
    /// ask for any.
    ///
    /// ```
    /// # use spell_roles::{AnswerError, Invocation};
    /// async fn answer(invocation: Invocation) -> Result<(), AnswerError> {
    ///     for done in 0..3 {
    ///         if let Some(progress) = invocation.progress() {
    ///             progress.arg(done).await?;
    ///         }
    ///     }
    ///     invocation.respond().arg(3).await
    /// }
    /// ```
    ///
    /// WAMP spec, "Progressive Call Results".
    pub fn progress(&self) -> Option<ProgressiveResult<'_>> {
        let is_requested = self.info.receive_progress();
        is_requested.then(|| ProgressiveResult::new(self.responder.line()))
    }

    /// Answer with a result: `invocation.respond().arg(5).await?`.
    pub fn respond(self) -> Answer {
        Answer::result(self.responder)
    }

    /// Answer with an error: `invocation.error("com.example.error.odd").arg("why").await?`.
    ///
    /// Any URI will do; those of [`spell_message::reason`] have a meaning of their own.
    pub fn error(self, uri: impl IntoUri) -> Answer {
        Answer::error(self.responder, uri.into_uri())
    }

    /// Wait until the answer is not waited for any more: the caller gave up, the time is up, or the
    /// session ended.
    ///
    /// # Cancel safety
    ///
    /// Waits only; dropping it changes nothing.
    pub async fn interrupted(&self) -> Interruption {
        self.responder.line().interrupt().interrupted().await
    }

    /// What tells the same wherever the work is done.
    pub fn interrupt(&self) -> Interrupt {
        self.responder.line().interrupt().clone()
    }

    pub(super) fn sender(&self) -> Progress {
        let line = self.responder.line().clone();
        Progress::new(line, self.info.receive_progress())
    }

    /// Whoever works on it looks after interrupts.
    pub(super) fn watch(&mut self) {
        self.is_watched = true;
    }

    pub(super) fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Whether there are parts that nobody took.
    pub(super) fn is_undivided(&self) -> bool {
        self.more.is_some()
    }

    pub(super) fn into_responder(self) -> Responder {
        self.responder
    }

    /// The span in which it is worked on, if anybody listens.
    pub(super) fn take_span(&mut self) -> Option<Box<Span>> {
        self.span.take()
    }

    /// Someone else answers.
    pub(super) fn forget(self) {
        self.responder.forget();
    }
}
