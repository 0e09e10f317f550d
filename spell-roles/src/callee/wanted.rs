use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use spell_message::{
    Feature, MatchPolicy, Message, Pattern, RegistrationId, RequestId, RoleName, Uri, message,
    options::{InvocationPolicy, RegisterOptions},
};
use spell_peer::Context;
use tokio::sync::watch;

use super::{
    Conflict, Invocation, InvocationInfo, Part, RegistrationEnd, RegistrationNotRestored,
    conflict::{Contest, Move},
    line::Line,
    parts::More,
    registration::{Counters, State},
    role::Command,
    running::Begun,
};
use crate::{
    RegisterError,
    error::Failure,
    queue::{Bounds, Consumer, Producer, Pushed, queue},
    request::{Key, Reply, Requests},
    started::IdSlot,
};

/// A registration that the user wants, whether there is a session or not.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) key: Key,
    pub(super) procedure: Pattern,
    pub(super) options: RegisterOptions,
    /// The URI that answers what the user left unanswered.
    pub(super) error_uri: Uri,
    pub(super) queue: Producer<Invocation>,
    /// How many parts of an invocation may wait.
    pub(super) parts: Bounds,
    pub(super) counters: Arc<Counters>,
    pub(super) state: watch::Sender<State>,
    /// The way back for answers.
    pub(super) requests: Requests<Command>,
    pub(super) conflict: Conflict,
    /// The conflict of this session, if there is or was one.
    pub(super) contest: Option<Contest>,
    /// Whether REGISTER was sent in this session.
    pub(super) is_asked: bool,
    /// Who waits for the first time that it is registered.
    pub(super) reply: Option<Granted>,
    /// Who waits for the id of the REGISTER.
    pub(super) started: Option<IdSlot>,
}

/// Where goes what the router granted.
pub(super) type Granted = Reply<Result<(), RegisterError>>;

impl Wanted {
    pub(super) fn key(&self) -> Key {
        self.key
    }

    /// Whether the user gave it up before it was registered for the first time.
    pub(super) fn is_given_up(&self) -> bool {
        self.reply.as_ref().is_some_and(Reply::is_given_up)
    }

    /// It is about to be asked for; `false` if the user gave it up before it was registered for
    /// the first time.
    pub(super) fn commit(&self) -> bool {
        self.reply.as_ref().is_none_or(Reply::commit)
    }

    /// It was asked for.
    pub(super) fn asked(&mut self, request: RequestId) {
        self.is_asked = true;
        if let Some(slot) = self.started.take() {
            // Nobody may be waiting any more.
            let _ = slot.send(request);
        }
    }

    /// It was not asked for after all.
    pub(super) fn revert(&self) {
        if let Some(reply) = &self.reply {
            reply.revert();
        }
    }

    /// Whether it was never registered yet.
    pub(super) fn is_new(&self) -> bool {
        self.reply.is_some()
    }

    /// What the router must have announced, and did not.
    pub(super) fn unsupported(&self, cx: &Context<'_, Command>) -> Option<Failure> {
        let is_pattern = self.procedure.policy() != MatchPolicy::Exact;
        let is_shared = self.options.invoke().unwrap_or_default() != InvocationPolicy::Single;
        let is_disclosed = self.options.disclose_caller() == Some(true);
        let is_timed = self.options.forward_timeout() == Some(true);
        let needs = [
            (true, None),
            (is_pattern, Some(Feature::PatternBasedRegistration)),
            (is_shared, Some(Feature::SharedRegistration)),
            (is_disclosed, Some(Feature::CallerIdentification)),
            (is_timed, Some(Feature::CallTimeout)),
        ];
        let mut needed = needs.into_iter().filter(|(is_needed, _)| *is_needed);
        needed.find_map(|(_, feature)| Failure::unsupported(RoleName::Dealer, feature, cx))
    }

    /// It was refused, as another session has the procedure.
    pub(super) fn contest(&mut self, now: Instant) -> Move {
        if self.is_new() {
            return Move::GiveUp;
        }
        let next = Contest::decide(&mut self.contest, self.conflict, now);
        if let Move::TryAt(_) = next {
            self.is_asked = false;
            self.state.send_replace(State::InConflict);
        }
        next
    }

    pub(super) fn message(&self, request: RequestId) -> Message {
        let mut options = self.options.clone();
        if self.conflict == Conflict::Replace && self.contest.is_some() {
            options.set_force_reregister(true);
        }
        Message::Register(message::Register {
            request,
            options,
            procedure: self.procedure.clone(),
        })
    }

    /// The registration of this session.
    pub(super) fn registration(&self) -> Option<RegistrationId> {
        match *self.state.borrow() {
            State::Active(registration) => Some(registration),
            _ => None,
        }
    }

    pub(super) fn registered(&mut self, registration: RegistrationId) {
        self.state.send_replace(State::Active(registration));
        if let Some(reply) = self.reply.take() {
            reply.send(Ok(Ok(())));
        }
    }

    pub(super) fn session_ended(&mut self) {
        self.contest = None;
        self.is_asked = false;
        self.state.send_replace(State::Waiting);
    }

    /// It could not be registered, for the first time or again.
    pub(super) fn fail(mut self, failure: Failure, cx: &mut Context<'_, Command>) {
        match self.reply.take() {
            Some(reply) => reply.send(Err(failure)),
            None => self.not_restored(failure.into(), cx),
        }
    }

    /// The router gave it the id of another registration of this peer.
    pub(super) fn fail_as_taken(mut self, cx: &mut Context<'_, Command>) {
        let error = RegisterError::AlreadyRegistered;
        match self.reply.take() {
            Some(reply) => reply.send(Ok(Err(error))),
            None => self.not_restored(error, cx),
        }
    }

    fn not_restored(self, error: RegisterError, cx: &mut Context<'_, Command>) {
        cx.report(RegistrationNotRestored {
            procedure: self.procedure.clone(),
            error: error.clone(),
        });
        self.end(RegistrationEnd::NotRestored(error));
    }

    pub(super) fn end(self, end: RegistrationEnd) {
        self.state.send_replace(State::Ended(end));
    }

    pub(super) fn invocation(&self, message: message::Invocation, begun: Begun) -> Invocation {
        let info = InvocationInfo::new(message, &self.procedure);
        let line = Line::new(begun.interrupt, self.requests.clone());
        Invocation::new(info, line, begun.parts, begun.span)
    }

    /// Where the parts go that follow the first one of an invocation, and where they are read.
    pub(super) fn parts(&self) -> (More, Consumer<Part>) {
        let (producer, consumer) = queue(self.parts);
        (More::Awaited(producer, self.counters.clone()), consumer)
    }

    /// Queue an invocation for the user. What does not fit is counted and comes back.
    pub(super) fn push(&self, invocation: Invocation, size: usize) -> Pushed<Invocation> {
        let pushed = self.queue.push(invocation, size);
        if matches!(pushed, Pushed::Refused(_)) {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
        }
        pushed
    }
}
