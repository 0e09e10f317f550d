//! Programs that show one idea each; see the files of this folder.
