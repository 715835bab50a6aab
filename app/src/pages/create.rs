//! `/`: the form that asks for pictures, and the visitor's latest jobs.

use backend::{Services, Visitor};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use types::job::{JobId, JobInfo};
use types::request::RawRequest;

use crate::components::create_form::{Offer, create_form};
use crate::components::failure::failure;
use crate::components::job_tile::job_tile;
use crate::components::start_fields::Materials;
use crate::islands::small_deeds::SmallDeeds;
use crate::request_query::{from_job, from_query};
use crate::state::{FormState, PageStatus};
use crate::typed::TypedNumbers;

/// Jobs shown beside the form.
const N_LATEST: u32 = 12;

/// The page.
#[component]
pub fn CreatePage() -> impl IntoView {
    let services = expect_context::<Services>();
    let visitor = expect_context::<Visitor>();
    let refused = use_context::<FormState>();
    let status = use_context::<PageStatus>().unwrap_or_default();
    let query = use_query_map().get_untracked();
    view! {
        <Title text="" />
        <div class="create-page">
            {Suspend::new(async move {
                let latest = services.latest_jobs(&visitor, N_LATEST).await;
                let offer = Offer {
                    models: services.models(),
                    loras: Vec::new(),
                    can_write: !services.prompt_models().is_empty(),
                };
                let form = match refused {
                    Some(refused) => refused,
                    None => asked_for(&services, &visitor, &query).await,
                };
                let materials = Materials::default();
                let latest = match latest {
                    Ok(jobs) => latest_section(&jobs),
                    Err(error) => failure(&error, &status),
                };
                view! {
                    <section class="create-panel" aria-labelledby="create-heading">
                        <h1 id="create-heading">"What should develop?"</h1>
                        {create_form(&offer, &form, &materials)}
                    </section>
                    {latest}
                }
            })}
        </div>
        <SmallDeeds />
    }
}

/// What the address asks the form to be filled in with: `?job=ID` with that job's settings, and every field
/// by its name.
async fn asked_for(services: &Services, visitor: &Visitor, query: &ParamsMap) -> FormState {
    let asked = FormState {
        raw: from_query(|name| query.get(name)),
        typed: TypedNumbers::read(|name| query.get(name)),
        beginning: query.get("beginning"),
        error: None,
    };
    let Some(id) = query.get("job").and_then(|id| id.parse::<JobId>().ok()) else { return asked };
    match services.job(visitor, id).await {
        Ok(job) => {
            let raw = RawRequest { seed: asked.raw.seed, ..from_job(&job.request, &services.models()) };
            FormState { raw, ..FormState::default() }
        }
        Err(_) => asked,
    }
}

fn latest_section(jobs: &[JobInfo]) -> AnyView {
    let tiles = jobs.iter().map(job_tile).collect_view();
    let is_empty = jobs.is_empty();
    view! {
        <section class="latest" aria-labelledby="latest-heading">
            <div class="latest-head">
                <h2 id="latest-heading">"Your latest pictures"</h2>
                {(!is_empty).then(|| view! { <a href="/history">"All in History"</a> })}
            </div>
            {if is_empty {
                view! {
                    <div class="empty">
                        <p>"Nothing on the line yet."</p>
                        <p>
                            "Press " <strong>"Random prompt"</strong> " if you don't know what to ask for, then "
                            <strong>"Generate"</strong> ". Your pictures hang here afterwards, for you alone."
                        </p>
                    </div>
                }
                    .into_any()
            } else {
                view! {
                    <ul class="tiles" data-grid="">
                        {tiles}
                    </ul>
                }
                    .into_any()
            }}
        </section>
    }
    .into_any()
}
