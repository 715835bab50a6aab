//! A picture among others.

use leptos::prelude::*;
use types::picture::PictureInfo;

use crate::format::shortened;
use crate::islands::print::{owner_tools, start_link};
use crate::seen::SeenPicture;

/// The id of the form that the check marks of all tiles belong to.
pub const SELECTION_FORM: &str = "selection";

/// As much of a prompt as a label repeats, in characters.
const LABEL_CHARS: usize = 80;

/// A picture's thumbnail, leading to its job's page, with what its owner can do with it.
pub fn picture_tile(picture: &PictureInfo) -> AnyView {
    let seen = SeenPicture::from(picture);
    // The seed tells pictures of one job apart.
    let name = format!("“{}”, seed {}", shortened(&picture.prompt, LABEL_CHARS), picture.seed);
    view! {
        <li class="tile">
            <a class="tile-link" href=format!("/j/{}", picture.job_id)>
                <span class="tile-paper">
                    <img
                        src=picture.thumbnail_path()
                        alt=picture.prompt.clone()
                        width=picture.width
                        height=picture.height
                        loading="lazy"
                        decoding="async"
                    />
                </span>
                <span class="tile-prompt" aria-hidden="true">
                    {picture.prompt.clone()}
                </span>
            </a>
            <input
                type="checkbox"
                class="pick"
                name="picture"
                value=picture.id.to_string()
                form=SELECTION_FORM
                autocomplete="off"
                aria-label=format!("Select {name}")
                title="Select"
            />
            <div class="tile-tools">{start_link(&seen, &name)} {owner_tools(&seen, &name)}</div>
        </li>
    }
    .into_any()
}
