use spell_peer::PeerBuilder;
use spell_roles::{CallerExt, Session};

async fn call(connector: spell_transport::BoxConnector) {
    let peer = PeerBuilder::new(Session::new("realm1")).connect(connector).await.unwrap();
    let _ = peer.call("com.example.echo").arg("ping").await;
}

fn main() {}
