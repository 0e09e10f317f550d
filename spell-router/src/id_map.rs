//! Tables by id.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// A table whose keys are ids, each one number, which is hashed quickly. The hashes of each table
/// are drawn by lot: of the ids of requests a client could let just those stay open that collide.
pub(crate) type IdMap<K, V> = HashMap<K, V, RandomState>;
