//! Where a message belongs in a distributed trace: what the router hands on of it.
//!
//! The specification lets a router ignore what it does not know. But a trace that breaks off at the
//! router is of no use, so this goes from the options of CALL and PUBLISH to whoever gets them.

use spell_message::options::{EventDetails, InvocationDetails};

/// Details that tell a receiver where a message belongs in a trace.
pub(crate) trait Traced {
    /// Take it over, if it is there and well formed.
    fn trace(&mut self, traceparent: Option<&str>, tracestate: Option<&str>);
}

macro_rules! traced {
    ($($Details:ident)*) => { $(
        impl Traced for $Details {
            fn trace(&mut self, traceparent: Option<&str>, tracestate: Option<&str>) {
                let Some(traceparent) = traceparent else {
                    return;
                };
                // Both were looked at where they were read.
                let _ = self.set_traceparent(traceparent);
                if let Some(tracestate) = tracestate {
                    let _ = self.set_tracestate(tracestate);
                }
            }
        }
    )* };
}

traced! { EventDetails InvocationDetails }
