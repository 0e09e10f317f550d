//! What happened in a run, and what must be true of it.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    rc::Rc,
};

use spell::{message::PublicationId, peer::Delivery};

/// A thing that a client did: which client, and which of its doings.
pub(crate) type Deed = (u64, u64);

/// What a client was told about a thing that it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is done; of a publication, under this id.
    Done(Option<PublicationId>),
    /// The router or a callee refused it.
    Refused,
    /// It failed otherwise.
    Failed(Delivery),
}

/// All that happened.
#[derive(Default)]
pub(crate) struct History {
    /// What the router accepted, as a subscriber without faults saw it.
    accepted: Vec<(Deed, PublicationId)>,
    published: HashMap<Deed, Told>,
    /// What each subscriber got.
    received: HashMap<u64, Vec<(Deed, PublicationId)>>,
    called: HashMap<Deed, Told>,
    /// How often a callee worked on a call.
    executed: HashMap<Deed, u64>,
}

/// Shared by the tasks of a run, which are on one thread.
pub(crate) type SharedHistory = Rc<RefCell<History>>;

impl History {
    pub(crate) fn accept(&mut self, deed: Deed, publication: PublicationId) {
        self.accepted.push((deed, publication));
    }

    pub(crate) fn publish(&mut self, deed: Deed, told: Told) {
        self.published.insert(deed, told);
    }

    pub(crate) fn receive(&mut self, subscriber: u64, deed: Deed, publication: PublicationId) {
        let received = self.received.entry(subscriber).or_default();
        received.push((deed, publication));
    }

    pub(crate) fn call(&mut self, deed: Deed, told: Told) {
        self.called.insert(deed, told);
    }

    pub(crate) fn execute(&mut self, deed: Deed) {
        *self.executed.entry(deed).or_default() += 1;
    }

    /// How many publications and calls were done, were refused, not sent, and have an unknown outcome.
    pub(crate) fn tally(&self) -> [u64; 4] {
        let mut tally = [0; 4];
        for told in self.published.values().chain(self.called.values()) {
            tally[match told {
                Told::Done(_) => 0,
                Told::Refused => 1,
                Told::Failed(Delivery::NotSent) => 2,
                Told::Failed(Delivery::OutcomeUnknown) => 3,
            }] += 1;
        }
        tally
    }

    /// What is not as it must be; empty if all is.
    pub(crate) fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        self.check_publications(&mut violations);
        self.check_events(&mut violations);
        self.check_calls(&mut violations);
        violations
    }

    fn check_publications(&self, violations: &mut Vec<String>) {
        for (deed, told) in &self.published {
            let accepted: Vec<_> = self
                .accepted
                .iter()
                .filter(|(other, _)| other == deed)
                .collect();
            let is_true = match (told, accepted.as_slice()) {
                (Told::Done(id), [(_, accepted)]) => *id == Some(*accepted),
                (Told::Done(_), _) => false,
                (Told::Failed(Delivery::OutcomeUnknown), accepted) => accepted.len() <= 1,
                (Told::Failed(Delivery::NotSent) | Told::Refused, accepted) => accepted.is_empty(),
            };
            if !is_true {
                violations.push(format!(
                    "{deed:?} was told {told:?}, the router accepted {accepted:?}"
                ));
            }
        }
        check_order("the router", &self.accepted, violations);
    }

    fn check_events(&self, violations: &mut Vec<String>) {
        let accepted: HashSet<_> = self.accepted.iter().collect();
        for (subscriber, received) in &self.received {
            check_order(&format!("subscriber {subscriber}"), received, violations);
            for event in received.iter().filter(|event| !accepted.contains(event)) {
                violations.push(format!(
                    "{subscriber} got {event:?}, which nobody published"
                ));
            }
        }
    }

    fn check_calls(&self, violations: &mut Vec<String>) {
        for (deed, told) in &self.called {
            let executed = self.executed.get(deed).copied().unwrap_or_default();
            let is_true = match told {
                Told::Done(_) => executed == 1,
                Told::Failed(Delivery::NotSent) => executed == 0,
                Told::Refused | Told::Failed(Delivery::OutcomeUnknown) => executed <= 1,
            };
            if !is_true {
                violations.push(format!(
                    "{deed:?} was told {told:?} and executed {executed} times"
                ));
            }
        }
        for deed in self.executed.keys() {
            if !self.called.contains_key(deed) {
                violations.push(format!(
                    "{deed:?} was executed and never called, or never ended"
                ));
            }
        }
    }
}

/// The events of each publisher come in its order, and none twice.
fn check_order(whose: &str, events: &[(Deed, PublicationId)], violations: &mut Vec<String>) {
    let mut last: HashMap<u64, u64> = HashMap::new();
    for ((publisher, number), _) in events {
        match last.insert(*publisher, *number) {
            Some(before) if before >= *number => violations.push(format!(
                "{whose} got {number} of {publisher} after {before}"
            )),
            _ => {}
        }
    }
}

#[test]
fn the_history_is_checked() {
    let id = |n| PublicationId::new(n).unwrap();
    let lie = |lie: fn(&mut History, fn(u64) -> PublicationId)| {
        let mut history = History::default();
        lie(&mut history, |n| PublicationId::new(n).unwrap());
        assert_ne!(history.violations(), Vec::<String>::new());
    };
    lie(|history, id| history.publish((1, 1), Told::Done(Some(id(1)))));
    lie(|history, id| {
        history.publish((1, 1), Told::Done(Some(id(1))));
        history.accept((1, 1), id(2));
    });
    lie(|history, id| {
        history.publish((1, 1), Told::Failed(Delivery::NotSent));
        history.accept((1, 1), id(2));
    });
    lie(|history, id| {
        history.publish((1, 1), Told::Failed(Delivery::OutcomeUnknown));
        history.accept((1, 1), id(2));
        history.accept((1, 1), id(3));
    });
    lie(|history, id| {
        history.accept((1, 2), id(2));
        history.accept((1, 1), id(1));
    });
    lie(|history, id| history.receive(1, (1, 1), id(1)));
    lie(|history, id| {
        history.accept((1, 1), id(1));
        history.receive(1, (1, 1), id(1));
        history.receive(1, (1, 1), id(1));
    });
    lie(|history, _| history.call((1, 1), Told::Done(None)));
    lie(|history, _| history.execute((1, 1)));
    lie(|history, _| {
        history.call((1, 1), Told::Failed(Delivery::NotSent));
        history.execute((1, 1));
    });

    let mut history = History::default();
    history.publish((1, 1), Told::Done(Some(id(1))));
    history.accept((1, 1), id(1));
    history.receive(1, (1, 1), id(1));
    history.call((1, 1), Told::Done(None));
    history.execute((1, 1));
    assert_eq!(history.violations(), Vec::<String>::new());
}
