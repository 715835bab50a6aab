//! The Job page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn JobPage() -> impl IntoView {
    view! {
        <Title text="Job" />
        <h1>"Job"</h1>
    }
}
