//! The top and the bottom of every page.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Where the header's links lead.
const LINKS: [(&str, &str); 4] =
    [("/", "Create"), ("/history", "History"), ("/models", "Models"), ("/api", "API")];

/// Name and navigation.
#[component]
pub fn Header() -> impl IntoView {
    let path = use_location().pathname.get_untracked();
    let links = LINKS.map(|(href, name)| {
        let current = (path == href).then_some("page");
        view! {
            <li>
                <a href=href aria-current=current>
                    {name}
                </a>
            </li>
        }
    });
    view! {
        <header class="site-header">
            <a class="wordmark" href="/" aria-label="Darkroom, home">
                <img src="/logo.svg" alt="" width="28" height="28" />
                <span>"Darkroom"</span>
            </a>
            <nav aria-label="Site">
                <ul class="site-links">{links.collect_view()}</ul>
            </nav>
        </header>
    }
}

/// What this place is, in one line.
#[component]
pub fn Footer() -> impl IntoView {
    view! {
        <footer class="site-footer">
            <p>"Darkroom " {env!("CARGO_PKG_VERSION")} ". Prompts and pictures stay on the machine that runs it."</p>
        </footer>
    }
}
