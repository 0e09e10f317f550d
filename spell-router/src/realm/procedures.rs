//! What the realm answers itself.

use spell_message::{
    Dict, RegistrationId, RequestId, SessionId, SubscriptionId, Value,
    message::{Call, RequestKind, ResultMessage},
    options::ResultDetails,
    reason,
};

use super::{Member, RealmState, explained};
use crate::{
    carrier::Undeliverable,
    meta::{Answer, Procedure, Query, Refused, Request, Victims, details, encoded, lists},
    outbound::Outputs,
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

    /// Does what a procedure is asked for, and answers.
    pub(super) fn perform(
        &mut self,
        from: SessionId,
        request: RequestId,
        asked: Result<Request, Refused>,
        out: &mut Outputs,
    ) {
        let answer = asked.and_then(|asked| self.answer_to(from, asked, out));
        self.answer(from, request, answer, out);
    }

    fn answer_to(&mut self, from: SessionId, asked: Request, out: &mut Outputs) -> Answer {
        match asked {
            Request::CountSessions(roles) => {
                let count = self.members.values().filter(|member| member.has(&roles));
                Ok(Some(count.count().into()))
            }
            Request::ListSessions(roles) => {
                let members = self.members.iter();
                let listed = members.filter(|(_, member)| member.has(&roles));
                Ok(Some(listed.map(|(session, _)| *session).collect()))
            }
            Request::Session(session) => match self.members.get(&session) {
                Some(member) => Ok(Some(member.principal.details(session).into())),
                None => Err(Refused::plainly(reason::NO_SUCH_SESSION)),
            },
            Request::Kill(victims, farewell) => {
                let killed = self.kill(&victims, Some(from), &farewell, out);
                match victims {
                    Victims::Session(_) => no_such_session_unless(!killed.is_empty()),
                    Victims::Authid(_) => Ok(Some(killed.into())),
                    Victims::Authrole(_) | Victims::All => Ok(Some(killed.len().into())),
                }
            }
            Request::AddTestament(testament) => self.testaments.add(from, testament).map(|()| None),
            Request::FlushTestaments(scope) => {
                self.testaments.flush(from, scope);
                Ok(None)
            }
            Request::Registrations(query) => self.answer_about_registrations(query, out),
            Request::Subscriptions(query) => self.answer_about_subscriptions(query, out),
        }
    }

    fn answer(&self, to: SessionId, request: RequestId, answer: Answer, out: &mut Outputs) {
        let Some(member) = self.members.get(&to) else {
            return;
        };
        let answer = answer.and_then(|result| {
            let args: Vec<Value> = result.into_iter().collect();
            encoded(member.format, &args).map_err(|_| {
                let why = Undeliverable::NotExpressible;
                Refused::because(why.reason(), why.explanation())
            })
        });
        match answer {
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
            known.ok_or(Refused::plainly(reason::NO_SUCH_REGISTRATION))
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
            known.ok_or(Refused::plainly(reason::NO_SUCH_SUBSCRIPTION))
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
    fn has(&self, roles: &Option<Vec<String>>) -> bool {
        let role = &self.principal.authrole;
        roles.as_ref().is_none_or(|roles| roles.contains(role))
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
