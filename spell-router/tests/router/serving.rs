//! Sessions over the memory transport: what the connection adds to the routing core.

use std::time::Duration;

use crate::support::Client;
use spell_router::{BuildError, Realm, Router};
use spell_transport::{Serialization, memory};

#[tokio::test]
async fn events_and_results_travel() {
    let router = Router::local();
    let mut alice = Client::join(&router, "realm1").await;
    let mut bob = Client::join(&router, "realm1").await;
    assert_eq!(bob.ask(r#"[32,1,{},"com.topic"]"#).await, "[33,1,1]");
    assert_eq!(bob.ask(r#"[64,2,{},"com.add2"]"#).await, "[65,2,1]");
    alice.send(r#"[16,1,{},"com.topic",["hello"]]"#).await;
    let event = bob.next().await;
    assert!(
        event.starts_with("[36,1,") && event.ends_with(r#",{},["hello"]]"#),
        "{event}"
    );
    alice.send(r#"[48,2,{},"com.add2",[2,3]]"#).await;
    assert_eq!(bob.next().await, "[68,1,1,{},[2,3]]");
    bob.send("[70,1,{},[5]]").await;
    assert_eq!(alice.next().await, "[50,2,{},[5]]");
}

#[tokio::test]
async fn welcome_tells_what_the_router_granted_and_does() {
    let router = Router::builder().realm("realm1").build().unwrap();
    let mut client = Client::dial(router.connector()).await;
    let welcome = client.ask(r#"[1,"realm1",{"roles":{"caller":{}}}]"#).await;
    let welcome: serde_json::Value = serde_json::from_str(&welcome).unwrap();
    let details = &welcome[2];
    assert_eq!(details["realm"], "realm1");
    assert_eq!(details["authmethod"], "anonymous");
    assert_eq!(
        details["roles"]["dealer"]["features"]["call_canceling"],
        true
    );
    assert!(
        details["agent"]
            .as_str()
            .unwrap()
            .starts_with("spell-router/")
    );
}

#[tokio::test]
async fn realms_are_worlds_apart() {
    let router = Router::builder()
        .realm("realm1")
        .realm("realm2")
        .build()
        .unwrap();
    let mut alice = Client::join(&router, "realm1").await;
    let mut bob = Client::join(&router, "realm2").await;
    alice.ask(r#"[64,1,{},"com.p"]"#).await;
    let answer = bob.ask(r#"[48,1,{},"com.p"]"#).await;
    assert!(
        answer.ends_with(r#""wamp.error.no_such_procedure"]"#),
        "{answer}"
    );
}

#[tokio::test]
async fn a_realm_that_is_not_listed_is_refused_unless_realms_come_by_themselves() {
    let router = Router::builder().realm("realm1").build().unwrap();
    let mut client = Client::dial(router.connector()).await;
    client.send(r#"[1,"realm2",{"roles":{"caller":{}}}]"#).await;
    client.expect_abort("wamp.error.no_such_realm").await;
    assert_eq!(router.statistics().refused, 1);

    let router = Router::builder()
        .realm("realm1")
        .auto_realms()
        .build()
        .unwrap();
    Client::join(&router, "realm2").await;
}

#[tokio::test]
async fn a_realm_of_its_own_rules_keeps_them_beside_automatic_ones() {
    let private = Realm::new("private")
        .refuse_anonymous()
        .ticket("joe", "secret", "user");
    let router = Router::builder()
        .realm(private)
        .auto_realms()
        .build()
        .unwrap();
    let mut client = Client::dial(router.connector()).await;
    client
        .send(r#"[1,"private",{"roles":{"caller":{}}}]"#)
        .await;
    client
        .expect_abort("wamp.error.authentication_required")
        .await;

    let mut client = Client::dial(router.connector()).await;
    let hello = r#"[1,"private",{"roles":{"caller":{}},"authmethods":["ticket"],"authid":"joe"}]"#;
    assert_eq!(client.ask(hello).await, r#"[4,"ticket",{}]"#);
    assert!(client.ask(r#"[5,"secret",{}]"#).await.starts_with("[2,"));
}

#[tokio::test]
async fn a_wrong_ticket_is_denied() {
    let realm = Realm::new("realm1").ticket("joe", "secret", "user");
    let router = Router::builder().realm(realm).build().unwrap();
    let mut client = Client::dial(router.connector()).await;
    let hello = r#"[1,"realm1",{"roles":{"caller":{}},"authmethods":["ticket"],"authid":"joe"}]"#;
    client.ask(hello).await;
    client.send(r#"[5,"guess",{}]"#).await;
    client
        .expect_abort("wamp.error.authentication_denied")
        .await;
}

#[tokio::test]
async fn a_realm_that_everyone_left_begins_anew() {
    let router = Router::local();
    let mut alice = Client::join(&router, "realm1").await;
    assert_eq!(alice.ask(r#"[32,1,{},"com.topic"]"#).await, "[33,1,1]");
    alice.ask(r#"[6,{},"wamp.close.close_realm"]"#).await;
    alice.expect_end().await;
    let mut bob = Client::join(&router, "realm1").await;
    assert_eq!(bob.ask(r#"[32,1,{},"com.other"]"#).await, "[33,1,1]");
    assert_eq!(router.statistics().sessions, 1);
    assert_eq!(router.statistics().joined, 2);
}

#[tokio::test]
async fn what_is_sent_before_hello_is_a_violation() {
    let router = Router::local();
    for message in [
        r#"[32,1,{},"com.topic"]"#,
        r#"[6,{},"wamp.close.close_realm"]"#,
        r#"[5,"",{}]"#,
        "[]",
        "hello",
    ] {
        let mut client = Client::dial(router.connector()).await;
        client.send(message).await;
        client.expect_abort("wamp.error.protocol_violation").await;
    }
    assert_eq!(router.statistics().refused, 5);
}

#[tokio::test]
async fn a_realm_whose_name_is_no_uri_is_refused_as_such() {
    let router = Router::local();
    let mut client = Client::dial(router.connector()).await;
    client
        .send(r#"[1,"not a uri",{"roles":{"caller":{}}}]"#)
        .await;
    client.expect_abort("wamp.error.invalid_uri").await;
}

#[tokio::test]
async fn a_second_hello_is_a_violation() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    client.send(r#"[1,"realm1",{"roles":{"caller":{}}}]"#).await;
    client.expect_abort("wamp.error.protocol_violation").await;
    assert_eq!(router.statistics().violations, 1);
    assert_eq!(router.statistics().sessions, 0);
}

#[tokio::test]
async fn a_frame_that_is_no_message_is_a_violation() {
    let router = Router::local();
    for frame in [
        "",
        "{}",
        "[]",
        "[16]",
        "[36,",
        r#"[16,1,{"acknowledge":1},"com.t"]"#,
    ] {
        let mut client = Client::join(&router, "realm1").await;
        client.send(frame).await;
        client.expect_abort("wamp.error.protocol_violation").await;
    }
}

#[tokio::test]
async fn nothing_that_follows_a_violation_is_looked_at() {
    let router = Router::local();
    let mut bob = Client::join(&router, "realm1").await;
    bob.ask(r#"[32,1,{},"com.topic"]"#).await;
    let mut alice = Client::join(&router, "realm1").await;
    alice
        .send(r#"[16,7,{},"com.topic",["out of order"]]"#)
        .await;
    alice.send(r#"[16,1,{},"com.topic",["late"]]"#).await;
    alice.expect_abort("wamp.error.protocol_violation").await;
    let mut carol = Client::join(&router, "realm1").await;
    carol.send(r#"[16,1,{},"com.topic",["first"]]"#).await;
    let event = bob.next().await;
    assert!(event.ends_with(r#"["first"]]"#), "{event}");
}

#[tokio::test]
async fn an_invalid_uri_fails_the_request_and_the_session_lives() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    for (request, message) in [
        (1, r#"[32,1,{},"com..topic"]"#),
        (2, "[64,2,{},\"com.#\"]"),
        (3, r#"[48,3,{},"com. p"]"#),
        (4, r#"[16,4,{"acknowledge":true},""]"#),
    ] {
        let answer = client.ask(message).await;
        assert!(answer.contains(&format!(",{request},")), "{answer}");
        assert!(answer.ends_with(r#""wamp.error.invalid_uri"]"#), "{answer}");
    }
    // There is no answer to this one, but its id counts.
    client.send(r#"[16,5,{},""]"#).await;
    assert_eq!(client.ask(r#"[32,6,{},"com.topic"]"#).await, "[33,6,1]");
}

#[tokio::test]
async fn an_error_with_an_invalid_uri_fails_the_call_and_the_callee_lives() {
    let router = Router::local();
    let mut alice = Client::join(&router, "realm1").await;
    let mut bob = Client::join(&router, "realm1").await;
    bob.ask(r#"[64,1,{},"com.p"]"#).await;
    alice.send(r#"[48,1,{},"com.p"]"#).await;
    bob.next().await;
    bob.send(r#"[8,68,1,{},"not a uri"]"#).await;
    let answer = alice.next().await;
    assert!(answer.ends_with(r#""wamp.error.invalid_uri"]"#), "{answer}");
    assert_eq!(bob.ask(r#"[32,2,{},"com.topic"]"#).await, "[33,2,1]");
}

#[tokio::test]
async fn an_error_for_another_request_than_an_invocation_is_a_violation_whatever_its_uri() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    let answer = client.ask(r#"[8,48,1,{},"not a uri"]"#).await;
    assert!(answer.contains("wamp.error.protocol_violation"), "{answer}");
    client.expect_end().await;
}

#[tokio::test]
async fn goodbye_is_answered_and_the_connection_closed() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    let answer = client.ask(r#"[6,{},"wamp.close.close_realm"]"#).await;
    assert_eq!(answer, r#"[6,{},"wamp.close.goodbye_and_out"]"#);
    client.expect_end().await;
    assert_eq!(router.statistics().sessions, 0);
}

#[tokio::test]
async fn an_abort_of_the_client_ends_its_session_unanswered() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    client.send(r#"[3,{},"com.example.enough"]"#).await;
    client.expect_end().await;
}

#[tokio::test]
async fn a_callee_whose_connection_is_cut_fails_the_calls_it_works_on() {
    let router = Router::local();
    let mut alice = Client::join(&router, "realm1").await;
    let mut bob = Client::join(&router, "realm1").await;
    bob.ask(r#"[64,1,{},"com.p"]"#).await;
    alice.send(r#"[48,1,{},"com.p"]"#).await;
    bob.next().await;
    drop(bob);
    assert_eq!(alice.next().await, r#"[8,48,1,{},"wamp.error.canceled"]"#);
}

#[tokio::test]
async fn closing_says_goodbye_to_all_and_waits_for_their_answers() {
    let router = Router::local();
    let mut alice = Client::join(&router, "realm1").await;
    let mut bob = Client::join(&router, "realm2").await;
    let closing = tokio::spawn({
        let router = router.clone();
        async move { router.close().await }
    });
    for client in [&mut alice, &mut bob] {
        let goodbye = client.next().await;
        assert_eq!(goodbye, r#"[6,{},"wamp.close.system_shutdown"]"#);
        // Whatever crosses the GOODBYE is ignored.
        client.send(r#"[48,1,{},"com.p"]"#).await;
        client.send(r#"[6,{},"wamp.close.goodbye_and_out"]"#).await;
        client.expect_end().await;
    }
    drop((alice, bob));
    closing.await.unwrap();
    router.closed().await;
}

#[tokio::test]
async fn goodbyes_that_cross_are_not_answered() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    let closing = tokio::spawn({
        let router = router.clone();
        async move { router.close().await }
    });
    client.next().await;
    client.send(r#"[6,{},"wamp.close.close_realm"]"#).await;
    client.expect_end().await;
    drop(client);
    closing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_ever() {
    let router = Router::local();
    let _silent = Client::join(&router, "realm1").await;
    let begin = tokio::time::Instant::now();
    router.close().await;
    assert!(begin.elapsed() <= Duration::from_secs(5));
    assert_eq!(router.statistics().sessions, 0);
}

#[tokio::test]
async fn a_session_that_is_being_established_when_the_router_closes_is_aborted() {
    let realm = Realm::new("realm1").ticket("joe", "secret", "user");
    let router = Router::builder().realm(realm).build().unwrap();
    let mut client = Client::dial(router.connector()).await;
    let hello = r#"[1,"realm1",{"roles":{"caller":{}},"authmethods":["ticket"],"authid":"joe"}]"#;
    client.ask(hello).await;
    let closing = tokio::spawn(async move { router.close().await });
    client.expect_abort("wamp.close.system_shutdown").await;
    drop(client);
    closing.await.unwrap();
}

#[tokio::test]
async fn dropping_the_router_cuts_all_at_once() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    let connector = router.connector();
    drop(router);
    client.expect_end().await;
    let mut connector = connector;
    let offers = [Serialization::JSON];
    assert!(
        spell_transport::Connector::connect(&mut connector, &offers)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_clone_keeps_the_router_running() {
    let router = Router::local();
    let clone = router.clone();
    drop(router);
    Client::join(&clone, "realm1").await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_say_hello_in_time_is_turned_away() {
    let limit = Duration::from_secs(3);
    let router = Router::builder()
        .realm("realm1")
        .handshake_timeout(limit)
        .build()
        .unwrap();
    let mut client = Client::dial(router.connector()).await;
    let begin = tokio::time::Instant::now();
    client.expect_abort("wamp.error.timeout").await;
    assert!(begin.elapsed() >= limit);
    assert_eq!(router.statistics().refused, 1);
}

#[tokio::test(start_paused = true)]
async fn who_has_joined_may_be_silent() {
    let router = Router::local();
    let mut client = Client::join(&router, "realm1").await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(client.ask(r#"[32,1,{},"com.topic"]"#).await, "[33,1,1]");
}

#[tokio::test]
async fn a_session_that_does_not_read_is_cut_off_and_holds_up_nobody() {
    let router = Router::builder()
        .realm("realm1")
        .queue_limits(100, 1 << 20)
        .build()
        .unwrap();
    let mut slow = Client::join(&router, "realm1").await;
    slow.ask(r#"[32,1,{},"com.topic"]"#).await;
    let mut good = Client::join(&router, "realm1").await;
    good.ask(r#"[32,1,{},"com.topic"]"#).await;
    let mut alice = Client::join(&router, "realm1").await;
    for request in 1..=3_000 {
        let publish = format!(r#"[16,{request},{{"acknowledge":true}},"com.topic",[{request}]]"#);
        assert!(alice.ask(&publish).await.starts_with("[17,"));
        assert!(good.next().await.ends_with(&format!("[{request}]]")));
    }
    let statistics = router.statistics();
    assert_eq!((statistics.too_slow, statistics.sessions), (1, 2));
    while slow.try_next().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn whoever_says_goodbye_and_takes_no_answer_is_not_waited_for() {
    let router = Router::local();
    let mut slow = Client::join(&router, "realm1").await;
    slow.ask(r#"[32,1,{},"com.topic"]"#).await;
    let mut alice = Client::join(&router, "realm1").await;
    // More than the transport takes, less than would keep the router from reading.
    for request in 1..=1200 {
        let publish = format!(r#"[16,{request},{{"acknowledge":true}},"com.topic"]"#);
        alice.ask(&publish).await;
    }
    slow.send(r#"[6,{},"wamp.close.close_realm"]"#).await;
    while router.statistics().sessions > 1 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!slow.try_send("[]").await);
}

#[tokio::test]
async fn bytes_that_wait_are_bounded_too() {
    let router = Router::builder()
        .realm("realm1")
        .queue_limits(usize::MAX, 10_000)
        .build()
        .unwrap();
    let mut slow = Client::join(&router, "realm1").await;
    slow.ask(r#"[32,1,{},"com.topic"]"#).await;
    let mut alice = Client::join(&router, "realm1").await;
    let text = "x".repeat(9_000);
    for request in 1..=300 {
        let publish = format!(r#"[16,{request},{{"acknowledge":true}},"com.topic",["{text}"]]"#);
        assert!(alice.ask(&publish).await.starts_with("[17,"));
    }
    assert_eq!(router.statistics().too_slow, 1);
}

#[tokio::test]
async fn the_topics_of_events_that_wait_count_as_well() {
    let router = Router::builder()
        .realm("realm1")
        .queue_limits(usize::MAX, 1_000_000)
        .build()
        .unwrap();
    let mut slow = Client::join(&router, "realm1").await;
    slow.ask(r#"[32,1,{"match":"prefix"},"com."]"#).await;
    let mut alice = Client::join(&router, "realm1").await;
    let topic = "x".repeat(8_000);
    for request in 1..=300 {
        let publish = format!(r#"[16,{request},{{"acknowledge":true}},"com.{topic}"]"#);
        assert!(alice.ask(&publish).await.starts_with("[17,"));
    }
    assert_eq!(router.statistics().too_slow, 1);
}

#[tokio::test]
async fn the_details_of_errors_that_wait_count_as_well() {
    let router = Router::builder()
        .realm("realm1")
        .queue_limits(usize::MAX, 1_000_000)
        .build()
        .unwrap();
    let mut callee = Client::join(&router, "realm1").await;
    callee.ask(r#"[64,1,{},"com.p"]"#).await;
    let mut slow = Client::join(&router, "realm1").await;
    let text = "x".repeat(9_000);
    for request in 1..=300 {
        slow.send(&format!(r#"[48,{request},{{}},"com.p"]"#)).await;
        callee.next().await;
    }
    for request in 1..=300 {
        let details = format!(r#"{{"x_all":[{{"text":"{text}"}}]}}"#);
        let failure = format!(r#"[8,68,{request},{details},"com.failed"]"#);
        callee.send(&failure).await;
    }
    callee.ask("[66,2,1]").await;
    assert_eq!(router.statistics().too_slow, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_one_publisher_keep_their_order() {
    let router = Router::local();
    let mut subscriber = Client::join(&router, "realm1").await;
    subscriber.ask(r#"[32,1,{},"com.a"]"#).await;
    subscriber.ask(r#"[32,2,{},"com.b"]"#).await;
    let publishers = (0..4).map(|publisher| {
        let router = router.clone();
        tokio::spawn(async move {
            let mut client = Client::join(&router, "realm1").await;
            for request in 1..=500 {
                let topic = if request % 2 == 0 { "com.a" } else { "com.b" };
                let args = format!("[{publisher},{request}]");
                client
                    .send(&format!(r#"[16,{request},{{}},"{topic}",{args}]"#))
                    .await;
            }
            client
        })
    });
    let publishers: Vec<_> = publishers.collect();
    let mut last = [0; 4];
    for _ in 0..2_000 {
        let event = subscriber.next().await;
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        let publisher = usize::try_from(event[4][0].as_u64().unwrap()).unwrap();
        last[publisher] += 1;
        assert_eq!(event[4][1], last[publisher]);
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
}

#[test]
fn a_realm_whose_name_is_no_uri_is_reported_when_the_router_is_built() {
    let error = Router::builder().realm("not a uri").build().unwrap_err();
    assert!(matches!(error, BuildError::RealmName(_)));
    let error = Router::builder().realm("a").realm("a").build().unwrap_err();
    assert_eq!(error.to_string(), "the realm a is there twice");
}

#[test]
fn debug_shows_no_secret() {
    let realm = Realm::new("realm1")
        .ticket("joe", "canary", "user")
        .cra("ann", "canary", "user");
    let builder = Router::builder().realm(realm);
    assert!(!format!("{builder:?} {:?}", builder.clone().build().unwrap()).contains("canary"));
}

#[tokio::test]
async fn an_open_transport_can_be_attached() {
    let router = Router::local();
    let (near, far) = memory::pair(Serialization::JSON);
    router.attach(far);
    let mut client = Client::new(Box::new(near));
    client.hello("realm1").await;
    assert_eq!(router.statistics().sessions, 1);
}

#[tokio::test]
async fn a_transport_of_another_serialization_or_to_a_closed_router_is_dropped() {
    let router = Router::local();
    let (near, far) = memory::pair(Serialization::text("wamp.2.other", 0));
    router.attach(far);
    Client::new(Box::new(near)).expect_end().await;

    router.close().await;
    let (near, far) = memory::pair(Serialization::JSON);
    router.attach(far);
    Client::new(Box::new(near)).expect_end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_without_a_pause_gets_its_answers_meanwhile() {
    let router = Router::builder()
        .realm("realm1")
        .queue_limits(1_000, 1 << 20);
    let router = router.build().unwrap();
    let (mut sending, mut receiving) = Client::join(&router, "realm1").await.split();
    let sender = tokio::spawn(async move {
        for request in 1..=20_000 {
            sending
                .send(&format!(r#"[48,{request},{{}},"com.none"]"#))
                .await;
        }
        sending
    });
    for request in 1..=20_000 {
        let answer = receiving.next().await;
        assert!(answer.starts_with(&format!("[8,48,{request},")), "{answer}");
    }
    sender.await.unwrap();
    assert_eq!(router.statistics().too_slow, 0);
}
