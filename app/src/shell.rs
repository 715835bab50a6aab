//! The document around every page, and the table of routes.

use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, StaticSegment, WildcardSegment, path};

use crate::components::header::{Footer, Header};
use crate::format::escaped;
use crate::pages::api::ApiPage;
use crate::pages::create::CreatePage;
use crate::pages::door::DoorPage;
use crate::pages::history::HistoryPage;
use crate::pages::job::JobPage;
use crate::pages::models::ModelsPage;
use crate::pages::not_found::NotFoundPage;

/// The whole document.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let style = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="dark" />
                <meta name="theme-color" content="#0f0d0c" />
                <meta
                    name="description"
                    content="Type a prompt, press Generate, and watch the picture develop."
                />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=style />
                <HydrationScripts options islands=true />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The routes. Every page is rendered whole before it is sent (`SsrMode::Async`), so that it needs no
/// script to fall into place and its status is known.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=document_title />
        <Router>
            <a class="skip-link" href="#main">
                "Skip to content"
            </a>
            <Header />
            <main id="main" tabindex="-1">
                <FlatRoutes fallback=NotFoundPage>
                    <Route path=StaticSegment("") view=CreatePage ssr=SsrMode::Async />
                    <Route path=path!("/j/:id") view=JobPage ssr=SsrMode::Async />
                    <Route path=StaticSegment("history") view=HistoryPage ssr=SsrMode::Async />
                    <Route path=StaticSegment("models") view=ModelsPage ssr=SsrMode::Async />
                    <Route path=StaticSegment("api") view=ApiPage ssr=SsrMode::Async />
                    <Route path=StaticSegment("enter") view=DoorPage ssr=SsrMode::Async />
                    <Route path=WildcardSegment("any") view=NotFoundPage ssr=SsrMode::Async />
                </FlatRoutes>
            </main>
            <Footer />
        </Router>
    }
}

/// Leptos does not escape titles, and a job's is its prompt.
#[expect(clippy::needless_pass_by_value, reason = "Leptos passes it so")]
fn document_title(page: String) -> String {
    if page.is_empty() { "Darkroom".to_owned() } else { format!("{} · Darkroom", escaped(&page)) }
}
