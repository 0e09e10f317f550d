//! The routers that the same tests run against.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use spell_router::{CraSecret, Realm, Router};

use crate::{
    accounts::{CRA, ITERATIONS, REALM, ROLE, SALT, SALTED_CRA, TICKET},
    crossbar::Crossbar,
    link::Urls,
    scratch::fresh_folder,
};

/// A router that listens on all links and has [`REALM`], on two sets of addresses: one where anybody may join, and one
/// where only those with an account may.
#[derive(Debug)]
pub struct TestRouter {
    anonymous: Urls,
    authenticated: Urls,
    /// Crossbar.io is shared and ends with the process.
    _embedded: Option<Embedded>,
}

/// Ends with its value.
#[derive(Debug)]
struct Embedded {
    _routers: [Router; 2],
    folder: PathBuf,
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // A folder that stays is none of the test's business.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl TestRouter {
    /// Starts the embedded router, for this test alone, in the runtime of this test.
    ///
    /// # Errors
    ///
    /// If it cannot listen.
    pub async fn embedded() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let folder = fresh_folder("router")?;
        let open = Realm::new(REALM);
        let guarded = Realm::new(REALM)
            .refuse_anonymous()
            .ticket(TICKET.authid, TICKET.secret, ROLE)
            .cra(CRA.authid, CraSecret::plain(CRA.secret), ROLE)
            .cra(
                SALTED_CRA.authid,
                CraSecret::salted(SALTED_CRA.secret, SALT).iterations(ITERATIONS),
                ROLE,
            );
        let open = Router::builder().realm(open).build()?;
        let guarded = Router::builder().realm(guarded).build()?;
        Ok(Self {
            anonymous: listen(&open, &folder.join("a.sock")).await?,
            authenticated: listen(&guarded, &folder.join("b.sock")).await?,
            _embedded: Some(Embedded {
                _routers: [open, guarded],
                folder,
            }),
        })
    }

    /// The Crossbar.io that the tests of this binary share; `None` without one, see [`Crossbar::shared`].
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn crossbar() -> Option<Self> {
        let crossbar = Crossbar::shared()?;
        Some(Self {
            anonymous: crossbar.anonymous().clone(),
            authenticated: crossbar.authenticated().clone(),
            _embedded: None,
        })
    }

    /// Where anybody may join [`REALM`], with all permissions.
    pub fn anonymous(&self) -> &Urls {
        &self.anonymous
    }

    /// Where only [`TICKET`], [`CRA`] and [`SALTED_CRA`] may join [`REALM`].
    pub fn authenticated(&self) -> &Urls {
        &self.authenticated
    }
}

async fn listen(router: &Router, socket: &Path) -> Result<Urls, Box<dyn Error + Send + Sync>> {
    let socket = socket
        .to_str()
        .ok_or_else(|| io::Error::other("a path that is no text"))?;
    Ok(Urls {
        websocket: router.listen("ws://127.0.0.1:0/ws").await?,
        rawsocket_tcp: router.listen("rs://127.0.0.1:0").await?,
        rawsocket_unix: router.listen(&format!("rs+unix:{socket}")).await?,
    })
}
