//! A site behind a tunnel whose end is a socket of the test's.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use backend::access::{Limits, Ration};
use backend::engine::fake::FakeEngine;
use futures::FutureExt;
use futures::future::BoxFuture;
use server::callers::Access;
use server::tunnel::{Line, Stream, Tunnel};
use server::{Listeners, run};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::helpers::{Browser, TestApp, Transport};
use crate::process::darkroom;

/// Far more than it takes, and far less than anybody would wait.
const SOON: Duration = Duration::from_secs(30);

/// Where the tunnel begins.
const HOST: &str = "demo.ngrok.app";

/// The end of a tunnel: whoever connects to the socket is said to call from another address.
struct Socket {
    listener: Option<TcpListener>,
    closed: Option<oneshot::Sender<()>>,
}

impl Line for Socket {
    fn next(&mut self) -> BoxFuture<'_, Option<(Box<dyn Stream>, SocketAddr)>> {
        let next = async {
            let (stream, _) = self.listener.as_ref()?.accept().await.ok()?;
            Some((Box::new(stream) as Box<dyn Stream>, SocketAddr::from(([198, 51, 100, 7], 4711))))
        };
        next.boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.listener = None;
        if let Some(closed) = self.closed.take() {
            // A test that looks elsewhere has dropped the other end.
            let _ = closed.send(());
        }
        futures::future::ready(()).boxed()
    }
}

/// A running site.
struct Site {
    app: TestApp,
    by_tunnel: Transport,
    directly: Transport,
    stop: oneshot::Sender<()>,
    tunnel_closed: oneshot::Receiver<()>,
    server: JoinHandle<anyhow::Result<()>>,
}

impl Site {
    async fn start(app: TestApp) -> Self {
        let end = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let by_tunnel = Transport::Socket(end.local_addr().unwrap());
        Self::behind(app, Some(end), by_tunnel).await
    }

    /// A site whose tunnel is closed for good.
    async fn after_the_tunnel() -> Self {
        let nowhere = Transport::Socket(SocketAddr::from(([127, 0, 0, 1], 0)));
        Self::behind(TestApp::start().await, None, nowhere).await
    }

    async fn behind(app: TestApp, end: Option<TcpListener>, by_tunnel: Transport) -> Self {
        let site = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let directly = Transport::Socket(site.local_addr().unwrap());
        let (closed, tunnel_closed) = oneshot::channel();
        let line = Box::new(Socket { listener: end, closed: Some(closed) });
        let tunnel = Tunnel { url: format!("https://{HOST}"), host: HOST.to_owned(), line };
        let listeners = Listeners { site, operator: None, tunnel: Some(tunnel) };
        let (stop, stopped) = oneshot::channel::<()>();
        let services = app.services.clone();
        let server = tokio::spawn(run(listeners, services, Access::default(), async {
            // A test that failed has dropped the other end, which stops the server as well.
            let _ = stopped.await;
        }));
        Self { app, by_tunnel, directly, stop, tunnel_closed, server }
    }
}

#[tokio::test]
async fn by_the_tunnel_the_site_answers_to_its_name_and_cookies_travel_by_tls_alone() {
    let site = Site::start(TestApp::start().await).await;
    let cookie = async |way: &Transport, host: &str| {
        let answer = Browser::newcomer(way.clone()).get_with("/", &[("host", host)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.header("set-cookie").to_owned()
    };
    assert!(cookie(&site.by_tunnel, HOST).await.contains("; Secure"));
    assert!(!cookie(&site.directly, "127.0.0.1").await.contains("Secure"));
    let answer = Browser::newcomer(site.by_tunnel.clone()).get_with("/", &[("host", "evil.example")]).await;
    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn callers_are_told_apart_by_the_address_that_the_tunnel_adds_and_directly_by_their_own() {
    let address = Ration { requests_per_minute: Some(1), ..Ration::default() };
    let app = TestApp::with_limits(FakeEngine::new(), Limits { address, ..Limits::default() }).await;
    let site = Site::start(app).await;
    let asked = async |way: &Transport, forwarded: &str| {
        let headers = [("x-forwarded-for", forwarded), ("host", "localhost")];
        Browser::newcomer(way.clone()).get_with("/api/v1/models", &headers).await.status
    };
    assert_eq!(asked(&site.by_tunnel, "192.0.2.1").await, StatusCode::OK);
    assert_eq!(asked(&site.by_tunnel, "192.0.2.2").await, StatusCode::OK);
    assert_eq!(asked(&site.by_tunnel, "203.0.113.9, 192.0.2.2").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(asked(&site.directly, "192.0.2.3").await, StatusCode::OK);
    assert_eq!(asked(&site.directly, "192.0.2.4").await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn streams_come_by_the_tunnel_and_a_stop_ends_them_and_closes_it() {
    let (app, gate) = TestApp::gated().await;
    let site = Site::start(app).await;
    let anna = Browser::new(site.by_tunnel.clone());
    let job = anna.ask_for("a red boat").await;
    let mut events = anna.open_events(&format!("/api/v1/jobs/{}/events", job.id), &[]).await;
    gate.allow(1);
    while events.next().await.expect("the job goes on").name != "progress" {}

    site.stop.send(()).unwrap();
    tokio::time::timeout(SOON, site.tunnel_closed).await.expect("the tunnel is closed").unwrap();
    tokio::time::timeout(SOON, events.rest()).await.expect("the stream ends");
    gate.open();
    tokio::time::timeout(SOON, site.server).await.expect("the server ends").unwrap().unwrap();
    drop(site.app);
}

#[tokio::test]
async fn a_tunnel_that_is_closed_for_good_leaves_the_site_where_it_is() {
    let site = Site::after_the_tunnel().await;
    let answer = Browser::newcomer(site.directly.clone()).get("/").await;
    assert_eq!(answer.status, StatusCode::OK);
    site.stop.send(()).unwrap();
    tokio::time::timeout(SOON, site.server).await.expect("the server ends").unwrap().unwrap();
}

#[test]
fn a_tunnel_that_cannot_be_opened_ends_the_program_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let ended = darkroom(folder.path())
        .args(["serve", "--addr", "127.0.0.1:0", "--tunnel", "ngrok"])
        .env_remove("NGROK_AUTHTOKEN")
        .output()
        .expect("the program starts");
    let why = if server::tunnel::IS_BUILT {
        "error: a tunnel at ngrok needs a token: "
    } else {
        "error: this program has no tunnel: build it with `--features ngrok`, or leave out `--tunnel`"
    };
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && ended.stdout.is_empty());
    assert!(said.lines().any(|line| line.starts_with(why)), "{said}");
}
