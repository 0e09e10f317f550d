//! Another session has the procedure that is to be restored.

use super::*;
use crate::RegisterError;

const TAKEN: &str = r#"[8,64,1,{},"wamp.error.procedure_already_exists"]"#;

/// Register `com.example.p`, lose the session, and begin another one.
fn lost(register: impl FnOnce(Register<'_>) -> Register<'_>) -> (Harness<Callee>, Registration) {
    let (mut peer, registration) = registered_by(register);
    peer.lose();
    peer.open(None);
    (peer, registration)
}

fn register_again(request: u64) -> [String; 1] {
    [format!(r#"[64,{request},{{}},"com.example.p"]"#)]
}

fn taken(request: u64) -> String {
    format!(r#"[8,64,{request},{{}},"wamp.error.procedure_already_exists"]"#)
}

/// It ended because it could not be restored; gives why.
#[track_caller]
fn not_restored(registration: &mut Registration) -> RegisterError {
    assert!(ready(&mut Box::pin(registration.next())).is_none());
    match registration.end() {
        Some(RegistrationEnd::NotRestored(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_session_is_waited_out() {
    let (mut peer, mut registration) = lost(|register| register);
    assert_eq!(peer.sent(), register_again(1));
    peer.receive(TAKEN);
    assert!(registration.is_in_conflict() && registration.end().is_none());
    let mut delays = Vec::new();
    for request in 2..=8 {
        assert_eq!(peer.sent(), NOTHING);
        let delay = peer.time_left().unwrap();
        delays.push(delay.as_millis());
        peer.advance(delay);
        assert_eq!(peer.sent(), register_again(request));
        peer.receive(&taken(request));
    }
    assert_eq!(delays, [250, 500, 1000, 2000, 4000, 5000, 5000]);
    peer.advance(Duration::from_secs(5));
    assert_eq!(peer.sent(), register_again(9));
    peer.receive("[65,9,19]");
    assert!(!registration.is_in_conflict());
    assert_eq!(peer.time_left(), None);
    peer.receive("[68,1,19,{}]");
    next(&mut registration).forget();
}

#[tokio::test(start_paused = true)]
async fn a_session_that_stays_ends_the_registration_in_time() {
    for limit in [0, 1, 700, 60_000] {
        let limit = Duration::from_millis(limit);
        let (mut peer, mut registration) =
            lost(|register| register.on_conflict(Conflict::Wait(limit)));
        let (mut request, mut waited) = (1, Duration::ZERO);
        while registration.end().is_none() {
            assert_eq!(peer.sent(), register_again(request));
            peer.receive(&taken(request));
            if let Some(delay) = peer.time_left() {
                waited += delay;
                peer.advance(delay);
            }
            request += 1;
        }
        assert_eq!(waited, limit);
        let error = not_restored(&mut registration);
        assert_eq!(
            error.uri().unwrap().as_str(),
            reason::PROCEDURE_ALREADY_EXISTS
        );
        assert_eq!(peer.sent(), NOTHING);
    }
}

#[tokio::test(start_paused = true)]
async fn other_registrations_do_not_wait_for_one_in_conflict() {
    let mut peer = joined(&[]);
    let handle = peer.handle.clone();
    let mut first = handle.register("com.example.first").into_future();
    let mut second = handle.register("com.example.second").into_future();
    pending(&mut first);
    pending(&mut second);
    peer.sent();
    peer.receive("[65,1,8]");
    peer.receive("[65,2,9]");
    let (first, second) = (ready(&mut first).unwrap(), ready(&mut second).unwrap());
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent().len(), 2);
    peer.receive(&taken(1));
    peer.receive("[65,2,9]");
    assert!(first.is_in_conflict() && second.id().is_some());
    let mut third = handle.register("com.example.third").into_future();
    pending(&mut third);
    assert_eq!(peer.sent(), [r#"[64,3,{},"com.example.third"]"#]);
    peer.receive("[65,3,10]");
    assert!(ready(&mut third).is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_first_time_a_conflict_is_an_error_under_any_policy() {
    for conflict in [
        Conflict::default(),
        Conflict::Replace,
        Conflict::Wait(Duration::MAX),
        Conflict::Fail,
    ] {
        let mut peer = joined(&[]);
        let handle = peer.handle.clone();
        let register = handle.register("com.example.p").on_conflict(conflict);
        let mut register = register.into_future();
        pending(&mut register);
        assert_eq!(peer.sent(), register_again(1));
        peer.receive(TAKEN);
        let error = ready(&mut register).unwrap_err();
        assert_eq!(
            error.uri().unwrap().as_str(),
            reason::PROCEDURE_ALREADY_EXISTS
        );
        assert_eq!(peer.time_left(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_the_procedure_is_replaced_where_the_user_says_so() {
    let (mut peer, registration) = lost(|register| register.on_conflict(Conflict::Replace));
    assert_eq!(
        peer.sent(),
        register_again(1),
        "not before there is a conflict"
    );
    peer.receive(TAKEN);
    assert_eq!(
        peer.sent(),
        [r#"[64,2,{"force_reregister":true},"com.example.p"]"#]
    );
    peer.receive("[65,2,19]");
    assert_eq!(registration.id().map(u64::from), Some(19));
    peer.lose();
    peer.open(None);
    assert_eq!(peer.sent(), register_again(1), "each session is a new one");

    let (mut peer, mut registration) = lost(|register| register.on_conflict(Conflict::Replace));
    peer.sent();
    peer.receive(TAKEN);
    peer.sent();
    peer.receive(&taken(2));
    assert!(not_restored(&mut registration).uri().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_conflict_may_end_the_registration_at_once() {
    let (mut peer, mut registration) = lost(|register| register.on_conflict(Conflict::Fail));
    peer.sent();
    peer.receive(r#"[8,64,1,{},"wamp.error.procedure_exists_with_different_invocation_policy"]"#);
    not_restored(&mut registration);
    assert_eq!((peer.time_left(), peer.sent().len()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn only_a_conflict_is_waited_out() {
    let (mut peer, mut registration) = lost(|register| register);
    peer.sent();
    peer.receive(r#"[8,64,1,{},"wamp.error.not_authorized"]"#);
    not_restored(&mut registration);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_ends_with_its_session() {
    let (mut peer, registration) = lost(|register| register);
    peer.sent();
    peer.receive(TAKEN);
    peer.lose();
    assert!(!registration.is_in_conflict());
    assert_eq!(peer.time_left(), None);
    peer.open(None);
    assert_eq!(peer.sent(), register_again(1));
    peer.receive(TAKEN);
    assert_eq!(
        peer.time_left(),
        Some(Duration::from_millis(250)),
        "it begins anew"
    );
}

#[tokio::test(start_paused = true)]
async fn a_registration_in_conflict_can_be_given_up() {
    let (mut peer, registration) = lost(|register| register);
    peer.sent();
    peer.receive(TAKEN);
    drop(registration);
    assert_eq!(peer.sent(), NOTHING);
    assert_eq!(peer.time_left(), None);
    // The same while it is tried again.
    let (mut peer, registration) = lost(|register| register);
    peer.sent();
    peer.receive(TAKEN);
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.sent(), register_again(2));
    drop(registration);
    peer.receive("[65,2,19]");
    assert_eq!(peer.sent(), ["[66,3,19]"]);
}
