//! A procedure, or a pattern of them, and those who serve it.

use std::collections::BTreeSet;

use spell_message::{
    Pattern, SessionId,
    options::{InvocationPolicy, RegisterOptions},
};

use crate::{environment::Moment, ids::RandomBits};

/// A pattern of procedures, and its callees in the order in which they registered.
///
/// WAMP spec, "Shared Registration".
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) pattern: Pattern,
    /// That of the first callee, which the others have to name too.
    pub(crate) policy: InvocationPolicy,
    pub(crate) created: Moment,
    callees: Vec<Callee>,
    /// The number of the callee that registered last.
    last: u64,
    /// The number of the callee that had the last turn.
    turn: u64,
}

/// A session that registered, and what it asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Callee {
    pub(super) session: SessionId,
    /// Whether it wants to learn who calls.
    pub(super) disclose_caller: bool,
    /// Whether it wants to watch over time-outs itself.
    pub(super) forward_timeout: bool,
    /// Larger for each callee of a registration than for those before it.
    number: u64,
}

impl Registration {
    pub(super) fn new(pattern: Pattern, policy: InvocationPolicy, created: Moment) -> Self {
        Self {
            pattern,
            policy,
            created,
            callees: Vec::new(),
            last: 0,
            turn: 0,
        }
    }

    /// The sessions of the callees, in the order in which they registered.
    pub(crate) fn callees(&self) -> impl ExactSizeIterator<Item = SessionId> {
        self.callees.iter().map(|callee| callee.session)
    }

    pub(super) fn has(&self, session: SessionId) -> bool {
        self.callees().any(|callee| callee == session)
    }

    pub(super) fn add(&mut self, session: SessionId, options: &RegisterOptions) {
        self.last = self.last.saturating_add(1);
        self.callees.push(Callee {
            session,
            disclose_caller: options.disclose_caller() == Some(true),
            forward_timeout: options.forward_timeout() == Some(true),
            number: self.last,
        });
    }

    pub(super) fn remove(&mut self, session: SessionId) {
        self.callees.retain(|callee| callee.session != session);
    }

    /// Whose turn it is, those aside who said that they are unavailable; `None` if all are.
    ///
    /// WAMP spec, "Load Balancing", "Hot Stand-By" and "Call Re-Routing".
    pub(super) fn choose(
        &mut self,
        unavailable: &BTreeSet<SessionId>,
        random: &mut RandomBits,
    ) -> Option<Callee> {
        let mut available = self
            .callees
            .iter()
            .filter(|callee| !unavailable.contains(&callee.session));
        let chosen = match self.policy {
            InvocationPolicy::Last => available.next_back(),
            InvocationPolicy::Random if unavailable.is_empty() => {
                let index = below(self.callees.len(), random)?;
                self.callees.get(index)
            }
            InvocationPolicy::Random => {
                let index = below(available.clone().count(), random)?;
                available.nth(index)
            }
            InvocationPolicy::RoundRobin => {
                let next = available.clone().find(|callee| callee.number > self.turn);
                next.or_else(|| available.next())
            }
            // A single one is the first one.
            _ => available.next(),
        }?;
        self.turn = chosen.number;
        Some(*chosen)
    }
}

/// A random number below the count; `None` if that is 0.
fn below(count: usize, random: &mut RandomBits) -> Option<usize> {
    // The upper bits, which are those of ids too.
    let bits = (random() >> 11).checked_rem(u64::try_from(count).ok()?)?;
    usize::try_from(bits).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::environment::Environment;

    fn policy() -> impl Strategy<Value = InvocationPolicy> {
        prop_oneof![
            Just(InvocationPolicy::RoundRobin),
            Just(InvocationPolicy::Random),
            Just(InvocationPolicy::First),
            Just(InvocationPolicy::Last),
        ]
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Join(u64),
        Leave(u64),
        Call,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            1 => (1..6_u64).prop_map(Step::Join),
            1 => (1..6_u64).prop_map(Step::Leave),
            2 => Just(Step::Call),
        ]
    }

    proptest! {
        /// Sessions register, unregister and are called in any order.
        #[test]
        fn whoever_is_called_is_there_and_has_its_turn(
            policy in policy(),
            steps in proptest::collection::vec(step(), 0..200),
        ) {
            let pattern = Pattern::exact("com.p").unwrap();
            let Environment { mut random, clock } = Environment::real();
            let mut registration = Registration::new(pattern, policy, clock());
            let mut present: Vec<SessionId> = Vec::new();
            // Who is yet to be called before the first one is again.
            let mut round: Vec<SessionId> = Vec::new();
            for step in steps {
                match step {
                    Step::Join(session) => {
                        let session = SessionId::new(session).unwrap();
                        if !present.contains(&session) {
                            registration.add(session, &RegisterOptions::new());
                            present.push(session);
                            round.push(session);
                        }
                    }
                    Step::Leave(session) => {
                        let session = SessionId::new(session).unwrap();
                        registration.remove(session);
                        present.retain(|other| *other != session);
                        round.retain(|other| *other != session);
                    }
                    Step::Call => {
                        let chosen = registration.choose(&BTreeSet::new(), &mut random);
                        let chosen = chosen.map(|callee| callee.session);
                        if round.is_empty() {
                            round.clone_from(&present);
                        }
                        match policy {
                            InvocationPolicy::First => {
                                prop_assert_eq!(chosen, present.first().copied());
                            }
                            InvocationPolicy::Last => {
                                prop_assert_eq!(chosen, present.last().copied());
                            }
                            InvocationPolicy::RoundRobin => {
                                prop_assert_eq!(chosen, round.first().copied());
                                round.drain(..1.min(round.len()));
                            }
                            _ => {
                                prop_assert_eq!(chosen.is_some(), !present.is_empty());
                                prop_assert!(chosen.is_none_or(|chosen| present.contains(&chosen)));
                            }
                        }
                    }
                }
            }
        }

        /// Each callee says that it is unavailable, until none is left.
        #[test]
        fn every_callee_is_tried_once(policy in policy(), count in 1..8_u64, calls in 0..8) {
            let pattern = Pattern::exact("com.p").unwrap();
            let Environment { mut random, clock } = Environment::real();
            let mut registration = Registration::new(pattern, policy, clock());
            for session in 1..=count {
                registration.add(SessionId::new(session).unwrap(), &RegisterOptions::new());
            }
            for _ in 0..calls {
                registration.choose(&BTreeSet::new(), &mut random);
            }
            let mut tried = Vec::new();
            let mut unavailable = BTreeSet::new();
            while let Some(callee) = registration.choose(&unavailable, &mut random) {
                prop_assert!(unavailable.insert(callee.session), "tried again");
                tried.push(callee.session.get());
            }
            let mut expected: Vec<_> = (1..=count).collect();
            match policy {
                InvocationPolicy::First => {}
                InvocationPolicy::Last => expected.reverse(),
                InvocationPolicy::RoundRobin => {
                    let turn = usize::try_from(tried[0] - 1).unwrap();
                    expected.rotate_left(turn);
                }
                _ => tried.sort_unstable(),
            }
            prop_assert_eq!(tried, expected);
        }
    }
}
