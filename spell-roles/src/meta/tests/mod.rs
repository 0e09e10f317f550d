mod events;
mod failures;
mod history;
mod procedures;
mod router;

use std::time::{Duration, SystemTime};

use spell_message::{Feature, RegistrationId, SessionId, SubscriptionId};

use super::*;
use crate::harness::{Harness, pending, ready};

const ALL: &[Feature] = &[
    Feature::SessionMetaApi,
    Feature::TestamentMetaApi,
    Feature::RegistrationMetaApi,
    Feature::SubscriptionMetaApi,
    Feature::EventHistory,
];

fn session(id: u64) -> SessionId {
    SessionId::new(id).unwrap()
}

fn registration(id: u64) -> RegistrationId {
    RegistrationId::new(id).unwrap()
}

fn subscription(id: u64) -> SubscriptionId {
    SubscriptionId::new(id).unwrap()
}
