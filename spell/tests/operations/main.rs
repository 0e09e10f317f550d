//! What those see and use who run services: statistics, spans, trace context, supervision.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

#[cfg(feature = "metrics")]
mod metrics;
mod spans;
mod statistics;
mod supervision;
mod support;
mod trace_context;
