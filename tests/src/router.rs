//! The routers that the same tests run against.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

use spell_message::Pattern;
use spell_router::{CraSecret, MetaApi, Realm, Router};

use crate::{
    accounts::{CRA, ITERATIONS, REALM, ROLE, SALT, SALTED_CRA, TICKET, TRUSTLEVEL},
    crossbar::{Crossbar, HISTORY},
    link::Urls,
    routers::CrateRouter,
    scratch::fresh_folder,
};

/// Which router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the tests match on all of them")]
pub enum Make {
    /// The embedded one of Spell.
    Embedded,
    /// Crossbar.io.
    Crossbar,
    /// That of the crate `xconn-core`; anybody may join it, nobody can authenticate.
    Xconn,
    /// That of the crate `battler-wamp`; anybody may join it, nobody can authenticate. It has only WebSocket, with JSON
    /// and MessagePack.
    Battler,
}

/// A router that listens on all links it has and has [`REALM`], on two sets of addresses: one where anybody may join,
/// and one where only those with an account may.
#[derive(Debug)]
pub struct TestRouter {
    make: Make,
    anonymous: Urls,
    authenticated: Urls,
    /// The others are shared and end with the process.
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
    /// The router of this make. The embedded one is started for this test alone, in the runtime of this test; the
    /// others are shared by the tests of this binary. `None`, and a line on standard error, where it is not installed:
    /// see [`crossbar`](crate::crossbar) and [`routers`](crate::routers).
    ///
    /// # Errors
    ///
    /// If the embedded one cannot listen.
    ///
    /// # Panics
    ///
    /// If another one does not start.
    pub async fn start(make: Make) -> Result<Option<Self>, Box<dyn Error + Send + Sync>> {
        let (anonymous, authenticated) = match make {
            Make::Embedded => return Self::embedded().await.map(Some),
            Make::Crossbar => {
                let Some(crossbar) = Crossbar::shared() else {
                    return Ok(None);
                };
                (crossbar.anonymous(), Some(crossbar.authenticated()))
            }
            Make::Xconn => {
                let Some(router) = CrateRouter::xconn() else {
                    return Ok(None);
                };
                (router.urls(), None)
            }
            Make::Battler => {
                let Some(router) = CrateRouter::battler() else {
                    return Ok(None);
                };
                (router.urls(), None)
            }
        };
        Ok(Some(Self {
            make,
            anonymous: anonymous.clone(),
            authenticated: authenticated.cloned().unwrap_or_default(),
            _embedded: None,
        }))
    }

    async fn embedded() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let folder = fresh_folder("router")?;
        let open = Realm::new(REALM)
            .meta_api(MetaApi::new().administrators(["anonymous"]))
            .trustlevel("anonymous", TRUSTLEVEL)
            .history(Pattern::prefix(HISTORY)?, 1000, 1 << 20);
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
            make: Make::Embedded,
            anonymous: listen(&open, &folder.join("a.sock")).await?,
            authenticated: listen(&guarded, &folder.join("b.sock")).await?,
            _embedded: Some(Embedded {
                _routers: [open, guarded],
                folder,
            }),
        })
    }

    /// Which router this is.
    pub fn make(&self) -> Make {
        self.make
    }

    /// Where anybody may join [`REALM`], with all permissions.
    pub fn anonymous(&self) -> &Urls {
        &self.anonymous
    }

    /// Where only [`TICKET`], [`CRA`] and [`SALTED_CRA`] may join [`REALM`]; nowhere if the router has no accounts.
    pub fn authenticated(&self) -> &Urls {
        &self.authenticated
    }
}

async fn listen(router: &Router, socket: &Path) -> Result<Urls, Box<dyn Error + Send + Sync>> {
    let socket = socket
        .to_str()
        .ok_or_else(|| io::Error::other("a path that is no text"))?;
    Ok(Urls {
        websocket: Some(router.listen("ws://127.0.0.1:0/ws").await?),
        rawsocket_tcp: Some(router.listen("rs://127.0.0.1:0").await?),
        rawsocket_unix: Some(router.listen(&format!("rs+unix:{socket}")).await?),
    })
}
