use crate::List;

/// A message with a code that the specification does not assign.
///
/// Codes 256 to 1023 are for extensions; what to do with one is up to the roles of a peer. All
/// others are reserved.
///
/// WAMP spec, "Message Codes and Direction" and "Protocol Errors".
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "fixed by the specification")]
pub struct Unknown {
    /// The message code.
    pub code: u64,
    /// All elements after the code, decoded.
    pub fields: List,
}
