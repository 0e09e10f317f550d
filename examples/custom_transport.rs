//! Bring your own transport: bytes, frames, or dialling.
//! `cargo run --example custom_transport`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use bytes::BytesMut;
use futures_util::TryStreamExt;
use spell::{
    message::Serialization,
    peer::PeerBuilder,
    prelude::*,
    roles::{Caller, Session},
    router::Router,
    transport::{Adapter, Connector, TransportInfo, connector_fn, rawsocket},
};
use spell_examples::Outcome;
use tokio::io::duplex;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

const JSON: Serialization = Serialization::JSON;

#[tokio::main]
async fn main() -> Outcome {
    let router = Router::local();

    // Bytes: any AsyncRead + AsyncWrite carries RawSocket (or WebSocket), here a pipe.
    let far_end = router.clone();
    let bytes = connector_fn(move |_: Vec<Serialization>| {
        let (near, far) = duplex(4096);
        let (router, config) = (far_end.clone(), rawsocket::RawSocketConfig::new);
        tokio::spawn(async move {
            let far = rawsocket::RawSocket::server(far, &[JSON], config()).await;
            far.map(|far| router.attach(far))
        });
        rawsocket::RawSocket::client(near, JSON, config())
    });
    join("bytes", bytes).await?;

    // Frames: any Sink + Stream of whole messages, here with lengths before them.
    let far_end = router.clone();
    let frames = connector_fn(move |_: Vec<Serialization>| {
        let framed = |io| Framed::new(io, LengthDelimitedCodec::new()).map_ok(BytesMut::freeze);
        let (near, far) = duplex(4096);
        far_end.attach(Adapter::new(framed(far), TransportInfo::new(JSON)));
        std::future::ready(Ok(Adapter::new(framed(near), TransportInfo::new(JSON))))
    });
    join("frames", frames).await?;

    // Dialling: whatever gives a transport.
    join("dialling", router.connector()).await
}

async fn join(what: &str, connector: impl Connector) -> Outcome {
    let peer = PeerBuilder::new(Session::new("realm1")).role(Caller::new());
    let peer = peer.connect(connector).await?;
    println!("{what}: session {}", peer.joined().await?.id());
    Ok(peer.leave().await?)
}
