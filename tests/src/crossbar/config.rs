//! What Crossbar.io is told.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{
    accounts::{CRA, ITERATIONS, REALM, ROLE, SALT, SALTED_CRA, TICKET},
    link::Urls,
};

/// Events of topics with this prefix are kept.
pub const HISTORY: &str = "com.example.history.";

/// Callers of procedures and publishers to topics with this prefix are disclosed.
pub const DISCLOSED: &str = "com.example.disclosed.";

/// What Crossbar.io listens at for one kind of client.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) websocket: u16,
    pub(super) rawsocket: u16,
    pub(super) unix: PathBuf,
}

impl Sockets {
    pub(super) fn urls(&self) -> Urls {
        Urls {
            websocket: Some(format!("ws://127.0.0.1:{}/ws", self.websocket)),
            rawsocket_tcp: Some(format!("rs://127.0.0.1:{}", self.rawsocket)),
            rawsocket_unix: Some(format!("rs+unix:{}", self.unix.display())),
        }
    }
}

/// One realm, reached by every transport twice: by anybody, and by those with an account.
pub(super) fn configuration(anonymous: &Sockets, authenticated: &Sockets) -> Value {
    let anybody = json!({ "anonymous": { "type": "static", "role": "anonymous" } });
    let accounts = json!({
        "ticket": { "type": "static", "principals": {
            TICKET.authid: { "ticket": TICKET.secret, "role": ROLE },
        } },
        "wampcra": { "type": "static", "users": {
            CRA.authid: { "secret": CRA.secret, "role": ROLE },
            SALTED_CRA.authid: {
                "secret": SALTED_CRA.secret, "role": ROLE, "salt": SALT, "iterations": ITERATIONS, "keylen": 32,
            },
        } },
    });
    let mut transports = Vec::new();
    for (sockets, authentication) in [(anonymous, &anybody), (authenticated, &accounts)] {
        transports.push(listener(
            "websocket",
            &tcp(sockets.websocket),
            authentication,
        ));
        transports.push(listener(
            "rawsocket",
            &tcp(sockets.rawsocket),
            authentication,
        ));
        transports.push(listener("rawsocket", &unix(&sockets.unix), authentication));
    }
    json!({
        "version": 2,
        "workers": [{
            "type": "router",
            "realms": [{
                "name": REALM,
                "roles": [role("anonymous"), role(ROLE)],
                "store": {
                    "type": "memory",
                    "event-history": [{ "uri": HISTORY, "match": "prefix", "limit": 1000 }],
                },
            }],
            "transports": transports,
        }],
    })
}

fn listener(kind: &str, endpoint: &Value, authentication: &Value) -> Value {
    json!({
        "type": kind,
        "endpoint": endpoint,
        "serializers": ["json", "msgpack", "cbor"],
        "auth": authentication,
    })
}

fn tcp(port: u16) -> Value {
    json!({ "type": "tcp", "interface": "127.0.0.1", "port": port })
}

fn unix(path: &Path) -> Value {
    json!({ "type": "unix", "path": path })
}

/// A role that may do everything. It is not for the clients to say who is told of them.
fn role(name: &str) -> Value {
    let allow = json!({ "call": true, "register": true, "publish": true, "subscribe": true });
    json!({ "name": name, "permissions": [
        { "uri": "", "match": "prefix", "allow": allow },
        {
            "uri": DISCLOSED,
            "match": "prefix",
            "allow": allow,
            "disclose": { "caller": true, "publisher": true },
        },
    ] })
}
