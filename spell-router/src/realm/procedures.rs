//! What the realm answers itself.

use std::collections::HashSet;

use spell_message::{
    Dict, Payload, RegistrationId, RequestId, SessionId, SubscriptionId, Value,
    message::{Call, RequestKind, ResultMessage},
    options::ResultDetails,
    reason,
};

use super::{Member, RealmState, explained};
use crate::{
    broker::HistoryQuery,
    carrier::Undeliverable,
    meta::{
        Answer, EventsWork, Procedure, Query, Refused, Request, SessionQuery, Victims, details,
        encoded, lists,
    },
    outgoing::Outputs,
    work::ProcedureWork,
};

impl RealmState {
    /// A call of what the protocol reserves for the router, which no application may answer, not
    /// even one that registered a pattern for everything. Its arguments are read without the lock.
    pub(super) fn call_reserved(
        &self,
        from: SessionId,
        message: Call,
        out: &mut Outputs,
    ) -> Option<ProcedureWork> {
        let member = self.members.get(&from)?;
        let refused = match Procedure::find(&message.procedure) {
            None => Refused::plainly(reason::NO_SUCH_PROCEDURE),
            Some(_) if message.options.progress() == Some(true) => {
                let explanation = "the router does not take arguments in parts";
                Refused::because(reason::FEATURE_NOT_SUPPORTED, explanation)
            }
            Some(procedure) => {
                let authrole = &member.principal.authrole;
                if self.meta_api.permits(authrole, procedure.permission) {
                    return Some(ProcedureWork {
                        procedure,
                        request: message.request,
                        arguments: message.payload,
                    });
                }
                let explanation = "the session may not call this procedure";
                Refused::because(reason::NOT_AUTHORIZED, explanation)
            }
        };
        self.answer(from, message.request, Err(refused), out);
        None
    }

    /// Does what a procedure is asked for, and answers, unless the answer takes long to write.
    pub(super) fn perform(
        &mut self,
        from: SessionId,
        request: RequestId,
        asked: Result<Request, Refused>,
        out: &mut Outputs,
    ) -> Option<EventsWork> {
        let answer = match asked {
            Ok(Request::Events(subscription, query)) => {
                match self.events(from, request, subscription, &query) {
                    Ok(work) => return Some(work),
                    Err(refused) => Err(refused),
                }
            }
            Ok(Request::Sessions(query)) => self.answer_about_sessions(from, query, out),
            Ok(Request::Registrations(query)) => self.answer_about_registrations(query, out),
            Ok(Request::Subscriptions(query)) => self.answer_about_subscriptions(query, out),
            Err(refused) => Err(refused),
        };
        self.answer(from, request, answer, out);
        None
    }

    /// WAMP spec, "Event History".
    fn events(
        &self,
        from: SessionId,
        request: RequestId,
        subscription: SubscriptionId,
        query: &HistoryQuery,
    ) -> Result<EventsWork, Refused> {
        let no_such_subscription = || Refused::plainly(reason::NO_SUCH_SUBSCRIPTION);
        let member = self.members.get(&from).ok_or_else(no_such_subscription)?;
        let known = self.broker.subscriptions.get(subscription);
        let policy = known.ok_or_else(no_such_subscription)?.pattern.policy();
        let events = self.broker.history(subscription, query, &member.principal);
        let events = events.ok_or_else(|| {
            let explanation = "no history is kept of this subscription";
            Refused::because(reason::NO_SUCH_SUBSCRIPTION, explanation)
        })?;
        Ok(EventsWork {
            request,
            subscription,
            policy,
            events,
            format: member.format,
        })
    }

    fn answer_about_sessions(
        &mut self,
        from: SessionId,
        query: SessionQuery,
        out: &mut Outputs,
    ) -> Answer {
        match query {
            SessionQuery::Count(roles) => {
                let members = self.members.values();
                let counted = members.filter(|member| member.has(roles.as_ref()));
                Ok(Some(counted.count().into()))
            }
            SessionQuery::List(roles) => {
                let members = self.members.iter();
                let listed = members.filter(|(_, member)| member.has(roles.as_ref()));
                Ok(Some(listed.map(|(session, _)| *session).collect()))
            }
            SessionQuery::Get(session) => match self.members.get(&session) {
                Some(member) => Ok(Some(member.principal.details(session).into())),
                None => Err(Refused::plainly(reason::NO_SUCH_SESSION)),
            },
            SessionQuery::Kill(victims, farewell) => {
                let killed = self.kill(&victims, Some(from), &farewell, out);
                match victims {
                    Victims::Session(_) => no_such_session_unless(!killed.is_empty()),
                    Victims::Authid(_) => Ok(Some(killed.into())),
                    Victims::Authrole(_) | Victims::All => Ok(Some(killed.len().into())),
                }
            }
            SessionQuery::AddTestament(testament) => {
                self.testaments.add(from, testament).map(|()| None)
            }
            SessionQuery::FlushTestaments(scope) => {
                self.testaments.flush(from, scope);
                Ok(None)
            }
        }
    }

    fn answer(&self, to: SessionId, request: RequestId, answer: Answer, out: &mut Outputs) {
        let Some(member) = self.members.get(&to) else {
            return;
        };
        let result = answer.and_then(|result| {
            let args: Vec<Value> = result.into_iter().collect();
            let payload = encoded(member.format, &args);
            payload.map_err(|_| Refused::undeliverable(Undeliverable::NotExpressible))
        });
        Self::send_result(to, request, result, out);
    }

    pub(super) fn send_result(
        to: SessionId,
        request: RequestId,
        result: Result<Payload, Refused>,
        out: &mut Outputs,
    ) {
        match result {
            Ok(payload) => out.send(
                to,
                ResultMessage {
                    request,
                    details: ResultDetails::new(),
                    payload,
                },
            ),
            Err(Refused { error, explanation }) => {
                let kind = RequestKind::Call;
                out.send(to, explained(kind, request, error, explanation));
            }
        }
    }

    /// What is known of a registration.
    pub(super) fn registration_details(&self, id: RegistrationId) -> Option<Dict> {
        let registration = self.dealer.registrations.get(id)?;
        let mut details = details(id, registration.created, &registration.pattern);
        details.insert("invoke", registration.policy.as_str());
        Some(details)
    }

    /// What is known of a subscription.
    pub(super) fn subscription_details(&self, id: SubscriptionId) -> Option<Dict> {
        let subscription = self.broker.subscriptions.get(id)?;
        Some(details(id, subscription.created, &subscription.pattern))
    }

    fn answer_about_registrations(
        &mut self,
        query: Query<RegistrationId>,
        out: &mut Outputs,
    ) -> Answer {
        let registrations = &self.dealer.registrations;
        let known = |id: RegistrationId| {
            let known = registrations.get(id);
            known.ok_or_else(|| Refused::plainly(reason::NO_SUCH_REGISTRATION))
        };
        let result: Value = match query {
            Query::List => lists(|policy| registrations.of_policy(policy)).into(),
            Query::Lookup(pattern) => registrations.lookup(&pattern).into(),
            // What is reserved no registration serves.
            Query::Match(procedure) if procedure.is_reserved() => Value::Null,
            Query::Match(procedure) => registrations.best(&procedure).into(),
            Query::Get(id) => {
                known(id)?;
                self.registration_details(id).into()
            }
            Query::Sessions(id) => known(id)?.callees().collect(),
            Query::CountSessions(id) => known(id)?.callees().len().into(),
            Query::Remove(id, revocation) => {
                known(id)?;
                let revoked = self.revoke_registration(id, &revocation, out);
                return no_such_session_unless(revoked);
            }
        };
        Ok(Some(result))
    }

    fn answer_about_subscriptions(
        &mut self,
        query: Query<SubscriptionId>,
        out: &mut Outputs,
    ) -> Answer {
        let subscriptions = &self.broker.subscriptions;
        let known = |id: SubscriptionId| {
            let known = subscriptions.get(id);
            known.ok_or_else(|| Refused::plainly(reason::NO_SUCH_SUBSCRIPTION))
        };
        let result: Value = match query {
            Query::List => lists(|policy| subscriptions.of_policy(policy)).into(),
            Query::Lookup(pattern) => subscriptions.lookup(&pattern).into(),
            Query::Match(topic) => {
                let matching = subscriptions.matching(&topic);
                let ids: Vec<_> = matching.map(|(id, _)| id).collect();
                (!ids.is_empty()).then_some(ids).into()
            }
            Query::Get(id) => {
                known(id)?;
                self.subscription_details(id).into()
            }
            Query::Sessions(id) => known(id)?.subscribers.iter().copied().collect(),
            Query::CountSessions(id) => known(id)?.subscribers.len().into(),
            Query::Remove(id, revocation) => {
                known(id)?;
                let revoked = self.revoke_subscription(id, &revocation, out);
                return no_such_session_unless(revoked);
            }
        };
        Ok(Some(result))
    }
}

impl Member {
    /// Whether its role is one of these; without any, all are.
    fn has(&self, roles: Option<&HashSet<String>>) -> bool {
        let role = &self.principal.authrole;
        roles.is_none_or(|roles| roles.contains(role))
    }
}

/// The answer of a procedure that has no result but whether there was such a session.
fn no_such_session_unless(done: bool) -> Answer {
    if done {
        Ok(None)
    } else {
        Err(Refused::plainly(reason::NO_SUCH_SESSION))
    }
}
