//! The driver and the supervisor over a transport in memory, against a scripted router.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod driving;
mod ends;
mod events;
mod failing_over;
mod first_connect;
mod handing_over;
mod restoring;
mod support;
