//! The API page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn ApiPage() -> impl IntoView {
    view! {
        <Title text="API" />
        <h1>"API"</h1>
    }
}
