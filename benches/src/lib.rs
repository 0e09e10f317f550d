//! Benches; see the files of this folder.
