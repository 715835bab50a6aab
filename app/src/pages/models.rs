//! The Models page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn ModelsPage() -> impl IntoView {
    view! {
        <Title text="Models" />
        <h1>"Models"</h1>
    }
}
