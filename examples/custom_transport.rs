//! Bring your own transport: bytes, frames, or dialling.
//!
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
    transport::{
        Adapter, ConnectError, Connector, TransportInfo, connector_fn,
        rawsocket::{RawSocket, RawSocketConfig},
    },
};
use spell_examples::Outcome;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// Join over any way of dialling, and leave.
async fn join(what: &str, connector: impl Connector) -> Outcome {
    let peer = PeerBuilder::new(Session::new("realm1"))
        .role(Caller::default())
        .connect(connector)
        .await?;
    println!("{what}: session {}", peer.joined().await?.id());
    peer.leave().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    let router = Router::local();

    // Bytes: any AsyncRead + AsyncWrite, here a pipe, carries RawSocket.
    let far_end = router.clone();
    let bytes = connector_fn(move |offers: Vec<Serialization>| {
        let router = far_end.clone();
        async move {
            let offer = *offers.first().ok_or(ConnectError::NothingToOffer)?;
            let (near, far) = tokio::io::duplex(4096);
            tokio::spawn(async move {
                let supported = [
                    Serialization::CBOR,
                    Serialization::JSON,
                    Serialization::MSGPACK,
                ];
                match RawSocket::server(far, &supported, RawSocketConfig::new()).await {
                    Ok(transport) => router.attach(transport),
                    Err(error) => eprintln!("{error}"),
                }
            });
            RawSocket::client(near, offer, RawSocketConfig::new()).await
        }
    });
    join("bytes", bytes).await?;

    // Frames: any Sink + Stream of whole messages, here length-delimited over a pipe.
    let far_end = router.clone();
    let frames = connector_fn(move |offers: Vec<Serialization>| {
        let router = far_end.clone();
        async move {
            let offer = *offers.first().ok_or(ConnectError::NothingToOffer)?;
            let (near, far) = tokio::io::duplex(4096);
            let framed = |io| Framed::new(io, LengthDelimitedCodec::new()).map_ok(BytesMut::freeze);
            let adapt = |io| Adapter::new(framed(io), TransportInfo::new(offer));
            router.attach(adapt(far));
            Ok(adapt(near))
        }
    });
    join("frames", frames).await?;

    // Dialling: whatever gives a transport.
    join("dialling", router.connector()).await
}
