//! Spans of requests and jobs as OpenTelemetry traces, sent over HTTP (OTLP).
//!
//! Where to is said by the variables that all programs with OpenTelemetry read: `OTEL_EXPORTER_OTLP_ENDPOINT` or
//! `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, and beside them `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_EXPORTER_OTLP_HEADERS` and the rest of them. Without an endpoint nothing is sent.

mod client;

use anyhow::Context;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use self::client::Client;

/// Any of these has traces sent.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// The service that traces belong to, unless the environment says otherwise.
const SERVICE: &str = "darkroom";

/// Traces on their way to a collector. A thread of their own sends them, a batch at a time.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Those that the environment asks for, if it does.
    ///
    /// # Errors
    /// The endpoint is none.
    pub fn from_environment() -> anyhow::Result<Option<Self>> {
        let said = |name: &str| std::env::var(name).unwrap_or_default();
        let Some(name) = ENDPOINTS.iter().find(|name| !said(name).is_empty()) else { return Ok(None) };
        let exporter = SpanExporter::builder().with_http().with_http_client(Client::new()).build();
        let exporter =
            exporter.with_context(|| format!("traces cannot be sent to where `{name}` says; give a URL"))?;
        let resource = Resource::builder();
        // The builder has read both already; its own default is the name of the program's file.
        let is_named = !said("OTEL_SERVICE_NAME").is_empty()
            || said("OTEL_RESOURCE_ATTRIBUTES").contains("service.name=");
        let resource = if is_named { resource } else { resource.with_service_name(SERVICE) };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Some(Self(provider)))
    }

    /// What turns spans of the log into traces.
    pub fn layer<S: Subscriber + for<'span> LookupSpan<'span>>(&self) -> OpenTelemetryLayer<S, Tracer> {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer(SERVICE))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            // The log is about to end, and this is its last word.
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}
