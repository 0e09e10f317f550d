use std::{ops::ControlFlow, time::Instant};

use spell_message::{
    Feature, Message, RoleFeatures, RoleName,
    message::{self, Kind, RequestKind, Unregistered},
    reason,
};
use spell_peer::{self as peer, Commands, Context, Count, Role, SessionEnd, SessionInfo};
use tokio::sync::oneshot;
use tracing::warn;

use super::{
    AnswerError, CalleeHandle, Interrupt, Interruption,
    answer::Outcome,
    drain::{Drain, Drains},
    registrations::Registrations,
    running::{Running, refuse},
    wanted::Wanted,
};
use crate::{
    queue::Pushed,
    request::{Key, Reply, Requests},
    weight::weight,
};

/// Registers procedures and is called.
///
/// What the user wants registered outlives a session: after a reconnect it is asked for again, with
/// all options and in order, before anything new is asked of the session and before
/// [`PeerState::Joined`](spell_peer::PeerState::Joined) is told. That means that REGISTER was sent
/// by then; [`Registration::id`](super::Registration::id) tells when it was answered. One that the
/// router then refuses ends alone; a [`Conflict`](super::Conflict) with another session is waited
/// out.
///
/// Every invocation is answered: by the user; with ERROR if it is dropped unanswered, by a panic
/// too; with ERROR `wamp.error.unavailable` if the queue of its registration is full; with ERROR
/// `wamp.error.timeout` once the time is up that a router forwards to its callee.
///
/// WAMP spec, "Registering and Unregistering", "Calling and Invocations" and "Advanced RPC
/// Features".
#[derive(Debug, Default)]
pub struct Callee {
    registrations: Registrations,
    running: Running,
    drains: Drains,
}

impl Callee {
    /// The role.
    pub fn new() -> Self {
        Self::default()
    }

    fn invoked(&mut self, message: message::Invocation, cx: &mut Context<'_, Command>) {
        let Some(message) = self.running.resume(message, cx) else {
            return;
        };
        let request = message.request;
        let Some(wanted) = self.registrations.find(message.registration) else {
            self.running.pass_over(&message);
            return refuse(request, reason::NO_SUCH_REGISTRATION, cx);
        };
        let size = weight(message.details.as_dict(), &message.payload);
        let begun = self.running.begin(&message, wanted, cx);
        let invocation = wanted.invocation(message, begun);
        if let Pushed::Refused(invocation) = wanted.push(invocation, size) {
            invocation.forget();
            cx.count(Count::InvocationsRefused, 1);
            let cause = Interruption::Answered;
            self.running.fail(request, cause, reason::UNAVAILABLE, cx);
        }
    }

    fn drain(&mut self, drain: Drain, cx: &mut Context<'_, Command>) {
        let key = drain.key;
        self.drains.begin(drain);
        self.registrations.drain(key, cx);
    }

    /// The time is up in which a registration may be drained.
    fn cut(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        if let Some(counters) = self.drains.counters(key) {
            let interrupted = self.running.cut(Some(&counters), cx);
            self.drains.cut(key, interrupted);
        }
    }

    /// Tell those that wait for a registration to be drained.
    fn settle(&mut self) {
        self.drains.settle(|key| !self.registrations.has(key));
    }

    fn answer(&mut self, interrupt: &Interrupt, answer: NewAnswer, cx: &mut Context<'_, Command>) {
        let NewAnswer { outcome, reply } = answer;
        let answered = self.running.answer(interrupt, outcome, cx);
        match (reply, answered) {
            // Nobody may be waiting any more.
            (Some(reply), answered) => _ = reply.send(answered),
            (None, Ok(())) => {}
            (None, Err(error)) => error.log(interrupt.request()),
        }
    }
}

impl Role for Callee {
    type Command = Command;
    type Handle = CalleeHandle;

    fn handle(commands: Commands<Command>) -> CalleeHandle {
        CalleeHandle::new(Requests::new(commands, |key| Command(Order::Release(key))))
    }

    fn features(&self, announced: &mut RoleFeatures) {
        announced.add(
            RoleName::Callee,
            [
                Feature::ProgressiveCallResults,
                Feature::ProgressiveCallInvocations,
                Feature::CallTimeout,
                Feature::CallCanceling,
                Feature::CallerIdentification,
                Feature::CallTrustLevels,
                Feature::PatternBasedRegistration,
                Feature::PayloadPassthruMode,
                Feature::SharedRegistration,
                Feature::RegistrationRevocation,
                Feature::CallReroute,
            ],
        );
    }

    fn on_join(&mut self, _session: &SessionInfo, _: &mut Context<'_, Command>) {
        self.registrations.join();
    }

    fn is_restoring(&self) -> bool {
        self.registrations.is_restoring()
    }

    fn restore(&mut self, cx: &mut Context<'_, Command>) {
        self.registrations.restore(cx);
    }

    fn reads(&self, kind: Option<Kind>) -> bool {
        use Kind::{Error, Interrupt, Invocation, Registered, Unregistered};
        matches!(
            kind,
            Some(Registered | Unregistered | Invocation | Interrupt | Error)
        )
    }

    fn on_message(
        &mut self,
        message: Message,
        cx: &mut Context<'_, Command>,
    ) -> ControlFlow<(), Message> {
        match message {
            Message::Registered(message) => self.registrations.registered(message, cx),
            Message::Unregistered(Unregistered::Reply { request }) => {
                self.registrations.unregistered(request, cx);
            }
            Message::Unregistered(Unregistered::Revocation { details }) => {
                self.registrations.revoked(&details);
            }
            Message::Invocation(message) => self.invoked(message, cx),
            Message::Interrupt(message) => {
                let mode = message.options.mode();
                self.running.interrupt(message.request, mode);
            }
            Message::Error(error) if error.request_kind == RequestKind::Register => {
                self.registrations.not_registered(error, cx);
            }
            Message::Error(error) if error.request_kind == RequestKind::Unregister => {
                if let Some((key, failure)) = self.registrations.not_unregistered(error, cx) {
                    self.drains.fail(key, &failure);
                }
            }
            other => return ControlFlow::Continue(other),
        }
        self.settle();
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, command: Command, cx: &mut Context<'_, Command>) {
        match command.0 {
            Order::Register(wanted) => self.registrations.want(*wanted, cx),
            Order::Unregister(key, reply) => self.registrations.unregister(key, reply, cx),
            Order::Drain(drain) => self.drain(*drain, cx),
            Order::Cut(key) => self.cut(key, cx),
            Order::Release(key) => self.registrations.release(key, cx),
            Order::Progress(interrupt, answer) => self.answer(&interrupt, *answer, cx),
            Order::Answer(interrupt) => {
                if let Some(answer) = interrupt.take_answer() {
                    self.answer(&interrupt, answer, cx);
                }
            }
        }
        self.settle();
    }

    fn pending(&self) -> usize {
        self.registrations.pending()
    }

    fn deadline(&self) -> Option<Instant> {
        let deadlines = [self.running.deadline(), self.registrations.deadline()];
        deadlines.into_iter().flatten().min()
    }

    fn on_deadline(&mut self, cx: &mut Context<'_, Command>) {
        self.running.expire(cx);
        self.registrations.retry(cx);
        self.settle();
    }

    fn on_drain(&mut self, step: peer::Drain, cx: &mut Context<'_, Command>) {
        match step {
            peer::Drain::Begin => self.registrations.leave(cx),
            peer::Drain::Overdue => {
                let interrupted = self.running.cut(None, cx);
                if interrupted > 0 {
                    warn!(
                        interrupted,
                        "the peer leaves before all invocations are finished"
                    );
                }
            }
            _ => {}
        }
    }

    fn is_drained(&self) -> bool {
        self.running.is_empty() && self.registrations.is_settled()
    }

    fn on_close(&mut self, end: &SessionEnd) {
        self.drains.lose();
        self.running.clear();
        self.registrations.close(end);
        self.settle();
    }
}

/// What [`CalleeHandle`], and what it gives, ask of [`Callee`].
#[derive(Debug)]
#[expect(unnameable_types, reason = "private to the role and its handle")]
pub struct Command(pub(super) Order);

#[derive(Debug)]
pub(super) enum Order {
    Register(Box<Wanted>),
    Unregister(Key, Reply<()>),
    Drain(Box<Drain>),
    /// The time is up in which this registration may be drained.
    Cut(Key),
    Release(Key),
    /// A progressive result of this invocation.
    Progress(Interrupt, Box<NewAnswer>),
    /// The answer of this invocation, which is [kept](Interrupt::put_answer) there.
    Answer(Interrupt),
}

#[derive(Debug)]
pub(super) struct NewAnswer {
    pub(super) outcome: Outcome,
    /// `None` if nobody waits.
    pub(super) reply: Option<oneshot::Sender<Result<(), AnswerError>>>,
}
