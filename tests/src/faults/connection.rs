//! One connection through the proxy.

use std::{io, sync::atomic::Ordering};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::broadcast,
};

use super::{
    Cut, Direction, Faults, lock,
    pump::{Ended, Pump},
    reset,
};

/// A client, and the router that it is led to.
pub(super) struct Connection {
    client: TcpStream,
    faults: Faults,
    cuts: broadcast::Receiver<Cut>,
    number: u64,
}

impl Connection {
    pub(super) fn new(client: TcpStream, faults: Faults, number: u64) -> Self {
        let cuts = faults.0.cuts.subscribe();
        faults.0.counts.open.fetch_add(1, Ordering::Relaxed);
        Self {
            client,
            faults,
            cuts,
            number,
        }
    }

    pub(super) async fn run(mut self) {
        // However this future ends.
        let _open = Open(self.faults.clone());
        let address = lock(&self.faults.0.router).clone();
        let Ok(router) = TcpStream::connect(address).await else {
            return reset(self.client);
        };
        let mut streams = Both {
            client: Some(self.client),
            router: Some(router),
        };
        let how = match pass(&mut streams, &self.faults, &mut self.cuts, self.number).await {
            Ok(()) => return streams.release(),
            Err(Ended::Cut(how)) => how,
            Err(Ended::Broken) => Cut::Reset,
        };
        if how == Cut::Finish {
            streams.finish().await;
        }
    }
}

/// Moves bytes both ways until both sides have ended or something ends them.
async fn pass(
    streams: &mut Both,
    faults: &Faults,
    cuts: &mut broadcast::Receiver<Cut>,
    number: u64,
) -> Result<(), Ended> {
    let (Some(client), Some(router)) = (&mut streams.client, &mut streams.router) else {
        return Ok(());
    };
    // Small pieces are to arrive as such.
    let _ = (client.set_nodelay(true), router.set_nodelay(true));
    let (from_client, to_client) = client.split();
    let (from_router, to_router) = router.split();
    let there = Pump::new(faults, Direction::ToRouter, number).run(from_client, to_router);
    let back = Pump::new(faults, Direction::ToClient, number).run(from_router, to_client);
    tokio::select! {
        // One that lagged behind missed a cut, and is cut by the last.
        how = cuts.recv() => Err(Ended::Cut(how.unwrap_or(Cut::Reset))),
        ended = async { tokio::try_join!(there, back) } => ended.map(|_| ()),
    }
}

/// Two streams that are reset when they are dropped, unless they were released or ended otherwise.
struct Both {
    client: Option<TcpStream>,
    router: Option<TcpStream>,
}

impl Both {
    fn release(mut self) {
        drop(self.client.take());
        drop(self.router.take());
    }

    /// Sends FIN both ways, and takes what still comes: unread bytes would make it a reset.
    async fn finish(mut self) {
        let (client, router) = (self.client.take(), self.router.take());
        let (Some(client), Some(router)) = (client, router) else {
            return;
        };
        // Who is gone already does not need it.
        let _ = tokio::join!(finish(client), finish(router));
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        let streams = [self.client.take(), self.router.take()];
        streams.into_iter().flatten().for_each(reset);
    }
}

async fn finish(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut unread = [0; 4096];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// Counts a connection as long as it is there.
struct Open(Faults);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.0.counts.open.fetch_sub(1, Ordering::Relaxed);
    }
}
