//! The background tasks: accepting clients, and one task for each of them.

use std::{sync::Arc, time::Duration};

use spell_transport::{AcceptError, Listener, Transport};
use tokio::time::{sleep, timeout};

use crate::{connection::Connection, shared::Shared};

/// Runs a task until it is done, or until everything is to end at once.
pub(crate) fn spawn(shared: &Arc<Shared>, task: impl Future<Output = ()> + Send + 'static) {
    let force = shared.force.wait();
    shared.tasks.spawn(async move {
        tokio::select! {
            biased;
            () = force => {}
            () = task => {}
        }
    });
}

/// Accepts clients until the router closes.
pub(crate) async fn accept(shared: Arc<Shared>, mut listener: impl Listener) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = shared.closing.wait() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(handshake) => {
                // Without a permit, dropping the handshake closes the connection.
                if let Some(permit) = shared.admit() {
                    let welcome = welcome(Arc::clone(&shared), handshake);
                    spawn(&shared, async move {
                        welcome.await;
                        drop(permit);
                    });
                }
            }
            Err(error) => {
                // As when no file descriptor is free: it passes.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Serves a client once its transport is ready.
async fn welcome<T: Transport>(
    shared: Arc<Shared>,
    handshake: impl Future<Output = Result<T, AcceptError>>,
) {
    let limit = shared.limits.handshake;
    let transport = tokio::select! {
        biased;
        () = shared.closing.wait() => return,
        transport = timeout(limit, handshake) => transport,
    };
    match transport {
        Ok(Ok(transport)) => {
            if let Some(connection) = Connection::new(shared, transport) {
                connection.await;
            }
        }
        Ok(Err(error)) => {
            shared.counters.refused.up();
            tracing::debug!(%error, "a client was turned away");
        }
        Err(_elapsed) => {
            shared.counters.refused.up();
            tracing::debug!("the transport's handshake was not done in time");
        }
    }
}

/// Serves a client whose transport is open.
pub(crate) fn attach(shared: &Arc<Shared>, transport: impl Transport) {
    if shared.closing.has_happened() {
        return;
    }
    let Some(permit) = shared.admit() else {
        return;
    };
    if let Some(connection) = Connection::new(Arc::clone(shared), transport) {
        spawn(shared, async move {
            connection.await;
            drop(permit);
        });
    } else {
        tracing::warn!("a transport with a serialization that the router does not have");
    }
}

/// How long to wait after a failure to accept.
const PAUSE: Duration = Duration::from_millis(100);
