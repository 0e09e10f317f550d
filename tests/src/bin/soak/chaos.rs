//! What fails.

use std::{sync::Arc, time::Duration};

use spell_router::{Realm, Router};
use spell_tests::{
    accounts::REALM,
    faults::{Cut, Direction, Fault, FaultProxy},
};
use tokio::time::sleep;

use crate::report::Report;

/// A router whose slow clients are cut off early.
pub(crate) fn router() -> Router {
    Router::builder()
        .realm(Realm::new(REALM))
        .queue_limits(4096, 8 << 20)
        .build()
        .unwrap_or_else(|_| Router::local())
}

/// Lets one proxy after the other fail in some way for some time, and the router once in a while. The proxies whose flag
/// is set stand before WebSocket, the others before RawSocket.
pub(crate) async fn rage(
    mut router: Router,
    proxies: Vec<(FaultProxy, bool)>,
    mut chance: fastrand::Rng,
    report: Arc<Report>,
) {
    loop {
        sleep(Duration::from_millis(chance.u64(100..1500))).await;
        if chance.u8(..60) == 0 {
            report.count("router killed");
            router = restart(router, &proxies, &report).await;
            continue;
        }
        let Some((proxy, _)) = proxies.get(chance.usize(..proxies.len().max(1))) else {
            return;
        };
        let how = if chance.bool() {
            Cut::Reset
        } else {
            Cut::Finish
        };
        let direction = if chance.bool() {
            Direction::ToRouter
        } else {
            Direction::ToClient
        };
        let fault = match chance.u8(..7) {
            0 => {
                report.count("connection cut");
                proxy.cut(how);
                continue;
            }
            1 => Fault::CutAfter(chance.u64(..10_000), how),
            2 => Fault::Slow(Duration::from_millis(20)),
            3 => Fault::Split(16),
            4 => Fault::Limit(100_000),
            5 => Fault::Stall,
            _ => Fault::Swallow,
        };
        proxy.set(direction, fault);
        report.count(match fault {
            Fault::CutAfter(..) => "connection cut in a message",
            Fault::Slow(_) => "slow",
            Fault::Split(_) => "split",
            Fault::Limit(_) => "limited",
            Fault::Stall => "stalled",
            _ => "half open",
        });
        sleep(Duration::from_millis(chance.u64(100..2000))).await;
        if matches!(fault, Fault::Swallow) {
            // What was swallowed is lost, which no network does to a connection that lives on.
            proxy.cut(how);
        }
        proxy.clear();
    }
}

/// Drops the router, as a process that is killed does, and leads all to a new one.
async fn restart(old: Router, proxies: &[(FaultProxy, bool)], report: &Report) -> Router {
    drop(old);
    let new = router();
    let (Ok(websocket), Ok(rawsocket)) = (
        new.listen("ws://127.0.0.1:0").await,
        new.listen("rs://127.0.0.1:0").await,
    ) else {
        report.wrong("the router cannot listen again".to_owned());
        return new;
    };
    for (proxy, is_websocket) in proxies {
        let url = if *is_websocket {
            &websocket
        } else {
            &rawsocket
        };
        if let Err(error) = proxy.lead_to(url) {
            report.wrong(error.to_string());
        }
    }
    new
}
