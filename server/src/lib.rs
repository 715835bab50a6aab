//! The `darkroom` program: the site, the API and the command line, over one [`Services`].
//!
//! # Layout
//! * [`router`]: every route in one list; start reading here
//! * `api`: one group of endpoints a file, each handler a few lines over [`Services`]
//! * `openai`, `a1111`, `comfyui`: the same in the shapes of other programs' APIs
//! * `pages`, `forms` and `selection`: Leptos' pages, and what their forms do without JavaScript
//! * [`assets`]: the files that the browser loads, from the program itself or from disk
//! * `bundled`: the demo models, likewise
//! * [`hostile`]: the readers of what strangers send, for those who feed them anything
//! * [`callers`]: who calls, and how much they may
//! * [`operator`]: health, metrics and a page for whoever operates the site, on a listener of its own
//! * `listen`, `slow_bodies`, [`patience`]: connections, and patience with them
//! * [`tunnel`]: the site at an address on the internet as well
//! * `security`, `extract`, `multipart`, `error`: what stands around every handler
//! * `waiting`, `base64_picture`: what the handlers of several APIs have in common
//! * [`cli`]: one subcommand a file
//! * `measures`, `request_id`: what is counted of requests, and their names in the log
//! * `shutdown`, `telemetry`: the process
//!
//! # Invariants
//! Only this crate knows status codes, headers and cookies. A handler does nothing that a page or the command
//! line could not do through the same call.

// A page of Leptos is one type, as deep as its elements are nested.
#![recursion_limit = "512"]

mod a1111;
mod api;
pub mod assets;
mod base64_picture;
mod bundled;
pub mod callers;
pub mod cli;
mod comfyui;
mod error;
mod extract;
mod forms;
pub mod hostile;
pub mod listen;
mod measures;
mod multipart;
mod openai;
pub mod operator;
mod pages;
pub mod patience;
mod request_id;
pub mod router;
mod security;
mod selection;
mod shutdown;
mod slow_bodies;
pub mod state;
mod telemetry;
pub mod tunnel;
mod waiting;

use std::future::Future;
use std::time::Duration;

use axum::Extension;
use backend::Services;
use futures::future::OptionFuture;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::assets::Site;
use crate::callers::{Access, ByTunnel};
use crate::state::AppState;
use crate::tunnel::Tunnel;

/// How long an answer may still take once the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// Where the program listens.
pub struct Listeners {
    /// For visitors.
    pub site: TcpListener,
    /// For whoever operates the site, if there is one.
    pub operator: Option<TcpListener>,
    /// For visitors from the internet, if there is one.
    pub tunnel: Option<Tunnel>,
}

impl From<TcpListener> for Listeners {
    fn from(site: TcpListener) -> Self {
        Self { site, operator: None, tunnel: None }
    }
}

/// Serves the site until `shutdown` resolves, then stops in good order. It answers to the tunnel's name as well.
///
/// From then on no connection is accepted, the running job goes back into the queue, streams end, and answers
/// under way have a few seconds to be finished. The operator is told until the end that the program stops.
///
/// # Errors
/// The operator's listener has no address.
pub async fn run(
    listeners: impl Into<Listeners>,
    services: Services,
    mut access: Access,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let Listeners { site: listener, operator, tunnel } = listeners.into();
    if let Some(tunnel) = &tunnel {
        access.hosts.add(&tunnel.host);
    }
    let stopping = CancellationToken::new();
    let state = AppState::new(services.clone(), access, Site::bundled(), stopping.clone());
    let stopped = CancellationToken::new();
    let operator = operator.map(|listener| operator::serve(listener, state.clone(), stopped.clone()));
    let operator = OptionFuture::from(operator.transpose()?);
    tokio::pin!(operator);
    let Access { patience, trusted_proxies, .. } = &*state.access;
    let (patience, trusted) = (*patience, trusted_proxies.clone());
    let routes = router::router(&state);
    let tunnel = tunnel.map(|tunnel| {
        let routes = routes.clone().layer(Extension(ByTunnel));
        listen::serve(tunnel, routes, patience, Vec::new(), stopping.clone())
    });
    let site = listen::serve(listener, routes, patience, trusted, stopping.clone());
    let server = async { tokio::join!(site, OptionFuture::from(tunnel)) };
    tokio::pin!(server);

    tokio::select! {
        _ = &mut server => return Ok(()),
        Some(()) = &mut operator => return Ok(()),
        () = shutdown => tracing::info!("stopping"),
    }
    stopping.cancel();
    // Both at once: streams end only when the services say so, and the server waits for them.
    let stop = async {
        let site = async {
            tokio::join!(server, services.shutdown());
            stopped.cancel();
        };
        tokio::join!(site, operator)
    };
    if tokio::time::timeout(GRACE, stop).await.is_err() {
        tracing::warn!("some answers were not finished and are cut off");
    }
    Ok(())
}
