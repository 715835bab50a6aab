//! Connections: accepted, bounded in number and in patience, and brought to their end.
//!
//! `axum::serve` waits for ever for whoever connects and says nothing; this is the same loop with a clock and a bound. It
//! speaks HTTP/1.1 alone, as proxies do to what stands behind them: whoever tells HTTP/2 from it waits for its first bytes.

mod addresses;
mod reader;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::header;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use self::addresses::{Addresses, Counted};
use self::reader::Unread;
use crate::patience::Patience;

/// Most bytes of a connection that are in memory: of the head of a request, which may have an address of half as many, and of
/// an answer that its reader did not take yet.
const MOST_BUFFERED: usize = 128 << 10;

/// A connection's place among all, and among those of its address: in the extensions of requests to upgrade it, for whoever keeps
/// the connection longer than they take, as a WebSocket does. It is free once nobody keeps it.
#[derive(Clone)]
pub struct Place {
    _held: Arc<(OwnedSemaphorePermit, Counted)>,
}

/// Where connections come from.
pub trait Listener: Send {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// What has to be there until the last connection has ended.
    type Rest: Send;

    /// The next connection and whose it is; none if there will be no other. Nothing is lost with a future that is dropped.
    fn next(&mut self) -> impl Future<Output = Option<(Self::Stream, SocketAddr)>> + Send;

    /// Takes no more connections.
    fn close(self) -> impl Future<Output = Self::Rest> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;
    type Rest = ();

    async fn next(&mut self) -> Option<(TcpStream, SocketAddr)> {
        Some(accept(self).await)
    }

    async fn close(self) {}
}

/// Serves until `stopping`, and then until the last request under way is answered. The `trusted` proxies may have as many
/// connections as there are.
pub async fn serve(
    mut listener: impl Listener,
    routes: Router,
    patience: Patience,
    trusted: Vec<IpNet>,
    stopping: CancellationToken,
) {
    let addresses = Addresses::new(patience.most_per_address, trusted);
    let slots = Arc::new(Semaphore::new(patience.most_connections as usize));
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(MOST_BUFFERED);
    loop {
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((listener.next().await?, slot))
        };
        let ((stream, peer), slot) = tokio::select! {
            Some(accepted) = accepted => accepted,
            // The end of a listener from which nothing comes any more, too.
            () = stopping.cancelled() => break,
        };
        // Hung up on at once: an answer in words would take what there is too little of.
        let Some(counted) = addresses.count(peer.ip()) else { continue };
        // The service has it, and is there as long as the connection.
        let place = Place { _held: Arc::new((slot, counted)) };
        let routes = routes.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let (routes, place) = (routes.clone(), place.clone());
            async move {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                if request.headers().contains_key(header::UPGRADE) {
                    request.extensions_mut().insert(place);
                }
                Ok::<_, Infallible>(routes.oneshot(request).await.unwrap_or_else(|never| match never {}))
            }
        });
        let connection = builder
            .serve_connection(TokioIo::new(Unread::new(stream, patience.unread)), service)
            .with_upgrades();
        let stopping = stopping.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            // Whoever hangs up in the middle is no fault of this server's.
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    let _rest = listener.close().await;
    // Once every slot is free, the last connection has ended. Nobody closes the semaphore.
    let _ = slots.acquire_many(patience.most_connections).await;
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

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::routing::get;
    use futures::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A server with that patience, and where it is.
    async fn started(patience: Patience) -> (SocketAddr, CancellationToken) {
        started_behind(Vec::new(), patience).await
    }

    /// The same behind these proxies.
    async fn started_behind(trusted: Vec<IpNet>, patience: Patience) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stopping) = (listener.local_addr().unwrap(), CancellationToken::new());
        let endless =
            async || Body::from_stream(stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[0; 1024]))));
        let routes = Router::new().route("/", get(async || "here")).route("/endless", get(endless));
        tokio::spawn(serve(listener, routes, patience, trusted, stopping.clone()));
        (address, stopping)
    }

    /// All that comes until the other side hangs up.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn a_request_is_answered_with_the_callers_address_known() {
        let (address, _stopping) = started(Patience::default()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("here"), "{answer}");
    }

    #[tokio::test]
    async fn whoever_connects_and_does_not_say_what_they_want_is_hung_up_on() {
        let head = Duration::from_millis(50);
        let (address, _stopping) = started(Patience { head, ..Patience::default() }).await;
        for said in [&b""[..], b"GET / HTTP/1.1\r\nhost: a\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(said).await.unwrap();
            assert!(!rest(&mut stream).await.contains("200"));
        }
    }

    #[tokio::test]
    async fn no_more_connections_are_open_than_are_put_up_with_and_the_next_one_waits() {
        let (address, _stopping) = started(Patience { most_connections: 1, ..Patience::default() }).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut byte = [0];
        first.read_exact(&mut byte).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let beside = tokio::time::timeout(Duration::from_millis(100), second.read(&mut byte)).await;
        assert!(beside.is_err(), "the second connection was served beside the first");
        drop(first);
        assert!(rest(&mut second).await.contains("200 OK"));
    }

    #[tokio::test]
    async fn what_is_under_way_is_answered_before_the_end() {
        let (address, stopping) = started(Patience::default()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        stopping.cancel();
        assert!(rest(&mut stream).await.ends_with("here"));
    }

    #[tokio::test]
    async fn a_connection_that_is_idle_between_two_requests_is_hung_up_on() {
        let head = Duration::from_millis(50);
        let (address, _stopping) = started(Patience { head, ..Patience::default() }).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(rest(&mut stream).await.ends_with("here"));
    }

    #[tokio::test]
    async fn whoever_reads_nothing_of_an_answer_is_hung_up_on() {
        let patience =
            Patience { most_connections: 1, unread: Duration::from_millis(50), ..Patience::default() };
        let (address, _stopping) = started(patience).await;
        let mut deaf = TcpStream::connect(address).await.unwrap();
        deaf.write_all(b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        // There is room for one connection, so this is answered once the other one is over.
        let mut next = TcpStream::connect(address).await.unwrap();
        next.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(rest(&mut next).await.ends_with("here"));
    }

    #[tokio::test]
    async fn one_address_has_no_more_connections_than_it_may_unless_it_is_a_trusted_proxy() {
        let patience = Patience { most_per_address: 1, ..Patience::default() };
        let ask = async |address: SocketAddr| {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // Who is hung up on may learn it while still speaking.
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
            let mut byte = [0];
            (stream.read(&mut byte).await.unwrap_or(0), stream)
        };
        let (address, _stopping) = started(patience).await;
        let (n_read, _first) = ask(address).await;
        assert_eq!(n_read, 1);
        assert_eq!(ask(address).await.0, 0, "the second one was answered");
        let proxies = vec!["127.0.0.0/8".parse().unwrap()];
        let (address, _stopping) = started_behind(proxies, patience).await;
        let (n_read, _first) = ask(address).await;
        assert_eq!((n_read, ask(address).await.0), (1, 1));
    }
}
