//! Dialling a stream of bytes.

#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::{net::TcpStream, time::timeout};
use url::Host;

use crate::{ConnectError, MaybeTls, Origin, Socket, TcpOptions};

/// Where to dial, and whether to speak TLS there.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    /// For humans.
    name: String,
    target: Target,
    tcp: TcpOptions,
    #[cfg(feature = "tls")]
    tls: Option<crate::tls::ClientTls>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The host without the brackets of an IPv6 address.
    Tcp { host: String, port: u16 },
    #[cfg(unix)]
    Unix(PathBuf),
}

impl Target {
    pub(crate) fn tcp(host: &Host, port: u16) -> Self {
        let host = match host {
            Host::Domain(name) => name.clone(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Self::Tcp { host, port }
    }
}

impl Endpoint {
    /// `tls` without the feature has been refused before.
    #[cfg_attr(
        not(feature = "tls"),
        expect(
            unused_variables,
            reason = "there is only plain text without the feature"
        )
    )]
    pub(crate) fn new(name: String, target: Target, tls: bool) -> Self {
        Self {
            name,
            target,
            tcp: TcpOptions::new(),
            #[cfg(feature = "tls")]
            tls: tls.then(crate::tls::ClientTls::default),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    #[cfg(test)]
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn set_tcp(&mut self, options: TcpOptions) {
        self.tcp = options;
    }

    #[cfg(feature = "tls")]
    pub(crate) fn set_tls_config(&mut self, config: std::sync::Arc<rustls::ClientConfig>) {
        if let Some(tls) = &mut self.tls {
            tls.set_config(config);
        }
    }

    /// A stream of bytes, ready for the handshake of a transport, and who is at its other end.
    #[cfg_attr(
        not(feature = "tls"),
        expect(
            clippy::needless_pass_by_ref_mut,
            reason = "the TLS configuration is made by the first dial"
        )
    )]
    pub(crate) async fn dial(&mut self) -> Result<(MaybeTls<Socket>, Origin), ConnectError> {
        let (socket, local) = match &self.target {
            Target::Tcp { host, port } => dial_tcp(host, *port, self.tcp).await?,
            #[cfg(unix)]
            Target::Unix(path) => match UnixStream::connect(path).await {
                Ok(stream) => (Socket::from(stream), true),
                Err(source) => {
                    let address = self.name.clone();
                    return Err(ConnectError::Dial { address, source });
                }
            },
        };
        let origin = Origin::new(&self.name);
        #[cfg(feature = "tls")]
        if let (Some(tls), Target::Tcp { host, .. }) = (&mut self.tls, &self.target) {
            let io = tls.connect(host, socket).await?;
            return Ok((io, origin.confidential()));
        }
        let io = MaybeTls::plain(socket);
        Ok(if local {
            (io, origin.confidential())
        } else {
            (io, origin)
        })
    }
}

/// Tries the addresses of the host, a further one whenever one failed or takes long: an address that
/// swallows packets must not cost the others their time. Says also whether it is this host.
async fn dial_tcp(
    host: &str,
    port: u16,
    options: TcpOptions,
) -> Result<(Socket, bool), ConnectError> {
    let resolve = |source| ConnectError::Resolve {
        host: host.to_owned(),
        source,
    };
    let addresses = tokio::net::lookup_host((host, port)).await;
    let mut addresses = addresses.map_err(resolve)?;
    let mut failure = resolve(std::io::ErrorKind::NotFound.into());
    let mut attempts = FuturesUnordered::new();
    loop {
        let further = addresses.next();
        let is_last = further.is_none();
        attempts.extend(further.map(|address| async move {
            let stream = TcpStream::connect(address).await;
            (address, stream)
        }));
        let attempt = attempts.next();
        let attempt = if is_last {
            attempt.await
        } else if let Ok(attempt) = timeout(STAGGER, attempt).await {
            attempt
        } else {
            continue;
        };
        match attempt {
            Some((address, Ok(stream))) => {
                options.try_apply(&stream);
                return Ok((Socket::from(stream), address.ip().is_loopback()));
            }
            Some((address, Err(source))) => {
                let address = address.to_string();
                failure = ConnectError::Dial { address, source };
            }
            None => return Err(failure),
        }
    }
}

/// How long an attempt may take before the next address is tried beside it, as RFC 8305 advises.
const STAGGER: Duration = Duration::from_millis(250);
