use std::{
    sync::{Arc, Barrier, Mutex},
    thread,
};

use tokio::{runtime::Handle, sync::Notify};

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_done_at_once_needs_no_task_on_one_thread() {
    let (mut peer, _registration) = handled(|register| {
        register.handler(|(): ()| async move { Ok(tokio::task::id().to_string()) })
    });
    for id in 1..=3 {
        peer.receive(&format!("[68,{id},9,{{}}]"));
    }
    settle().await;
    let sent = peer.sent();
    let tasks = sent.iter().filter_map(|frame| frame.split('"').nth(1));
    let tasks: Vec<_> = tasks.collect();
    assert_eq!(tasks.len(), 3, "{sent:?}");
    assert!(tasks.iter().all(|task| *task == tasks[0]), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_gets_a_task_and_keeps_nobody_waiting() {
    let go = Arc::new(Notify::new());
    let (mut peer, _registration) = handled(|register| {
        let go = go.clone();
        register.handler(move |(waits,): (bool,)| {
            let go = go.clone();
            async move {
                if waits {
                    go.notified().await;
                }
                Ok(waits)
            }
        })
    });
    settle().await;
    let before = Handle::current().metrics().num_alive_tasks();
    let tasks = || Handle::current().metrics().num_alive_tasks() - before;
    for (id, waits) in [(1, true), (2, false), (3, true), (4, false)] {
        peer.receive(&format!("[68,{id},9,{{}},[{waits}]]"));
    }
    settle().await;
    assert_eq!(peer.sent(), ["[70,2,{},[false]]", "[70,4,{},[false]]"]);
    assert_eq!(tasks(), 2);
    go.notify_waiters();
    settle().await;
    assert_eq!(peer.sent(), ["[70,1,{},[true]]", "[70,3,{},[true]]"]);
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_at_once_or_later_gives_its_place_back() {
    let (mut peer, _registration) = handled(|register| {
        let register = register.concurrency(1);
        register.handler(|(at_once, panics): (bool, bool)| async move {
            if !at_once {
                tokio::task::yield_now().await;
            }
            assert!(!panics, "on purpose");
            Ok(())
        })
    });
    let all = [
        (1, true, false),
        (2, true, true),
        (3, true, false),
        (4, false, true),
        (5, true, true),
        (6, false, false),
    ];
    for (id, at_once, panics) in all {
        peer.receive(&format!("[68,{id},9,{{}},[{at_once},{panics}]]"));
    }
    settle().await;
    let failed = |id| format!(r#"[8,68,{id},{{}},"wamp.error.runtime_error"]"#);
    let mut sent = peer.sent();
    sent.sort();
    let mut expected: Vec<_> = [1, 3, 6].map(|id| format!("[70,{id},{{}}]")).into();
    expected.extend([2, 4, 5].map(failed));
    assert_eq!(sent, expected);
}

/// How many of 100 works that are done at once run before another task does its own, which is ready all the while.
async fn works_before(other: impl Future<Output = ()> + Send + 'static) -> usize {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (mut peer, _registration) = handled(|register| {
        let log = log.clone();
        register.handler(move |(): ()| {
            log.lock().unwrap().push("work");
            async { Ok(()) }
        })
    });
    settle().await;
    for id in 1..=100 {
        peer.receive(&format!("[68,{id},9,{{}}]"));
    }
    let others = log.clone();
    tokio::spawn(async move {
        other.await;
        others.lock().unwrap().push("other");
    });
    settle().await;
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 101);
    log.iter().take_while(|entry| **entry == "work").count()
}

#[tokio::test(start_paused = true)]
async fn works_that_are_done_at_once_let_others_run() {
    let before = works_before(async {}).await;
    assert!((1..=32).contains(&before), "{before}");
}

/// Tokio lets a task that yields wait for its timers and sockets, too.
#[tokio::test(start_paused = true)]
async fn works_that_are_done_at_once_let_timers_and_sockets_have_their_turn() {
    let before = works_before(tokio::task::yield_now()).await;
    assert!((1..=64).contains(&before), "{before}");
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose, too");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_with_something_that_panics_harms_no_other_invocation() {
    let (mut peer, _registration) = handled(|register| {
        register.handler(|(panics,): (bool,)| async move {
            if panics {
                std::panic::panic_any(Bomb);
            }
            Ok(())
        })
    });
    peer.receive("[68,1,9,{},[true]]");
    peer.receive("[68,2,9,{},[false]]");
    settle().await;
    let mut sent = peer.sent();
    sent.sort();
    let failed = r#"[8,68,1,{},"wamp.error.runtime_error"]"#;
    assert_eq!(sent, ["[70,2,{}]", failed]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_that_block_their_thread_run_beside_each_other() {
    let both = Arc::new(Barrier::new(2));
    let (mut peer, _registration) = handled(|register| {
        let both = both.clone();
        register.handler(move |(): ()| {
            both.wait();
            async { Ok(()) }
        })
    });
    peer.receive("[68,1,9,{}]");
    peer.receive("[68,2,9,{}]");
    let mut sent = Vec::new();
    while sent.len() < 2 {
        sent.extend(peer.sent());
        thread::yield_now();
    }
    sent.sort();
    assert_eq!(sent, ["[70,1,{}]", "[70,2,{}]"]);
}
