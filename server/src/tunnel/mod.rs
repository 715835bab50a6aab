//! The site at an address on the internet, by a tunnel: somebody else's server takes the calls and passes them on over
//! a connection that this program opens.
//!
//! # Layout
//! * [`Tunnel`]: one that is open, whoever runs it; the server takes it for a listener like any other
//! * [`open`]: opens one at ngrok, with the feature `ngrok`; `without` stands in its place else
//! * `news`: what the log is told when it is lost and regained
//! * [`TunnelError`]: why it does not open
//!
//! # Invariants
//! What comes by the tunnel passes the same routes and limits as all else. It is told apart in one way
//! ([`ByTunnel`](crate::callers::ByTunnel)): whoever runs the tunnel is believed where a call comes from, and that it
//! came by TLS.

mod error;
#[cfg(any(test, feature = "ngrok"))]
mod news;
#[cfg(feature = "ngrok")]
mod ngrok;
#[cfg(not(feature = "ngrok"))]
#[path = "without.rs"]
mod ngrok;

use std::fmt;
use std::net::SocketAddr;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

pub use self::error::TunnelError;
pub use self::ngrok::open;
use crate::listen::Listener;

/// Whether this program was built with a tunnel.
pub const IS_BUILT: bool = cfg!(feature = "ngrok");

/// The environment variable with ngrok's token.
pub const TOKEN: &str = "NGROK_AUTHTOKEN";

/// The tunnel that is wanted.
#[derive(Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Says to ngrok whose tunnel it is.
    pub token: String,
    /// Where the site is to be, if that matters; it belongs to whoever has the token.
    pub domain: Option<String>,
}

impl fmt::Debug for Wanted {
    /// Without the token, which is nobody's business.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Wanted").field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// A tunnel that is open.
pub struct Tunnel {
    /// Where the site is to be found, as `https://…`.
    pub url: String,
    /// The name in it.
    pub host: String,
    /// What comes by it.
    pub line: Box<dyn Line>,
}

/// A connection that came by a tunnel.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Where a tunnel ends, whoever runs it.
pub trait Line: Send {
    /// The next connection and whose it is; none once the tunnel is closed for good. Nothing is lost with a future that
    /// is dropped.
    fn next(&mut self) -> BoxFuture<'_, Option<(Box<dyn Stream>, SocketAddr)>>;

    /// Takes no more connections. Those that there are stay until this is dropped.
    fn close(&mut self) -> BoxFuture<'_, ()>;
}

impl Listener for Tunnel {
    type Stream = Box<dyn Stream>;
    type Rest = Self;

    async fn next(&mut self) -> Option<(Self::Stream, SocketAddr)> {
        self.line.next().await
    }

    async fn close(mut self) -> Self {
        self.line.close().await;
        self
    }
}
