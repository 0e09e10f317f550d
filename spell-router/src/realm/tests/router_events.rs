//! What the router itself publishes.

use super::*;

fn publish(realm: &mut Realm, topic: &str, options: &str) -> Vec<String> {
    let frame = Bytes::from(format!(r#"[16,1,{options},"com.t",[7]]"#));
    let Message::Publish(message) = Json::new().decode(&frame).unwrap() else {
        panic!("{options}");
    };
    let topic = Uri::new(topic).unwrap();
    realm.step(|state, out| state.publish_own(&topic, &message.options, &message.payload, out))
}

#[test]
fn the_router_publishes_below_wamp_too() {
    let mut realm = Realm::new();
    realm.send(BOB, r#"[32,1,{},"wamp.session.on_join"]"#);
    let outputs = publish(&mut realm, "wamp.session.on_join", "{}");
    assert_eq!(outputs, ["2 ← [36,1,1001,{},[7]]"]);
}

#[test]
fn the_options_say_who_gets_what_the_router_publishes() {
    for (options, receivers) in [
        ("{}", "1 2"),
        (r#"{"exclude":[1]}"#, "2"),
        (r#"{"eligible_authrole":["admin"]}"#, "1"),
        (r#"{"eligible":[]}"#, ""),
    ] {
        let mut realm = Realm::new();
        realm.send(ALICE, r#"[32,1,{},"com.t"]"#);
        realm.send(BOB, r#"[32,1,{},"com.t"]"#);
        let outputs = publish(&mut realm, "com.t", options);
        let found: Vec<_> = outputs.iter().map(|line| &line[..1]).collect();
        assert_eq!(found.join(" "), receivers, "{options}");
    }
}

#[test]
fn what_the_router_publishes_names_no_publisher_and_is_not_acknowledged() {
    let mut realm = Realm::new();
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    let options = r#"{"disclose_me":true,"acknowledge":true}"#;
    assert_eq!(
        publish(&mut realm, "com.t", options),
        ["2 ← [36,1,1001,{},[7]]"]
    );
}
