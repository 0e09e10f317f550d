//! What the realm answers itself, and what it tells of itself.

use spell_message::{
    Format, RequestId, SessionId, Value,
    message::{Call, RequestKind, ResultMessage},
    options::ResultDetails,
    reason,
};

use super::{Member, RealmState, explained, static_uri};
use crate::{
    carrier::Undeliverable,
    error::Violation,
    meta::{Answer, Farewell, Notice, Procedure, Refused, Request, Victims, encoded},
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
    ) -> Result<Option<ProcedureWork>, Violation> {
        if message.options.progress() == Some(true) {
            return Err(Violation::NotAnnounced("progressive call invocations"));
        }
        let Some(member) = self.members.get(&from) else {
            return Ok(None);
        };
        let refused = match Procedure::find(&message.procedure) {
            None => Refused::plainly(reason::NO_SUCH_PROCEDURE),
            Some(procedure) => {
                let authrole = &member.principal.authrole;
                if self.meta_api.permits(authrole, procedure.permission) {
                    return Ok(Some(ProcedureWork {
                        procedure,
                        request: message.request,
                        arguments: message.payload,
                    }));
                }
                let explanation = "the session may not call this procedure";
                Refused::because(reason::NOT_AUTHORIZED, explanation)
            }
        };
        self.answer(from, message.request, Err(refused), out);
        Ok(None)
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
                    Victims::Session(_) if killed.is_empty() => {
                        Err(Refused::plainly(reason::NO_SUCH_SESSION))
                    }
                    Victims::Session(_) => Ok(None),
                    Victims::Authid(_) => Ok(Some(killed.into())),
                    Victims::Authrole(_) | Victims::All => Ok(Some(killed.len().into())),
                }
            }
            Request::AddTestament(testament) => self.testaments.add(from, testament).map(|()| None),
            Request::FlushTestaments(scope) => {
                self.testaments.flush(from, scope);
                Ok(None)
            }
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

    /// Ends these sessions, all at once: none of them learns of another one's end. Gives those that
    /// there were.
    ///
    /// WAMP spec, "Session Meta API".
    pub(crate) fn kill(
        &mut self,
        victims: &Victims,
        spared: Option<SessionId>,
        farewell: &Farewell,
        out: &mut Outputs,
    ) -> Vec<SessionId> {
        let doomed = |session: SessionId, member: &Member| {
            spared != Some(session) && victims.include(session, &member.principal)
        };
        let killed: Vec<SessionId> = match victims {
            Victims::Session(victim) => {
                let member = self.members.get(victim);
                let doomed = member.is_some_and(|member| doomed(*victim, member));
                doomed.then_some(*victim).into_iter().collect()
            }
            _ => {
                let members = self.members.iter();
                let doomed = members.filter(|(session, member)| doomed(**session, member));
                doomed.map(|(session, _)| *session).collect()
            }
        };
        for session in &killed {
            self.withdraw(*session, out);
            out.send(*session, farewell.goodbye());
        }
        for session in &killed {
            if matches!(victims, Victims::All) {
                // WAMP spec, "wamp.session.kill_all": nobody is left to learn of it.
                self.members.remove(session);
                let _unpublished = self.testaments.take(*session);
            } else {
                self.bury(*session, out);
            }
        }
        killed
    }

    /// The format of someone who subscribed to this topic; `None` if nobody did.
    fn listening_format(&self, topic: &str) -> Option<Format> {
        let mut matching = self.broker.subscriptions.matching(topic);
        let subscriber = matching.find_map(|(_, subscription)| subscription.subscribers.first())?;
        Some(self.members.get(subscriber)?.format)
    }

    /// Tells those who subscribed to it.
    pub(super) fn tell(&mut self, notice: &Notice<'_>, out: &mut Outputs) {
        let topic = notice.topic();
        // Most of the time nobody is interested, and then it shall cost nothing.
        let Some(format) = self.listening_format(topic) else {
            return;
        };
        let Ok(payload) = encoded(format, &notice.arguments()) else {
            return;
        };
        let options = self.meta_api.options();
        self.publish_own(&static_uri(topic), &options, &payload, out);
    }
}

impl Member {
    /// Whether its role is one of these; without any, all are.
    fn has(&self, roles: &Option<Vec<String>>) -> bool {
        let role = &self.principal.authrole;
        roles.as_ref().is_none_or(|roles| roles.contains(role))
    }
}
