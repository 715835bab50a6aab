//! A whole program in a test, and browsers that visit it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use axum::{Extension, Router};
use backend::access::Limits;
use backend::engine::fake::{FakeEngine, Gate};
use backend::{Config, Services, Visitor};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use server::assets::Site;
use server::callers::Access;
use server::router::router;
use server::state::AppState;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use types::history::HistoryPage;
use types::job::{JobId, JobInfo};
use types::picture::{PictureId, PictureInfo};
use types::preset::Presets;

use crate::sse::{Event, EventReader};

/// Router, database, worker and a fake engine, in a folder that goes away with it.
pub struct TestApp {
    pub services: Services,
    router: Router,
    operator: Router,
    state: AppState,
    folder: TempDir,
}

impl TestApp {
    /// An app whose engine paints as fast as it can.
    pub async fn start() -> Self {
        Self::with_engine(FakeEngine::new()).await
    }

    /// An app whose engine waits for the gate before every step.
    pub async fn gated() -> (Self, Gate) {
        let (engine, gate) = FakeEngine::gated();
        (Self::with_engine(engine).await, gate)
    }

    pub async fn with_engine(engine: FakeEngine) -> Self {
        Self::with(engine, Config::default()).await
    }

    /// An app that gives out pictures again which it made before.
    pub async fn caching() -> Self {
        Self::with(FakeEngine::new(), Config { cache: true, ..Config::default() }).await
    }

    /// An app whose operator said what the qualities mean.
    pub async fn with_presets(engine: FakeEngine, presets: Presets) -> Self {
        Self::with(engine, Config { presets, ..Config::default() }).await
    }

    /// An app with these settings; its data folder is its own.
    pub async fn with(engine: FakeEngine, config: Config) -> Self {
        Self::guarded(engine, config, Access::default()).await
    }

    /// An app whose operator says who may call.
    pub async fn with_access(access: Access) -> Self {
        Self::guarded(FakeEngine::new(), Config::default(), access).await
    }

    /// An app whose operator says how much anybody may ask for.
    pub async fn with_limits(engine: FakeEngine, limits: Limits) -> Self {
        Self::guarded(engine, Config { limits, ..Config::default() }, Access::default()).await
    }

    /// An app of which everything is said.
    pub async fn guarded(engine: FakeEngine, config: Config, access: Access) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::create_dir_all(folder.path().join("site/pkg")).expect("the site's folder can be made");
        let config = Config { data_dir: folder.path().join("data"), ..config };
        let services = Services::open(config, Arc::new(engine)).await.expect("the services open");
        let site = Site::folder(folder.path().join("site"));
        let state = AppState::new(services.clone(), access, site, CancellationToken::new());
        let operator = server::operator::router(state.clone(), None);
        let peer = SocketAddr::from(([127, 0, 0, 1], 4711));
        let router = router(&state).layer(Extension(ConnectInfo(peer)));
        Self { services, router, operator, state, folder }
    }

    /// A visitor who was here before, and whom nobody else knows.
    pub fn browser(&self) -> Browser {
        Browser::new(Transport::InProcess(self.router.clone()))
    }

    /// Somebody who was never here before.
    pub fn newcomer(&self) -> Browser {
        Browser::newcomer(Transport::InProcess(self.router.clone()))
    }

    /// Whoever looks at the operator's listener.
    pub fn operator(&self) -> Browser {
        Browser::new(Transport::InProcess(self.operator.clone()))
    }

    /// Whoever looks at the operator's listener at that address.
    pub fn operator_at(&self, address: &str) -> Browser {
        let address = address.parse().expect("it is an address");
        let routes = server::operator::router(self.state.clone(), Some(address));
        Browser::newcomer(Transport::InProcess(routes))
    }

    /// Puts a file into the site.
    pub fn write_asset(&self, path: &str, content: &[u8]) {
        std::fs::write(self.site().join(path), content).expect("the file can be written");
    }

    pub fn site(&self) -> std::path::PathBuf {
        self.folder.path().join("site")
    }

    /// The data folder.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }
}

/// How a request gets to the program.
#[derive(Clone)]
pub enum Transport {
    /// Straight into the router.
    InProcess(Router),
    /// Over a socket.
    Socket(SocketAddr),
}

impl Transport {
    async fn send(&self, mut request: Request<Body>) -> Response<Body> {
        match self {
            Self::InProcess(router) => router.clone().oneshot(request).await.expect("a router never fails"),
            Self::Socket(address) => {
                let host = address.to_string().parse().expect("an address is a header's value");
                request.headers_mut().entry(header::HOST).or_insert(host);
                let stream = TcpStream::connect(address).await.expect("the server listens");
                let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
                let (mut sender, connection) = handshake.await.expect("the server speaks HTTP");
                // Ends with the answer.
                tokio::spawn(connection);
                sender.send_request(request).await.expect("the server answers").map(Body::new)
            }
        }
    }
}

/// A visitor with a cookie jar.
pub struct Browser {
    transport: Transport,
    cookie: Mutex<Option<String>>,
}

impl Browser {
    pub fn new(transport: Transport) -> Self {
        let cookie = format!("{}={}", server::callers::COOKIE, Visitor::new_token());
        Self { transport, cookie: Mutex::new(Some(cookie)) }
    }

    /// Somebody without a cookie, as programs are.
    pub fn newcomer(transport: Transport) -> Self {
        Self { transport, cookie: Mutex::default() }
    }

    /// The same visitor, after the server moved to another address.
    pub fn moved_to(self, address: SocketAddr) -> Self {
        Self { transport: Transport::Socket(address), ..self }
    }

    /// The cookie, as `name=value`. The browser has been here before.
    pub fn cookie(&self) -> String {
        let cookie = self.cookie.lock().expect("no test panics with the lock").clone();
        cookie.expect("the browser has a cookie")
    }

    /// Who this is for the services. The browser has been here before.
    pub fn visitor(&self) -> Visitor {
        Visitor::from_token(self.cookie().split_once('=').expect("a cookie has a name").1)
    }

    pub async fn create_job(&self, request: Value) -> Answer {
        self.post_json("/api/v1/jobs", &request).await
    }

    /// A job that is expected to be accepted.
    pub async fn ask_for(&self, prompt: &str) -> JobInfo {
        let answer = self.create_job(json!({ "prompt": prompt, "seed": 7 })).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        answer.json()
    }

    /// A picture that is expected to be made.
    pub async fn paint(&self, prompt: &str) -> PictureInfo {
        let job = self.ask_for(prompt).await;
        self.events(job.id).await;
        let job: JobInfo = self.job(job.id).await.json();
        job.pictures.into_iter().next().expect("the job made a picture")
    }

    pub async fn job(&self, id: JobId) -> Answer {
        self.get(&format!("/api/v1/jobs/{id}")).await
    }

    pub async fn cancel_job(&self, id: JobId) -> Answer {
        self.post_json(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await
    }

    /// All events of a job, to its end.
    pub async fn events(&self, id: JobId) -> Vec<Event> {
        self.open_events(&format!("/api/v1/jobs/{id}/events"), &[]).await.rest().await
    }

    /// A stream of events that is read as it comes.
    pub async fn open_events(&self, path: &str, headers: &[(&str, &str)]) -> EventReader {
        let answer = self.send_raw(Method::GET, path, headers, Body::empty()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        EventReader::new(answer.into_body())
    }

    /// The stream that a program is answered with, read as it comes.
    pub async fn post_for_events(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<Body>,
    ) -> EventReader {
        let headers = [("content-type", content_type)];
        let answer = self.send_raw(Method::POST, path, &headers, body.into()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        EventReader::new(answer.into_body())
    }

    pub async fn history(&self, query: &str) -> HistoryPage {
        let answer = self.get(&format!("/api/v1/images?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }

    pub async fn favourite(&self, id: PictureId, favourite: bool) -> Answer {
        self.post_json(&format!("/api/v1/images/{id}/favourite"), &json!({ "favourite": favourite })).await
    }

    pub async fn delete_picture(&self, id: PictureId) -> Answer {
        self.send(Method::DELETE, &format!("/api/v1/images/{id}"), &[], Body::empty()).await
    }

    pub async fn generate_image(&self, request: Value) -> Answer {
        self.post_json("/generate-image", &request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, Body::empty()).await
    }

    pub async fn post_json(&self, path: &str, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).expect("a value becomes JSON");
        self.send(Method::POST, path, &[("content-type", "application/json")], body.into()).await
    }

    pub async fn post_text(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        self.send(Method::POST, path, &[("content-type", content_type)], body.into()).await
    }

    /// What a browser does without a script.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_form_with(path, fields, &[]).await
    }

    pub async fn post_form_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &[&form, headers].concat(), body.into()).await
    }

    /// What a browser does without a script, if the form has files.
    pub async fn post_multipart(&self, path: &str, form: Multipart) -> Answer {
        self.post_text(path, &Multipart::content_type(), form.0).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let (parts, body) = self.send_raw(method, path, headers, body).await.into_parts();
        let body = body.collect().await.expect("the answer arrives whole").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// An answer whose body was not read yet.
    pub async fn send_raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        let cookie = self.cookie.lock().expect("no test panics with the lock").clone();
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.transport.send(request.body(body).expect("the request is well formed")).await;
        if let Some(cookie) = answer.headers().get(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie is text").split(';').next().map(str::to_owned);
            *self.cookie.lock().expect("no test panics with the lock") = cookie;
        }
        answer
    }
}

/// What stands between the fields of a form with files.
const BOUNDARY: &str = "----a-boundary";

/// The body of a form with files.
pub struct Multipart(Vec<u8>);

impl Multipart {
    pub fn new() -> Self {
        Self(format!("--{BOUNDARY}--\r\n").into_bytes())
    }

    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    pub fn into_body(self) -> Vec<u8> {
        self.0
    }

    pub fn field(self, name: &str, text: &str) -> Self {
        self.part(&format!("name=\"{name}\""), text.as_bytes())
    }

    pub fn file(self, name: &str, file_name: &str, content: &[u8]) -> Self {
        let kind = "\r\ncontent-type: application/octet-stream";
        self.part(&format!("name=\"{name}\"; filename=\"{file_name}\"{kind}"), content)
    }

    /// Without its end, as of a connection that broke.
    pub fn cut_off(mut self) -> Self {
        self.0.truncate(self.0.len() - 20);
        self
    }

    fn part(mut self, disposition: &str, content: &[u8]) -> Self {
        // The end moves on.
        self.0.truncate(self.0.len() - BOUNDARY.len() - 6);
        self.0
            .extend(format!("--{BOUNDARY}\r\ncontent-disposition: form-data; {disposition}\r\n\r\n").bytes());
        self.0.extend(content);
        self.0.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
        self
    }
}

/// An answer that arrived whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// An error as one line: status, code, field and sentence.
    pub fn complaint(&self) -> String {
        let error: types::error::PublicError = self.json();
        let field = error.field.map(|field| format!(" ({field})")).unwrap_or_default();
        format!("{} {}{field}: {}", self.status.as_u16(), error.code.as_str(), error.message)
    }
}

/// The repository's folder of demo models.
pub fn models_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}
