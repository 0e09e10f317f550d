use spell_message::options::CallOptions;
use spell_peer::{Inbox, PeerConfig};
use tokio::task::JoinHandle;

use super::*;
use crate::harness::poll;

#[derive(Debug)]
enum Command {
    Ask(Reply<u8>),
    GiveUp(Key),
}

fn requests() -> (Requests<Command>, Inbox<Command>) {
    let mut config = PeerConfig::default();
    config.command_capacity = 1;
    let (commands, inbox) = Commands::channel(&config);
    (Requests::new(commands, Command::GiveUp), inbox)
}

/// A request that waits for its answer, with what its role and the driver have of it.
async fn committed() -> (JoinHandle<Result<u8, Failure>>, Reply<u8>, Inbox<Command>) {
    let (requests, mut inbox) = requests();
    let asked = tokio::spawn(async move { requests.ask(LIMIT, Command::Ask).await });
    tokio::task::yield_now().await;
    let Some(Command::Ask(reply)) = inbox.try_next() else {
        panic!("no request");
    };
    assert!(reply.commit());
    (asked, reply, inbox)
}

const LIMIT: Option<Duration> = Some(Duration::from_secs(5));

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_is_given() {
    let (asked, reply, mut inbox) = committed().await;
    reply.send(Ok(7));
    assert!(matches!(asked.await.unwrap(), Ok(7)));
    assert!(
        inbox.try_next().is_none(),
        "an answered request was given up"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_the_driver_too_long_was_not_sent() {
    let (requests, mut inbox) = requests();
    let answer = requests.ask(LIMIT, Command::Ask).await;
    assert!(matches!(answer, Err(Failure::Timeout(Delivery::NotSent))));
    let mut asked = None;
    while let Some(command) = inbox.try_next() {
        match command {
            Command::Ask(reply) => asked = Some(reply.commit()),
            Command::GiveUp(_) => {}
        }
    }
    assert_eq!(asked, Some(false), "what was given up must not be sent");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_sent_has_an_unknown_outcome_when_time_is_up() {
    let (asked, reply, mut inbox) = committed().await;
    let answer = asked.await.unwrap();
    assert!(matches!(
        answer,
        Err(Failure::Timeout(Delivery::OutcomeUnknown))
    ));
    let given_up = inbox.try_next();
    assert!(matches!(given_up, Some(Command::GiveUp(key)) if key == reply.key()));
}

#[tokio::test]
async fn an_answer_that_is_there_when_time_is_up_is_given() {
    let (requests, mut inbox) = requests();
    let (reply, mut waiting) = requests.open();
    waiting.send(Command::Ask(reply)).await.unwrap();
    let Some(Command::Ask(reply)) = inbox.try_next() else {
        panic!("no request");
    };
    reply.send(Ok(7));
    assert!(matches!(waiting.expire(), Ok(7)));
    drop(waiting);
    assert!(
        inbox.try_next().is_none(),
        "an answered request was given up"
    );
}

#[tokio::test(start_paused = true)]
async fn time_runs_while_the_queue_is_full() {
    let (requests, mut inbox) = requests();
    let (reply, mut first) = requests.open();
    first.send(Command::Ask(reply)).await.unwrap();
    let answer = requests.ask(LIMIT, Command::Ask).await;
    assert!(matches!(answer, Err(Failure::Timeout(Delivery::NotSent))));
    assert!(matches!(inbox.try_next(), Some(Command::Ask(_))));
    assert!(
        inbox.try_next().is_none(),
        "the second one was never queued"
    );
}

#[tokio::test]
async fn a_request_that_waits_for_room_is_queued_once_there_is_some() {
    let (requests, mut inbox) = requests();
    let (reply, mut first) = requests.open::<_, ()>();
    first.send(Command::Ask(reply)).await.unwrap();
    let mut asked = Box::pin(requests.ask(None, Command::Ask));
    assert!(poll(&mut asked).is_pending());
    assert!(matches!(inbox.try_next(), Some(Command::Ask(_))));
    assert!(inbox.try_next().is_none());
    assert!(poll(&mut asked).is_pending());
    let Some(Command::Ask(reply)) = inbox.try_next() else {
        panic!("no request");
    };
    assert!(reply.commit());
    drop(asked);
    let given_up = inbox.try_next();
    assert!(matches!(given_up, Some(Command::GiveUp(key)) if key == reply.key()));
    assert!(reply.is_given_up());
}

#[tokio::test]
async fn a_request_whose_role_let_go_of_it_has_ended() {
    let (requests, mut inbox) = requests();
    for is_committed in [false, true] {
        let mut asked = Box::pin(requests.ask(None, Command::Ask));
        assert!(poll(&mut asked).is_pending());
        let Some(Command::Ask(reply)) = inbox.try_next() else {
            panic!("no request");
        };
        assert!(!is_committed || reply.commit());
        drop(reply);
        let Poll::Ready(Err(Failure::Closed { delivery, .. })) = poll(&mut asked) else {
            panic!("it waits for nobody");
        };
        assert_eq!(delivery == Delivery::OutcomeUnknown, is_committed);
    }
    assert!(inbox.try_next().is_none(), "there is nothing to give up");
}

#[tokio::test]
async fn an_answer_that_was_taken_does_not_come_again() {
    let (requests, mut inbox) = requests();
    let (reply, mut waiting) = requests.open::<_, ()>();
    waiting.send(Command::Ask(reply)).await.unwrap();
    assert!(poll(&mut waiting).is_pending());
    let Some(Command::Ask(reply)) = inbox.try_next() else {
        panic!("no request");
    };
    reply.send(Ok(7));
    assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(7))));
    assert!(poll(&mut waiting).is_pending());
}

#[tokio::test]
async fn a_dropped_request_is_given_up_once() {
    let (requests, mut inbox) = requests();
    let (reply, mut waiting) = requests.open();
    waiting.send(Command::Ask(reply)).await.unwrap();
    drop(waiting);
    assert!(matches!(inbox.try_next(), Some(Command::GiveUp(_))));
    let Some(Command::Ask(reply)) = inbox.try_next() else {
        panic!("no request");
    };
    assert!(reply.is_given_up() && !reply.commit());
    assert!(inbox.try_next().is_none());
}

#[tokio::test]
async fn a_peer_that_ends_closes_what_waits() {
    let (requests, mut inbox) = requests();
    let (reply, mut waiting) = requests.open();
    waiting.send(Command::Ask(reply)).await.unwrap();
    inbox.close(CloseReason::Left);
    drop(inbox);
    let answer = waiting.await;
    let Err(Failure::Closed { reason, delivery }) = answer else {
        panic!("{answer:?}");
    };
    assert!(matches!(reason, CloseReason::Left));
    assert_eq!(delivery, Delivery::NotSent);
}

#[tokio::test]
async fn arguments_that_cannot_fit_are_refused_at_once() {
    let (requests, inbox) = requests();
    let name = inbox.wire().offers()[0];
    inbox.wire().negotiated(name, Some(16)).unwrap();
    let arguments = requests.arguments().arg(&"x".repeat(32));
    let refused = requests.finish(arguments, None, &mut CallOptions::new());
    assert!(matches!(refused, Err(Failure::TooLarge { limit: 16, .. })));
}
