//! Each combination of the six lists and the exclusion of the publisher.
//!
//! WAMP spec, "Subscriber Black- and Whitelisting" and "Publisher Exclusion".

use super::*;

/// What a list holds, of those that name a session, an `authid` or an `authrole`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Absent,
    Empty,
    /// It names Bob, or the role that Bob and Carol have.
    Bob,
    /// It names nobody who is there.
    Nobody,
}

const LISTS: [List; 4] = [List::Absent, List::Empty, List::Bob, List::Nobody];

const KEYS: [(&str, &str, &str); 6] = [
    ("exclude", "2", "99"),
    ("exclude_authid", r#""bob""#, r#""nobody""#),
    ("exclude_authrole", r#""user""#, r#""nobody""#),
    ("eligible", "2", "99"),
    ("eligible_authid", r#""bob""#, r#""nobody""#),
    ("eligible_authrole", r#""user""#, r#""nobody""#),
];

/// Whether a session is on the list with this key.
fn is_on(list: List, key: &str, session: u64) -> bool {
    let with_role = key.ends_with("_authrole");
    list == List::Bob && (session == BOB || with_role && session == CAROL)
}

/// The rule as the specification has it, one condition after the other.
fn gets_it(lists: [List; 6], exclude_me: Option<bool>, session: u64) -> bool {
    let conditions = lists.into_iter().zip(KEYS).all(|(list, (key, ..))| {
        let on = is_on(list, key, session);
        if key.starts_with("eligible") {
            list == List::Absent || on
        } else {
            !on
        }
    });
    conditions && (session != ALICE || exclude_me == Some(false))
}

#[test]
fn an_event_goes_to_whom_every_list_that_is_there_lets_have_it() {
    let mut realm = Realm::new();
    for session in [ALICE, BOB, CAROL] {
        realm.send(session, r#"[32,1,{},"com.t"]"#);
    }
    let mut request = 1;
    for combination in 0..LISTS.len().pow(6) {
        let lists: [List; 6] = std::array::from_fn(|key| {
            let digit = combination / LISTS.len().pow(u32::try_from(key).unwrap());
            LISTS[digit % LISTS.len()]
        });
        // Beside all combinations of lists, those of `exclude_me` in turn.
        let exclude_me = [None, Some(true), Some(false)][combination % 3];
        let options = options(lists, exclude_me);
        request += 1;
        let outputs = realm.send(ALICE, &format!(r#"[16,{request},{{{options}}},"com.t"]"#));
        let found: Vec<_> = outputs.iter().map(|line| line[..1].to_owned()).collect();
        let sessions = [ALICE, BOB, CAROL].into_iter();
        let expected: Vec<_> = sessions
            .filter(|session| gets_it(lists, exclude_me, *session))
            .map(|session| session.to_string())
            .collect();
        assert_eq!(found, expected, "{options}");
    }
}

fn options(lists: [List; 6], exclude_me: Option<bool>) -> String {
    let lists = lists
        .into_iter()
        .zip(KEYS)
        .filter_map(|(list, (key, bob, nobody))| match list {
            List::Absent => None,
            List::Empty => Some(format!(r#""{key}":[]"#)),
            List::Bob => Some(format!(r#""{key}":[{bob}]"#)),
            List::Nobody => Some(format!(r#""{key}":[{nobody}]"#)),
        });
    let exclude_me = exclude_me.map(|exclude_me| format!(r#""exclude_me":{exclude_me}"#));
    let options: Vec<_> = lists.chain(exclude_me).collect();
    options.join(",")
}

/// The examples of the specification, with its session ids.
#[test]
fn the_worked_examples_hold() {
    for (options, receivers) in [
        (r#"{"exclude":[7891255,1245751]}"#, vec![9_912_315]),
        (
            r#"{"eligible":[7891255,1245751]}"#,
            vec![1_245_751, 7_891_255],
        ),
        (
            r#"{"eligible":[7891255,1245751,9912315],"exclude":[7891255]}"#,
            vec![1_245_751, 9_912_315],
        ),
    ] {
        let mut realm = Realm::new();
        realm.send(ALICE, r#"[32,1,{},"com.myapp.mytopic1"]"#);
        for session in [7_891_255, 1_245_751, 9_912_315] {
            realm.join(session, "someone", "user");
            realm.send(session, r#"[32,1,{},"com.myapp.mytopic1"]"#);
        }
        let publish = format!(r#"[16,2,{options},"com.myapp.mytopic1",["Hello, world!"]]"#);
        let expected = receivers
            .iter()
            .map(|to| format!(r#"{to} ← [36,1,1001,{{}},["Hello, world!"]]"#));
        assert!(expected.eq(realm.send(ALICE, &publish)), "{options}");
    }
}
