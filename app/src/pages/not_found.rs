//! The Not found page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Title text="Not found" />
        <h1>"Not found"</h1>
    }
}
