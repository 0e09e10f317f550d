/// How much a message that comes in may take.
///
/// A message beyond a limit is refused with an error that names the limit, before anything is
/// allocated for it. Messages that are sent are not limited, but for their depth, which is always
/// [`Limits::DEPTH`].
///
/// ```
/// # #[cfg(feature = "json")] {
/// use spell_serializer::{Json, Limits};
///
/// let json = Json::new().limits(Limits::new().max_size(64 * 1024));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    pub(crate) depth: usize,
    pub(crate) size: usize,
    pub(crate) elements: usize,
    pub(crate) envelope: usize,
}

impl Limits {
    /// The most levels that can be allowed: the message itself is the first, its arguments the
    /// second.
    ///
    /// Types are read by functions that call themselves, so that more would endanger the stack.
    pub const DEPTH: usize = 128;

    /// 128 levels, 16 MiB, 1 048 576 values, 8192 of them before the arguments.
    pub const fn new() -> Self {
        Self {
            depth: Self::DEPTH,
            size: 16 * 1024 * 1024,
            elements: 1024 * 1024,
            envelope: 8192,
        }
    }

    /// How many levels deep lists and dictionaries may be nested, the list that is the message
    /// being the first; default and most [`Limits::DEPTH`].
    pub const fn max_depth(self, levels: usize) -> Self {
        let depth = if levels < Self::DEPTH {
            levels
        } else {
            Self::DEPTH
        };
        Self { depth, ..self }
    }

    /// How long a message may be, in bytes; default 16 MiB.
    pub const fn max_size(self, bytes: usize) -> Self {
        Self {
            size: bytes,
            ..self
        }
    }

    /// How many values a message may consist of; default 1 048 576.
    ///
    /// Lists and dictionaries count, and all that is in them; keys count, too. Arguments are only
    /// counted, not decoded; whoever reads them as a [`Value`](spell_message::Value) needs about 40
    /// bytes for each that a byte can stand for, and about 250 for each dictionary that is not
    /// empty, for which three bytes are enough.
    pub const fn max_elements(self, values: usize) -> Self {
        Self {
            elements: values,
            ..self
        }
    }

    /// How many of the values may stand before the arguments, the message itself among them; default
    /// 8192.
    ///
    /// Options and details are decoded at once, as are all elements of a message with an unknown
    /// code, so this bounds the memory that a message takes unasked.
    pub const fn max_envelope_elements(self, values: usize) -> Self {
        Self {
            envelope: values,
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
