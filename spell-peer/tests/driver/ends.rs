//! What the router says last: told with its type, answered, and retried or not.

use std::time::Duration;

use spell_peer::{Backoff, CloseReason, PeerBuilder, Remedy};
use spell_transport::memory::MemoryListener;

use crate::support::{Client, Script, builder, joined};

fn persistent() -> PeerBuilder<(Client,)> {
    builder().retry(policy())
}

fn policy() -> Backoff {
    Backoff::constant(Duration::from_secs(1))
}

const GOODBYE_AND_OUT: &str = r#"[6,{},"wamp.close.goodbye_and_out"]"#;

/// Whether the peer dials again, within a minute.
async fn comes_back(listener: &mut MemoryListener) -> bool {
    let again = Script::accept(listener);
    tokio::time::timeout(Duration::from_secs(60), again)
        .await
        .is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_is_answered_and_an_abort_is_not() {
    let (peer, mut script, _listener) = joined(builder()).await;
    script.send(r#"[6,{},"wamp.close.system_shutdown"]"#).await;
    script.expect(GOODBYE_AND_OUT).await;
    script.expect_end().await;
    let reason = peer.closed().await;
    assert!(matches!(reason, CloseReason::Goodbye(_)), "{reason}");
    assert_eq!(reason.uri(), Some("wamp.close.system_shutdown"));

    let (peer, mut script, _listener) = joined(builder()).await;
    script.send(r#"[3,{},"wamp.close.system_shutdown"]"#).await;
    script.expect_end().await;
    let reason = peer.closed().await;
    assert!(matches!(reason, CloseReason::Aborted(_)), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn the_uri_and_the_nature_of_an_end_decide_whether_the_peer_comes_back() {
    for (end, back) in [
        (r#"[6,{},"wamp.close.system_shutdown"]"#, true),
        (r#"[6,{},"wamp.close.close_realm"]"#, true),
        (r#"[6,{},"com.example.maintenance"]"#, true),
        (r#"[6,{},"wamp.close.killed"]"#, false),
        (r#"[6,{"nature":"transient"},"wamp.close.killed"]"#, true),
        (
            r#"[6,{"nature":"permanent"},"com.example.maintenance"]"#,
            false,
        ),
        (r#"[3,{},"wamp.error.authorization_failed"]"#, true),
        (r#"[3,{},"wamp.error.not_authorized"]"#, false),
        (
            r#"[3,{"nature":"permanent"},"wamp.close.system_shutdown"]"#,
            false,
        ),
    ] {
        let (peer, mut script, mut listener) = joined(persistent()).await;
        script.send(end).await;
        assert_eq!(comes_back(&mut listener).await, back, "{end}");
        assert_eq!(peer.state().borrow().is_closed(), !back, "{end}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_policy_has_the_last_word() {
    let policy = policy().on("wamp.close.killed", Remedy::Retry);
    let (_peer, mut script, mut listener) = joined(builder().retry(policy)).await;
    script.send(r#"[6,{},"wamp.close.killed"]"#).await;
    assert!(comes_back(&mut listener).await);
}

#[tokio::test(start_paused = true)]
async fn the_peer_ends_when_its_time_without_a_stable_session_is_over() {
    let policy = policy().budget(Duration::from_secs(5));
    let (peer, script, mut listener) = joined(builder().retry(policy)).await;
    let begun = tokio::time::Instant::now();
    drop(script);
    // Sessions that end at once do not fill the budget again.
    let router = async {
        loop {
            drop(Script::welcome(&mut listener).await);
        }
    };
    tokio::select! {
        reason = peer.closed() => assert!(matches!(reason, CloseReason::Transport(_)), "{reason}"),
        () = router => {}
    }
    assert_eq!(begun.elapsed().as_secs(), 5);
}
