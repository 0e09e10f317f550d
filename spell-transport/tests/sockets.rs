//! Dialling and listening on real sockets, by URL, and on what a user brings.
#![expect(
    clippy::unwrap_used,
    reason = "allowed in tests, but not found to be one in what they share"
)]

use std::{io, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use spell_transport::{
    AcceptError, AnyListener, BoxConnector, BoxListener, BoxTransport, ConnectError, Connector,
    Incoming, Listener, Origin, Serialization, Transport, TransportError, connector, connector_fn,
    rawsocket::{RawSocket, RawSocketConfig, RawSocketConnector, RawSocketListener},
    websocket::{WebSocket, WebSocketConfig, WebSocketListener, WebSocketRequest},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

const JSON: Serialization = Serialization::JSON;
const CBOR: Serialization = Serialization::CBOR;
const MSGPACK: Serialization = Serialization::MSGPACK;

/// Serves every client: sends back what comes in.
fn echo(mut listener: impl Listener) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let handshake = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let Ok(mut transport) = handshake.await else {
                    return;
                };
                while let Some(Ok(message)) = transport.next().await {
                    transport.send(message).await.unwrap();
                }
                let _ = transport.close().await;
            });
        }
    })
}

/// Sends messages there and back; gives the transport.
async fn use_it(dial: &mut BoxConnector, offers: &[Serialization]) -> BoxTransport {
    let mut transport = dial.connect(offers).await.unwrap();
    for size in [0, 1, 100_000] {
        let message = Bytes::from(vec![b'1'; size]);
        transport.send(message.clone()).await.unwrap();
        assert_eq!(transport.next().await.unwrap().unwrap(), message);
    }
    transport
}

async fn tcp() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn websocket_over_tcp_by_url() {
    let (incoming, address) = tcp().await;
    echo(WebSocketListener::new(incoming, [JSON, CBOR]));
    let url = format!("ws://{address}/wamp?realm=a");
    let mut dial = connector(&url).unwrap();
    let mut transport = use_it(&mut dial, &[MSGPACK, CBOR, JSON]).await;
    let info = transport.info();
    assert_eq!(info.serialization(), CBOR);
    assert_eq!(info.peer(), Some(format!("ws://{address}").as_str()));
    assert!(info.is_confidential(), "loopback");
    transport.close().await.unwrap();
    assert!(transport.next().await.is_none());
}

#[tokio::test]
async fn rawsocket_over_tcp_by_url() {
    let (incoming, address) = tcp().await;
    echo(RawSocketListener::new(incoming, [JSON, CBOR]));
    for scheme in ["rs", "tcp"] {
        let mut dial = connector(&format!("{scheme}://{address}")).unwrap();
        let mut transport = use_it(&mut dial, &[JSON]).await;
        transport.close().await.unwrap();
        assert!(transport.next().await.is_none());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn both_over_unix_sockets_by_url() {
    let folder = std::env::temp_dir().join(format!("spell transport {}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a:b.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    echo(AnyListener::new(listener, [JSON, CBOR]));

    let path = path.to_str().unwrap().replace(' ', "%20");
    let path = path.replace("a:b", "a%3Ab");
    for (url, serialization) in [
        (format!("unix:{path}"), JSON),
        (format!("rs+unix://{path}"), CBOR),
        (format!("ws+unix:{path}"), JSON),
        (format!("ws+unix:{path}:/wamp?x"), CBOR),
    ] {
        let mut dial = connector(&url).unwrap();
        let transport = use_it(&mut dial, &[serialization]).await;
        assert!(transport.info().is_confidential());
    }
    let missing = format!("unix:{path}.missing");
    let error = connector(&missing).unwrap().connect(&[JSON]).await;
    assert!(matches!(error, Err(ConnectError::Dial { .. })));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn rawsocket_dials_again_with_the_next_offer_the_router_supports() {
    let (incoming, address) = tcp().await;
    echo(RawSocketListener::new(incoming, [JSON]));
    let mut dial = RawSocketConnector::new(&format!("rs://{address}")).unwrap();
    let transport = dial.connect(&[CBOR, MSGPACK, JSON]).await.unwrap();
    assert_eq!(transport.info().serialization(), JSON);

    let error = dial.connect(&[CBOR, MSGPACK]).await.unwrap_err();
    assert!(matches!(error, ConnectError::UnsupportedSerialization));
    let error = dial.connect(&[]).await.unwrap_err();
    assert!(matches!(error, ConnectError::NothingToOffer));
}

#[tokio::test]
async fn rawsocket_dials_again_also_when_the_router_only_closes() {
    let (listener, address) = tcp().await;
    let router = tokio::spawn(async move {
        let mut asked = Vec::new();
        loop {
            let (mut io, _) = listener.accept().await.unwrap();
            let mut request = [0; 4];
            io.read_exact(&mut request).await.unwrap();
            asked.push(request);
            if request == [0x7f, 0xf1, 0, 0] {
                io.write_all(&request).await.unwrap();
                return asked;
            }
        }
    });
    let mut dial = RawSocketConnector::new(&format!("rs://{address}")).unwrap();
    let transport = dial.connect(&[CBOR, MSGPACK, JSON]).await.unwrap();
    assert_eq!(transport.info().serialization(), JSON);
    let asked = [0xf3, 0xf2, 0xf1].map(|octet| [0x7f, octet, 0, 0]);
    assert_eq!(router.await.unwrap(), asked);
}

#[tokio::test]
async fn one_port_serves_both_protocols() {
    let (incoming, address) = tcp().await;
    let listener = AnyListener::new(incoming, [JSON, CBOR])
        .rawsocket_config(RawSocketConfig::new().max_message_size(1 << 20));
    echo(BoxListener::new(listener));
    for (scheme, limit) in [("ws", 1 << 24), ("rs", 1 << 20)] {
        let mut dial = connector(&format!("{scheme}://{address}")).unwrap();
        let transport = use_it(&mut dial, &[CBOR]).await;
        assert_eq!(transport.info().max_send(), Some(limit));
    }
    // Neither of the two: closed, and the port serves on.
    let mut other = TcpStream::connect(address).await.unwrap();
    other.write_all(b"\x16\x03\x01\r\n\r\n").await.unwrap();
    let _ = other.read_to_end(&mut Vec::new()).await;
    let mut dial = connector(&format!("rs://{address}")).unwrap();
    use_it(&mut dial, &[CBOR]).await;
}

#[tokio::test]
async fn tcp_sockets_send_without_delay() {
    let (incoming, address) = tcp().await;
    let (mut listener, dial) = (incoming, TcpStream::connect(address));
    let (accepted, _dialled) = tokio::join!(Incoming::accept(&mut listener), dial);
    assert!(accepted.unwrap().0.nodelay().unwrap());
}

#[tokio::test]
async fn a_port_where_nobody_listens_and_a_name_nobody_has_are_told_apart() {
    let (incoming, address) = tcp().await;
    drop(incoming);
    for scheme in ["ws", "rs"] {
        let mut dial = connector(&format!("{scheme}://{address}")).unwrap();
        let error = dial.connect(&[JSON]).await.unwrap_err();
        let ConnectError::Dial { address: tried, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*tried, address.to_string());

        // Longer than a label may be, so that no name server is asked.
        let name = "a".repeat(64);
        let mut dial = connector(&format!("{scheme}://{name}:1")).unwrap();
        let error = dial.connect(&[JSON]).await.unwrap_err();
        assert!(matches!(error, ConnectError::Resolve { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_cut_tcp_connection_is_an_error_for_a_websocket() {
    let (incoming, address) = tcp().await;
    let mut listener = WebSocketListener::new(incoming, [JSON]);
    let mut dial = connector(&format!("ws://{address}")).unwrap();
    let offers = [JSON];
    let (client, server) = tokio::join!(dial.connect(&offers), async {
        listener.accept().await.unwrap().await.unwrap()
    });
    drop(server);
    let error = client.unwrap().next().await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Interrupted), "{error:?}");
}

/// The first depth: any `AsyncRead + AsyncWrite`, here clients that come through a channel.
struct Pipes(mpsc::Receiver<DuplexStream>);

impl Incoming for Pipes {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Origin)> {
        let pipe = self.0.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((pipe, Origin::new("pipe")))
    }
}

#[tokio::test]
async fn any_stream_of_bytes_carries_both_protocols() {
    let (sender, receiver) = mpsc::channel(1);
    echo(AnyListener::new(Pipes(receiver), [JSON]));

    let (near, far) = tokio::io::duplex(64);
    sender.send(far).await.unwrap();
    let raw = RawSocket::client(near, JSON, RawSocketConfig::new()).await;

    let (near, far) = tokio::io::duplex(64);
    sender.send(far).await.unwrap();
    let request = WebSocketRequest::new("ws://pipe/").unwrap();
    let web = WebSocket::client(near, request, &[JSON], WebSocketConfig::new()).await;

    let transports: [BoxTransport; 2] = [Box::new(raw.unwrap()), Box::new(web.unwrap())];
    for mut transport in transports {
        assert!(!transport.info().is_confidential());
        transport.send(Bytes::from_static(b"[1]")).await.unwrap();
        assert_eq!(transport.next().await.unwrap().unwrap(), "[1]");
    }
}

#[tokio::test]
async fn a_closure_that_dials_is_a_connector() {
    let (sender, receiver) = mpsc::channel(1);
    echo(RawSocketListener::new(Pipes(receiver), [JSON]));
    let mut dial = connector_fn(move |offers: Vec<Serialization>| {
        let sender = sender.clone();
        async move {
            let (near, far) = tokio::io::duplex(64);
            let gone = |error| ConnectError::Other(Box::new(error));
            sender.send(far).await.map_err(gone)?;
            let offer = offers.first().ok_or(ConnectError::NothingToOffer)?;
            RawSocket::client(near, *offer, RawSocketConfig::new()).await
        }
    });
    for _ in 0..2 {
        let transport = dial.connect(&[JSON]).await.unwrap();
        assert_eq!(transport.info().serialization(), JSON);
    }
    use_it(&mut BoxConnector::new(dial), &[JSON]).await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_given_up_and_keeps_no_other_waiting() {
    let (sender, receiver) = mpsc::channel(8);
    let mut listener =
        AnyListener::new(Pipes(receiver), [JSON]).handshake_timeout(Duration::from_secs(3));
    // One says nothing, one a part of each protocol.
    let mut silent = Vec::new();
    for start in [&b""[..], b"\x7f", b"GET / HTTP/1.1\r\n"] {
        let (mut near, far) = tokio::io::duplex(64);
        near.write_all(start).await.unwrap();
        sender.send(far).await.unwrap();
        silent.push((near, listener.accept().await.unwrap()));
    }
    let (near, far) = tokio::io::duplex(64);
    sender.send(far).await.unwrap();
    let handshake = listener.accept().await.unwrap();
    let (client, server) = tokio::join!(
        RawSocket::client(near, JSON, RawSocketConfig::new()),
        handshake
    );
    client.unwrap();
    server.unwrap();

    for (_near, handshake) in silent {
        let error = handshake.await.map(|_transport| ()).unwrap_err();
        let AcceptError::Timeout { limit } = error else {
            panic!("{error:?}");
        };
        assert_eq!(limit, Duration::from_secs(3));
    }
}

/// Each side writes more than all buffers hold before it reads.
#[tokio::test]
async fn two_sides_that_send_much_at_once_do_not_block_each_other() {
    for scheme in ["ws", "rs"] {
        let (incoming, address) = tcp().await;
        let mut listener = AnyListener::new(incoming, [CBOR]);
        let mut dial = connector(&format!("{scheme}://{address}")).unwrap();
        let offers = [CBOR];
        let (client, server) = tokio::join!(dial.connect(&offers), async {
            listener.accept().await.unwrap().await.unwrap()
        });
        tokio::join!(exchange(client.unwrap()), exchange(server));
    }
}

/// Sends and takes 500 messages of 100 kB in one task, as a driver does.
async fn exchange(mut transport: BoxTransport) {
    let message = Bytes::from(vec![7; 100_000]);
    let (mut sent, mut received) = (0, 0);
    std::future::poll_fn(|cx| {
        use std::task::Poll;
        loop {
            let mut progress = false;
            if let Poll::Ready(item) = transport.poll_next_unpin(cx) {
                assert_eq!(item.unwrap().unwrap().len(), message.len());
                received += 1;
                progress = true;
            }
            if sent < 500
                && let Poll::Ready(ready) = transport.poll_ready_unpin(cx)
            {
                ready.unwrap();
                transport.start_send_unpin(message.clone()).unwrap();
                sent += 1;
                progress = true;
            }
            if !progress || received == 500 {
                let flushed = transport.poll_flush_unpin(cx);
                if (sent, received) == (500, 500) {
                    return flushed.map(Result::unwrap);
                }
                if !progress {
                    return Poll::Pending;
                }
            }
        }
    })
    .await;
}
