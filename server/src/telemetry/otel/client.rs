//! How traces are sent: by the client that fetches models, so that the program has one library for TLS and no second one
//! for HTTP.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use ureq::Agent;

/// How long sending a batch may take, unless the environment says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What of the environment says it otherwise, in milliseconds.
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];

/// Sends batches. Blocks its thread, which does nothing else.
#[derive(Debug)]
pub struct Client(Agent);

impl Client {
    /// A client as the environment wants it.
    pub fn new() -> Self {
        let said = TIMEOUTS.iter().find_map(|name| std::env::var(name).ok()?.parse().ok());
        let timeout = said.map_or(TIMEOUT, Duration::from_millis);
        // The exporter looks at the status by itself.
        let config = Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false);
        Self(config.build().new_agent())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.0.run(request.map(|body| body.to_vec()))?;
        let (parts, mut body) = answer.into_parts();
        Ok(Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}
