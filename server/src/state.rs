//! What every handler can ask for.

use std::sync::Arc;

use axum::extract::FromRef;
use backend::Services;
use leptos::config::LeptosOptions;
use tokio_util::sync::CancellationToken;

use crate::assets::{self, Site};
use crate::callers::Access;
use crate::comfyui::Posted;
use crate::measures::HttpMeasures;

/// Shared by all requests. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// What the handlers call.
    pub services: Services,
    /// Who may call, and how much.
    pub access: Arc<Access>,
    /// The files that the browser loads.
    pub site: Site,
    /// What Leptos writes into the pages: where the browser's half of the site lies.
    pub leptos: LeptosOptions,
    /// Cancelled when the server begins to stop, so that endless answers come to an end.
    pub stopping: CancellationToken,
    /// Where requests are counted.
    pub http: HttpMeasures,
    /// Tells those who watch of the workflows that are theirs.
    pub workflow_posted: Posted,
}

impl AppState {
    /// The state of a server that serves `site` and stops at `stopping`.
    pub fn new(services: Services, access: Access, site: Site, stopping: CancellationToken) -> Self {
        let leptos =
            LeptosOptions::builder().output_name(assets::BUNDLE).site_pkg_dir(site.pkg_dir()).build();
        Self {
            services,
            access: Arc::new(access),
            site,
            leptos,
            stopping,
            http: HttpMeasures::default(),
            workflow_posted: Posted::default(),
        }
    }
}

impl FromRef<AppState> for Services {
    fn from_ref(state: &AppState) -> Self {
        state.services.clone()
    }
}
