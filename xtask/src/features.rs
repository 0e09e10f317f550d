//! Each library crate must build alone, with every set of its features.

use crate::{
    process,
    workspace::{Workspace, cargo},
};

/// Checks each library crate by itself with no feature, each one, each pair, and all of them; warnings are errors.
///
/// By itself, because in a workspace build one member turns on what another one forgot to ask for; and only the
/// library, because development dependencies would hide it as well.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let flags = std::env::var("RUSTFLAGS").unwrap_or_else(|_| "-Dwarnings".to_owned());
    for (name, features) in workspace.libraries() {
        let sets = sets(&features);
        println!("xtask: {name}, {} sets of features", sets.len());
        for set in sets {
            let set = set.join(",");
            process::run(
                cargo()
                    .current_dir(&workspace.root)
                    .args(["check", "--quiet", "--lib", "--package", name])
                    .args(["--no-default-features", "--features", &set])
                    .env("RUSTFLAGS", &flags),
            )?;
        }
    }
    Ok(())
}

/// No feature, each one, each pair, and all.
fn sets<'a>(features: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut sets = vec![Vec::new()];
    for (place, feature) in features.iter().enumerate() {
        sets.push(vec![*feature]);
        sets.extend(
            features
                .iter()
                .take(place)
                .map(|earlier| vec![*earlier, *feature]),
        );
    }
    if features.len() > 2 {
        sets.push(features.to_vec());
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_none_each_each_pair_and_all() {
        assert_eq!(sets(&[]), [[""; 0]]);
        assert_eq!(sets(&["a"]), [vec![], vec!["a"]]);
        assert_eq!(
            sets(&["a", "b", "c"]),
            [
                vec![],
                vec!["a"],
                vec!["b"],
                vec!["a", "b"],
                vec!["c"],
                vec!["a", "c"],
                vec!["b", "c"],
                vec!["a", "b", "c"]
            ]
        );
    }
}
