//! Any order of what users want registered, what the router answers, and how sessions end.

use std::{collections::VecDeque, mem, pin::Pin, task::Poll};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::RegisterError;

/// A step of the user, of the router, or of the world.
#[derive(Clone, Copy, Debug)]
enum Step {
    Register {
        procedure: usize,
        conflict: usize,
    },
    /// Poll the registering future at this place, as far as it goes.
    Poll(usize),
    GiveUp(usize),
    Drop(usize),
    Unregister(usize),
    /// What the client sends reaches the router, which acts on it; its answers wait.
    Exchange,
    /// The same, but the transport takes only so many messages.
    Trickle(usize),
    /// One of the waiting answers comes.
    Answer(usize),
    /// Refuse the next REGISTER.
    Refuse,
    Pass(u64),
    /// The session is lost; the router may keep some of what it had for a while.
    Lose {
        stale: [bool; 2],
    },
    /// The router notices.
    Bury,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let register = (0..PROCEDURES.len(), 0_usize..3);
    let step = prop_oneof![
        3 => register.prop_map(|(procedure, conflict)| Step::Register { procedure, conflict }),
        3 => (0_usize..9).prop_map(Step::Poll),
        1 => (0_usize..9).prop_map(Step::GiveUp),
        1 => (0_usize..9).prop_map(Step::Drop),
        1 => (0_usize..9).prop_map(Step::Unregister),
        4 => Just(Step::Exchange),
        2 => (0_usize..3).prop_map(Step::Trickle),
        4 => (0_usize..9).prop_map(Step::Answer),
        1 => Just(Step::Refuse),
        2 => (0_u64..10_000).prop_map(Step::Pass),
        2 => any::<[bool; 2]>().prop_map(|stale| Step::Lose { stale }),
        1 => Just(Step::Bury),
    ];
    vec(step, 0..80)
}

const PROCEDURES: [&str; 2] = ["com.example.a", "com.example.b"];

/// A dealer that takes a procedure once, and answers in any order.
#[derive(Default)]
struct Router {
    /// The id of each procedure that this session registered.
    ids: [Option<u64>; 2],
    /// Whether an old session has it.
    stale: [bool; 2],
    next_id: u64,
    next_request: u64,
    refuses: bool,
    answers: VecDeque<String>,
}

impl Router {
    fn handle(&mut self, frame: &str) {
        let fields: Vec<_> = frame.trim_matches(['[', ']']).split(',').collect();
        let request: u64 = fields[1].parse().unwrap();
        self.next_request += 1;
        assert_eq!(request, self.next_request, "ids on the wire have no gap");
        let answer = match fields[0] {
            "64" => self.register(request, fields[2], fields[3].trim_matches('"')),
            "66" => {
                let id: u64 = fields[2].parse().unwrap();
                let known = self.ids.iter_mut().find(|known| **known == Some(id));
                *known.expect("only what there is is unregistered") = None;
                format!("[67,{request}]")
            }
            other => panic!("unexpected message {other}"),
        };
        self.answers.push_back(answer);
    }

    fn register(&mut self, request: u64, options: &str, procedure: &str) -> String {
        let refuse = |error| format!(r#"[8,64,{request},{{}},"{error}"]"#);
        if mem::take(&mut self.refuses) {
            return refuse("com.example.no");
        }
        let at = PROCEDURES.iter().position(|known| *known == procedure);
        let at = at.unwrap();
        if options.contains("force_reregister") {
            self.stale[at] = false;
        }
        if self.ids[at].is_some() || self.stale[at] {
            return refuse(reason::PROCEDURE_ALREADY_EXISTS);
        }
        self.next_id += 1;
        self.ids[at] = Some(self.next_id);
        format!("[65,{request},{}]", self.next_id)
    }
}

/// What a user did with one call of `register`.
enum Wish<'a> {
    Asking(Pin<Box<dyn Future<Output = Result<Registration, RegisterError>> + Send + 'a>>),
    Made(Registration),
    Over,
}

struct World<'a> {
    peer: Harness<Callee>,
    handle: &'a CalleeHandle,
    router: Router,
    wishes: Vec<(usize, Wish<'a>)>,
}

impl World<'_> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Register {
                procedure,
                conflict,
            } => {
                let register = self.handle.register(PROCEDURES[procedure]);
                let conflict = [Conflict::default(), Conflict::Replace, Conflict::Fail][conflict];
                let register = register.on_conflict(conflict).into_future();
                self.wishes.push((procedure, Wish::Asking(register)));
                self.poll(self.wishes.len() - 1);
            }
            Step::Poll(index) => self.poll(index),
            Step::GiveUp(index) | Step::Drop(index) | Step::Unregister(index) => {
                let wish = self.wishes.get_mut(index).map(|(_, wish)| wish);
                match (step, wish) {
                    (Step::Unregister(_), Some(Wish::Made(registration))) => {
                        let _ = poll(&mut Box::pin(registration.unregister()));
                    }
                    (Step::GiveUp(_), Some(wish @ Wish::Asking(_)))
                    | (Step::Drop(_), Some(wish @ Wish::Made(_))) => *wish = Wish::Over,
                    _ => {}
                }
            }
            Step::Exchange => _ = self.exchange(),
            Step::Trickle(count) => {
                for frame in self.peer.sent_up_to(count) {
                    self.router.handle(&frame);
                }
            }
            Step::Answer(index) => {
                if let Some(answer) = self.router.answers.remove(index) {
                    self.peer.receive(&answer);
                }
            }
            Step::Refuse => self.router.refuses = true,
            Step::Pass(time) => self.peer.advance(Duration::from_millis(time)),
            Step::Lose { stale } => {
                self.peer.lose();
                let (ids, next_id) = (self.router.ids, self.router.next_id);
                let keeps = |at: usize| self.router.stale[at] || stale[at] && ids[at].is_some();
                self.router = Router {
                    stale: [keeps(0), keeps(1)],
                    next_id,
                    ..Router::default()
                };
                self.peer.open(None);
            }
            Step::Bury => self.router.stale = [false; 2],
        }
    }

    fn poll(&mut self, index: usize) {
        let Some((_, wish)) = self.wishes.get_mut(index) else {
            return;
        };
        if let Wish::Asking(register) = wish
            && let Poll::Ready(result) = poll(register)
        {
            *wish = result.map_or(Wish::Over, Wish::Made);
        }
    }

    fn exchange(&mut self) -> bool {
        let frames = self.peer.sent();
        for frame in &frames {
            self.router.handle(frame);
        }
        !frames.is_empty()
    }

    /// Let everything come to rest.
    fn settle(&mut self) {
        loop {
            while self.exchange() || !self.router.answers.is_empty() {
                while let Some(answer) = self.router.answers.pop_front() {
                    self.peer.receive(&answer);
                }
            }
            for index in 0..self.wishes.len() {
                self.poll(index);
            }
            match self.peer.time_left() {
                Some(delay) => self.peer.advance(delay),
                None => break,
            }
        }
    }
}

proptest! {
    #[test]
    fn the_router_has_what_the_user_wants(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let peer = joined(&[]);
        let handle = peer.handle.clone();
        let mut world = World {
            peer,
            handle: &handle,
            router: Router::default(),
            wishes: Vec::new(),
        };
        for step in steps {
            world.step(step);
        }
        world.router.refuses = false;
        world.router.stale = [false; 2];
        world.settle();
        for (procedure, id) in world.router.ids.into_iter().enumerate() {
            let mut made = Vec::new();
            for (of, wish) in &world.wishes {
                prop_assert!(!matches!(wish, Wish::Asking(_)), "a future without an answer");
                if let Wish::Made(registration) = wish
                    && *of == procedure
                    && registration.end().is_none()
                {
                    prop_assert!(!registration.is_in_conflict());
                    made.push(registration.id().map(u64::from));
                }
            }
            let expected: Vec<_> = id.map(Some).into_iter().collect();
            prop_assert_eq!(made, expected);
        }
        world.wishes.clear();
        world.settle();
        prop_assert_eq!(world.router.ids, [None, None]);
    }
}
