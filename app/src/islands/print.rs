//! A finished picture with what can be done with it.

use leptos::prelude::*;
use types::picture::{PictureFormat, PictureInfo};

/// The picture itself, as a link to the file.
pub fn print(picture: &PictureInfo) -> impl IntoView + use<> {
    let path = picture.path(PictureFormat::Png);
    view! {
        <a class="print-link" href=path title="Open the picture alone">
            <img class="print" src=path.clone() alt=picture.prompt.clone() width=picture.width height=picture.height />
        </a>
    }
}

/// Downloads, and for the owner: keep as a favourite, delete.
pub fn print_tools(picture: &PictureInfo, is_owner: bool, is_one_of_many: bool) -> impl IntoView + use<> {
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
            {is_owner.then(|| owner_tools(picture, &which))}
        </div>
    }
}

/// Favourite and delete, as forms that work by themselves. `name` says to a screen reader which picture is meant.
pub fn owner_tools(picture: &PictureInfo, name: &str) -> impl IntoView + use<> {
    let base = format!("/images/{}", picture.id);
    let (is_on, wish) = (picture.favourite, if picture.favourite { "false" } else { "true" });
    view! {
        <form class="favourite" method="post" action=format!("{base}/favourite") data-id=picture.id.to_string()>
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
