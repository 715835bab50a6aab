//! The Create page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn CreatePage() -> impl IntoView {
    view! {
        <Title text="Create" />
        <h1>"Create"</h1>
    }
}
