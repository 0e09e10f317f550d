//! Why a procedure of the router does not do what it is asked.

use spell_message::{options::InvalidOption, reason};

use crate::carrier::Undeliverable;

/// Why a procedure of the router does not do what it is asked, as the ERROR says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) error: &'static str,
    /// For people; it repeats no argument.
    pub(crate) explanation: Option<String>,
}

impl Refused {
    /// The error alone says it.
    pub(crate) fn plainly(error: &'static str) -> Self {
        Self {
            error,
            explanation: None,
        }
    }

    pub(crate) fn because(error: &'static str, explanation: impl Into<String>) -> Self {
        Self {
            error,
            explanation: Some(explanation.into()),
        }
    }

    /// The answer cannot be carried to who asked.
    pub(crate) fn undeliverable(why: Undeliverable) -> Self {
        Self::because(why.reason(), why.explanation())
    }

    /// An option that is an argument is not what the specification says.
    pub(crate) fn option(error: &InvalidOption) -> Self {
        Self::argument(error.to_string())
    }

    /// An argument is not what the procedure takes.
    pub(crate) fn argument(explanation: impl Into<String>) -> Self {
        Self::because(reason::INVALID_ARGUMENT, explanation)
    }
}
