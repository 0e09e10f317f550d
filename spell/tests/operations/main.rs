//! What those see and use who run services: statistics, spans, trace context, supervision.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod statistics;
mod supervision;
mod support;
