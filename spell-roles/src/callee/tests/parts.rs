use super::*;

/// What of the parts can be read now, as numbers, and whether anything else follows.
fn read(parts: &mut Parts) -> (Vec<u8>, Option<Interruption>) {
    let mut values = Vec::new();
    while let std::task::Poll::Ready(Some(next)) = poll(&mut Box::pin(parts.next())) {
        match next {
            Ok(part) => values.push(part.value().unwrap()),
            Err(interruption) => return (values, Some(interruption)),
        }
    }
    (values, None)
}

fn is_over(parts: &mut Parts) -> bool {
    ready(&mut Box::pin(parts.next())).is_none()
}

fn part(id: u8, value: u8) -> String {
    format!(r#"[68,{id},9,{{"progress":true}},[{value}]]"#)
}

fn last_part(id: u8, value: u8) -> String {
    format!("[68,{id},9,{{}},[{value}]]")
}

/// The router begins a progressive invocation.
fn begun(
    register: impl FnOnce(Register<'_>) -> Register<'_>,
) -> (Harness<Callee>, Registration, Invocation, Parts) {
    let (mut peer, mut registration) = registered_by(register);
    peer.receive(&part(7, 1));
    let mut invocation = next(&mut registration);
    let parts = invocation.parts().unwrap();
    (peer, registration, invocation, parts)
}

#[tokio::test(start_paused = true)]
async fn parts_come_until_the_last_one() {
    let (mut peer, mut registration, mut invocation, mut parts) = begun(|register| register);
    assert!(invocation.parts().is_none(), "they can be taken once");
    peer.receive(&part(7, 2));
    assert_eq!(read(&mut parts), (vec![1, 2], None));
    pending(&mut Box::pin(parts.next()));
    peer.receive(&part(7, 3));
    peer.receive(&last_part(7, 4));
    let third = ready(&mut Box::pin(parts.next())).unwrap().unwrap();
    let fourth = ready(&mut Box::pin(parts.next())).unwrap().unwrap();
    assert!(!third.is_last() && fourth.is_last());
    assert!(is_over(&mut parts));
    pending(&mut Box::pin(registration.next()));
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
}

#[tokio::test(start_paused = true)]
async fn another_invocation_has_one_part() {
    let (mut peer, mut registration) = registered();
    peer.receive(&last_part(7, 5));
    let mut parts = next(&mut registration).parts().unwrap();
    let only = ready(&mut Box::pin(parts.next())).unwrap().unwrap();
    assert!(only.is_last());
    assert_eq!(only.value::<u8>().unwrap(), 5);
    assert!(is_over(&mut parts));
}

#[tokio::test(start_paused = true)]
async fn a_handler_takes_the_parts() {
    let (mut peer, _registration) = handled(|register| {
        register.handler(|mut parts: Parts, progress: Progress| async move {
            let mut sum = 0;
            while let Some(part) = parts.next().await {
                sum += part?.value::<u8>()?;
                if let Some(result) = progress.result() {
                    result.arg(sum).await?;
                }
            }
            Ok(sum)
        })
    });
    peer.receive(&last_part(1, 5));
    settle().await;
    assert_eq!(peer.sent(), ["[70,1,{},[5]]"]);

    peer.receive(r#"[68,2,9,{"progress":true,"receive_progress":true},[1]]"#);
    settle().await;
    let progress = |sum| format!(r#"[70,2,{{"progress":true}},[{sum}]]"#);
    assert_eq!(peer.sent(), [progress(1)], "before all parts came");
    peer.receive(&part(2, 2));
    settle().await;
    assert_eq!(peer.sent(), [progress(3)]);
    peer.receive(&last_part(2, 3));
    settle().await;
    assert_eq!(peer.sent(), [progress(6)]);
    settle().await;
    assert_eq!(peer.sent(), ["[70,2,{},[6]]"]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_no_parts_refuses_them() {
    let (mut peer, _registration) =
        handled(|register| register.handler(|(a, b): (u8, u8)| async move { Ok(a + b) }));
    peer.receive(&part(7, 1));
    settle().await;
    let expected = r#"[8,68,7,{},"wamp.error.feature_not_supported"]"#;
    assert_eq!(peer.sent(), [expected]);
    peer.receive(&last_part(7, 2));
    settle().await;
    assert_eq!(peer.sent(), NOTHING, "the rest is ignored");
}

#[tokio::test(start_paused = true)]
async fn of_later_parts_only_progress_is_read() {
    let (mut peer, _registration, invocation, mut parts) = begun(|register| register);
    peer.receive(
        r#"[68,7,9,{"progress":true,"receive_progress":true,"caller":5,"timeout":10},[2]]"#,
    );
    assert_eq!(read(&mut parts), (vec![1, 2], None));
    assert!(invocation.progress().is_none());
    assert_eq!(invocation.info().caller(), None);
    assert_eq!(
        (invocation.info().timeout(), peer.time_left()),
        (None, None)
    );
    // Not even for which registration it is.
    peer.receive("[68,7,8,{},[3]]");
    assert_eq!(read(&mut parts), (vec![3], None));
    assert!(is_over(&mut parts));
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
}

#[tokio::test(start_paused = true)]
async fn too_many_parts_end_the_invocation() {
    let (mut peer, registration, invocation, mut parts) = begun(|register| register.parts_count(2));
    for value in 2..=3 {
        peer.receive(&part(7, value));
    }
    assert_eq!(peer.sent(), NOTHING);
    peer.receive(&part(7, 4));
    assert_eq!(peer.sent(), [r#"[8,68,7,{},"wamp.error.canceled"]"#]);
    assert_eq!(registration.overflowed(), 1);
    peer.receive(&last_part(7, 5));
    assert_eq!(peer.sent(), NOTHING, "the rest is ignored");
    assert_eq!(
        read(&mut parts),
        (vec![1, 2, 3], Some(Interruption::Overflow))
    );
    assert!(is_over(&mut parts));
    let interruption = ready(&mut Box::pin(invocation.interrupted()));
    assert_eq!(interruption, Interruption::Overflow);
    let error = respond_in_vain(&mut peer, invocation);
    assert!(matches!(error, AnswerError::Overflow));
}

#[tokio::test(start_paused = true)]
async fn too_large_parts_end_the_invocation() {
    let (mut peer, registration, _invocation, _parts) =
        begun(|register| register.parts_bytes(1000));
    let text = "x".repeat(1000);
    peer.receive(&format!(r#"[68,7,9,{{"progress":true}},["{text}"]]"#));
    assert_eq!(peer.sent(), [r#"[8,68,7,{},"wamp.error.canceled"]"#]);
    assert_eq!(registration.overflowed(), 1);
    assert_eq!(registration.refused(), 0);
}

#[tokio::test(start_paused = true)]
async fn parts_that_are_not_wanted_are_ignored() {
    let (mut peer, _registration, invocation, parts) = begun(|register| register.parts_count(1));
    drop(parts);
    for value in 2..9 {
        peer.receive(&part(7, value));
    }
    assert_eq!(peer.sent(), NOTHING);
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
    peer.receive(&last_part(7, 9));
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn an_answer_before_the_last_part_ends_it() {
    let (mut peer, mut registration, invocation, mut parts) = begun(|register| register);
    peer.receive(&part(7, 2));
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
    peer.receive(&part(7, 3));
    peer.receive(&last_part(7, 4));
    assert_eq!(peer.sent(), NOTHING);
    pending(&mut Box::pin(registration.next()));
    assert_eq!(read(&mut parts), (vec![1, 2], Some(Interruption::Answered)));
}

#[tokio::test(start_paused = true)]
async fn parts_of_an_invocation_that_is_over_are_ignored() {
    // The caller gave up.
    let (mut peer, mut registration, _invocation, mut parts) = begun(|register| register);
    peer.receive(r#"[69,7,{"mode":"killnowait"}]"#);
    let mode = Some(spell_message::options::CancelMode::KillNoWait);
    let canceled = Interruption::Canceled { mode };
    assert_eq!(read(&mut parts), (vec![1], Some(canceled)));
    peer.receive(&part(7, 2));
    peer.receive(&last_part(7, 3));
    // The registration is unknown.
    peer.receive(r#"[68,8,5,{"progress":true},[1]]"#);
    let expected = r#"[8,68,8,{},"wamp.error.no_such_registration"]"#;
    assert_eq!(peer.sent(), [expected]);
    peer.receive("[68,8,5,{},[2]]");
    assert_eq!(peer.sent(), NOTHING);
    pending(&mut Box::pin(registration.next()));

    // The queue was full.
    let (mut peer, mut registration) = registered_by(|register| register.queue_count(1));
    peer.receive("[68,6,9,{}]");
    peer.receive(&part(7, 1));
    assert_eq!(peer.sent(), [r#"[8,68,7,{},"wamp.error.unavailable"]"#]);
    next(&mut registration).forget();
    peer.receive(&last_part(7, 2));
    assert_eq!(peer.sent(), NOTHING);
    pending(&mut Box::pin(registration.next()));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_ends_the_parts() {
    let (mut peer, _registration, invocation, mut parts) = begun(|register| register);
    assert_eq!(read(&mut parts), (vec![1], None));
    peer.receive(r#"[69,7,{"mode":"kill"}]"#);
    let mode = Some(spell_message::options::CancelMode::Kill);
    let canceled = Interruption::Canceled { mode };
    assert_eq!(read(&mut parts), (vec![], Some(canceled)));
    // What was under way already is ignored, before and after the answer.
    peer.receive(&part(7, 2));
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
    peer.receive(&last_part(7, 3));
    assert_eq!(peer.sent(), NOTHING);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_session_ends_the_parts() {
    let (mut peer, mut registration, _invocation, mut parts) = begun(|register| register);
    peer.lose();
    assert_eq!(read(&mut parts), (vec![1], Some(Interruption::Closed)));
    // The next session begins with ids anew.
    peer.open(None);
    peer.sent();
    peer.receive("[65,1,9]");
    peer.receive(&last_part(7, 5));
    assert_eq!(next(&mut registration).args::<(u8,)>().unwrap(), (5,));

    let (peer, _registration, _invocation, mut parts) = begun(|register| register);
    peer.end();
    assert_eq!(read(&mut parts), (vec![1], Some(Interruption::Closed)));
}

#[tokio::test(start_paused = true)]
async fn parts_come_after_the_registration_ended() {
    let (mut peer, registration, invocation, mut parts) = begun(|register| register);
    drop(registration);
    assert_eq!(peer.sent(), ["[66,2,9]"]);
    peer.receive("[67,2]");
    peer.receive(&last_part(7, 2));
    assert_eq!(read(&mut parts), (vec![1, 2], None));
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
}

#[tokio::test(start_paused = true)]
async fn an_invocation_with_the_id_of_one_whose_parts_all_came_is_dropped() {
    let (mut peer, mut registration, invocation, mut parts) = begun(|register| register);
    peer.receive(&last_part(7, 2));
    peer.receive(&part(7, 3));
    peer.receive(&last_part(7, 4));
    assert_eq!(read(&mut parts), (vec![1, 2], None));
    pending(&mut Box::pin(registration.next()));
    assert_eq!(respond(&mut peer, invocation), ["[70,7,{}]"]);
}

#[test]
fn only_so_many_invocations_that_were_cut_off_are_remembered() {
    let mut cut_off = cut_off::CutOff::default();
    let ids = |from: u64, to: u64| (from..=to).map(|id| spell_message::RequestId::new(id).unwrap());
    let remembered = u64::try_from(cut_off::REMEMBERED).unwrap();
    for id in ids(1, remembered + 2).chain(ids(remembered, remembered)) {
        cut_off.insert(id);
    }
    assert!(ids(1, 2).all(|id| !cut_off.contains(id)));
    assert!(ids(3, remembered + 2).all(|id| cut_off.contains(id)));
}
