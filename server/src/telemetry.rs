//! The program's log: on stderr, so that stdout holds only what was asked for. With the feature `otel`, its spans go to
//! an OpenTelemetry collector as well.

#[cfg(feature = "otel")]
mod otel;

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl LogFormat {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// The running log. When it is dropped, what was not sent to a collector yet is sent.
pub struct Telemetry {
    #[cfg(feature = "otel")]
    _traces: Option<otel::Traces>,
}

/// Starts logging. `filter` is a level or a list as in `warn,server=debug`.
///
/// # Errors
/// `filter` is neither; with the feature `otel`, the collector that the environment names cannot be sent to.
pub fn start(filter: &str, format: LogFormat) -> anyhow::Result<Telemetry> {
    let parsed = EnvFilter::try_new(filter).with_context(|| {
        format!("log filter `{filter}` cannot be read; allowed are error, warn, info, debug, trace, or a list such as warn,server=debug")
    })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        // The list of spans has the innermost as well.
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    let log = tracing_subscriber::registry().with(parsed).with(lines);
    #[cfg(feature = "otel")]
    {
        let traces = otel::Traces::from_environment()?;
        log.with(traces.as_ref().map(otel::Traces::layer)).init();
        Ok(Telemetry { _traces: traces })
    }
    #[cfg(not(feature = "otel"))]
    {
        log.init();
        Ok(Telemetry {})
    }
}
