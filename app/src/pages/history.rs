//! The History page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn HistoryPage() -> impl IntoView {
    view! {
        <Title text="History" />
        <h1>"History"</h1>
    }
}
