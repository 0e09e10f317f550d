//! The routing of one realm, without IO: messages of its sessions in, messages to them out.

mod administration;
mod farewell;
mod notices;
mod procedures;
mod publishing;
mod requests;

use std::time::Instant;

use spell_message::{
    Dict, Format, Message, Pattern, Payload, RequestId, RequestIds, SessionId, Uri, Value,
    message::{Abort, ErrorMessage, RequestKind},
    options::{AbortDetails, ErrorDetails},
};

pub(crate) use self::requests::LONGEST_URI;
use self::requests::{CallId, has_long_uri};
use crate::{
    Disclosure, Reregistration,
    announced::Announced,
    auth::{Method, PROVIDER},
    broker::Broker,
    carrier::{Line, Undeliverable},
    dealer::{Dealer, Surroundings},
    environment::Environment,
    error::Violation,
    id_map::IdMap,
    meta::{MetaApi, Testaments},
    outgoing::Outputs,
    passthru,
    quotas::{Quotas, Room},
    work::{Finished, Work},
};

/// The sessions of one realm, and what they subscribed, registered and called.
///
/// Plain calls, no IO, no clock, no lock: whoever drives it delivers the outputs in their order,
/// and that alone keeps the order that the protocol promises (an event of a subscription after its
/// SUBSCRIBED, the events of one publisher as published).
///
/// WAMP spec, "Realms, Sessions and Transports" and "Ordering Guarantees".
pub(crate) struct RealmState {
    members: Members,
    broker: Broker,
    dealer: Dealer,
    testaments: Testaments,
    meta_api: MetaApi,
    environment: Environment,
}

/// The sessions of a realm.
pub(crate) type Members = IdMap<SessionId, Member>;

/// A session, as far as neither broker nor dealer alone is concerned.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) principal: Principal,
    pub(crate) format: Format,
    pub(crate) announced: Announced,
    /// The ids of the client's requests; the next one is that of its next request.
    requests: RequestIds,
}

/// Whom the router takes a client for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) authid: String,
    pub(crate) authrole: String,
    pub(crate) method: Method,
    /// How far the router trusts it, as callees and subscribers are to be told.
    pub(crate) trustlevel: Option<u64>,
}

impl Principal {
    /// What is known of its session. WAMP spec, "wamp.session.get".
    pub(crate) fn details(&self, session: SessionId) -> Dict {
        Dict::from([
            ("session", Value::from(session)),
            ("authid", self.authid.as_str().into()),
            ("authrole", self.authrole.as_str().into()),
            ("authmethod", self.method.name().into()),
            ("authprovider", PROVIDER.into()),
        ])
    }
}

/// Whether a session goes on after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a session that is over must be closed"]
pub(crate) enum Flow {
    Open,
    /// The session left the realm; its last message is among the outputs.
    Closed,
}

/// What became of a message.
#[derive(Debug)]
#[must_use = "the message may be routed only after some work"]
pub(crate) enum Handled {
    Now(Flow),
    /// Once this is finished, [`RealmState::resume`] goes on.
    After(Box<Work>),
}

impl RealmState {
    pub(crate) fn new(environment: Environment, quotas: Quotas) -> Self {
        Self {
            members: IdMap::default(),
            broker: Broker::new(quotas),
            dealer: Dealer::new(quotas),
            testaments: Testaments::new(quotas),
            meta_api: MetaApi::default(),
            environment,
        }
    }

    /// Says who may use the meta API.
    pub(crate) fn with_meta_api(mut self, meta_api: MetaApi) -> Self {
        self.meta_api = meta_api;
        self
    }

    /// Says who learns who publishes and who calls.
    pub(crate) fn with_disclosure(mut self, disclosure: Disclosure) -> Self {
        self.broker.disclosure = disclosure;
        self.dealer.disclosure = disclosure;
        self
    }

    /// Says who may take a procedure from the session that has it.
    pub(crate) fn with_reregistration(mut self, reregistration: Reregistration) -> Self {
        self.dealer.reregistration = reregistration;
        self
    }

    /// Says of which patterns the last events are kept, and how many.
    pub(crate) fn with_histories(mut self, histories: &[(Pattern, Room)]) -> Self {
        let now = (self.environment.clock)();
        for (pattern, room) in histories {
            self.broker.keep_history(pattern, *room, now);
        }
        self
    }

    /// A session is established.
    pub(crate) fn join(
        &mut self,
        session: SessionId,
        principal: Principal,
        announced: Announced,
        line: Line,
        out: &mut Outputs,
    ) {
        // It has subscribed to nothing yet, so it is not told of itself.
        self.tell_joined(session, &principal, out);
        let trustlevel = principal.trustlevel;
        let member = Member {
            principal,
            format: line.format(),
            announced,
            requests: RequestIds::default(),
        };
        self.members.insert(session, member);
        self.dealer.join(session, announced, trustlevel, line);
    }

    /// A message of an established session, GOODBYE and ABORT excepted: they concern the
    /// connection.
    ///
    /// What comes from a session that was killed is ignored. WAMP spec, "Session Closing".
    pub(crate) fn handle(
        &mut self,
        from: SessionId,
        message: Message,
        out: &mut Outputs,
    ) -> Handled {
        let Some(member) = self.members.get(&from) else {
            return Handled::Now(Flow::Open);
        };
        let result = match passthru::check(&message, member.announced) {
            Ok(()) => self.route(from, message, out),
            Err(violation) => Err(violation),
        };
        self.proceed(from, result, out)
    }

    /// Goes on with a message once the work it needed is finished; there may be more.
    pub(crate) fn resume(
        &mut self,
        from: SessionId,
        finished: Finished,
        out: &mut Outputs,
    ) -> Handled {
        if !self.members.contains_key(&from) {
            // It was killed meanwhile.
            return Handled::Now(Flow::Open);
        }
        let result = match finished {
            Finished::Procedure(request, asked) => {
                let work = self.perform(from, request, asked, out);
                Ok(work.map(Work::Events))
            }
            Finished::Result(request, result) => {
                Self::send_result(from, request, result, out);
                Ok(None)
            }
            Finished::Invocation(cause, prepared) => {
                let mut around = Surroundings {
                    members: &self.members,
                    environment: &mut self.environment,
                };
                let dealer = &mut self.dealer;
                let work = dealer.resume(from, cause, prepared, &mut around, out);
                work.map(|work| work.map(Work::Invocation))
            }
            Finished::Publish(message, fan_out) => {
                self.publish(from, &message, fan_out, out);
                Ok(None)
            }
        };
        self.proceed(from, result, out)
    }

    fn proceed(
        &mut self,
        from: SessionId,
        result: Result<Option<Work>, Violation>,
        out: &mut Outputs,
    ) -> Handled {
        let result = match result {
            Ok(Some(work)) => return Handled::After(Box::new(work)),
            Ok(None) => Ok(()),
            Err(violation) => Err(violation),
        };
        Handled::Now(self.conclude(from, result, out))
    }

    /// When [`expire`](Self::expire) has something to do; `None` if never.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.dealer.next_deadline()
    }

    /// Does what is due by now.
    pub(crate) fn expire(&mut self, out: &mut Outputs) {
        let now = (self.environment.clock)().instant;
        self.dealer.expire(now, out);
    }

    /// An INVOCATION that, against expectation, could not be sent.
    pub(crate) fn undelivered(
        &mut self,
        callee: SessionId,
        invocation: RequestId,
        why: Undeliverable,
        out: &mut Outputs,
    ) {
        self.dealer.undelivered(callee, invocation, why, out);
    }

    /// A RESULT with a part of the result could not be sent: the call fails, unless it is over.
    pub(crate) fn undelivered_progress(
        &mut self,
        caller: SessionId,
        call: RequestId,
        why: Undeliverable,
        out: &mut Outputs,
    ) {
        self.dealer.undelivered_progress(caller, call, why, out);
    }

    /// The session broke the protocol, as by a frame that cannot be decoded.
    pub(crate) fn violated(&mut self, from: SessionId, violation: Violation, out: &mut Outputs) {
        let _closed = self.conclude(from, Err(violation), out);
    }

    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.dealer.is_idle()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
            && self.broker.is_empty()
            && self.dealer.is_empty()
            && self.testaments.is_empty()
    }

    fn route(
        &mut self,
        from: SessionId,
        message: Message,
        out: &mut Outputs,
    ) -> Result<Option<Work>, Violation> {
        if has_long_uri(&message) {
            self.refuse_long_uri(from, &message, out)?;
            return Ok(None);
        }
        match message {
            Message::Publish(message) => {
                self.count(from, message.request)?;
                return Ok(self.prepare_publish(from, message, out));
            }
            Message::Subscribe(message) => {
                self.count(from, message.request)?;
                let clock = &self.environment.clock;
                self.broker
                    .subscribe(from, &message, &self.members, clock, out);
            }
            Message::Unsubscribe(message) => {
                self.count(from, message.request)?;
                self.broker.unsubscribe(from, message, out);
            }
            Message::Register(message) => {
                self.count(from, message.request)?;
                let clock = &self.environment.clock;
                self.dealer
                    .register(from, &message, &self.members, clock, out);
            }
            Message::Unregister(message) => {
                self.count(from, message.request)?;
                self.dealer.unregister(from, message, out);
            }
            Message::Call(message) => {
                let id = self.count_call(from, message.request)?;
                if message.options.progress() == Some(true) && !self.dealer.may_go_on(from) {
                    return Err(Violation::Unannounced("progressive call invocations"));
                }
                if id == CallId::Used {
                    let work = self.dealer.go_on(from, message, None, out)?;
                    return Ok(work.map(Work::Invocation));
                }
                if message.procedure.is_reserved() {
                    let work = self.call_reserved(from, message, out);
                    return Ok(work.map(Work::Procedure));
                }
                let mut around = Surroundings {
                    members: &self.members,
                    environment: &mut self.environment,
                };
                let work = self.dealer.call(from, message, &mut around, out);
                return Ok(work.map(Work::Invocation));
            }
            Message::Cancel(message) => self.dealer.cancel(from, &message, out),
            Message::Yield(message) => {
                let clock = &self.environment.clock;
                self.dealer.yielded(from, message, clock, out)?;
            }
            Message::Error(message) if message.request_kind == RequestKind::Invocation => {
                let mut around = Surroundings {
                    members: &self.members,
                    environment: &mut self.environment,
                };
                let work = self.dealer.failed(from, message, &mut around, out)?;
                return Ok(work.map(Work::Invocation));
            }
            Message::Error(message) => return Err(Violation::ErrorFor(message.request_kind)),
            Message::Unknown(message) => return Err(Violation::UnknownMessage(message.code)),
            other => return Err(Violation::Unexpected(other.name())),
        }
        Ok(None)
    }

    fn conclude(
        &mut self,
        from: SessionId,
        result: Result<(), Violation>,
        out: &mut Outputs,
    ) -> Flow {
        match result {
            Ok(()) => {
                self.tell_changes(out);
                Flow::Open
            }
            Err(violation) => {
                tracing::debug!(?violation, "protocol violation");
                out.send(from, violation.abort());
                self.leave(from, out);
                Flow::Closed
            }
        }
    }
}

/// The ERROR that refuses a request; the explanation, for people, goes into its details.
pub(crate) fn refusal(
    kind: RequestKind,
    request: RequestId,
    error: &'static str,
    explanation: Option<&str>,
) -> ErrorMessage {
    explained(kind, request, error, explanation.map(str::to_owned))
}

/// The same with an explanation that is made for the case.
fn explained(
    kind: RequestKind,
    request: RequestId,
    error: &'static str,
    explanation: Option<String>,
) -> ErrorMessage {
    let mut details = ErrorDetails::new();
    if let Some(explanation) = explanation {
        // `message` is no key of the specification, so it takes any value.
        let _set = details.set("message", explanation);
    }
    ErrorMessage {
        request_kind: kind,
        request,
        details,
        error: static_uri(error),
        payload: Payload::default(),
    }
}

/// The ABORT with this reason and an explanation for people.
pub(crate) fn abort(reason: &'static str, explanation: impl Into<String>) -> Abort {
    let mut details = AbortDetails::new();
    details.set_message(explanation);
    Abort {
        details,
        reason: static_uri(reason),
        payload: Payload::default(),
    }
}

/// One of the predefined URIs, or of those of this router.
#[expect(
    clippy::expect_used,
    reason = "only constants come here, and all of them are URIs"
)]
pub(crate) fn static_uri(uri: &'static str) -> Uri {
    Uri::new(uri).expect("a predefined URI")
}

#[cfg(test)]
mod observed;
#[cfg(test)]
mod sequences;
#[cfg(test)]
mod tests;
