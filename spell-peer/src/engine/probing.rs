use std::time::Instant;

use spell_message::{
    Message, RegistrationId, RoleName, SubscriptionId,
    message::{RequestKind, Unregister, Unregistered, Unsubscribe, Unsubscribed},
};
use spell_transport::{LifeSign, Liveness, Pings, Verdict};

use super::Core;
use crate::{CloseReason, Probe, RoundTripTime, SessionInfo};

/// Whether the router is still there, and how far away it is.
#[derive(Debug, Default)]
pub(crate) struct Probing {
    /// What the transport can do; `None` when nobody tells what it hears.
    pings: Option<Pings>,
    /// While a session is joined.
    watch: Option<Watch>,
    /// The ping that the transport is to send.
    ping: Option<u64>,
    round_trip: Option<RoundTripTime>,
}

#[derive(Debug)]
struct Watch {
    liveness: Liveness,
    question: Question,
    /// How many pings there were, if that is how it is asked.
    pings: u64,
    /// The number of a ping, or the id of a request, and since when it is unanswered.
    asked: Option<(u64, Instant)>,
}

/// How the router is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// By a ping of the transport.
    Ping,
    /// By a request that every broker refuses at once.
    Unsubscribe,
    /// By a request that every dealer refuses at once.
    Unregister,
}

impl Probing {
    /// The transport opened, and what it hears will be told.
    pub(crate) fn open(pings: Option<Pings>) -> Self {
        Self {
            pings,
            ..Self::default()
        }
    }

    /// The session is over; how far away the router was is still known.
    pub(crate) fn end(&mut self) {
        self.watch = None;
        self.ping = None;
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.watch.as_ref()?.liveness.deadline()
    }

    pub(crate) fn take_ping(&mut self) -> Option<u64> {
        self.ping.take()
    }

    pub(crate) fn round_trip(&self) -> Option<RoundTripTime> {
        self.round_trip
    }

    /// Something came in.
    pub(crate) fn heard(&mut self, now: Instant) {
        if let Some(watch) = &mut self.watch {
            watch.liveness.heard(now);
        }
    }

    pub(crate) fn life_sign(&mut self, sign: LifeSign, now: Instant) {
        match sign {
            LifeSign::None => return,
            LifeSign::Heard => {}
            LifeSign::Pong(number) => _ = self.answered(Question::Ping, number, now),
        }
        self.heard(now);
    }

    /// Whether it is the answer to the question of a peer that is nobody's concern but ours.
    pub(crate) fn claims(&mut self, message: &Message, now: Instant) -> bool {
        let (question, request) = match message {
            Message::Error(error) => match error.request_kind {
                RequestKind::Unsubscribe => (Question::Unsubscribe, error.request),
                RequestKind::Unregister => (Question::Unregister, error.request),
                _ => return false,
            },
            Message::Unsubscribed(Unsubscribed::Reply { request }) => {
                (Question::Unsubscribe, *request)
            }
            Message::Unregistered(Unregistered::Reply { request }) => {
                (Question::Unregister, *request)
            }
            _ => return false,
        };
        self.answered(question, request.get(), now)
    }

    fn answered(&mut self, question: Question, number: u64, now: Instant) -> bool {
        let Some(watch) = &mut self.watch else {
            return false;
        };
        let Some((asked, since)) = watch.asked.filter(|_| watch.question == question) else {
            return false;
        };
        if asked != number {
            // Of several pings that wait, only the last one need be answered.
            if asked < number && number <= watch.pings {
                watch.asked = None;
            }
            return false;
        }
        watch.asked = None;
        let time = now.saturating_duration_since(since);
        self.round_trip = Some(match self.round_trip {
            Some(before) => before.followed_by(time),
            None => RoundTripTime::first(time),
        });
        true
    }
}

impl Core {
    /// A session is joined: watch over it, if that is wanted and there is a way to ask.
    pub(crate) fn begin_probing(&mut self, session: &SessionInfo) {
        let Some((settings, pings)) = self.config.keep_alive.zip(self.probing.pings) else {
            return;
        };
        let question = question(self.config.probe, pings, session);
        self.probing.watch = question.map(|question| Watch {
            liveness: Liveness::new(settings, self.now),
            question,
            pings: 0,
            asked: None,
        });
    }

    /// Time passed: ask the router whether it is there, or give it up.
    pub(crate) fn probe(&mut self) {
        let now = self.now;
        let Some(watch) = &mut self.probing.watch else {
            return;
        };
        let question = match watch.liveness.check(now) {
            Verdict::Wait => return,
            Verdict::Ask => watch.question,
            Verdict::Lost { silent_for } => {
                return self.close(CloseReason::Unresponsive { silent_for });
            }
        };
        // A request waits behind others for its turn. One more would not come back earlier.
        if question == Question::Ping {
            watch.pings = watch.pings.saturating_add(1);
            watch.asked.get_or_insert((watch.pings, now));
            self.probing.ping = Some(watch.pings);
        } else if watch.asked.is_none() && self.closed.is_none() && self.finishing.is_none() {
            let request = self.outbox.request(|request| match question {
                Question::Unregister => Message::from(Unregister {
                    request,
                    registration: RegistrationId::MAX,
                }),
                _ => Message::from(Unsubscribe {
                    request,
                    subscription: SubscriptionId::MAX,
                }),
            });
            // What cannot be asked is not answered, and the connection ends for it.
            watch.asked = request.ok().map(|request| (request.get(), now));
        }
    }
}

/// How to ask this router; `None` when it need not, or cannot, be asked.
fn question(probe: Probe, pings: Pings, session: &SessionInfo) -> Option<Question> {
    let ping = match (probe, pings) {
        (Probe::RoundTrip, _) => false,
        (Probe::Automatic, Pings::Needless) => return None,
        (Probe::Automatic, Pings::Risky) => {
            let known = |agent: &str| ANSWERING.iter().any(|name| agent.starts_with(name));
            session.agent().is_some_and(known)
        }
        (Probe::Ping, Pings::Risky) | (_, Pings::Answered) => true,
        _ => false,
    };
    let roles = session.roles();
    if ping {
        Some(Question::Ping)
    } else if roles.has(RoleName::Broker) {
        Some(Question::Unsubscribe)
    } else if roles.has(RoleName::Dealer) {
        Some(Question::Unregister)
    } else {
        None
    }
}

/// How the `agent` of routers begins that answer the pings of every transport.
const ANSWERING: [&str; 1] = ["spell-router/"];
