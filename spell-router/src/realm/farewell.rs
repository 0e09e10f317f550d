//! How sessions come to an end.

use spell_message::SessionId;

use super::{Member, RealmState};
use crate::{
    broker::Publication,
    fan_out::FanOut,
    meta::{Farewell, Victims},
    outgoing::Outputs,
};

impl RealmState {
    /// The session is over, for whatever reason.
    pub(crate) fn leave(&mut self, session: SessionId, out: &mut Outputs) {
        if self.members.contains_key(&session) {
            self.withdraw(session, out);
            self.tell_changes(out);
            self.bury(session, out);
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
        let killed = self.doomed(victims, spared);
        for session in &killed {
            self.withdraw(*session, out);
            out.send(*session, farewell.goodbye());
        }
        self.tell_changes(out);
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

    fn doomed(&self, victims: &Victims, spared: Option<SessionId>) -> Vec<SessionId> {
        let doomed = |session: SessionId, member: &Member| {
            spared != Some(session) && victims.include(session, &member.principal)
        };
        if let Victims::Session(victim) = victims {
            let member = self.members.get(victim);
            let doomed = member.is_some_and(|member| doomed(*victim, member));
            return doomed.then_some(*victim).into_iter().collect();
        }
        let members = self.members.iter();
        let doomed = members.filter(|(session, member)| doomed(**session, member));
        doomed.map(|(session, _)| *session).collect()
    }

    /// Takes from a session all that it has: from now on it gets nothing.
    fn withdraw(&mut self, session: SessionId, out: &mut Outputs) {
        self.broker.leave(session);
        self.dealer.leave(session, out);
    }

    /// Forgets a session that has nothing any more, and lets the others know: first what it wanted
    /// them to, as long as it is known who says so.
    fn bury(&mut self, session: SessionId, out: &mut Outputs) {
        for testament in self.testaments.take(session) {
            let publication = Publication::by(session, &testament);
            self.fan_out(publication, FanOut::default(), out);
        }
        if let Some(member) = self.members.remove(&session) {
            self.tell_left(session, &member.principal, out);
        }
    }
}
