//! A picture among others.

use leptos::prelude::*;
use types::picture::PictureInfo;

use crate::islands::print::owner_tools;

/// A picture's thumbnail, leading to its job's page, with what its owner can do with it.
pub fn picture_tile(picture: &PictureInfo) -> AnyView {
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
            <div class="tile-tools">{owner_tools(picture)}</div>
        </li>
    }
    .into_any()
}
