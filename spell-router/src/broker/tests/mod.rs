//! What the broker keeps for later, compared with what it should be.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use proptest::prelude::*;
use spell_message::{
    Format, MatchPolicy, Pattern, Payload, PublicationId, SessionId, Uri,
    options::{EventDetails, PublishOptions},
};

use super::{Publication, kept::KeptEvent};
use crate::{auth::Method, realm::Principal, timestamp::Timestamp};

mod history;
mod kept;
mod retained;

/// A publication, by numbers that pick among the few topics, sessions and roles there are.
#[derive(Clone, Debug)]
struct Published {
    topic: usize,
    publisher: u64,
    lists: Lists,
    size: usize,
}

/// Who may get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lists {
    None,
    NotSession(u64),
    OnlySession(u64),
    NotRole(usize),
    OnlyRole(usize),
    Nobody,
}

const TOPICS: [&str; 5] = ["a", "a.b", "a.c", "a.c.d", "b.b"];
const ROLES: [&str; 2] = ["user", "admin"];

fn published() -> impl Strategy<Value = Published> {
    let lists = prop_oneof![
        4 => Just(Lists::None),
        1 => (1..4_u64).prop_map(Lists::NotSession),
        1 => (1..4_u64).prop_map(Lists::OnlySession),
        1 => (0..ROLES.len()).prop_map(Lists::NotRole),
        1 => (0..ROLES.len()).prop_map(Lists::OnlyRole),
        1 => Just(Lists::Nobody),
    ];
    (0..TOPICS.len(), 1..4_u64, lists, 0..400_usize).prop_map(|(topic, publisher, lists, size)| {
        Published {
            topic,
            publisher,
            lists,
            size,
        }
    })
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let texts = prop_oneof![
        proptest::sample::select(&TOPICS[..]),
        proptest::sample::select(&["", "a.", "a..", ".b", "a..d", ".", ".."][..]),
    ];
    let policies = prop_oneof![
        Just(MatchPolicy::Exact),
        Just(MatchPolicy::Prefix),
        Just(MatchPolicy::Wildcard),
    ];
    (texts, policies).prop_filter_map("not a pattern", |(text, policy)| {
        Pattern::new(text, policy).ok()
    })
}

impl Published {
    fn kept(&self, number: usize, published: Timestamp) -> Arc<KeptEvent> {
        let mut options = PublishOptions::new();
        self.lists.set(&mut options);
        let topic = Uri::new(TOPICS[self.topic]).unwrap();
        let payload = payload(&format!(r#"["{}"]"#, "x".repeat(self.size)));
        let publication = Publication {
            publisher: Some(session(self.publisher)),
            topic: &topic,
            options: &options,
            payload: &payload,
        };
        let kept = KeptEvent::new(publication, id(number), EventDetails::new(), published);
        Arc::new(kept.unwrap())
    }

    /// Whether this session would have got it.
    fn is_for(&self, number: u64, role: usize) -> bool {
        self.publisher != number
            && self.lists.include_session(number)
            && self.lists.include_role(role)
    }
}

impl Lists {
    fn set(self, options: &mut PublishOptions) {
        match self {
            Self::None => {}
            Self::NotSession(number) => _ = options.set_exclude([session(number)]),
            Self::OnlySession(number) => _ = options.set_eligible([session(number)]),
            Self::NotRole(role) => _ = options.set_exclude_authrole([ROLES[role]]),
            Self::OnlyRole(role) => _ = options.set_eligible_authrole([ROLES[role]]),
            Self::Nobody => _ = options.set_eligible_authid::<&str>([]),
        }
    }

    fn include_session(self, number: u64) -> bool {
        match self {
            Self::NotSession(not) => not != number,
            Self::OnlySession(only) => only == number,
            _ => true,
        }
    }

    fn include_role(self, role: usize) -> bool {
        match self {
            Self::NotRole(not) => not != role,
            Self::OnlyRole(only) => only == role,
            Self::Nobody => false,
            _ => true,
        }
    }
}

fn session(number: u64) -> SessionId {
    SessionId::new(number).unwrap()
}

fn id(number: usize) -> PublicationId {
    PublicationId::new(u64::try_from(number).unwrap() + 1).unwrap()
}

fn principal(role: usize) -> Principal {
    Principal {
        authid: "joe".to_owned(),
        authrole: ROLES[role].to_owned(),
        method: Method::Anonymous,
        trustlevel: None,
    }
}

fn payload(args: &str) -> Payload {
    let args = Bytes::copy_from_slice(args.as_bytes());
    let end = args.len();
    Payload::encoded(Format::Json, args, end, end)
}

/// So many milliseconds after the epoch.
fn time(millis: u64) -> Timestamp {
    Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
}
