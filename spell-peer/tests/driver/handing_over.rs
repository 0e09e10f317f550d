//! Commands that nobody waits for.

use spell_message::RoleName;
use spell_peer::{CloseReason, Commands};

use crate::support::{Ask, CALL_1, builder, handle, joined};

/// Hands over a call of so many bytes, as the queue sees it; whether it was taken.
fn hand_over(commands: &Commands<Ask>, bytes: usize) -> Result<bool, CloseReason> {
    let taken = commands.hand_over(RoleName::Dealer, bytes, |ahead| {
        Some(Ask::HandedOver(ahead))
    });
    taken.map_err(|closed| closed.reason)
}

#[tokio::test]
async fn a_command_is_handed_over_while_a_session_is_joined() {
    let (peer, mut script, _listener) = joined(builder()).await;
    let commands = handle(&peer).0;
    assert!(commands.wire().is_joined_to(RoleName::Dealer));
    assert!(hand_over(&commands, 100).unwrap());
    script.expect(CALL_1).await;
    drop(script);
    peer.closed().await;
    assert!(!commands.wire().is_joined_to(RoleName::Dealer));
    assert!(hand_over(&commands, 100).is_err());
}

#[tokio::test]
async fn more_bytes_than_may_wait_are_not_taken() {
    let small = |config: &mut spell_peer::PeerConfig| config.outbox_soft_limit = 1000;
    let (peer, mut script, _listener) = joined(builder().configure(small)).await;
    let commands = handle(&peer).0;
    assert!(!hand_over(&commands, 1001).unwrap());
    assert!(hand_over(&commands, 600).unwrap());
    assert!(!hand_over(&commands, 600).unwrap());
    // Once it is handled, there is room again.
    script.expect(CALL_1).await;
    assert!(hand_over(&commands, 600).unwrap());
}

#[tokio::test]
async fn what_was_handed_over_before_the_peer_is_stopped_is_sent() {
    let (peer, mut script, _listener) = joined(builder()).await;
    let commands = handle(&peer).0;
    assert!(hand_over(&commands, 100).unwrap());
    peer.stop();
    script.expect(CALL_1).await;
    script.expect(r#"[6,{},"wamp.close.close_realm"]"#).await;
    script.expect_end().await;
}
