//! Programs of others that the tests need, put under `target/` once.

use std::{fs, path::Path};

/// Runs `install`, which fills `folder`, unless exactly what `pins` says is there already.
pub(crate) fn once(
    name: &str,
    folder: &Path,
    pins: &Path,
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let wanted = fs::read(pins).map_err(|error| format!("{}: {error}", pins.display()))?;
    let stamp = folder.join("installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!(
        "xtask: installing {name} into {}, once; this takes a minute or two",
        folder.display()
    );
    install()?;
    // Written last: without it the installation does not count.
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}
