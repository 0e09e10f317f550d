use std::{
    collections::{BTreeMap, HashMap},
    mem,
    ops::ControlFlow,
};

use spell_message::{
    Feature, Message, RegistrationId, RequestId, RoleFeatures, RoleName,
    message::{self, ErrorMessage, Registered, RequestKind, Unregister, Unregistered},
    options::{CancelMode, UnregisteredDetails},
    reason,
};
use spell_peer::{Commands, Context, Role, SendError, SessionEnd, SessionInfo};
use tokio::sync::oneshot;
use tracing::debug;

use super::{
    AnswerError, CalleeHandle, RegistrationEnd,
    answer::Outcome,
    departures::Departures,
    running::{self, Running, Ticket},
    wanted::Wanted,
};
use crate::{
    error::Failure,
    queue::Pushed,
    request::{Key, Reply, Requests},
    weight::weight,
};

/// Registers procedures and is called.
///
/// What the user wants registered outlives a session: after a reconnect it is asked for again, with
/// all options and in order. One that the router then refuses ends alone.
///
/// Every invocation is answered: by the user; with ERROR if it is dropped unanswered, by a panic
/// too; with ERROR `wamp.error.unavailable` if the queue of its registration is full.
///
/// WAMP spec, "Registering and Unregistering", "Calling and Invocations" and "Call Canceling".
#[derive(Debug, Default)]
pub struct Callee {
    /// What is to be registered, in the order in which it was asked for.
    wanted: BTreeMap<Key, Wanted>,
    /// What is registered in this session.
    routes: HashMap<RegistrationId, Key>,
    registering: HashMap<RequestId, Key>,
    unregistering: HashMap<RequestId, Unregistering>,
    departures: Departures,
    running: Running,
}

#[derive(Debug)]
struct Unregistering {
    key: Key,
    registration: RegistrationId,
    /// `None` if nobody waits.
    reply: Option<Reply<()>>,
}

impl Callee {
    /// The role.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ask for what is wanted. It stays wanted unless that fails.
    fn register(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        let Some(wanted) = self.wanted.get_mut(&key) else {
            return;
        };
        if self.departures.hold(key, &wanted.procedure) {
            return;
        }
        if !wanted.commit() {
            self.wanted.remove(&key);
            return;
        }
        if let Some(failure) = wanted.unsupported(cx) {
            return self.fail(key, failure);
        }
        match cx.request(|request| wanted.message(request)) {
            Ok(request) => {
                wanted.asked(request);
                self.registering.insert(request, key);
            }
            // The session is ending; there may be another one.
            Err(SendError::NotJoined) => wanted.revert(),
            Err(error) => {
                let failure = Failure::not_committed(error, cx);
                self.fail(key, failure);
            }
        }
    }

    /// It cannot be registered: tell the user, whether for the first time or after a reconnect.
    fn fail(&mut self, key: Key, failure: Failure) {
        if let Some(wanted) = self.wanted.remove(&key) {
            wanted.fail(failure);
        }
    }

    fn registered(&mut self, message: Registered, cx: &mut Context<'_, Command>) {
        let registration = message.registration;
        let Some(key) = self.registering.remove(&message.request) else {
            return;
        };
        let is_taken = self.routes.contains_key(&registration);
        match self.wanted.get_mut(&key) {
            // The callees of a shared registration have one id, and invocations name nothing else.
            Some(_) if is_taken => {
                if let Some(wanted) = self.wanted.remove(&key) {
                    wanted.fail_as_taken();
                }
            }
            Some(wanted) => {
                // The next frame may be an INVOCATION of it.
                self.routes.insert(registration, key);
                wanted.registered(registration);
            }
            // Given up meanwhile, and the user has another one of the same id.
            None if is_taken => self.departed(key, cx),
            None => self.withdraw(key, registration, None, cx),
        }
    }

    /// Send UNREGISTER.
    fn withdraw(
        &mut self,
        key: Key,
        registration: RegistrationId,
        reply: Option<Reply<()>>,
        cx: &mut Context<'_, Command>,
    ) {
        if reply.as_ref().is_some_and(|reply| !reply.commit()) {
            return;
        }
        let message = |request| {
            Unregister {
                request,
                registration,
            }
            .into()
        };
        match (cx.request(message), reply) {
            (Ok(request), reply) => {
                let unregistering = Unregistering {
                    key,
                    registration,
                    reply,
                };
                self.unregistering.insert(request, unregistering);
            }
            (Err(error), Some(reply)) => reply.send(Err(Failure::not_committed(error, cx))),
            // Without a session there is nothing to unregister.
            (Err(error), None) => {
                debug!(%registration, %error, "could not be unregistered");
                self.departed(key, cx);
            }
        }
    }

    /// The router has it no more: ask for what waited for that.
    fn departed(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        for held in self.departures.finish(key) {
            self.register(held, cx);
        }
    }

    /// The user asked to unregister, and waits.
    fn unregister(&mut self, key: Key, reply: Reply<()>, cx: &mut Context<'_, Command>) {
        if let Some(registration) = self.wanted.get(&key).and_then(Wanted::registration) {
            return self.withdraw(key, registration, Some(reply), cx);
        }
        // Not registered in this session: it is only to be forgotten.
        self.end(key, RegistrationEnd::Unregistered);
        reply.send(Ok(()));
    }

    /// The user let go of it, or gave up waiting for it.
    fn release(&mut self, key: Key, cx: &mut Context<'_, Command>) {
        let Some(wanted) = self.wanted.remove(&key) else {
            return;
        };
        let Some(registration) = wanted.registration() else {
            if wanted.is_asked {
                self.departures.begin(key, &wanted.procedure);
            } else {
                self.departures.forget(key, &wanted.procedure);
            }
            return;
        };
        self.routes.remove(&registration);
        if !self.unregistering.values().any(|other| other.key == key) {
            self.withdraw(key, registration, None, cx);
        }
    }

    fn unregistered(&mut self, request: RequestId, cx: &mut Context<'_, Command>) {
        let Some(unregistering) = self.unregistering.remove(&request) else {
            return;
        };
        self.departed(unregistering.key, cx);
        self.end(unregistering.key, RegistrationEnd::Unregistered);
        if let Some(reply) = unregistering.reply {
            reply.send(Ok(()));
        }
    }

    fn not_unregistered(&mut self, error: ErrorMessage, cx: &mut Context<'_, Command>) {
        let Some(unregistering) = self.unregistering.remove(&error.request) else {
            return;
        };
        self.departed(unregistering.key, cx);
        let is_gone = error.error == reason::NO_SUCH_REGISTRATION;
        if is_gone {
            self.end(unregistering.key, RegistrationEnd::Unregistered);
        }
        if let Some(reply) = unregistering.reply {
            // It is gone, as was wished.
            return reply.send(if is_gone { Ok(()) } else { Err(error.into()) });
        }
        let (registration, uri) = (unregistering.registration, error.error);
        debug!(%registration, %uri, "could not be unregistered");
    }

    /// It is over: nothing more will come.
    fn end(&mut self, key: Key, end: RegistrationEnd) {
        let Some(wanted) = self.wanted.remove(&key) else {
            return;
        };
        if let Some(registration) = wanted.registration() {
            self.routes.remove(&registration);
        }
        wanted.end(end);
    }

    fn revoked(&mut self, details: &UnregisteredDetails) {
        let registration = details.registration();
        let Some(key) = registration.and_then(|id| self.routes.get(&id).copied()) else {
            return;
        };
        let reason = details.reason().map(Into::into);
        self.end(key, RegistrationEnd::Revoked { reason });
    }

    fn invoked(&mut self, message: message::Invocation, cx: &mut Context<'_, Command>) {
        let request = message.request;
        let key = self.routes.get(&message.registration);
        let Some(wanted) = key.and_then(|key| self.wanted.get(key)) else {
            return refuse(request, reason::NO_SUCH_REGISTRATION, cx);
        };
        let Some((ticket, interrupted)) = self.running.begin(request, wanted) else {
            debug!(%request, "an invocation with the id of one that is under way was dropped");
            return;
        };
        let size = weight(message.details.as_dict(), &message.payload);
        let invocation = wanted.invocation(message, ticket, interrupted);
        if let Pushed::Refused(invocation) = wanted.push(invocation, size) {
            self.running.finish(ticket);
            invocation.forget();
            refuse(request, reason::UNAVAILABLE, cx);
        }
    }

    fn answer(&mut self, answer: NewAnswer, cx: &mut Context<'_, Command>) {
        let NewAnswer {
            ticket,
            outcome,
            reply,
        } = answer;
        let answered = self.running.answer(ticket, outcome, cx);
        if let (Err(error), None) = (&answered, &reply) {
            debug!(%error, "an invocation was not answered");
        }
        if let Some(reply) = reply {
            // Nobody may be waiting any more.
            let _ = reply.send(answered);
        }
    }
}

/// Answer an invocation that never reached the user.
fn refuse(request: RequestId, uri: &'static str, cx: &mut Context<'_, Command>) {
    if let Err(error) = running::send_error(request, uri, cx) {
        debug!(%request, %error, "an invocation could not be refused");
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
                Feature::CallCanceling,
                Feature::CallerIdentification,
                Feature::PatternBasedRegistration,
                Feature::SharedRegistration,
                Feature::RegistrationRevocation,
            ],
        );
    }

    fn on_join(&mut self, _session: &SessionInfo, cx: &mut Context<'_, Command>) {
        let keys: Vec<_> = self.wanted.keys().copied().collect();
        for key in keys {
            self.register(key, cx);
        }
    }

    fn on_message(
        &mut self,
        message: Message,
        cx: &mut Context<'_, Command>,
    ) -> ControlFlow<(), Message> {
        match message {
            Message::Registered(message) => self.registered(message, cx),
            Message::Unregistered(Unregistered::Reply { request }) => {
                self.unregistered(request, cx);
            }
            Message::Unregistered(Unregistered::Revocation { details }) => self.revoked(&details),
            Message::Invocation(message) => self.invoked(message, cx),
            Message::Interrupt(message) => {
                let mode = message.options.mode();
                // WAMP spec, "Call Canceling": in this mode the dealer has answered already.
                let is_answered = mode == Some(CancelMode::KillNoWait);
                self.running.interrupt(message.request, is_answered);
            }
            Message::Error(error) if error.request_kind == RequestKind::Register => {
                if let Some(key) = self.registering.remove(&error.request) {
                    self.fail(key, error.into());
                    self.departed(key, cx);
                }
            }
            Message::Error(error) if error.request_kind == RequestKind::Unregister => {
                self.not_unregistered(error, cx);
            }
            other => return ControlFlow::Continue(other),
        }
        ControlFlow::Break(())
    }

    fn handle_call(&mut self, command: Command, cx: &mut Context<'_, Command>) {
        match command.0 {
            Order::Register(wanted) => {
                // The order to release it came, and found nothing.
                if wanted.is_given_up() {
                    return;
                }
                let key = wanted.key();
                self.wanted.insert(key, *wanted);
                if cx.session().is_some() {
                    self.register(key, cx);
                }
            }
            Order::Unregister(key, reply) => self.unregister(key, reply, cx),
            Order::Release(key) => self.release(key, cx),
            Order::Answer(answer) => self.answer(*answer, cx),
        }
    }

    fn on_close(&mut self, end: &SessionEnd) {
        self.routes.clear();
        self.running.clear();
        self.departures.clear();
        for (request, key) in mem::take(&mut self.registering) {
            // Who waits for the first answer is told; what was registered once is asked for again.
            if self.wanted.get(&key).is_some_and(Wanted::is_new) {
                let failure = Failure::Closed {
                    reason: end.reason().clone(),
                    delivery: end.delivery(request),
                };
                self.fail(key, failure);
            }
        }
        for unregistering in mem::take(&mut self.unregistering).into_values() {
            // It ended with the session, as was wished.
            self.end(unregistering.key, RegistrationEnd::Unregistered);
            if let Some(reply) = unregistering.reply {
                reply.send(Ok(()));
            }
        }
        for wanted in self.wanted.values_mut() {
            wanted.session_ended();
        }
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
    Release(Key),
    Answer(Box<NewAnswer>),
}

#[derive(Debug)]
pub(super) struct NewAnswer {
    pub(super) ticket: Ticket,
    pub(super) outcome: Outcome,
    /// `None` if nobody waits.
    pub(super) reply: Option<oneshot::Sender<Result<(), AnswerError>>>,
}
