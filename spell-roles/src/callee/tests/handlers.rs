use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_handler_takes_arguments_and_gives_a_result() {
    #[derive(Deserialize, Serialize)]
    struct Person {
        name: String,
    }
    let (mut peer, _add) =
        handled(|register| register.handler(|(a, b): (i64, i64)| async move { Ok(a + b) }));
    let handle = peer.handle.clone();
    let register = |name| handle.register(name);
    let mut all = [
        register("com.example.greet")
            .handler(|Kwargs(person): Kwargs<Person>| async move { Ok(Kwargs(person)) })
            .into_future(),
        register("com.example.unit")
            .handler(|(): ()| async move { Ok(()) })
            .into_future(),
        register("com.example.info")
            .handler(|call: InvocationInfo| async move {
                let (a, b): (u8, u8) = call.args()?;
                Ok(Args((b, a, call.procedure().to_owned())))
            })
            .into_future(),
    ];
    all.iter_mut().for_each(pending);
    peer.sent();
    for (request, id) in [(2, 10), (3, 11), (4, 12)] {
        peer.receive(&format!("[65,{request},{id}]"));
    }
    let _registrations: Vec<_> = all
        .iter_mut()
        .map(|register| ready(register).unwrap())
        .collect();

    for (invocation, expected) in [
        ("[68,1,9,{},[2,3]]", "[70,1,{},[5]]"),
        (
            r#"[68,2,10,{},[],{"name":"Ada"}]"#,
            r#"[70,2,{},[],{"name":"Ada"}]"#,
        ),
        ("[68,3,11,{}]", "[70,3,{}]"),
        ("[68,5,11,{},[]]", "[70,5,{}]"),
        (
            "[68,4,12,{},[1,2]]",
            r#"[70,4,{},[2,1,"com.example.info"]]"#,
        ),
    ] {
        peer.receive(invocation);
        settle().await;
        assert_eq!(peer.sent(), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn arguments_of_another_type_are_an_invalid_argument() {
    let number = handled(|register| register.handler(|(a,): (u8,)| async move { Ok(a) }));
    let nothing = handled(|register| register.handler(|(): ()| async move { Ok(()) }));
    for (mut peer, _registration) in [number, nothing] {
        peer.receive(r#"[68,1,9,{},["text"]]"#);
        settle().await;
        let sent = peer.sent();
        assert_eq!(sent.len(), 1);
        assert!(
            sent[0].starts_with(r#"[8,68,1,{},"wamp.error.invalid_argument",["#),
            "{sent:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_fails_with_any_error() {
    let (mut peer, _registration) = handled(|register| {
        register.handler(|(a,): (u8,)| async move {
            if a.is_multiple_of(2) {
                return Ok(a);
            }
            let error = InvocationError::new("com.example.odd").arg(a);
            Err(error.kwarg("wanted", "even"))
        })
    });
    peer.receive("[68,1,9,{},[3]]");
    settle().await;
    let expected = r#"[8,68,1,{},"com.example.odd",[3],{"wanted":"even"}]"#;
    assert_eq!(peer.sent(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_handler_is_answered_and_ends_nothing_else() {
    let (mut peer, _registration) = handled(|register| {
        let register = register.error_uri("com.example.broken");
        register.handler(|(a,): (u8,)| async move {
            assert!(a < 5, "on purpose");
            Ok(a)
        })
    });
    peer.receive("[68,1,9,{},[7]]");
    peer.receive("[68,2,9,{},[3]]");
    settle().await;
    let mut sent = peer.sent();
    sent.sort();
    assert_eq!(
        sent,
        ["[70,2,{},[3]]", r#"[8,68,1,{},"com.example.broken"]"#]
    );
}

#[tokio::test(start_paused = true)]
async fn handlers_run_at_the_same_time_up_to_the_limit() {
    let running = Arc::new(AtomicUsize::new(0));
    let go = Arc::new(Notify::new());
    let (mut peer, registration) = handled(|register| {
        let (running, go) = (running.clone(), go.clone());
        let register = register.concurrency(2).queue_count(1);
        register.handler(move |(): ()| {
            let (running, go) = (running.clone(), go.clone());
            async move {
                running.fetch_add(1, Ordering::Relaxed);
                go.notified().await;
                running.fetch_sub(1, Ordering::Relaxed);
                Ok(())
            }
        })
    });
    for id in 1..=3 {
        peer.receive(&format!("[68,{id},9,{{}}]"));
        settle().await;
    }
    assert_eq!(running.load(Ordering::Relaxed), 2);
    assert_eq!(peer.sent(), NOTHING, "the third one waits");
    peer.receive("[68,4,9,{}]");
    assert_eq!(peer.sent(), [r#"[8,68,4,{},"wamp.error.unavailable"]"#]);
    assert_eq!(registration.refused(), 1);
    go.notify_one();
    settle().await;
    assert_eq!(peer.sent(), ["[70,1,{}]"]);
    settle().await;
    assert_eq!(running.load(Ordering::Relaxed), 2, "the third one follows");
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_handler_is_dropped() {
    struct Guard(Arc<AtomicUsize>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let (mut peer, _registration) = handled(|register| {
        let dropped = dropped.clone();
        register.handler(move |(): ()| {
            let guard = Guard(dropped.clone());
            async move {
                std::future::pending::<()>().await;
                drop(guard);
                Ok(())
            }
        })
    });
    let canceled = |id| format!(r#"[8,68,{id},{{}},"wamp.error.canceled"]"#);
    for (id, options, expected) in [
        (1, r#"{"mode":"kill"}"#, vec![canceled(1)]),
        (2, r#"{"mode":"killnowait"}"#, vec![]),
        (3, "{}", vec![canceled(3)]),
    ] {
        peer.receive(&format!("[68,{id},9,{{}}]"));
        settle().await;
        peer.receive(&format!("[69,{id},{options}]"));
        settle().await;
        assert_eq!(peer.sent(), expected, "{options}");
        assert_eq!(dropped.load(Ordering::Relaxed), id);
    }
    peer.receive("[68,4,9,{}]");
    settle().await;
    peer.lose();
    settle().await;
    assert_eq!(
        dropped.load(Ordering::Relaxed),
        4,
        "its answer would reach nobody"
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_serves_what_came_before_it_was_unregistered() {
    let go = Arc::new(Notify::new());
    let (mut peer, registration) = handled(|register| {
        let go = go.clone();
        register.concurrency(1).handler(move |(): ()| {
            let go = go.clone();
            async move {
                go.notified().await;
                Ok(())
            }
        })
    });
    peer.receive("[68,1,9,{}]");
    peer.receive("[68,2,9,{}]");
    settle().await;
    drop(registration);
    assert_eq!(peer.sent(), ["[66,2,9]"]);
    for expected in ["[70,1,{}]", "[70,2,{}]"] {
        go.notify_one();
        settle().await;
        assert_eq!(peer.sent(), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_detached_registration_stays() {
    let (mut peer, registration) =
        handled(|register| register.handler(|(a,): (u8,)| async move { Ok(a) }));
    registration.detach();
    assert_eq!(peer.sent(), NOTHING);
    peer.receive("[68,1,9,{},[7]]");
    settle().await;
    assert_eq!(peer.sent(), ["[70,1,{},[7]]"]);
}
