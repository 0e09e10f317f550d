use std::sync::Arc;

use spell_peer::{CloseReason, SendError};
use spell_serializer::PayloadBuilder;
use tokio::sync::oneshot;

use super::{
    AnswerError, Interrupt,
    answer::Outcome,
    role::{Command, NewAnswer, Order},
};
use crate::{
    passthru::{Passthru, SealedParts},
    request::Requests,
};

/// The way from one invocation back to the role.
#[derive(Clone, Debug)]
pub(super) struct Line {
    interrupt: Interrupt,
    requests: Requests<Command>,
    /// By what answers are sealed, and the procedure to seal them for.
    sealing: Option<(Passthru, Arc<str>)>,
}

type Answered = Result<(), AnswerError>;

impl Line {
    pub(super) fn new(interrupt: Interrupt, requests: Requests<Command>) -> Self {
        Self {
            interrupt,
            requests,
            sealing: None,
        }
    }

    /// Seal all answers.
    fn seal(&mut self, codec: &Passthru, procedure: &str) {
        self.sealing = Some((codec.clone(), procedure.into()));
    }

    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    pub(super) fn arguments(&self) -> PayloadBuilder {
        self.requests.arguments()
    }

    pub(super) fn encode(&self, arguments: PayloadBuilder) -> Result<SealedParts, SendError> {
        let sealing = self.sealing.as_ref();
        let sealing = sealing.map(|(codec, procedure)| (codec, &**procedure));
        self.requests.seal(arguments, sealing)
    }

    /// Queue what is to be sent; gives where the role says what became of it.
    pub(super) async fn queue(
        &self,
        outcome: Outcome,
    ) -> Result<oneshot::Receiver<Answered>, AnswerError> {
        let (reply, answered) = oneshot::channel();
        let command = self.command(outcome, Some(reply));
        self.requests.commands().send(command).await?;
        Ok(answered)
    }

    /// Queue what is to be sent; what becomes of it is the role's concern alone.
    async fn post(&self, outcome: Outcome) -> Answered {
        let command = self.command(outcome, None);
        Ok(self.requests.commands().send(command).await?)
    }

    /// Wait for what the role says.
    pub(super) async fn told(&self, answered: oneshot::Receiver<Answered>) -> Answered {
        answered.await.unwrap_or_else(|_| {
            let end = self.requests.commands().end();
            let reason = end.unwrap_or(CloseReason::Panicked);
            Err(AnswerError::Closed { reason })
        })
    }

    fn command(&self, outcome: Outcome, reply: Option<oneshot::Sender<Answered>>) -> Command {
        let interrupt = self.interrupt.clone();
        let is_last = !matches!(outcome, Outcome::Progress(_));
        let answer = NewAnswer { outcome, reply };
        Command(if is_last {
            interrupt.put_answer(answer);
            Order::Answer(interrupt)
        } else {
            Order::Progress(interrupt, Box::new(answer))
        })
    }
}

/// The right to answer one invocation. Dropped, it answers that there was no answer.
#[derive(Debug)]
pub(super) struct Responder {
    line: Line,
    is_answered: bool,
}

impl Responder {
    pub(super) fn new(line: Line) -> Self {
        Self {
            line,
            is_answered: false,
        }
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Seal all answers.
    pub(super) fn seal(&mut self, codec: &Passthru, procedure: &str) {
        self.line.seal(codec, procedure);
    }

    /// Send the answer.
    pub(super) async fn send(mut self, outcome: Outcome) -> Answered {
        let queued = self.line.queue(outcome).await;
        self.is_answered = true;
        self.line.told(queued?).await
    }

    /// Send the answer without waiting for what becomes of it.
    pub(super) async fn post(mut self, outcome: Outcome) -> Answered {
        let posted = self.line.post(outcome).await;
        self.is_answered = true;
        posted
    }

    /// Someone else answers.
    pub(super) fn forget(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if !self.is_answered {
            let command = self.line.command(Outcome::Dropped, None);
            self.line.requests.commands().release(command);
        }
    }
}
