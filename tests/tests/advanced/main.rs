//! The advanced profile, against each router that has the feature, and with peers of other makes at the other end.
//!
//! Which router and which library is seen to do what is the table in this file; `docs/features.md` tells it to readers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it is surprised"
)]

mod announcements;
