//! What the examples share: where their router is.

use std::{env, error::Error};

use spell::router::Router;

/// What an example's `main` gives back.
pub type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// The router an example talks to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Place {
    /// Where it listens.
    pub url: String,
    /// The realm to join.
    pub realm: String,
    /// The embedded router lives as long as this.
    _router: Option<Router>,
}

/// The router that `SPELL_URL` and `SPELL_REALM` name; without them an embedded one, which is
/// started on a free port of this machine.
///
/// # Errors
///
/// If no port can be had.
pub async fn place() -> Result<Place, Box<dyn Error + Send + Sync>> {
    let realm = env::var("SPELL_REALM").unwrap_or_else(|_| "realm1".to_owned());
    if let Ok(url) = env::var("SPELL_URL") {
        return Ok(Place {
            url,
            realm,
            _router: None,
        });
    }
    let router = Router::local();
    let url = router.listen("ws://127.0.0.1:0").await?;
    Ok(Place {
        url,
        realm,
        _router: Some(router),
    })
}

/// The program of the README, compiled and run with the doctests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
