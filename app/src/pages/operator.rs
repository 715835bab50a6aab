//! The operator's page: the queue, what is being made, what failed, the machine, and the last hour.
//!
//! A function of an [`OperatorSnapshot`] and of how it is looked at, so that it can be served wherever an operator is
//! known to be one. It has no script and none of its own styles: a form chooses what is shown, and the browser loads the
//! page anew by itself.

mod graphs;
mod jobs;
mod machine;

use backend::{OperatorSnapshot, Readiness};
use leptos::prelude::*;

use crate::format::{machine_moment, moment, sentence};

/// Seconds between two loadings of the page that can be chosen.
const REFRESHES: [u32; 3] = [5, 10, 60];

/// How the page is looked at: what its form says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperatorView {
    /// Whether prompts are shown.
    pub shows_prompts: bool,
    /// Seconds after which the page loads itself anew, if it does.
    pub refresh_s: Option<u32>,
}

impl Default for OperatorView {
    fn default() -> Self {
        Self { shows_prompts: false, refresh_s: Some(10) }
    }
}

impl OperatorView {
    /// Reads the form's fields. What is none of its values is passed over.
    pub fn read(prompts: Option<&str>, refresh: Option<&str>) -> Self {
        let usual = Self::default();
        let refresh_s = match refresh {
            Some("off") => None,
            Some(seconds) => {
                seconds.parse().ok().filter(|seconds| REFRESHES.contains(seconds)).or(usual.refresh_s)
            }
            None => usual.refresh_s,
        };
        Self { shows_prompts: prompts == Some("show"), refresh_s }
    }
}

/// The whole document. `style` is where the site's style sheet lies.
pub fn operator_document(snapshot: &OperatorSnapshot, view: OperatorView, style: &str) -> String {
    let refresh = view.refresh_s.map(|seconds| {
        view! { <meta http-equiv="refresh" content=seconds.to_string() /> }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="dark" />
                <meta name="theme-color" content="#0f0d0c" />
                <meta name="robots" content="noindex" />
                {refresh}
                <title>"Operator · Darkroom"</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=style.to_owned() />
            </head>
            <body>
                <a class="skip-link" href="#main">
                    "Skip to content"
                </a>
                <header class="site-header">
                    <p class="wordmark">
                        <img src="/logo.svg" alt="" width="28" height="28" />
                        <span>"Darkroom"</span>
                    </p>
                </header>
                <main id="main" tabindex="-1">
                    <div class="operator-page">
                        <h1>"Operator"</h1>
                        {state_of(snapshot)}
                        {form(view)}
                        {graphs::last_hour(snapshot)}
                        {jobs::lists(snapshot)}
                        {machine::facts(snapshot)}
                    </div>
                </main>
                <footer class="site-footer">
                    <p>"Darkroom " {env!("CARGO_PKG_VERSION")}</p>
                </footer>
            </body>
        </html>
    }
    .to_html()
}

/// Whether it works, and when that was so.
fn state_of(snapshot: &OperatorSnapshot) -> AnyView {
    let Readiness { checks } = &snapshot.readiness;
    let problems: Vec<_> = checks.iter().filter_map(|check| check.problem.clone()).collect();
    let is_ready = problems.is_empty();
    let problems = problems.iter().map(|problem| view! { <p class="notice">{sentence(problem)}</p> });
    view! {
        <p class="lead">
            {if is_ready { "Everything is in order" } else { "Something is wrong" }}
            ", as of "
            <time datetime=machine_moment(snapshot.taken_at)>{moment(snapshot.taken_at)}</time>
            "."
        </p>
        {problems.collect_view()}
    }
    .into_any()
}

/// What is shown, and how often.
fn form(view: OperatorView) -> AnyView {
    let choices = REFRESHES.map(|seconds| (seconds.to_string(), format!("every {seconds} s"), Some(seconds)));
    let choices = choices.into_iter().chain([("off".to_owned(), "never".to_owned(), None)]);
    let options = choices.map(|(value, name, seconds)| {
        let is_chosen = seconds == view.refresh_s;
        view! {
            <option value=value selected=is_chosen>
                {name}
            </option>
        }
    });
    view! {
        <form method="get" class="operator-form">
            <label for="refresh">"Load anew"</label>
            <select id="refresh" name="refresh">
                {options.collect_view()}
            </select>
            <span class="check">
                <input type="checkbox" id="prompts" name="prompts" value="show" checked=view.shows_prompts />
                <label for="prompts">"Show prompts"</label>
            </span>
            <button type="submit" class="quiet">
                "Apply"
            </button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
#[path = "operator_tests.rs"]
mod tests;
