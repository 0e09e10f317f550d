use super::*;
use crate::UnregisterError;

#[tokio::test(start_paused = true)]
async fn invocations_under_way_are_served_while_it_is_unregistered() {
    let (mut peer, mut registration) = registered();
    peer.receive("[68,77,9,{}]");
    let under_way = next(&mut registration);
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        assert_eq!(peer.sent(), ["[66,2,9]"]);
        // This one was on the wire already.
        peer.receive("[68,78,9,{}]");
        pending(&mut unregister);
        peer.receive("[67,2]");
        ready(&mut unregister).unwrap();
    }
    let waited = next(&mut registration);
    assert!(ready(&mut Box::pin(registration.next())).is_none());
    assert!(matches!(
        registration.end(),
        Some(RegistrationEnd::Unregistered)
    ));
    for (id, invocation) in [(77, under_way), (78, waited)] {
        let mut answer = invocation.respond().into_future();
        pending(&mut answer);
        assert_eq!(peer.sent(), [format!("[70,{id},{{}}]")]);
        ready(&mut answer).unwrap();
    }
    peer.receive("[68,79,9,{}]");
    assert!(peer.sent()[0].contains("no_such_registration"));
    drop(registration);
    assert_eq!(peer.sent(), NOTHING, "it is unregistered once");
}

#[tokio::test(start_paused = true)]
async fn dropping_a_registration_unregisters_it() {
    let (mut peer, registration) = registered();
    peer.receive("[68,77,9,{}]");
    drop(registration);
    let mut sent = peer.sent();
    sent.sort();
    assert_eq!(
        sent,
        ["[66,2,9]", r#"[8,68,77,{},"wamp.error.runtime_error"]"#]
    );
    peer.receive("[68,78,9,{}]");
    assert_eq!(
        peer.sent(),
        [r#"[8,68,78,{},"wamp.error.no_such_registration"]"#]
    );
    peer.receive("[67,2]");
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn giving_up_to_unregister_sends_nothing_twice() {
    let (mut peer, mut registration) = registered();
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        assert_eq!(peer.sent(), ["[66,2,9]"]);
    }
    drop(registration);
    assert_eq!(peer.sent(), NOTHING);
    peer.receive("[67,2]");
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_unregister_reaches_the_user() {
    let (mut peer, mut registration) = registered();
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        peer.sent();
        peer.receive(r#"[8,66,2,{},"com.example.not_now"]"#);
        let error = ready(&mut unregister).unwrap_err();
        assert!(matches!(error, UnregisterError::Refused(_)));
    }
    assert!(registration.end().is_none(), "it lives on");
    let mut unregister = Box::pin(registration.unregister());
    pending(&mut unregister);
    assert_eq!(peer.sent(), ["[66,3,9]"]);
    peer.receive(r#"[8,66,3,{},"wamp.error.no_such_registration"]"#);
    ready(&mut unregister).expect("it is gone, as was wished");
    drop(unregister);
    assert!(registration.end().is_some());
}

#[tokio::test(start_paused = true)]
async fn unregistering_again_after_giving_up_is_no_error() {
    let (mut peer, mut registration) = registered();
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        assert_eq!(peer.sent(), ["[66,2,9]"]);
    }
    let mut again = Box::pin(registration.unregister());
    pending(&mut again);
    peer.sent();
    peer.receive("[67,2]");
    peer.receive(r#"[8,66,3,{},"wamp.error.no_such_registration"]"#);
    ready(&mut again).unwrap();
}

#[tokio::test(start_paused = true)]
async fn unregistering_without_a_session_is_done_at_once() {
    let (mut peer, mut registration) = registered();
    peer.lose();
    {
        let mut unregister = Box::pin(registration.unregister());
        pending(&mut unregister);
        peer.handle_commands();
        ready(&mut unregister).unwrap();
    }
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);

    // A session that ends takes its registrations along.
    let (mut peer, mut registration) = registered();
    let mut unregister = Box::pin(registration.unregister());
    pending(&mut unregister);
    peer.sent();
    peer.lose();
    ready(&mut unregister).unwrap();
    peer.open(None);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_registration_ends() {
    let (mut peer, mut registration) = registered();
    peer.receive(r#"[67,0,{"registration":8,"reason":"com.example.why"}]"#);
    assert!(registration.end().is_none());
    peer.receive(r#"[67,0,{"registration":9,"reason":"com.example.why"}]"#);
    assert!(ready(&mut Box::pin(registration.next())).is_none());
    let end = registration.end().unwrap();
    assert!(matches!(end, RegistrationEnd::Revoked { reason: Some(_) }));
    drop(registration);
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_registration_ends_with_its_peer() {
    let (peer, mut registration) = registered();
    pending(&mut Box::pin(registration.next()));
    peer.end();
    assert!(ready(&mut Box::pin(registration.next())).is_none());
    let end = registration.ended().await;
    assert!(matches!(end, RegistrationEnd::Closed(CloseReason::Stopped)));
}
