//! Connections: accepted, bounded in number and in patience, and brought to their end.
//!
//! `axum::serve` waits for ever for whoever connects and says nothing; this is the same loop with a clock and a bound.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// What a listener puts up with.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Connections at a time; the next ones wait to be accepted.
    pub most_connections: usize,
    /// How long the head of a request may take, and how long a connection may be idle between two requests.
    pub head: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { most_connections: 8192, head: Duration::from_secs(30) }
    }
}

/// Serves until `stopping`, and then until the last request under way is answered.
pub async fn serve(listener: TcpListener, routes: Router, patience: Patience, stopping: CancellationToken) {
    let slots = Arc::new(Semaphore::new(patience.most_connections));
    let graceful = GracefulShutdown::new();
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(patience.head)
        .keep_alive_timeout(patience.head);
    loop {
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((accept(&listener).await, slot))
        };
        let ((stream, peer), slot) = tokio::select! {
            Some(accepted) = accepted => accepted,
            () = stopping.cancelled() => break,
            else => break,
        };
        let routes = routes.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let routes = routes.clone();
            async move {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                Ok::<_, Infallible>(routes.oneshot(request).await.unwrap_or_else(|never| match never {}))
            }
        });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Whoever hangs up in the middle is no fault of this server's.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(slot);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// The next connection. What goes wrong with one of them, or because there are too many files open, passes.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    /// Until then, some other connection may have been closed.
    const PAUSE: Duration = Duration::from_secs(1);
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Events are small and are to arrive at once.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection cannot be hurried");
                }
                return (stream, peer);
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted; it is tried again in a second");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_the_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
