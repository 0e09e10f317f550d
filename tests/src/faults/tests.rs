use std::time::Instant;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::*;

/// A proxy and the two ends of one connection through it: the client's and the router's.
async fn connected() -> (FaultProxy, TcpStream, TcpStream) {
    let router = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = FaultProxy::start(&url(&router), 1).await.unwrap();
    let client = connect(&proxy).await;
    let (router, _) = router.accept().await.unwrap();
    (proxy, client, router)
}

fn url(router: &TcpListener) -> String {
    format!("rs://{}", router.local_addr().unwrap())
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(address(proxy.url()).unwrap())
        .await
        .unwrap()
}

async fn heard(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// All until the end, and how that was.
async fn rest(stream: &mut TcpStream) -> (Vec<u8>, io::Result<usize>) {
    let mut bytes = Vec::new();
    let ended = timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
    (bytes, ended.expect("the connection stays open"))
}

fn is_reset(ended: &io::Result<usize>) -> bool {
    ended
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
}

#[test]
fn the_address_of_the_router_is_that_of_its_url() {
    assert_eq!(address("ws://127.0.0.1:80/ws").unwrap(), "127.0.0.1:80");
    assert_eq!(address("rss://localhost:1").unwrap(), "localhost:1");
    assert!(address("rs://localhost").is_err());
    assert!(address("unix:/tmp/socket").is_err());
}

#[tokio::test]
async fn without_a_fault_bytes_and_ends_go_through_both_ways() {
    let (proxy, mut client, mut router) = connected().await;
    client.write_all(b"hello").await.unwrap();
    assert_eq!(heard(&mut router, 5).await, b"hello");
    router.write_all(b"welcome").await.unwrap();
    assert_eq!(heard(&mut client, 7).await, b"welcome");
    assert_eq!((proxy.accepted(), proxy.open()), (1, 1));
    assert_eq!(proxy.passed(Direction::ToRouter), 5);
    assert_eq!(proxy.passed(Direction::ToClient), 7);
    assert_eq!(
        proxy.chunks(),
        [(Direction::ToRouter, 5), (Direction::ToClient, 7)]
    );

    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut router).await.1.unwrap(), 0);
    router.write_all(b"last").await.unwrap();
    drop(router);
    assert_eq!(rest(&mut client).await.0, b"last");
}

#[tokio::test]
async fn a_cut_ends_both_sides_by_reset_or_by_finish() {
    let (proxy, mut client, mut router) = connected().await;
    proxy.cut(Cut::Reset);
    assert!(is_reset(&rest(&mut client).await.1));
    assert!(is_reset(&rest(&mut router).await.1));

    let (proxy, mut client, mut router) = connected().await;
    // Bytes that nobody reads do not turn it into a reset.
    client.write_all(b"unread").await.unwrap();
    proxy.cut(Cut::Finish);
    assert_eq!(rest(&mut client).await.1.unwrap(), 0);
    assert!(rest(&mut router).await.1.is_ok());
}

#[tokio::test]
async fn a_cut_comes_after_exactly_as_many_bytes() {
    for how in [Cut::Reset, Cut::Finish] {
        for count in [0, 1, 3] {
            let (proxy, mut client, mut router) = connected().await;
            router.write_all(b"before").await.unwrap();
            heard(&mut client, 6).await;
            proxy.set(Direction::ToClient, Fault::CutAfter(count, how));
            // The one direction is cut, not the other.
            client.write_all(b"question").await.unwrap_or_default();
            router.write_all(b"answer").await.unwrap_or_default();
            let (bytes, ended) = rest(&mut client).await;
            assert_eq!(bytes, &b"answer"[..usize::try_from(count).unwrap()]);
            assert_eq!(is_reset(&ended), how == Cut::Reset);
        }
    }
}

#[tokio::test]
async fn what_is_swallowed_never_arrives_and_what_comes_later_does() {
    let (proxy, mut client, mut router) = connected().await;
    proxy.set(Direction::ToRouter, Fault::Swallow);
    let much = vec![7; 4 << 20];
    // It is taken, however much it is.
    client.write_all(&much).await.unwrap();
    router.write_all(b"the other way").await.unwrap();
    assert_eq!(heard(&mut client, 13).await, b"the other way");
    assert_eq!(proxy.passed(Direction::ToRouter), 0);
    let (faults, mut end) = (proxy.faults(), [0; 1]);
    client.shutdown().await.unwrap();
    let silent = timeout(Duration::from_millis(50), router.read(&mut end)).await;
    assert!(silent.is_err(), "the end came through");
    faults.clear();
    assert_eq!(router.read(&mut end).await.unwrap(), 0);
}

#[tokio::test]
async fn a_stalled_direction_takes_nothing_until_it_is_cleared() {
    let (proxy, mut client, mut router) = connected().await;
    proxy.set(Direction::ToRouter, Fault::Stall);
    let much = vec![7; 16 << 20];
    let size = much.len();
    let mut written = 0;
    // Until the buffers of the system are full.
    while let Ok(count) = timeout(
        Duration::from_millis(200),
        client.write(much.get(written..).unwrap()),
    )
    .await
    {
        written += count.unwrap();
    }
    assert!(written < size, "everything was taken");
    assert_eq!(proxy.passed(Direction::ToRouter), 0);
    proxy.clear();
    assert_eq!(heard(&mut router, written).await.len(), written);
}

#[tokio::test]
async fn split_bytes_arrive_whole_and_in_order() {
    let (proxy, mut client, mut router) = connected().await;
    let said: Vec<u8> = (0..=255).cycle().take(5000).collect();
    for largest in [1, 7] {
        proxy.set(Direction::ToRouter, Fault::Split(largest));
        client.write_all(&said).await.unwrap();
        assert_eq!(heard(&mut router, said.len()).await, said);
    }
}

#[tokio::test]
async fn slow_and_limited_bytes_arrive_later() {
    let (proxy, mut client, mut router) = connected().await;
    proxy.set(Direction::ToRouter, Fault::Limit(10_000));
    let start = Instant::now();
    client.write_all(&[1; 2000]).await.unwrap();
    heard(&mut router, 2000).await;
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(190), "{took:?}");

    proxy.set(Direction::ToRouter, Fault::Slow(Duration::from_millis(20)));
    let start = Instant::now();
    for _ in 0..10 {
        client.write_all(&[1]).await.unwrap();
        heard(&mut router, 1).await;
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(20), "{took:?}");
}

#[tokio::test]
async fn chance_goes_by_the_seed() {
    let faults = |seed| {
        Faults(Arc::new(Shared {
            router: Mutex::default(),
            settings: watch::Sender::new(Settings::default()),
            cuts: broadcast::Sender::new(1),
            counts: Counts::default(),
            chunks: Mutex::default(),
            seed,
        }))
    };
    let drawn = |seed, direction, number| {
        pump::Pump::new(&faults(seed), direction, number)
            .chance
            .u64(..)
    };
    assert_eq!(
        drawn(1, Direction::ToRouter, 0),
        drawn(1, Direction::ToRouter, 0)
    );
    for (seed, direction, number) in [
        (2, Direction::ToRouter, 0),
        (1, Direction::ToClient, 0),
        (1, Direction::ToRouter, 1),
    ] {
        assert_ne!(
            drawn(1, Direction::ToRouter, 0),
            drawn(seed, direction, number)
        );
    }
}

#[tokio::test]
async fn who_is_refused_is_reset_and_open_connections_stay() {
    let (proxy, mut client, mut router) = connected().await;
    proxy.refuse();
    let mut refused = connect(&proxy).await;
    assert!(is_reset(&rest(&mut refused).await.1));
    client.write_all(b"still here").await.unwrap();
    assert_eq!(heard(&mut router, 10).await, b"still here");
}

#[tokio::test]
async fn new_connections_are_led_to_another_router() {
    let (proxy, _client, _router) = connected().await;
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    proxy.lead_to(&url(&other)).unwrap();
    let mut client = connect(&proxy).await;
    let (mut router, _) = other.accept().await.unwrap();
    client.write_all(b"hello").await.unwrap();
    assert_eq!(heard(&mut router, 5).await, b"hello");

    // A router that is not there resets the client.
    drop((other, router));
    let mut client = connect(&proxy).await;
    assert!(is_reset(&rest(&mut client).await.1));
}

#[tokio::test]
async fn connections_end_with_their_proxy() {
    let (proxy, mut client, mut router) = connected().await;
    let faults = proxy.faults();
    drop(proxy);
    assert!(is_reset(&rest(&mut client).await.1));
    assert!(is_reset(&rest(&mut router).await.1));
    assert_eq!(faults.open(), 0);
}
