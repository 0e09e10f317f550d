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
}

impl Limits {
    /// The most levels that can be allowed: the message itself is the first, its arguments the
    /// second.
    ///
    /// Types are read by functions that call themselves, so that more would endanger the stack.
    pub const DEPTH: usize = 128;

    /// 128 levels, 16 MiB, 1 048 576 values.
    pub const fn new() -> Self {
        Self {
            depth: Self::DEPTH,
            size: 16 * 1024 * 1024,
            elements: 1024 * 1024,
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
    /// Lists and dictionaries count, and all that is in them; keys count, too. One byte can stand
    /// for a value that takes 32 when it is read without a type, so this bounds the memory.
    pub const fn max_elements(self, values: usize) -> Self {
        Self {
            elements: values,
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
