use std::{fmt, str::FromStr};

/// Defines an enumeration whose values travel as strings.
macro_rules! named {
    ($(#[$doc:meta])* $Name:ident { $($(#[$variant_doc:meta])* $Variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $Name {
            $($(#[$variant_doc])* $Variant,)*
        }

        impl $Name {
            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $text,)*
                }
            }
        }

        /// The name on the wire.
        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $Name {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($text => Ok(Self::$Variant),)*
                    _ => Err(UnknownName),
                }
            }
        }
    };
}

named! {
    /// How the callees that share a registration take turns.
    ///
    /// WAMP spec, "Shared Registration".
    InvocationPolicy {
        /// One callee only: the default.
        #[default]
        Single = "single",
        /// One after the other.
        RoundRobin = "roundrobin",
        /// Any.
        Random = "random",
        /// The one that has been there longest.
        First = "first",
        /// The newest one.
        Last = "last",
    }
}

named! {
    /// What becomes of the callee's work when a call is cancelled.
    ///
    /// WAMP spec, "Call Canceling".
    CancelMode {
        /// The caller gets an error at once; the callee is not told.
        Skip = "skip",
        /// The callee is interrupted; the caller gets what the callee then answers.
        Kill = "kill",
        /// The callee is interrupted; the caller gets an error at once. Spell's default; the
        /// specification has none.
        #[default]
        KillNoWait = "killnowait",
    }
}

/// No such name in the enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such name")]
#[non_exhaustive]
#[expect(unnameable_types, reason = "says nothing beyond that it failed")]
pub struct UnknownName;
