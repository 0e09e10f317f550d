//! CHALLENGE and AUTHENTICATE, and what a router may not do.

use std::error::Error;

use super::*;

const CHALLENGE: &str = r#"[4,"ticket",{}]"#;

fn ticket() -> Session {
    Session::new("realm1").authenticator(Ticket::new("joe", "canary"))
}

/// Answers `rounds` challenges, and wants the router to prove itself if it has a `proof`.
#[derive(Debug, Default)]
struct Stepwise {
    rounds: u32,
    hellos: Arc<AtomicU32>,
    proof: Option<&'static str>,
    fail: Option<&'static str>,
}

#[async_trait]
impl Authenticator for Stepwise {
    fn method(&self) -> &'static str {
        "x_step"
    }

    fn rounds(&self) -> u32 {
        self.rounds
    }

    async fn hello(&mut self) -> Result<Dict, AuthError> {
        let attempt = self.hellos.fetch_add(1, Ordering::Relaxed);
        match self.fail {
            Some("hello") => Err(AuthError::credentials("no key")),
            _ => Ok(Dict::from([("nonce", attempt)])),
        }
    }

    async fn challenge(&mut self, challenge: &Challenge) -> Result<Authenticate, AuthError> {
        if self.fail == Some("challenge") {
            return Err(AuthError::credentials("no key"));
        }
        let step = challenge.extra.get("step").and_then(Value::as_u64);
        Ok(Authenticate {
            signature: format!("step {}", step.unwrap_or(0)),
            extra: Dict::new(),
        })
    }

    async fn welcome(&mut self, welcome: &Welcome) -> Result<(), AuthError> {
        let Some(proof) = self.proof else {
            return Ok(());
        };
        let given = welcome
            .details
            .authextra()
            .and_then(|extra| extra.get("proof"));
        if given.and_then(Value::as_str) == Some(proof) {
            Ok(())
        } else {
            Err(AuthError::UntrustedRouter)
        }
    }
}

fn stepwise(rounds: u32) -> Session {
    Session::new("realm1").authenticator(Stepwise {
        rounds,
        ..Stepwise::default()
    })
}

#[tokio::test]
async fn methods_are_offered_in_their_order_with_the_authid() {
    let session = Session::new("realm1")
        .authenticator(Cra::new("joe", "s"))
        .authenticator(Ticket::new("joe", "t"))
        .authenticator(Anonymous::new());
    let mut bench = Bench::new(session);
    bench.open_with(None);
    bench.run_tasks().await;
    let hello = bench.sent().remove(0);
    assert!(
        hello.contains(r#""authmethods":["wampcra","ticket","anonymous"]"#),
        "{hello}"
    );
    assert!(hello.contains(r#""authid":"joe""#), "{hello}");
}

#[tokio::test]
async fn hello_waits_for_the_authenticators_and_says_what_they_need() {
    let session = stepwise(1).authextra(Dict::from([("x", 1)]));
    let mut bench = Bench::new(session);
    bench.open_with(None);
    assert_eq!(bench.sent(), [""; 0]);
    bench.run_tasks().await;
    let hello = bench.sent().remove(0);
    assert!(
        hello.contains(r#""authextra":{"x":1,"nonce":0}"#),
        "{hello}"
    );
}

#[tokio::test]
async fn each_attempt_asks_the_authenticators_afresh() {
    let mut bench = Bench::hello(stepwise(1)).await;
    bench.receive(r#"[4,"x_step",{}]"#);
    bench.engine.close(CloseReason::Disconnected);
    bench.engine.disconnect();
    bench.open_with(None);
    bench.run_tasks().await;
    assert!(bench.sent().remove(0).contains(r#""nonce":1"#));
    // The rounds are counted anew.
    bench.receive(r#"[4,"x_step",{}]"#);
    bench.run_tasks().await;
    assert_eq!(bench.sent(), [r#"[5,"step 0",{}]"#]);
}

#[tokio::test]
async fn one_authid_is_for_all_methods() {
    let session = Session::new("realm1")
        .authenticator(Cra::new("joe", "s"))
        .authenticator(Ticket::new("jane", "t"));
    let error = Engine::new((session,), PeerConfig::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the authenticators name different authids"
    );
}

#[tokio::test]
async fn a_method_is_offered_once() {
    let session = ticket().authenticator(Ticket::new("joe", "t"));
    let error = Engine::new((session,), PeerConfig::default()).unwrap_err();
    let expected = r#"the authentication method "ticket" is offered twice"#;
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_challenge_is_answered_by_its_authenticator_beside_the_driver() {
    let mut bench = Bench::hello(ticket()).await;
    bench.receive(CHALLENGE);
    assert_eq!(bench.sent(), [""; 0], "the answer is a task's");
    bench.run_tasks().await;
    assert_eq!(bench.sent(), [r#"[5,"canary",{}]"#]);
    bench.receive(r#"[2,7,{"roles":{"broker":{}},"authmethod":"ticket","authid":"joe"}]"#);
    bench.run_tasks().await;
    assert!(bench.is_joined());
}

#[tokio::test]
async fn abort_after_authenticate_is_the_routers_refusal() {
    let mut bench = Bench::hello(ticket()).await;
    bench.receive(CHALLENGE);
    bench.run_tasks().await;
    bench.sent();
    bench.receive(r#"[3,{},"wamp.error.authentication_denied"]"#);
    let (reason, abort) = bench.end();
    assert!(matches!(reason, CloseReason::Aborted(_)));
    assert!(reason.is_final());
    assert_eq!(abort, None);
}

#[tokio::test]
async fn abort_while_a_challenge_is_answered_ends_the_attempt() {
    let mut bench = Bench::hello(ticket()).await;
    bench.receive(CHALLENGE);
    bench.receive(r#"[3,{},"wamp.error.authentication_failed"]"#);
    assert!(matches!(
        bench.engine.closed(),
        Some(CloseReason::Aborted(_))
    ));
    bench.run_tasks().await;
    assert_eq!(bench.sent(), [""; 0], "no secret goes out afterwards");
}

#[tokio::test]
async fn anything_else_while_a_challenge_is_answered_is_a_violation() {
    let frames = [WELCOME, CHALLENGE, r#"[6,{},"a.b"]"#];
    for frame in frames.into_iter().chain(IN_A_SESSION).chain(FOR_ROUTERS) {
        let mut bench = Bench::hello(ticket()).await;
        bench.receive(CHALLENGE);
        bench.receive(frame);
        bench.assert_violation(frame);
        bench.run_tasks().await;
        assert_eq!(bench.sent(), [""; 0], "{frame}");
    }
}

#[tokio::test]
async fn anything_but_welcome_challenge_and_abort_after_authenticate_is_a_violation() {
    let goodbye = r#"[6,{},"a.b"]"#;
    for frame in IN_A_SESSION.into_iter().chain(FOR_ROUTERS).chain([goodbye]) {
        let mut bench = Bench::hello(ticket()).await;
        bench.receive(CHALLENGE);
        bench.run_tasks().await;
        bench.sent();
        bench.receive(frame);
        bench.assert_violation(frame);
    }
}

#[tokio::test]
async fn a_challenge_for_a_method_that_was_not_offered_is_refused_without_a_secret() {
    for session in [Session::new("realm1"), ticket()] {
        let mut bench = Bench::hello(session).await;
        bench.receive(r#"[4,"wampcra",{"challenge":"c"}]"#);
        assert!(bench.engine.poll_task().is_none());
        let error = bench.assert_refused(reason::NO_MATCHING_AUTH_METHOD);
        assert!(
            error.contains(r#""wampcra", which was not offered"#),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_challenge_for_anonymous_is_refused() {
    let session = Session::new("realm1").authenticator(Anonymous::new());
    let mut bench = Bench::hello(session).await;
    bench.receive(r#"[4,"anonymous",{}]"#);
    bench.assert_refused(reason::AUTHENTICATION_FAILED);
}

#[tokio::test]
async fn welcome_without_a_challenge_is_refused_where_a_proof_was_offered() {
    for welcome in [
        WELCOME,
        r#"[2,7,{"roles":{"broker":{}},"authmethod":"ticket"}]"#,
    ] {
        let mut bench = Bench::hello(ticket()).await;
        bench.receive(welcome);
        let error = bench.assert_refused(reason::AUTHENTICATION_FAILED);
        assert_eq!(error, "the router opened the session without a challenge");
    }
}

#[tokio::test]
async fn welcome_without_a_challenge_can_be_allowed() {
    let mut bench = Bench::hello(ticket().require_challenge(false)).await;
    bench.receive(WELCOME);
    assert!(bench.is_joined());
}

#[tokio::test]
async fn welcome_by_a_method_that_was_not_offered_is_refused() {
    let welcome = r#"[2,7,{"roles":{"broker":{}},"authmethod":"anonymous"}]"#;
    for session in [ticket(), ticket().require_challenge(false)] {
        let mut bench = Bench::hello(session).await;
        bench.receive(welcome);
        bench.assert_refused(reason::NO_MATCHING_AUTH_METHOD);
    }
    // After the proof was given, too.
    let mut bench = Bench::hello(ticket()).await;
    bench.receive(CHALLENGE);
    bench.run_tasks().await;
    bench.sent();
    bench.receive(welcome);
    bench.assert_refused(reason::NO_MATCHING_AUTH_METHOD);
}

#[tokio::test]
async fn anonymous_beside_others_allows_a_session_without_a_challenge() {
    let session = || ticket().authenticator(Anonymous::new());
    for welcome in [
        WELCOME,
        r#"[2,7,{"roles":{"broker":{}},"authmethod":"anonymous"}]"#,
    ] {
        let mut bench = Bench::hello(session()).await;
        bench.receive(welcome);
        bench.run_tasks().await;
        assert!(bench.is_joined(), "{welcome}");
    }
    // But not one that claims to have seen a proof.
    let mut bench = Bench::hello(session()).await;
    bench.receive(r#"[2,7,{"roles":{"broker":{}},"authmethod":"ticket"}]"#);
    bench.assert_refused(reason::AUTHENTICATION_FAILED);
}

#[tokio::test]
async fn without_authenticators_any_method_of_the_router_will_do() {
    let mut bench = Bench::hello(Session::new("realm1")).await;
    bench.receive(r#"[2,7,{"roles":{"broker":{}},"authmethod":"cookie"}]"#);
    assert!(bench.is_joined());
}

#[tokio::test]
async fn a_second_challenge_is_answered_where_the_method_has_two_rounds() {
    let mut bench = Bench::hello(stepwise(2)).await;
    for step in 1..=2 {
        bench.receive(&format!(r#"[4,"x_step",{{"step":{step}}}]"#));
        bench.run_tasks().await;
        assert_eq!(bench.sent(), [format!(r#"[5,"step {step}",{{}}]"#)]);
    }
    bench.receive(WELCOME);
    bench.run_tasks().await;
    assert!(bench.is_joined());
}

#[tokio::test]
async fn two_methods_may_be_asked_one_after_the_other() {
    let session = ticket().authenticator(Cra::new("joe", "secret123"));
    let mut bench = Bench::hello(session).await;
    bench.receive(CHALLENGE);
    bench.run_tasks().await;
    bench.receive(r#"[4,"wampcra",{"challenge":"{\"nonce\":\"n1\",\"session\":1}"}]"#);
    bench.run_tasks().await;
    let signature = r#"[5,"GM5FeMYsAwxQNsrVu+Tm5Hnp75yvpsYjJyW3hIHaOf0=",{}]"#;
    assert_eq!(bench.sent(), [r#"[5,"canary",{}]"#, signature]);
}

#[tokio::test]
async fn a_second_challenge_is_refused_where_the_method_has_one_round() {
    let mut bench = Bench::hello(ticket()).await;
    bench.receive(CHALLENGE);
    bench.run_tasks().await;
    bench.sent();
    bench.receive(CHALLENGE);
    assert!(bench.engine.poll_task().is_none());
    let error = bench.assert_refused(reason::AUTHENTICATION_FAILED);
    assert_eq!(
        error,
        r#"the router challenged "ticket" more often than it may"#
    );
}

#[tokio::test]
async fn the_session_counts_as_joined_once_the_routers_proof_was_checked() {
    let session = || {
        Session::new("realm1").authenticator(Stepwise {
            rounds: 1,
            proof: Some("it is me"),
            ..Stepwise::default()
        })
    };
    for (proof, trusted) in [("it is me", true), ("somebody", false)] {
        let mut bench = Bench::hello(session()).await;
        bench.receive(r#"[4,"x_step",{}]"#);
        bench.run_tasks().await;
        bench.sent();
        bench.receive(&format!(
            r#"[2,7,{{"roles":{{"broker":{{}}}},"authextra":{{"proof":"{proof}"}}}}]"#
        ));
        assert!(!bench.is_joined());
        bench.run_tasks().await;
        assert_eq!(bench.is_joined(), trusted, "{proof}");
        if !trusted {
            bench.assert_refused(reason::AUTHENTICATION_FAILED);
        }
    }
}

/// A session whose WELCOME came, and whose authenticator still checks it.
async fn checking() -> Bench {
    let mut bench = Bench::hello(stepwise(1)).await;
    bench.receive(r#"[4,"x_step",{}]"#);
    bench.run_tasks().await;
    bench.sent();
    bench.receive(WELCOME);
    assert!(!bench.is_joined());
    bench
}

#[tokio::test]
async fn what_comes_while_the_routers_proof_is_checked_does_no_harm() {
    let mut bench = checking().await;
    for frame in IN_A_SESSION {
        bench.receive(frame);
        assert!(bench.engine.closed().is_none(), "{frame}");
    }
    bench.run_tasks().await;
    assert!(bench.is_joined());
    assert_eq!(*bench.notes.lock().unwrap(), ["joined realm1 as 7"]);
}

#[tokio::test]
async fn what_may_not_come_in_a_session_may_not_come_while_the_proof_is_checked() {
    let opening = [WELCOME, r#"[4,"x_step",{}]"#, "[999,1]"];
    for frame in FOR_ROUTERS.into_iter().chain(opening) {
        let mut bench = checking().await;
        bench.receive(frame);
        bench.assert_violation(frame);
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_may_come_while_the_routers_proof_is_checked() {
    let mut bench = checking().await;
    bench.receive(r#"[6,{},"wamp.close.system_shutdown"]"#);
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.goodbye_and_out"]"#]);
    assert!(matches!(
        bench.engine.closed(),
        Some(CloseReason::Goodbye(_))
    ));

    let mut bench = checking().await;
    bench.receive(r#"[3,{},"wamp.close.system_shutdown"]"#);
    assert_eq!(bench.sent(), [""; 0]);
    assert!(matches!(
        bench.engine.closed(),
        Some(CloseReason::Aborted(_))
    ));

    let mut bench = checking().await;
    let leave = bench.leave().await;
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
    assert!(answer(leave).await.is_ok());

    let mut bench = checking().await;
    bench.engine.stop(bench.now);
    assert_eq!(bench.sent(), [r#"[6,{},"wamp.close.close_realm"]"#]);
}

#[tokio::test]
async fn an_authenticator_that_fails_before_hello_ends_the_attempt_in_silence() {
    let session = Session::new("realm1").authenticator(Stepwise {
        fail: Some("hello"),
        ..Stepwise::default()
    });
    let mut bench = Bench::new(session);
    bench.open_with(None);
    bench.run_tasks().await;
    assert_eq!(bench.sent(), [""; 0]);
    let Some(CloseReason::Authentication(error)) = bench.engine.closed() else {
        panic!();
    };
    assert_eq!(error.source().unwrap().to_string(), "no key");
}

#[tokio::test]
async fn an_authenticator_that_cannot_answer_breaks_the_join_off() {
    let session = Session::new("realm1").authenticator(Stepwise {
        rounds: 1,
        fail: Some("challenge"),
        ..Stepwise::default()
    });
    let mut bench = Bench::hello(session).await;
    bench.receive(r#"[4,"x_step",{}]"#);
    bench.run_tasks().await;
    let error = bench.assert_refused(reason::AUTHENTICATION_FAILED);
    assert_eq!(error, "the credentials could not be had");
}

#[tokio::test]
async fn a_provider_that_fails_is_worth_a_retry_unless_it_says_otherwise() {
    async fn end(provider: impl Fn() -> AuthError + Send + Sync + 'static) -> CloseReason {
        let ticket = Ticket::provider("joe", move || {
            let error = provider();
            async { Err::<SecretString, _>(error) }
        });
        let mut bench = Bench::hello(Session::new("realm1").authenticator(ticket)).await;
        bench.receive(r#"[4,"ticket",{}]"#);
        bench.run_tasks().await;
        let (reason, abort) = bench.end();
        assert_eq!(abort.as_deref(), Some(reason::AUTHENTICATION_FAILED));
        reason
    }
    let away = end(|| AuthError::unavailable("the server is away")).await;
    assert!(matches!(away, CloseReason::CredentialsUnavailable(_)));
    assert_eq!(away.remedy(), Remedy::Retry);
    let none = end(|| AuthError::credentials("joe has no ticket")).await;
    assert!(matches!(none, CloseReason::Authentication(_)));
    assert!(none.is_final());

    let ticket = Ticket::provider("joe", || async {
        Err::<SecretString, _>(std::io::Error::other("the server is away"))
    });
    let mut bench = Bench::hello(Session::new("realm1").authenticator(ticket)).await;
    bench.receive(r#"[4,"ticket",{}]"#);
    bench.run_tasks().await;
    let (reason, _) = bench.end();
    assert!(matches!(reason, CloseReason::CredentialsUnavailable(_)));
}

#[tokio::test]
async fn a_cost_out_of_bounds_breaks_the_join_off() {
    let session = Session::new("realm1").authenticator(Cra::new("joe", "canary"));
    let mut bench = Bench::hello(session).await;
    bench.receive(r#"[4,"wampcra",{"challenge":"c","salt":"s","iterations":4000000000}]"#);
    bench.run_tasks().await;
    let error = bench.assert_refused(reason::AUTHENTICATION_FAILED);
    assert!(error.contains("`iterations` is 4000000000"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_breaks_the_join_off_and_shows_no_secret() {
    let mut bench =
        Bench::new(Session::new("realm1").authenticator(Ticket::new("joe", "canary".repeat(100))));
    bench.open_with(Some(300));
    bench.run_tasks().await;
    bench.receive(CHALLENGE);
    bench.run_tasks().await;
    let shown = format!("{:?}", bench.engine);
    let error = bench.assert_refused(reason::AUTHENTICATION_FAILED);
    assert_eq!(error, "AUTHENTICATE could not be sent");
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn a_method_of_the_router_is_cut_and_escaped_where_it_is_shown() {
    let mut bench = Bench::hello(Session::new("realm1")).await;
    let method = "x".repeat(100);
    bench.receive(&format!(r#"[4,"\n{method}",{{}}]"#));
    let error = bench.assert_refused(reason::NO_MATCHING_AUTH_METHOD);
    assert!(error.contains(r#""\nxxx"#), "{error}");
    assert!(!error.contains(&"x".repeat(64)), "{error}");
}

#[tokio::test]
async fn no_secret_shows_in_any_state_of_the_session() {
    let mut bench = Bench::new(
        Session::new("realm1")
            .authenticator(Ticket::new("joe", "canary"))
            .authenticator(Cra::new("joe", "canary"))
            .authextra(Dict::from([("token", "canary")]))
            .transport(Dict::from([("cookie", "canary")])),
    );
    let check = |engine: &Engine<Roles>| {
        let shown = format!("{engine:?} {engine:#?}");
        assert!(!shown.contains("canary"), "{shown}");
    };
    check(&bench.engine);
    bench.open_with(None);
    check(&bench.engine);
    bench.run_tasks().await;
    bench.sent();
    check(&bench.engine);
    bench.receive(CHALLENGE);
    check(&bench.engine);
    let answer = bench.engine.poll_task().unwrap().await;
    assert!(!format!("{answer:?}").contains("canary"));
    bench.engine.handle_command(answer, bench.now);
    assert_eq!(bench.sent(), [r#"[5,"canary",{}]"#]);
    bench.receive(r#"[2,7,{"roles":{"broker":{}},"authmethod":"x"}]"#);
    let reason = bench.engine.closed().unwrap().clone();
    let mut cause: Option<&dyn Error> = Some(&reason);
    while let Some(error) = cause {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary"), "{shown}");
        cause = error.source();
    }
}
