//! `darkroom serve`.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use backend::engine::candle::CandleEngine;
use backend::{Config, Services};
use clap::Args;
use futures::future::OptionFuture;
use tokio::net::TcpListener;

use super::settings::{AccessFlags, OperatorFlags, Settings, TunnelFlags};
use crate::shutdown::Signals;
use crate::tunnel;

/// How long a thread that computes may keep the program from ending.
const LAST_STEP: Duration = Duration::from_secs(2);

/// Serve the site and work off its jobs.
///
/// Prints `listening on http://…` on stdout once the site answers, and `reachable at https://…` where there is a tunnel. Ctrl-C or SIGTERM stops it in good order:
/// a job that is being worked on is made after the next start.
#[derive(Args)]
pub struct Serve {
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:3000]
    #[arg(long, env = "DARKROOM_ADDR", value_name = "HOST:PORT")]
    addr: Option<String>,
    #[command(flatten)]
    access: AccessFlags,
    #[command(flatten)]
    operator: OperatorFlags,
    #[command(flatten)]
    tunnel: TunnelFlags,
}

impl Serve {
    /// Runs until the process is asked to stop.
    pub fn run(self, settings: Settings) -> anyhow::Result<()> {
        // The threads that compute pictures; set up here, since a command without a server has nobody to wait.
        rayon::ThreadPoolBuilder::new()
            .start_handler(|_| backend::background::lower_priority())
            .build_global()
            .context("the threads that compute cannot be started")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let outcome = runtime.block_on(self.serve(settings));
        runtime.shutdown_timeout(LAST_STEP);
        outcome
    }

    async fn serve(self, mut settings: Settings) -> anyhow::Result<()> {
        let tunnel = self.tunnel.wanted(std::env::var(tunnel::TOKEN).ok(), tunnel::IS_BUILT)?;
        let flags = if tunnel.is_some() { self.access.made_public() } else { self.access };
        let (mut access, limits) = settings.access(flags)?;
        access.patience = access.patience.within(backend::open_files::raise_limit());
        let addr = self.addr.or(settings.addr.clone()).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let signals = Signals::listen().context("the system does not let the program listen for signals")?;
        let listener = TcpListener::bind(&addr).await.with_context(|| {
            format!("cannot listen on `{addr}`; give HOST:PORT with a free port, such as 127.0.0.1:3000")
        })?;
        let operator = match self.operator.addr(std::mem::take(&mut settings.operator)) {
            Some(addr) => Some(TcpListener::bind(&addr).await.with_context(|| {
                format!(
                    "cannot listen on `{addr}` for the operator; give HOST:PORT with a free port, such as \
                     127.0.0.1:3001"
                )
            })?),
            None => None,
        };
        let config = Config { limits, ..settings.into_config() };
        let engine = Arc::new(CandleEngine::open(&config)?);
        let services = Services::open(config, engine).await?;
        if let Some(operator) = &operator {
            crate::operator::check_address(operator.local_addr()?, &services).await?;
        }
        let tunnel = OptionFuture::from(tunnel.map(tunnel::open)).await.transpose()?;

        let mut stdout = std::io::stdout();
        writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
        if let Some(tunnel) = &tunnel {
            writeln!(stdout, "reachable at {}", tunnel.url)?;
        }
        stdout.flush()?;
        let listeners = crate::Listeners { site: listener, operator, tunnel };
        crate::run(listeners, services, access, signals.first()).await
    }
}
