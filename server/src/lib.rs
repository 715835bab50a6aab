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
//! * `security`, `extract`, `multipart`, `error`: what stands around every handler
//! * `waiting`, `base64_picture`: what the handlers of several APIs have in common
//! * [`cli`]: one subcommand a file
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
mod multipart;
mod openai;
mod pages;
pub mod router;
mod security;
mod selection;
mod shutdown;
mod slow_bodies;
pub mod state;
mod telemetry;
mod waiting;

use std::future::Future;
use std::time::Duration;

use backend::Services;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::assets::Site;
use crate::callers::Access;
use crate::listen::Patience;
use crate::state::AppState;

/// How long an answer may still take once the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// Serves the site on `listener` until `shutdown` resolves, then stops in good order.
///
/// From then on no connection is accepted, the running job goes back into the queue, streams end, and answers
/// under way have a few seconds to be finished.
pub async fn run(
    listener: TcpListener,
    services: Services,
    access: Access,
    shutdown: impl Future<Output = ()>,
) {
    let stopping = CancellationToken::new();
    let state = AppState::new(services.clone(), access, Site::bundled(), stopping.clone());
    let routes = router::router(state);
    let server = listen::serve(listener, routes, Patience::default(), stopping.clone());
    tokio::pin!(server);

    tokio::select! {
        () = &mut server => return,
        () = shutdown => tracing::info!("stopping"),
    }
    stopping.cancel();
    // Both at once: streams end only when the services say so, and the server waits for them.
    let stop = async { tokio::join!(server, services.shutdown()) };
    if tokio::time::timeout(GRACE, stop).await.is_err() {
        tracing::warn!("some answers were not finished and are cut off");
    }
}
