//! The router of the crate `xconn-core`, on free ports of the loopback interface and at the Unix socket named by its
//! argument.
//!
//! Prints `websocket <url>`, `rawsocket_tcp <url>` and `rawsocket_unix <url>` and then `ready`, and ends with its
//! standard input.
#![forbid(unsafe_code)]

use std::net::{Ipv4Addr, SocketAddr};

use spell_test_routers::{Outcome, REALM, until_the_tests_end};
use xconn_core::async_::{
    router::{RealmConfig, Router},
    server::{Server, UnixServer},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let socket = std::env::args()
        .nth(1)
        .ok_or("the path of a Unix socket is missing")?;
    let router = Router::new();
    let realm = RealmConfig {
        meta_api: true,
        ..RealmConfig::default()
    };
    router
        .add_realm(REALM, realm)
        .map_err(|error| error.to_string())?;
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let websocket = Server::websocket(router.clone(), any)
        .await
        .map_err(|error| error.to_string())?;
    let rawsocket = Server::rawsocket(router.clone(), any)
        .await
        .map_err(|error| error.to_string())?;
    let _unix = UnixServer::listen(router, &socket, false)
        .await
        .map_err(|error| error.to_string())?;
    println!("websocket ws://{}/ws", websocket.local_addr);
    println!("rawsocket_tcp rs://{}", rawsocket.local_addr);
    println!("rawsocket_unix rs+unix:{socket}");
    println!("ready");
    until_the_tests_end().await
}
