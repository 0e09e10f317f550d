mod events;
mod procedures;

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

#[test]
fn a_time_is_sent_as_rfc_3339_has_it() {
    let epoch = SystemTime::UNIX_EPOCH;
    let time = epoch + Duration::new(1_700_000_000, 5);
    assert_eq!(
        HistoryTime::from(time),
        HistoryTime::from("2023-11-14T22:13:20.000000005Z")
    );
    let before = HistoryTime::from(epoch - Duration::from_secs(1));
    assert_eq!(before, HistoryTime::from(epoch));
    let text = format!(
        "{:?}",
        HistoryTime::from(epoch + Duration::from_secs(1 << 40))
    );
    assert!(text.contains("9999-12-30T"), "{text}");
}
