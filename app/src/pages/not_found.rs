//! What is shown where nothing is.

use leptos::prelude::*;
use leptos_meta::Title;
use types::error::ErrorCode;

use crate::state::PageStatus;

/// The page for every address that leads nowhere.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    if let Some(status) = use_context::<PageStatus>() {
        status.report(ErrorCode::NotFound);
    }
    nothing_here(
        "Nothing has developed here",
        "This address leads nowhere. Perhaps a letter got lost on its way.",
    )
}

/// A page that says that nothing is here, and where to go instead.
pub fn nothing_here(heading: &'static str, words: &'static str) -> AnyView {
    view! {
        <Title text=heading />
        <div class="empty not-found">
            <svg class="blank-sheet" viewBox="0 0 120 96" width="120" height="96" aria-hidden="true">
                <rect x="10" y="8" width="100" height="80" rx="3" />
                <path d="M10 76 40 50l20 16 18-22 32 30" />
                <circle cx="84" cy="30" r="8" />
            </svg>
            <h1>{heading}</h1>
            <p>{words}</p>
            <p>
                <a href="/">"Make a picture"</a>
                " or look through your "
                <a href="/history">"History"</a>
                "."
            </p>
        </div>
    }
    .into_any()
}
