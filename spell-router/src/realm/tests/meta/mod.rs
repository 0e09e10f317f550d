//! The router's own procedures and topics.

use std::time::SystemTime;

use super::*;
use crate::meta::{Farewell, MetaApi, Victims};

mod arguments;
mod events;
mod killing;
mod permissions;
mod registrations;
mod sessions;
mod subscriptions;
mod testaments;

/// A realm like any other, where Alice may intervene.
fn administered() -> Realm {
    let mut realm = Realm::new();
    realm.state.meta_api = MetaApi::new().administrators(["admin"]);
    realm
}

/// All that comes of a call of Alice, her answer last.
fn ask(realm: &mut Realm, request: u64, call: &str) -> Vec<String> {
    realm.send(ALICE, &format!("[48,{request},{{}},{call}]"))
}

/// Lets Carol watch these topics: her subscriptions 1, 2 and so on, in a realm without others.
fn watch(realm: &mut Realm, topics: &[&str]) {
    for (index, topic) in topics.iter().enumerate() {
        realm.send(CAROL, &format!(r#"[32,{},{{}},"{topic}"]"#, index + 1));
    }
}

/// The same, of all topics of one kind, in the order of what they tell.
fn watch_all(realm: &mut Realm, kind: &str) {
    let topics = match kind {
        "registration" => ["on_create", "on_register", "on_unregister", "on_delete"],
        _ => ["on_create", "on_subscribe", "on_unsubscribe", "on_delete"],
    };
    let topics = topics.map(|topic| format!("wamp.{kind}.{topic}"));
    watch(realm, &topics.each_ref().map(String::as_str));
}

/// What Carol is told, as `topic: arguments`, where she watches all topics of one kind.
fn told(outputs: &[String]) -> Vec<String> {
    let lines = outputs.iter().filter_map(|line| line.strip_prefix("3 ← "));
    let messages = lines.map(|line| serde_json::from_str(line).unwrap());
    let events = messages.filter(|message: &serde_json::Value| message[0] == 36);
    let event = |event: serde_json::Value| {
        let topic = match event[1].as_u64() {
            Some(1) => "created",
            Some(2) => "added",
            Some(3) => "removed",
            _ => "deleted",
        };
        format!("{topic}: {}", event[4])
    };
    events.map(event).collect()
}

/// Stops the clock of the realm, at the beginning of the time.
fn stop_clock(realm: &mut Realm) {
    let mut now = (realm.state.environment.clock)();
    now.system = SystemTime::UNIX_EPOCH;
    realm.state.environment.clock = Box::new(move || now);
}
