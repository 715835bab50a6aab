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
use crate::components::lora_picker::InstalledLora;
use crate::components::start_fields::{Materials, find_materials};
use crate::islands::small_deeds::SmallDeeds;
use crate::material::Material;
use crate::request_query::{from_job, from_query, with_start};
use crate::state::{FormState, PageStatus};
use crate::typed::TypedNumbers;

/// Jobs shown beside the form.
const N_LATEST: u32 = 12;

/// The page.
#[component]
pub fn CreatePage() -> impl IntoView {
    let services = expect_context::<Services>();
    let visitor = expect_context::<Visitor>();
    let given = use_context::<FormState>();
    let status = use_context::<PageStatus>().unwrap_or_default();
    let query = use_query_map().get_untracked();
    view! {
        <Title text="" />
        <div class="create-page">
            {Suspend::new(async move {
                let latest = services.latest_jobs(&visitor, N_LATEST).await;
                let offer = Offer {
                    models: services.models(),
                    loras: InstalledLora::usable(&services.loras()),
                    styles: services.styles(),
                    word_lists: services.wildcards().into_iter().map(|list| list.name).collect(),
                    presets: services.presets().clone(),
                    can_write: !services.prompt_models().is_empty(),
                };
                let (form, materials) = match given {
                    Some(given) => {
                        let materials = find_materials(&services, &visitor, &given.raw).await;
                        (given, materials)
                    }
                    None => asked_for(&services, &visitor, &query).await,
                };
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

/// What the address asks the form to be filled in with: `?job=ID` with that job's settings, `?start=ID` with a
/// picture to start from, and every field by its name.
async fn asked_for(services: &Services, visitor: &Visitor, query: &ParamsMap) -> (FormState, Materials) {
    let mut form = FormState {
        // These may stand in a field each.
        raw: from_query(|name| match name {
            "loras" | "styles" => query.get_all(name).map(|fields| fields.join(",")),
            _ => query.get(name),
        }),
        typed: TypedNumbers::read(|name| query.get(name)),
        beginning: query.get("beginning"),
        ..FormState::default()
    };
    let job = match query.get("job").and_then(|id| id.parse::<JobId>().ok()) {
        Some(id) => services.job(visitor, id).await.ok(),
        None => None,
    };
    if let Some(job) = job {
        let same = from_job(&job.request, &services.models(), services.presets());
        let (start, seed) = (form.raw.start.take(), form.raw.seed);
        let raw = if start.is_some() { with_start(same, start) } else { same };
        form = FormState { raw: RawRequest { seed: seed.or(raw.seed), ..raw }, ..FormState::default() };
    }
    let materials = find_materials(services, visitor, &form.raw).await;
    match &materials.start {
        Some(start) => leave_size_to(start, &mut form.raw),
        // It is gone, or somebody else's.
        None if form.raw.start.is_some() => form.raw = with_start(form.raw, None),
        None => {}
    }
    (form, materials)
}

/// A size that the start picture and its frame have anyway is not said in numbers.
fn leave_size_to(start: &Material, raw: &mut RawRequest) {
    let sides = [raw.outpaint_left, raw.outpaint_top, raw.outpaint_right, raw.outpaint_bottom];
    let [left, top, right, bottom] = sides.map(Option::unwrap_or_default);
    let (width, height) = (i64::from(start.width), i64::from(start.height));
    if (raw.width, raw.height) == (Some(left + width + right), Some(top + height + bottom)) {
        (raw.width, raw.height) = (None, None);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_follows_from_the_start_picture_is_not_said() {
        let start = Material::upload("s".into(), 256, 192);
        let mut raw = RawRequest {
            outpaint_left: Some(64),
            width: Some(320),
            height: Some(192),
            ..RawRequest::default()
        };
        leave_size_to(&start, &mut raw);
        assert_eq!((raw.width, raw.height), (None, None));
        raw.width = Some(512);
        raw.height = Some(192);
        leave_size_to(&start, &mut raw);
        assert_eq!((raw.width, raw.height), (Some(512), Some(192)));
    }
}
