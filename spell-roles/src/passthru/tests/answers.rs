//! What is opened, and sealed, for those who are called.

use std::future::IntoFuture;

use super::*;
use crate::{
    Callee, Invocation, InvocationError, Registration,
    harness::{pending, ready},
};

/// Registered `com.example.p` as registration 9.
fn registered(codec: Option<Plain>, keys: &[&str]) -> (Harness<Callee>, Registration) {
    let mut peer = joined(Callee::new(), keys);
    let handle = peer.handle.clone();
    let mut register = handle.register("com.example.p");
    if let Some(codec) = codec {
        register = register.passthru(codec);
    }
    let mut register = register.into_future();
    pending(&mut register);
    peer.sent();
    peer.receive("[65,1,9]");
    let registration = ready(&mut register).unwrap();
    (peer, registration)
}

fn next(registration: &mut Registration) -> Invocation {
    ready(&mut Box::pin(registration.next())).unwrap()
}

/// Let what is sent meanwhile be sent, and give it.
fn sent<F: Future<Output: std::fmt::Debug>>(
    peer: &mut Harness<Callee>,
    answer: impl IntoFuture<IntoFuture = F, Output = F::Output>,
) -> (Vec<String>, F::Output) {
    let mut answer = Box::pin(answer.into_future());
    pending(&mut answer);
    let sent = peer.sent();
    (sent, ready(&mut answer))
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_sealed_invocation_is_opened_and_its_answers_are_sealed() {
    let (mut peer, mut calls) = registered(Some(json()), ANNOUNCED);
    for id in [1, 2] {
        let details = format!(r#"{{"receive_progress":true,{ATTRIBUTES}}}"#);
        peer.receive(&format!("[68,{id},9,{details},[{ONE}]]"));
    }
    let call = next(&mut calls);
    assert_eq!(call.args::<(u8,)>().unwrap(), (1,));
    let (progress, done) = sent(&mut peer, call.progress().unwrap().arg(1));
    done.unwrap();
    assert_eq!(
        progress,
        [format!(
            r#"[70,1,{{"progress":true,{ATTRIBUTES}}},[{ONE}]]"#
        )]
    );
    let (result, done) = sent(&mut peer, call.respond().arg(2));
    done.unwrap();
    assert_eq!(result, [format!("[70,1,{{{ATTRIBUTES}}},[{TWO}]]")]);
    let call = next(&mut calls);
    let (error, done) = sent(&mut peer, call.error("com.example.no").arg(2));
    done.unwrap();
    assert_eq!(
        error,
        [format!(
            r#"[8,68,2,{{{ATTRIBUTES}}},"com.example.no",[{TWO}]]"#
        )]
    );
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_is_not_sealed_is_answered_in_the_open() {
    let (mut peer, mut calls) = registered(Some(json()), ANNOUNCED);
    peer.receive("[68,1,9,{},[1]]");
    let call = next(&mut calls);
    assert_eq!(call.args::<(u8,)>().unwrap(), (1,));
    let (result, _) = sent(&mut peer, call.respond().arg(2));
    assert_eq!(result, ["[70,1,{},[2]]"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_codec_a_sealed_invocation_is_as_it_came() {
    let (mut peer, mut calls) = registered(None, ANNOUNCED);
    peer.receive(&format!("[68,1,9,{{{ATTRIBUTES}}},[{ONE}]]"));
    let call = next(&mut calls);
    assert_eq!(call.info().details().ppt_scheme(), Some("x_own"));
    assert!(Sealed::read_binary(call.info().payload()).is_ok());
    let (result, _) = sent(&mut peer, call.respond().arg(2));
    assert_eq!(result, ["[70,1,{},[2]]"]);
}

#[tokio::test(start_paused = true)]
async fn answers_go_in_the_older_form_to_a_router_that_knows_only_that() {
    let (mut peer, mut calls) = registered(Some(json()), &["payload_transparency"]);
    peer.receive(&format!("[68,1,9,{{{OLDER}}},{ONE}]"));
    let call = next(&mut calls);
    assert_eq!(call.args::<(u8,)>().unwrap(), (1,));
    let (result, _) = sent(&mut peer, call.respond().arg(2));
    assert_eq!(result, [format!("[70,1,{{{OLDER}}},{TWO}]")]);
}

#[tokio::test(start_paused = true)]
async fn what_the_router_did_not_announce_is_not_answered_sealed_nor_in_the_open() {
    let (mut peer, mut calls) = registered(Some(json()), &[]);
    peer.receive(&format!("[68,1,9,{{{ATTRIBUTES}}},[{ONE}]]"));
    let call = next(&mut calls);
    let (sent, answered) = sent(&mut peer, call.respond().arg(2));
    assert_eq!(sent, [r#"[8,68,1,{},"wamp.error.runtime_error"]"#]);
    let error = answered.unwrap_err();
    let cause = PassthruError::cause_of(&error);
    assert!(
        matches!(cause, Some(PassthruError::NotAnnounced)),
        "{cause:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn all_parts_of_a_sealed_invocation_are_opened() {
    let (mut peer, mut calls) = registered(Some(json()), ANNOUNCED);
    peer.receive(&format!(
        r#"[68,1,9,{{"progress":true,{ATTRIBUTES}}},[{ONE}]]"#
    ));
    // WAMP spec, "Freezing of Options in Progressive Call Invocations".
    peer.receive(&format!(r#"[68,1,9,{{"progress":true}},[{TWO}]]"#));
    peer.receive(&format!("[68,1,9,{{}},[{GARBAGE}]]"));
    let mut call = next(&mut calls);
    let mut parts = call.parts().unwrap();
    for number in [1, 2] {
        let part = ready(&mut Box::pin(parts.next())).unwrap().unwrap();
        assert_eq!(part.args::<(u8,)>().unwrap(), (number,));
    }
    let part = ready(&mut Box::pin(parts.next())).unwrap().unwrap();
    assert!(part.is_last());
    assert!(matches!(
        cause(part.args::<List>()),
        PassthruError::Unpack(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_handler_answers_sealed_and_tells_what_it_could_not_open() {
    let mut peer = joined(Callee::new(), ANNOUNCED);
    let handle = peer.handle.clone();
    let register = handle.register("com.example.p").passthru(json());
    let register = register.handler(|(number,): (u8,)| async move {
        match number {
            1 => Ok(2),
            _ => Err(InvocationError::new("com.example.no").arg(1)),
        }
    });
    let mut register = register.into_future();
    pending(&mut register);
    peer.sent();
    peer.receive("[65,1,9]");
    let _registration = ready(&mut register).unwrap();
    let mut call = async |id: u8, payload: &str| {
        peer.receive(&format!("[68,{id},9,{{{ATTRIBUTES}}},[{payload}]]"));
        settle().await;
        peer.sent().remove(0)
    };
    assert_eq!(
        call(1, ONE).await,
        format!("[70,1,{{{ATTRIBUTES}}},[{TWO}]]")
    );
    assert_eq!(
        call(2, TWO).await,
        format!(r#"[8,68,2,{{{ATTRIBUTES}}},"com.example.no",[{ONE}]]"#)
    );
    let refused = call(3, GARBAGE).await;
    let invalid = format!(r#"[8,68,3,{{{ATTRIBUTES}}},"wamp.error.invalid_argument",["#);
    assert!(refused.starts_with(&invalid), "{refused}");
}
