//! Any order of what users do and what the router answers.

use std::{collections::VecDeque, mem};

use proptest::{collection::vec, prelude::*};
use spell_message::SubscriptionId;

use super::*;

/// A step of the user, or of the router.
#[derive(Clone, Copy, Debug)]
enum Step {
    Subscribe {
        topic: usize,
    },
    /// Poll the subscribing future at this place, as far as it goes.
    Poll(usize),
    GiveUp(usize),
    Drop(usize),
    /// The client's commands reach the router, which acts on them; its answers wait.
    Exchange,
    /// The same, but the transport takes only so many messages.
    Trickle(usize),
    /// One of the waiting answers comes.
    Answer(usize),
    /// Refuse the next SUBSCRIBE.
    Refuse,
    Publish {
        topic: usize,
    },
    Lose,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let topic = 0..TOPICS.len();
    let step = prop_oneof![
        3 => topic.clone().prop_map(|topic| Step::Subscribe { topic }),
        3 => (0_usize..9).prop_map(Step::Poll),
        1 => (0_usize..9).prop_map(Step::GiveUp),
        2 => (0_usize..9).prop_map(Step::Drop),
        4 => Just(Step::Exchange),
        2 => (0_usize..3).prop_map(Step::Trickle),
        4 => (0_usize..9).prop_map(Step::Answer),
        1 => Just(Step::Refuse),
        3 => topic.prop_map(|topic| Step::Publish { topic }),
        1 => Just(Step::Lose),
    ];
    vec(step, 0..60)
}

const TOPICS: [&str; 2] = ["com.example.a", "com.example.b"];

/// A broker that has one id for a topic and session, and answers in any order.
#[derive(Default)]
struct Router {
    /// The id of each topic this session subscribed to.
    ids: [Option<u64>; 2],
    next_id: u64,
    next_request: u64,
    refuses: bool,
    answers: VecDeque<String>,
    published: u64,
}

impl Router {
    fn handle(&mut self, frame: &str) {
        let fields: Vec<_> = frame.trim_matches(['[', ']']).split(',').collect();
        let request: u64 = fields[1].parse().unwrap();
        self.next_request += 1;
        assert_eq!(request, self.next_request, "ids on the wire have no gap");
        let answer = match fields[0] {
            "32" if mem::take(&mut self.refuses) => {
                format!(r#"[8,32,{request},{{}},"com.example.no"]"#)
            }
            "32" => {
                let topic = fields[3].trim_matches('"');
                let topic = TOPICS.iter().position(|known| *known == topic).unwrap();
                let id = self.ids[topic].unwrap_or_else(|| {
                    self.next_id += 1;
                    self.next_id
                });
                self.ids[topic] = Some(id);
                format!("[33,{request},{id}]")
            }
            "34" => {
                let id: u64 = fields[2].parse().unwrap();
                let known = self.ids.iter_mut().find(|known| **known == Some(id));
                *known.expect("only what there is is unsubscribed from") = None;
                format!("[35,{request}]")
            }
            other => panic!("unexpected message {other}"),
        };
        self.answers.push_back(answer);
    }
}

/// What a user did with one call of `subscribe`.
enum Wish<'a> {
    Asking(Pin<Box<dyn Future<Output = Result<Subscription, SubscribeError>> + Send + 'a>>),
    /// With how often it was restored when its last event came.
    Made(Subscription, u64),
    Over,
}

struct World<'a> {
    peer: Harness<Subscriber>,
    handle: &'a SubscriberHandle,
    router: Router,
    wishes: Vec<(usize, Wish<'a>)>,
}

impl World<'_> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Subscribe { topic } => {
                let subscribe = self.handle.subscribe(TOPICS[topic]).into_future();
                self.wishes.push((topic, Wish::Asking(subscribe)));
                self.poll(self.wishes.len() - 1);
            }
            Step::Poll(index) => self.poll(index),
            Step::GiveUp(index) | Step::Drop(index) => {
                let wish = self.wishes.get_mut(index).map(|(_, wish)| wish);
                match (step, wish) {
                    (Step::GiveUp(_), Some(wish @ Wish::Asking(_)))
                    | (Step::Drop(_), Some(wish @ Wish::Made(..))) => *wish = Wish::Over,
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
            Step::Publish { topic } => {
                self.settle();
                if let Some(id) = self.router.ids[topic] {
                    self.router.published += 1;
                    self.peer.receive(&event(id, self.router.published));
                }
                self.check(topic);
            }
            Step::Lose => {
                self.peer.lose();
                let (published, next_id) = (self.router.published, self.router.next_id);
                self.router = Router {
                    next_id,
                    published,
                    ..Router::default()
                };
                self.peer.open(None);
            }
        }
    }

    fn poll(&mut self, index: usize) {
        let Some((_, wish)) = self.wishes.get_mut(index) else {
            return;
        };
        if let Wish::Asking(subscribe) = wish
            && let task::Poll::Ready(result) = poll(subscribe)
        {
            *wish = result.map_or(Wish::Over, |made| Wish::Made(made, 0));
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
        while self.exchange() || !self.router.answers.is_empty() {
            while let Some(answer) = self.router.answers.pop_front() {
                self.peer.receive(&answer);
            }
        }
        for index in 0..self.wishes.len() {
            self.poll(index);
        }
    }

    /// The last event came to all who have a subscription to the topic, once, and to nobody else.
    fn check(&mut self, topic: usize) {
        let last = [self.router.published];
        for (of, wish) in &mut self.wishes {
            if let Wish::Made(subscription, told) = wish {
                let is_for_it = *of == topic && subscription.end().is_none();
                let expected: &[u64] = if is_for_it { &last } else { &[] };
                let mut got = Vec::new();
                while let task::Poll::Ready(Some(event)) = next(subscription) {
                    // Each time that it was restored is told, and nothing else is.
                    let before = mem::replace(told, subscription.restored());
                    assert_eq!(event.gap().is_some(), before < *told);
                    got.push(event.value::<u64>().unwrap());
                }
                assert_eq!(got, expected);
            }
        }
    }
}

proptest! {
    #[test]
    fn the_router_has_what_the_user_has(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let peer = Harness::joined(Subscriber::new(), ALL);
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
        world.settle();
        for (topic, id) in world.router.ids.into_iter().enumerate() {
            let mut made = 0;
            for (of, wish) in &world.wishes {
                prop_assert!(!matches!(wish, Wish::Asking(_)), "a future without an answer");
                if let Wish::Made(subscription, _) = wish
                    && *of == topic
                    && subscription.end().is_none()
                {
                    made += 1;
                    prop_assert_eq!(subscription.id().map(SubscriptionId::get), id);
                }
            }
            prop_assert_eq!(id.is_some(), made > 0, "{} of {:?}", made, id);
        }
        world.wishes.clear();
        world.settle();
        prop_assert_eq!(world.router.ids, [None, None]);
    }
}
