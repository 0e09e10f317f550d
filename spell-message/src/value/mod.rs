//! Values whose type is known only when the program runs.

mod convert;
mod de;
mod dict;
mod dynamic;
mod entries;
mod key;
mod ser;
#[cfg(test)]
mod tests;

pub use de::from_value;
pub use dict::{Dict, DictIntoIter, DictIter};
pub use dynamic::{List, Value};
pub use ser::to_value;
