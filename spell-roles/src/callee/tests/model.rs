//! Any order of what the router sends, what users do, and how time passes.

use std::{collections::BTreeMap, pin::Pin, task::Poll};

use proptest::{collection::vec, prelude::*};

use super::*;

/// A step of the router, of the user, or of the world.
#[derive(Clone, Copy, Debug)]
enum Step {
    Invoke {
        is_known: bool,
        is_progressive: bool,
        wants_progress: bool,
        timeout: u64,
    },
    Part {
        index: usize,
        is_last: bool,
    },
    Interrupt {
        index: usize,
        mode: Mode,
    },
    /// The user takes the next invocation.
    Take,
    Read(usize),
    DropParts(usize),
    Progress(usize),
    Answer(usize),
    Drop(usize),
    /// The commands reach the role.
    Exchange,
    Pass(u64),
    Lose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Kill,
    KillNoWait,
    Unnamed,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let invoke = (
        any::<bool>(),
        any::<bool>(),
        prop_oneof![Just(0), 1_u64..50],
    );
    let invoke = (prop::bool::weighted(0.9), invoke).prop_map(
        |(is_known, (is_progressive, wants_progress, timeout))| Step::Invoke {
            is_known,
            is_progressive,
            wants_progress,
            timeout,
        },
    );
    let mode = prop_oneof![
        Just(Mode::Kill),
        Just(Mode::KillNoWait),
        Just(Mode::Unnamed)
    ];
    let step = prop_oneof![
        4 => invoke,
        4 => (0_usize..9, prop::bool::weighted(0.3))
            .prop_map(|(index, is_last)| Step::Part { index, is_last }),
        2 => (0_usize..9, mode).prop_map(|(index, mode)| Step::Interrupt { index, mode }),
        5 => Just(Step::Take),
        2 => (0_usize..5).prop_map(Step::Read),
        1 => (0_usize..5).prop_map(Step::DropParts),
        4 => (0_usize..5).prop_map(Step::Progress),
        3 => (0_usize..5).prop_map(Step::Answer),
        2 => (0_usize..5).prop_map(Step::Drop),
        5 => Just(Step::Exchange),
        2 => (0_u64..30).prop_map(Step::Pass),
        1 => Just(Step::Lose),
    ];
    vec(step, 0..80)
}

/// What the router knows of an invocation of this session.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Asked {
    wants_progress: bool,
    /// Whether it has more parts to send.
    has_more: bool,
    is_interrupted: bool,
    /// Whether it wants no answer.
    is_dismissed: bool,
    is_delivered: bool,
    answers: usize,
}

impl Asked {
    fn is_over(&self) -> bool {
        self.is_dismissed || self.answers > 0
    }
}

/// What a user has of an invocation.
struct Held {
    invocation: Option<Invocation>,
    parts: Option<Parts>,
    progress: Progress,
}

type Sending = Pin<Box<dyn Future<Output = Result<(), AnswerError>> + Send>>;

struct World {
    peer: Harness<Callee>,
    registration: Registration,
    asked: BTreeMap<u64, Asked>,
    next_id: u64,
    session: u64,
    held: Vec<Held>,
    sending: Vec<Sending>,
    /// Of all invocations that ever reached the user.
    interrupts: Vec<Interrupt>,
}

const QUEUE: usize = 3;

impl World {
    fn step(&mut self, step: Step) {
        match step {
            Step::Invoke {
                is_known,
                is_progressive,
                wants_progress,
                timeout,
            } => {
                self.next_id += 1;
                let (id, session) = (self.next_id, self.session);
                let registration = if is_known { 9 } else { 8 };
                let asked = Asked {
                    wants_progress,
                    has_more: is_progressive,
                    ..Asked::default()
                };
                self.asked.insert(id, asked);
                let details = format!(
                    r#"{{"progress":{is_progressive},"timeout":{timeout},"receive_progress":{wants_progress}}}"#
                );
                self.peer
                    .receive(&format!("[68,{id},{registration},{details},[{session}]]"));
            }
            Step::Part { index, is_last } => {
                let mut open = self.asked.iter_mut().filter(|(_, asked)| asked.has_more);
                if let Some((id, asked)) = open.nth(index) {
                    asked.has_more = !is_last;
                    let progress = !is_last;
                    self.peer
                        .receive(&format!(r#"[68,{id},9,{{"progress":{progress}}},[0]]"#));
                }
            }
            Step::Interrupt { index, mode } => {
                // Over or not.
                if let Some((id, asked)) = self.asked.iter_mut().rev().nth(index) {
                    asked.is_interrupted = true;
                    asked.is_dismissed |= mode == Mode::KillNoWait;
                    let options = match mode {
                        Mode::Kill => r#"{"mode":"kill"}"#,
                        Mode::KillNoWait => r#"{"mode":"killnowait"}"#,
                        Mode::Unnamed => "{}",
                    };
                    self.peer.receive(&format!("[69,{id},{options}]"));
                }
            }
            Step::Take => _ = self.take(),
            Step::Read(index) => {
                if let Some(parts) = self
                    .held
                    .get_mut(index)
                    .and_then(|held| held.parts.as_mut())
                {
                    let _ = poll(&mut Box::pin(parts.next()));
                }
            }
            Step::DropParts(index) => {
                self.held.get_mut(index).map(|held| held.parts.take());
            }
            Step::Progress(index) => {
                if let Some(held) = self.held.get(index) {
                    let progress = held.progress.clone();
                    self.send(async move {
                        match progress.result() {
                            Some(result) => result.send().await,
                            None => Ok(()),
                        }
                    });
                }
            }
            Step::Answer(index) => {
                let held = self.held.get_mut(index);
                if let Some(invocation) = held.and_then(|held| held.invocation.take()) {
                    self.send(invocation.respond().send());
                }
            }
            Step::Drop(index) => {
                self.held.get_mut(index).map(|held| held.invocation.take());
            }
            Step::Exchange => self.exchange(),
            Step::Pass(time) => self.peer.advance(Duration::from_millis(time)),
            Step::Lose => {
                self.peer.lose();
                self.asked.clear();
                self.next_id = 0;
                self.session += 1;
                self.peer.open(None);
                self.peer.sent();
                self.peer.receive("[65,1,9]");
            }
        }
        let frames = self.peer.transmitted();
        self.hear(frames);
    }

    fn send(&mut self, sending: impl Future<Output = Result<(), AnswerError>> + Send + 'static) {
        let mut sending: Sending = Box::pin(sending);
        if poll(&mut sending).is_pending() {
            self.sending.push(sending);
        }
    }

    /// The user takes an invocation; `false` if there is none.
    fn take(&mut self) -> bool {
        let next = poll(&mut Box::pin(self.registration.next()));
        let Poll::Ready(Some(mut invocation)) = next else {
            return false;
        };
        let interrupt = invocation.interrupt();
        let (session,): (u64,) = invocation.args().unwrap();
        assert_ne!(session, 0, "a part came as an invocation");
        // It may be of an earlier session.
        if session == self.session {
            let id = invocation.info().id().get();
            let asked = self.asked.get_mut(&id).expect("nothing else was asked for");
            assert!(!asked.is_delivered, "{id} came twice");
            asked.is_delivered = true;
        }
        self.interrupts.push(interrupt);
        self.held.push(Held {
            parts: invocation.parts(),
            progress: Progress::from_invocation(&mut invocation).unwrap(),
            invocation: Some(invocation),
        });
        true
    }

    fn exchange(&mut self) {
        let frames = self.peer.sent();
        self.hear(frames);
        for sending in &mut self.sending {
            let _ = ready(sending);
        }
        self.sending.clear();
        // What runs waits in the queue, or is in the user's hands.
        let running = self.asked.values().filter(|asked| !asked.is_over()).count();
        let held = self
            .held
            .iter()
            .filter(|held| held.invocation.is_some())
            .count();
        assert!(running <= QUEUE + held, "{running} run, {held} are held");
    }

    /// The router reads what the callee sent.
    fn hear(&mut self, frames: Vec<String>) {
        for frame in frames {
            let is_answer = !frame.contains(r#"{"progress":true}"#);
            let frame = frame
                .trim_start_matches("[8,68,")
                .trim_start_matches("[70,");
            let id: u64 = frame.split(',').next().unwrap().parse().unwrap();
            let asked = self
                .asked
                .get_mut(&id)
                .expect("only what was asked is answered");
            assert!(!asked.is_over(), "{id} is over: {frame}");
            if is_answer {
                asked.answers += 1;
            } else {
                assert!(
                    asked.wants_progress && !asked.is_interrupted,
                    "{id}: {frame}"
                );
            }
        }
    }

    /// The users let go of everything.
    fn finish(mut self) {
        while self.take() {}
        for held in &mut self.held {
            held.invocation = None;
        }
        self.exchange();
        for (id, asked) in &self.asked {
            assert!(asked.is_over(), "{id} was never answered");
        }
        for held in self.held.drain(..) {
            let Some(mut parts) = held.parts else {
                continue;
            };
            // Nobody waits for parts of what is over.
            while ready(&mut Box::pin(parts.next())).is_some() {}
        }
        assert_eq!(self.peer.time_left(), None);
        for interrupt in &self.interrupts {
            assert!(interrupt.is_alone(), "the role still has {interrupt:?}");
            assert!(interrupt.cause().is_some());
        }
    }
}

proptest! {
    #[test]
    fn every_invocation_ends_once_and_nothing_follows(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let (peer, registration) =
            registered_by(|register| register.queue_count(QUEUE).parts_count(2));
        let mut world = World {
            peer,
            registration,
            asked: BTreeMap::new(),
            next_id: 0,
            session: 1,
            held: Vec::new(),
            sending: Vec::new(),
            interrupts: Vec::new(),
        };
        for step in steps {
            world.step(step);
        }
        world.finish();
    }
}
