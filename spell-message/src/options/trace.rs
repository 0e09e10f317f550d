//! Where a message belongs in a distributed trace: two extension keys of its options or details.
//!
//! They hold what the headers of the same names hold in HTTP (W3C, "Trace Context"). The
//! specification of WAMP does not know them, so that whatever a peer sends there is tolerated; what
//! is malformed counts as absent.

use super::{
    CallOptions, EventDetails, InvalidOption, InvocationDetails, PublishOptions,
    expected::{Expected, check_one},
};

const TRACEPARENT: &str = "_traceparent";
const TRACESTATE: &str = "_tracestate";

/// What is expected of the keys where they are set.
const EXPECTED: &[(&str, Expected)] = &[
    (TRACEPARENT, Expected::TraceParent),
    (TRACESTATE, Expected::TraceState),
];

macro_rules! traced {
    ($($Name:ident in $place:literal)*) => { $(
        impl $Name {
            /// The place in a distributed trace, as in the header of that name, if it is well
            /// formed; not in the specification.
            pub fn traceparent(&self) -> Option<&str> {
                let text = self.as_dict().get(TRACEPARENT)?.as_str()?;
                is_traceparent(text).then_some(text)
            }

            /// Set [`traceparent`](Self::traceparent), which must be well formed.
            pub fn set_traceparent(
                &mut self,
                text: impl Into<String>,
            ) -> Result<&mut Self, InvalidOption> {
                let value = text.into().into();
                check_one($place, EXPECTED, TRACEPARENT, &value)?;
                self.set(TRACEPARENT, value)
            }

            /// What the systems of a trace add to its place, as in the header of that name, if it
            /// is well formed; not in the specification.
            pub fn tracestate(&self) -> Option<&str> {
                let text = self.as_dict().get(TRACESTATE)?.as_str()?;
                is_tracestate(text).then_some(text)
            }

            /// Set [`tracestate`](Self::tracestate), which must be well formed.
            pub fn set_tracestate(
                &mut self,
                text: impl Into<String>,
            ) -> Result<&mut Self, InvalidOption> {
                let value = text.into().into();
                check_one($place, EXPECTED, TRACESTATE, &value)?;
                self.set(TRACESTATE, value)
            }
        }
    )* };
}

traced! {
    CallOptions in "CALL.Options"
    PublishOptions in "PUBLISH.Options"
    InvocationDetails in "INVOCATION.Details"
    EventDetails in "EVENT.Details"
}

/// `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, lower case, neither id zero; a later version
/// may have more behind it.
pub(crate) fn is_traceparent(text: &str) -> bool {
    let mut fields = text.split('-');
    let mut is_hex = |length: usize| {
        let field = fields.next().unwrap_or_default().as_bytes();
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_zero = field.iter().all(|byte| *byte == b'0');
        (field.len() == length && field.iter().all(is_digit), is_zero)
    };
    let ((version, is_first), (trace, no_trace)) = (is_hex(2), is_hex(32));
    let ((parent, no_parent), (flags, _)) = (is_hex(16), is_hex(2));
    version
        && !text.starts_with("ff")
        && (trace && !no_trace)
        && (parent && !no_parent)
        && flags
        && (!is_first || fields.next().is_none())
        && text.len() <= LONGEST
}

/// Visible ASCII, not too long.
pub(crate) fn is_tracestate(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// In bytes: what W3C asks of systems to carry of a trace state at least.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_has_four_fields_of_lower_case_hex_and_no_zero_id() {
        assert!(is_traceparent(GOOD));
        assert!(is_traceparent(&GOOD.replacen("00", "cc", 1)));
        assert!(is_traceparent(&format!("cc{}-what-comes", &GOOD[2..])));
        for bad in [
            "",
            "00",
            &GOOD[..GOOD.len() - 1],
            &format!("{GOOD}-00"),
            &format!("ff{}", &GOOD[2..]),
            &GOOD.to_uppercase(),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }

    #[test]
    fn a_malformed_one_is_refused_where_it_is_set_and_absent_where_it_came() {
        let mut options = CallOptions::new();
        let error = options.set_traceparent("sesame").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("_traceparent") && !text.contains("sesame"),
            "{text}"
        );
        assert!(options.set_tracestate("two\nlines").is_err());
        assert!(options.is_empty());
        let mut details = InvocationDetails::new();
        details.set("_traceparent", "sesame").unwrap();
        details.set("_tracestate", 5).unwrap();
        assert_eq!((details.traceparent(), details.tracestate()), (None, None));
        details.set_traceparent(GOOD).unwrap();
        details.set_tracestate("congo=t61rcWkgMzE").unwrap();
        assert_eq!(details.traceparent(), Some(GOOD));
        assert_eq!(details.tracestate(), Some("congo=t61rcWkgMzE"));
    }
}
