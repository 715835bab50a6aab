//! A tunnel at ngrok, without ngrok's own program.
//!
//! The crate opens a lost tunnel anew by itself, at the same address. Only the connection that it asks for is made
//! here, as the crate would wait for hours between two tries.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use ngrok::config::TunnelBuilder;
use ngrok::conn::ConnInfo;
use ngrok::session::{ConnectError, SessionBuilder, default_connect};
use ngrok::tunnel::{AcceptError, EndpointInfo, HttpTunnel, TunnelCloser};
use ngrok::{Error, Session};

use super::news::{News, Watch};
use super::{Line, Stream, Tunnel, TunnelError, Wanted};
use crate::callers::Hosts;

/// How long ngrok may take until the tunnel is open.
const PATIENCE: Duration = Duration::from_secs(20);

/// The first and the longest pause between two tries to reach ngrok again.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Opens a tunnel at ngrok.
///
/// # Errors
/// ngrok is not reached, or refuses the token or the tunnel.
pub async fn open(wanted: Wanted) -> Result<Tunnel, TunnelError> {
    let late = || TunnelError::Unreachable(format!("nobody answers within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, open_by(Session::builder(), wanted)).await.unwrap_or_else(|_| Err(late()))
}

async fn open_by(mut builder: SessionBuilder, wanted: Wanted) -> Result<Tunnel, TunnelError> {
    let Wanted { token, domain } = wanted;
    builder.authtoken(token).client_info("darkroom", env!("CARGO_PKG_VERSION"), None::<String>);
    let watch = Arc::new(Watch::default());
    builder.connector(move |host: String, port: u16, tls, lost: Option<AcceptError>| {
        let watch = Arc::clone(&watch);
        async move {
            let Some(lost) = lost else { return default_connect(host, port, tls, None).await };
            tell(watch.connecting(code_of_loss(&lost)));
            let mut pause = PAUSES.0;
            loop {
                match default_connect(host.clone(), port, Clone::clone(&tls), None).await {
                    Ok(connection) => {
                        tell(watch.reached());
                        return Ok(connection);
                    }
                    Err(error) => tracing::debug!(%error, "ngrok is not reached yet"),
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    });
    let session = builder.connect().await.map_err(|error| why_not_connected(&error))?;
    let mut endpoint = session.http_endpoint();
    if let Some(domain) = &domain {
        endpoint.domain(domain);
    }
    endpoint.forwards_to("darkroom");
    let listener = endpoint.listen().await.map_err(|error| match error.error_code() {
        Some(code) => TunnelError::TunnelRefused { domain, code: code.to_owned() },
        None => TunnelError::Broken(error.to_string()),
    })?;
    let url = listener.url().to_owned();
    let host = host_of(&url)?;
    Ok(Tunnel { url, host, line: Box::new(Endpoint { listener, _session: session }) })
}

/// The name in the address that ngrok gave.
fn host_of(url: &str) -> Result<String, TunnelError> {
    let host = url.strip_prefix("https://").unwrap_or(url).trim_end_matches('/').to_owned();
    match Hosts::from_list(std::slice::from_ref(&host)) {
        Ok(Hosts::Named(_)) => Ok(host),
        _ => Err(TunnelError::Broken(format!("ngrok gave the address `{url}`, which is none of HTTPS"))),
    }
}

fn why_not_connected(error: &ConnectError) -> TunnelError {
    match (error, error.error_code()) {
        (_, Some(code)) => TunnelError::TokenRefused { code: code.to_owned() },
        (ConnectError::Tcp(why) | ConnectError::Tls(why), _) => TunnelError::Unreachable(why.to_string()),
        _ => TunnelError::Broken(error.to_string()),
    }
}

/// ngrok's code, if it is why the last try came to nothing.
fn code_of_loss(lost: &AcceptError) -> Option<String> {
    match lost {
        AcceptError::Reconnect(error) => error.error_code().map(str::to_owned),
        _ => None,
    }
}

fn tell(news: Option<News>) {
    match news {
        Some(news @ News::Reached) => tracing::info!("{news}"),
        Some(news) => tracing::warn!("{news}"),
        None => {}
    }
}

/// The tunnel's end here.
struct Endpoint {
    listener: HttpTunnel,
    /// The connection that all others lie in.
    _session: Session,
}

impl Line for Endpoint {
    fn next(&mut self) -> BoxFuture<'_, Option<(Box<dyn Stream>, SocketAddr)>> {
        let next = async {
            match self.listener.next().await? {
                Ok(connection) => {
                    let caller = connection.remote_addr();
                    Some((Box::new(connection) as Box<dyn Stream>, caller))
                }
                Err(error) => {
                    tracing::error!(
                        %error,
                        "ngrok closed the tunnel for good; the site is reached without it alone until the program is \
                         started anew"
                    );
                    None
                }
            }
        };
        next.boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        let close = async {
            if let Err(error) = self.listener.close().await {
                tracing::debug!(%error, "the tunnel was closed without ngrok knowing");
            }
        };
        close.boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn where_nobody_answers_the_sentence_says_where_to_look() {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut builder = Session::builder();
        builder.server_addr(address.to_string()).unwrap();
        let wanted = Wanted { token: "token".to_owned(), domain: None };
        let error = open_by(builder, wanted).await.err().unwrap();
        assert!(matches!(error, TunnelError::Unreachable(_)), "{error}");
    }

    #[tokio::test]
    async fn what_does_not_speak_for_ngrok_gets_no_token() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut builder = Session::builder();
        builder.server_addr(format!("localhost:{}", listener.local_addr().unwrap().port())).unwrap();
        let somebody = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
            let mut said = Vec::new();
            // Whoever hangs up while the rest is unread may be cut off.
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut said).await;
            said
        });
        let wanted = Wanted { token: "the-token".to_owned(), domain: None };
        let error = open_by(builder, wanted).await.err().unwrap();
        assert!(matches!(error, TunnelError::Unreachable(_)), "{error}");
        let said = somebody.await.unwrap();
        assert!(!said.windows(9).any(|window| window == b"the-token"));
    }

    #[test]
    fn a_connection_that_breaks_and_one_that_was_refused_are_told_apart() {
        let broken = || ConnectError::Tcp(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(
            why_not_connected(&broken()).to_string(),
            "ngrok cannot be reached: connection refused; look whether this machine may connect to \
             connect.ngrok-agent.com, port 443"
        );
        assert_eq!(code_of_loss(&AcceptError::Reconnect(Arc::new(broken()))), None);
        assert!(matches!(why_not_connected(&ConnectError::Canceled), TunnelError::Broken(_)));
    }

    #[test]
    fn the_name_is_that_of_the_address() {
        assert_eq!(host_of("https://a-b.ngrok-free.app").unwrap(), "a-b.ngrok-free.app");
        assert!(host_of("tcp://0.tcp.ngrok.io:12345").is_err());
    }
}
