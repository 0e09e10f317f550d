//! Maps by numbers: ids, and the keys of handles.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// A map by a number, which is hashed quickly; where numbers collide is drawn by lot for each map.
pub(crate) type IdMap<K, V> = HashMap<K, V, RandomState>;

/// As [`IdMap`], without values.
pub(crate) type IdSet<K> = HashSet<K, RandomState>;
