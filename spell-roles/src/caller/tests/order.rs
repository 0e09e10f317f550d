use std::{
    ops::ControlFlow,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use proptest::{collection::vec, prelude::*};
use spell_message::{Message, RoleFeatures};
use spell_peer::{Commands, Context, Role, SessionEnd};

use super::*;

/// A caller that tells how many calls it keeps; of those that wait for a session, whether it does.
struct Watched {
    caller: Caller,
    kept: Arc<AtomicUsize>,
}

impl Watched {
    fn look(&self) {
        let waits = usize::from(self.caller.is_resuming());
        let kept = self.caller.pending.len() + waits;
        self.kept.store(kept, Ordering::Relaxed);
    }
}

impl Role for Watched {
    type Command = <Caller as Role>::Command;
    type Handle = CallerHandle;

    fn handle(commands: Commands<Self::Command>) -> CallerHandle {
        Caller::handle(commands)
    }

    fn features(&self, announced: &mut RoleFeatures) {
        self.caller.features(announced);
    }

    fn on_message(
        &mut self,
        message: Message,
        cx: &mut Context<'_, Self::Command>,
    ) -> ControlFlow<(), Message> {
        let flow = self.caller.on_message(message, cx);
        self.look();
        flow
    }

    fn handle_call(&mut self, command: Self::Command, cx: &mut Context<'_, Self::Command>) {
        self.caller.handle_call(command, cx);
        self.look();
    }

    fn on_close(&mut self, end: &SessionEnd) {
        self.caller.on_close(end);
        self.look();
    }
}

type Answer = Result<CallResult, CallError>;

/// Waits for a call, in one of the ways to do so.
enum Waiting<'a> {
    Call(Pin<Box<dyn Future<Output = Answer> + Send + 'a>>),
    Pending(PendingCall),
    Results(CallResults),
}

impl Waiting<'_> {
    /// All that can be read now; whether the end was among it.
    fn read(&mut self) -> bool {
        match self {
            Self::Call(call) => poll(call).is_ready(),
            Self::Pending(call) => poll(call).is_ready(),
            Self::Results(results) => {
                let mut is_over = false;
                loop {
                    match poll(&mut Box::pin(results.next())) {
                        Poll::Ready(Some(item)) => {
                            assert!(!is_over, "{item:?} came behind the end");
                            is_over = !item.is_ok_and(|result| result.is_progress());
                        }
                        Poll::Ready(None) => {
                            assert!(is_over, "it had no end");
                            return true;
                        }
                        Poll::Pending => {
                            assert!(!is_over, "it goes on behind the end");
                            return false;
                        }
                    }
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Call,
    Start,
    /// For progressive results, as many of which may wait.
    Receive(usize, Overflow),
    /// With progressive arguments, and with progressive results too or not.
    Progressive(bool),
    /// Send more arguments of the n-th call that takes some, and whether they are the last.
    Send(usize, bool),
    DropArguments(usize),
    /// Drop what waits for the n-th call.
    Drop(usize),
    Read(usize),
    Cancel(usize, CancelMode),
    /// Let the driver work.
    Exchange,
    /// A frame for the n-th call that was made in the session, whatever became of it.
    Receives(usize, Frame),
    /// A frame for a call that was never made.
    Invent(u64, Frame),
    Reconnect,
}

#[derive(Clone, Copy, Debug)]
enum Frame {
    Progress,
    Last,
    Error,
}

impl Frame {
    fn of(self, id: u64) -> String {
        match self {
            Self::Progress => format!(r#"[50,{id},{{"progress":true}},[{id}]]"#),
            Self::Last => format!("[50,{id},{{}},[{id}]]"),
            Self::Error => format!(r#"[8,48,{id},{{}},"wamp.error.canceled"]"#),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let frame = prop_oneof![
        3 => Just(Frame::Progress),
        1 => Just(Frame::Last),
        1 => Just(Frame::Error),
    ];
    let overflow = prop_oneof![
        Just(Overflow::End),
        Just(Overflow::DropNewest),
        Just(Overflow::DropOldest),
        Just(Overflow::KeepLatest),
    ];
    let mode = prop_oneof![
        Just(CancelMode::Skip),
        Just(CancelMode::Kill),
        Just(CancelMode::KillNoWait),
    ];
    prop_oneof![
        2 => Just(Step::Call),
        1 => Just(Step::Start),
        2 => (0_usize..3, overflow).prop_map(|(count, overflow)| Step::Receive(count, overflow)),
        2 => any::<bool>().prop_map(Step::Progressive),
        3 => (0_usize..4, any::<bool>()).prop_map(|(n, is_last)| Step::Send(n, is_last)),
        1 => (0_usize..4).prop_map(Step::DropArguments),
        1 => (0_usize..8).prop_map(Step::Drop),
        2 => (0_usize..8).prop_map(Step::Read),
        1 => (0_usize..8, mode).prop_map(|(n, mode)| Step::Cancel(n, mode)),
        3 => Just(Step::Exchange),
        6 => (0_usize..8, frame.clone()).prop_map(|(n, frame)| Step::Receives(n, frame)),
        1 => (100_u64..200, frame).prop_map(|(id, frame)| Step::Invent(id, frame)),
        1 => Just(Step::Reconnect),
    ]
}

/// The ids of one session: new ones have no gap, and no other call comes again than one in parts.
fn check(sent: &[String], last_id: &mut u64) {
    for id in ids(sent) {
        assert!(id <= *last_id + 1, "a gap before {id}");
        *last_id = id.max(*last_id);
    }
}

#[tokio::test]
async fn a_call_that_was_given_up_does_not_wait_for_a_session() {
    let kept = Arc::new(AtomicUsize::new(0));
    let watched = Watched {
        caller: Caller::new(),
        kept: kept.clone(),
    };
    let mut peer = Harness::unjoined(watched, &[]);
    let handle = peer.handle.clone();
    let mut call = handle.call("com.example.p").idempotent().into_future();
    pending(&mut call);
    peer.handle_commands();
    assert_eq!(kept.load(Ordering::Relaxed), 1);
    drop(call);
    peer.handle_commands();
    assert_eq!(kept.load(Ordering::Relaxed), 0);
    let mut call = handle.call("com.example.p").idempotent().into_future();
    pending(&mut call);
    drop(call);
    // The order to give it up goes before the call.
    peer.handle_commands();
    assert_eq!(kept.load(Ordering::Relaxed), 0);
}

proptest! {
    #[test]
    fn every_call_ends_once_and_nothing_is_kept(
        steps in vec(step(), 0..80),
        is_lost in any::<bool>(),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        let _entered = runtime.enter();
        let kept = Arc::new(AtomicUsize::new(0));
        let watched = Watched {
            caller: Caller::new(),
            kept: kept.clone(),
        };
        let kept = || kept.load(Ordering::Relaxed);
        let mut peer = Harness::joined(watched, PROGRESS);
        let handle = peer.handle.clone();
        let call = || handle.call("com.example.p");
        let mut waiting: Vec<Waiting<'_>> = Vec::new();
        let mut arguments: Vec<CallArguments> = Vec::new();
        let mut last_id = 0;
        for step in steps {
            match step {
                Step::Call => {
                    let mut call = call().into_future();
                    pending(&mut call);
                    waiting.push(Waiting::Call(call));
                }
                Step::Start => {
                    let call = give(&mut peer, call().start()).unwrap();
                    waiting.push(Waiting::Pending(call));
                }
                Step::Receive(count, overflow) => {
                    let call = call().receive_progress().queue_count(count).overflow(overflow);
                    let results = give(&mut peer, call.send()).unwrap();
                    waiting.push(Waiting::Results(results));
                }
                Step::Progressive(true) => {
                    let call = call().receive_progress().progressive();
                    let (more, results) = give(&mut peer, call).unwrap();
                    arguments.push(more);
                    waiting.push(Waiting::Results(results));
                }
                Step::Progressive(false) => {
                    let (more, call) = give(&mut peer, call().progressive()).unwrap();
                    arguments.push(more);
                    waiting.push(Waiting::Pending(call));
                }
                Step::Send(n, is_last) => {
                    if let Some(to) = arguments.get_mut(n) {
                        let more = if is_last { to.finish() } else { to.send() };
                        let mut more = more.into_future();
                        let sent = poll(&mut more);
                        peer.handle_commands();
                        if sent.is_pending() {
                            prop_assert!(poll(&mut more).is_ready());
                        }
                    }
                }
                Step::DropArguments(n) if n < arguments.len() => drop(arguments.remove(n)),
                Step::Drop(n) if n < waiting.len() => drop(waiting.remove(n)),
                Step::Read(n) if n < waiting.len() => {
                    if waiting[n].read() {
                        drop(waiting.remove(n));
                    }
                }
                Step::Cancel(n, mode) => match waiting.get(n) {
                    Some(Waiting::Pending(call)) => give(&mut peer, call.cancel(mode)).unwrap(),
                    Some(Waiting::Results(call)) => give(&mut peer, call.cancel(mode)).unwrap(),
                    _ => {}
                },
                Step::Exchange => {
                    check(&peer.sent(), &mut last_id);
                    prop_assert!(kept() <= waiting.len(), "{} are kept", kept());
                }
                Step::Receives(n, frame) => {
                    let id = u64::try_from(n).unwrap() + 1;
                    if id <= last_id {
                        peer.receive(&frame.of(id));
                    }
                }
                Step::Invent(id, frame) => peer.receive(&frame.of(id)),
                Step::Reconnect => {
                    peer.lose();
                    prop_assert_eq!(kept(), 0);
                    peer.open(None);
                    last_id = 0;
                }
                Step::DropArguments(_) | Step::Drop(_) | Step::Read(_) => {}
            }
        }
        check(&peer.sent(), &mut last_id);
        if is_lost {
            peer.lose();
        } else {
            for id in 1..=last_id {
                peer.receive(&Frame::Last.of(id));
            }
        }
        prop_assert_eq!(kept(), 0);
        for mut call in waiting {
            prop_assert!(call.read(), "it has no end");
        }
    }
}
