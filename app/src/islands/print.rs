//! A finished picture with what can be done with it.

use leptos::prelude::*;
use types::picture::PictureFormat;

use crate::seen::SeenPicture;

/// The picture itself, as a link to the file.
pub fn print(picture: &SeenPicture) -> impl IntoView + use<> {
    let path = picture.path(PictureFormat::Png);
    view! {
        <a class="print-link" href=path title="Open the picture alone">
            <img class="print" src=path.clone() alt=picture.prompt.clone() width=picture.width height=picture.height />
        </a>
    }
}

/// Downloads, and for the owner: keep as a favourite, delete.
pub fn print_tools(picture: &SeenPicture, is_owner: bool, is_one_of_many: bool) -> impl IntoView + use<> {
    let which = if is_one_of_many { format!("picture {}", picture.index + 1) } else { "picture".to_owned() };
    let downloads = PictureFormat::ALL.map(|format| {
        let href = format!("{}?download", picture.path(format));
        let label = format!("Download {which} as {}", format.label());
        view! {
            <li>
                <a class="quiet" href=href download="" aria-label=label>
                    {format.label()}
                </a>
            </li>
        }
    });
    let seed = is_one_of_many.then(|| view! { <p class="print-seed">"Seed " {picture.seed}</p> });
    view! {
        <div class="print-tools">
            <ul class="downloads" aria-label="Download">{downloads.into_iter().collect_view()}</ul>
            {seed}
            {is_owner.then(|| start_link(picture, &which))} {is_owner.then(|| owner_tools(picture, &which))}
        </div>
    }
}

/// Leads to the form with this picture to start from, and the settings that it was made with.
pub fn start_link(picture: &SeenPicture, name: &str) -> AnyView {
    view! {
        <a
            class="quiet icon use-as-start"
            href=format!("/?job={}&start={}", picture.job_id, picture.id)
            aria-label=format!("Use {name} as start")
            title="Use as start"
        >
            <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
                <path d="M4 5.5h9M4 5.5v13h16V12M8 15l3-3 2.5 2.5M20 4l-5.5 5.5M14.5 5.5v4h4" />
            </svg>
            <span class="start-word">"Use as start"</span>
        </a>
    }
    .into_any()
}

/// Favourite and delete, as forms that work by themselves. `name` says to a screen reader which picture is meant.
pub fn owner_tools(picture: &SeenPicture, name: &str) -> impl IntoView + use<> {
    let base = format!("/images/{}", picture.id);
    let (is_on, wish) = (picture.favourite, if picture.favourite { "false" } else { "true" });
    view! {
        <form class="favourite" method="post" action=format!("{base}/favourite") data-id=picture.id.clone()>
            <input type="hidden" name="on" value=wish />
            <button type="submit" class="quiet icon" aria-pressed=if is_on { "true" } else { "false" } aria-label=format!("Favourite {name}") title="Favourite">
                <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
                    <path d="M12 20.3 4.6 13a4.9 4.9 0 0 1 6.9-6.9l.5.5.5-.5a4.9 4.9 0 0 1 6.9 6.9z" />
                </svg>
            </button>
        </form>
        <details class="delete">
            <summary class="quiet icon" aria-label=format!("Delete… {name}") title="Delete…">
                <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
                    <path d="M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7" />
                </svg>
            </summary>
            <form method="post" action=format!("{base}/delete")>
                <button type="submit" class="danger">
                    "Delete for good"
                </button>
            </form>
        </details>
    }
}
