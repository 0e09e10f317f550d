//! Who may use the meta API.

use super::*;

const INTERVENING: [&str; 6] = [
    r#""wamp.session.kill",[2]"#,
    r#""wamp.session.kill_by_authid",["bob"]"#,
    r#""wamp.session.kill_by_authrole",["user"]"#,
    r#""wamp.session.kill_all""#,
    r#""wamp.registration.remove_callee",[1,2]"#,
    r#""wamp.subscription.remove_subscriber",[1,2]"#,
];

const LOOKING: [&str; 5] = [
    r#""wamp.session.count""#,
    r#""wamp.session.list""#,
    r#""wamp.session.get",[1]"#,
    r#""wamp.registration.list""#,
    r#""wamp.subscription.list""#,
];

const OPEN: [&str; 3] = [
    r#""wamp.session.add_testament",["com.t",[],{}]"#,
    r#""wamp.session.flush_testaments""#,
    r#""wamp.subscription.get_events",[1]"#,
];

/// Whether a call of Alice is refused for what she may.
fn refused(meta_api: &MetaApi, call: &str) -> bool {
    let mut realm = Realm::new();
    realm.state.meta_api = meta_api.clone();
    let outputs = ask(&mut realm, 1, call);
    let refused = outputs[0].ends_with(r#""wamp.error.not_authorized"]"#);
    assert!(!refused || outputs.len() == 1, "{call}");
    refused
}

#[test]
fn by_default_everyone_may_look_and_nobody_may_intervene() {
    let default = MetaApi::default();
    for call in INTERVENING {
        assert!(refused(&default, call), "{call}");
    }
    for call in LOOKING.into_iter().chain(OPEN) {
        assert!(!refused(&default, call), "{call}");
    }
}

#[test]
fn administrators_may_intervene_by_their_role() {
    for call in INTERVENING {
        let others = MetaApi::new().administrators(["user", "ADMIN", "alice"]);
        assert!(refused(&others, call), "{call}");
        let admins = MetaApi::new().administrators(["user", "admin"]);
        assert!(!refused(&admins, call), "{call}");
        assert!(
            !refused(&MetaApi::new().everyone_administers(), call),
            "{call}"
        );
    }
}

#[test]
fn observers_are_the_only_ones_who_may_look() {
    let others = MetaApi::new().observers(["user"]);
    for call in LOOKING {
        assert!(refused(&others, call), "{call}");
        assert!(
            !refused(&MetaApi::new().observers(["admin"]), call),
            "{call}"
        );
    }
    for call in OPEN {
        assert!(!refused(&others, call), "{call}");
    }
}

#[test]
fn only_observers_are_told_of_what_happens() {
    let mut realm = Realm::new();
    realm.state.meta_api = MetaApi::new().observers(["admin"]);
    for session in [ALICE, CAROL] {
        realm.send(session, r#"[32,1,{"match":"prefix"},""]"#);
    }
    let outputs = realm.leave(BOB);
    assert_eq!(outputs.len(), 1);
    assert!(outputs[0].starts_with("1 ← [36,"));
}
