//! Folders for what tests put on disk.

use std::{
    io,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// A new, empty folder in `target/tmp`, where cargo has integration tests put their files. It stays when the test has
/// ended, for its logs may tell why it failed.
///
/// # Errors
///
/// If it cannot be made, or if its path is too long for Unix sockets in it.
pub fn fresh_folder(purpose: &str) -> io::Result<PathBuf> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    // The test binary is `target/<profile>/deps/<name>`.
    let binary = std::env::current_exe()?;
    let target = binary
        .ancestors()
        .nth(3)
        .ok_or_else(|| io::Error::other("the test binary is not under target/"))?;
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let folder = target.join(format!("tmp/{purpose}-{}-{number}", std::process::id()));
    if folder.as_os_str().len() > LONGEST {
        return Err(io::Error::other(format!(
            "{} is too long for a Unix socket: set CARGO_TARGET_DIR to something shorter",
            folder.display()
        )));
    }
    // A process that had this number before may have left its files.
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The path of a Unix socket has at most 104 bytes on some systems; this leaves room for its name.
const LONGEST: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_new_and_empty() {
        let one = fresh_folder("scratch").unwrap();
        let other = fresh_folder("scratch").unwrap();
        assert_ne!(one, other);
        for folder in [one, other] {
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
            std::fs::remove_dir(folder).unwrap();
        }
    }
}
