//! What Crossbar.io is told.

use std::path::Path;

use serde_json::{Value, json};

use crate::link::Addresses;

/// The realm of all tests.
pub const REALM: &str = "realm1";

/// The role of everybody who has authenticated.
pub const ROLE: &str = "user";

/// Who may join with [`Crossbar::authenticated`](super::Crossbar::authenticated).
#[derive(Debug)]
#[non_exhaustive]
pub struct Account {
    /// The `authid` to say in HELLO.
    pub authid: &'static str,
    /// The ticket, or the secret to sign with; known to everybody who reads this.
    pub secret: &'static str,
}

/// Joins with a ticket.
pub const TICKET: Account = Account {
    authid: "ticket-user",
    secret: "ticket of ticket-user",
};

/// Joins with WAMP-CRA and signs with the secret itself.
pub const CRA: Account = Account {
    authid: "cra-user",
    secret: "secret of cra-user",
};

/// Joins with WAMP-CRA and signs with a key derived from the secret.
pub const SALTED_CRA: Account = Account {
    authid: "salted-user",
    secret: "secret of salted-user",
};

/// One realm, reached by every transport twice: by anybody, and by those with an account.
pub(super) fn configuration(anonymous: &Addresses, authenticated: &Addresses) -> Value {
    let anybody = json!({ "anonymous": { "type": "static", "role": "anonymous" } });
    let accounts = json!({
        "ticket": { "type": "static", "principals": {
            TICKET.authid: { "ticket": TICKET.secret, "role": ROLE },
        } },
        "wampcra": { "type": "static", "users": {
            CRA.authid: { "secret": CRA.secret, "role": ROLE },
            SALTED_CRA.authid: {
                "secret": SALTED_CRA.secret, "role": ROLE, "salt": "salt123", "iterations": 1000, "keylen": 32,
            },
        } },
    });
    let mut transports = Vec::new();
    for (addresses, authentication) in [(anonymous, &anybody), (authenticated, &accounts)] {
        transports.push(listener(
            "websocket",
            &tcp(addresses.websocket),
            authentication,
        ));
        transports.push(listener(
            "rawsocket",
            &tcp(addresses.rawsocket),
            authentication,
        ));
        transports.push(listener(
            "rawsocket",
            &unix(&addresses.unix),
            authentication,
        ));
    }
    json!({
        "version": 2,
        "workers": [{
            "type": "router",
            "realms": [{ "name": REALM, "roles": [role("anonymous"), role(ROLE)] }],
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

/// A role that may do everything.
fn role(name: &str) -> Value {
    json!({ "name": name, "permissions": [{
        "uri": "", "match": "prefix",
        "allow": { "call": true, "register": true, "publish": true, "subscribe": true },
    }] })
}
