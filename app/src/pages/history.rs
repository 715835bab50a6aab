//! `/history`: everything the visitor made, with search.

use backend::{Services, Visitor};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use types::history::{HistoryPage as Found, HistoryQuery};

use crate::components::failure::failure;
use crate::components::picture_tile::{SELECTION_FORM, picture_tile};
use crate::direction::with_marks_seen;
use crate::format::{counted, query_value, sentence};
use crate::islands::small_deeds::SmallDeeds;
use crate::state::{FormState, PageStatus};

/// The page.
#[component]
pub fn HistoryPage() -> impl IntoView {
    let services = expect_context::<Services>();
    let visitor = expect_context::<Visitor>();
    let status = use_context::<PageStatus>().unwrap_or_default();
    let query = use_query_map().with_untracked(|query| HistoryQuery {
        search: query.get("search").unwrap_or_default(),
        favourites: query.get("favourites").is_some_and(|value| value == "true"),
        cursor: query.get("cursor").filter(|cursor| !cursor.is_empty()),
        limit: 0,
    });
    let form = search_form(&query);
    let refused = use_context::<FormState>().and_then(|form| form.error).map(|error| {
        view! {
            <p class="notice" role="alert">
                {sentence(&error.message)}
            </p>
        }
    });
    view! {
        <Title text="History" />
        <div class="history-page">
            <h1>"History"</h1>
            {refused}
            {form}
            {Suspend::new(async move {
                match services.history(&visitor, query.clone()).await {
                    Ok(found) => pictures(&query, &found),
                    Err(error) => failure(&error, &status),
                }
            })}
        </div>
        <SmallDeeds />
    }
}

fn search_form(query: &HistoryQuery) -> AnyView {
    view! {
        <search>
            <form class="history-search" method="get" action="/history">
                <label class="visually-hidden" for="search">
                    "Search in prompts"
                </label>
                <input
                    type="search"
                    id="search"
                    name="search"
                    value=query.search.clone()
                    placeholder="Search in prompts"
                    autocomplete="off"
                />
                <div class="check">
                    <input type="checkbox" id="favourites" name="favourites" value="true" checked=query.favourites />
                    <label for="favourites">"Favourites only"</label>
                </div>
                <button type="submit" class="quiet">
                    "Search"
                </button>
            </form>
        </search>
    }
    .into_any()
}

fn pictures(query: &HistoryQuery, found: &Found) -> AnyView {
    if found.pictures.is_empty() {
        return nothing_found(query);
    }
    let is_first_page = query.cursor.is_none();
    let newest = (!is_first_page).then(|| view! { <a class="quiet" href=address(query, None)>"Newest"</a> });
    let older = found.next.as_deref().map(|next| {
        view! {
            <a class="quiet" rel="next" href=address(query, Some(next))>
                "Older pictures"
            </a>
        }
    });
    let has_pages = newest.is_some() || older.is_some();
    view! {
        <p class="matches">
            {counted(found.n_matches, "picture", "pictures")}
            <span class="key-help">
                " · arrow keys move, " <kbd>"Enter"</kbd> " opens, " <kbd>"F"</kbd> " keeps as a favourite, " <kbd>"X"</kbd> " selects"
            </span>
        </p>
        <ul class="tiles" data-grid="">
            {found.pictures.iter().map(picture_tile).collect_view()}
        </ul>
        {selection_bar()}
        {has_pages
            .then(|| {
                view! {
                    <nav class="pager" aria-label="Pages of pictures">
                        {newest} {older}
                    </nav>
                }
            })}
    }
    .into_any()
}

/// What can be done with the selected pictures. Their check marks belong to this form, wherever they stand; the
/// style sheet shows it once one is set.
fn selection_bar() -> AnyView {
    view! {
        <form class="selection" id=SELECTION_FORM method="post" action="/history/zip" aria-label="Selected pictures">
            <details class="delete">
                <summary class="quiet">"Delete selected…"</summary>
                <div class="confirm">
                    <button type="submit" class="danger" formaction="/history/delete">
                        "Delete them for good"
                    </button>
                </div>
            </details>
            <button type="submit" class="quiet">
                "Download zip"
            </button>
        </form>
    }
    .into_any()
}

fn nothing_found(query: &HistoryQuery) -> AnyView {
    let is_filtered = !query.search.trim().is_empty() || query.favourites;
    let search = with_marks_seen(query.search.trim());
    let (heading, words) = match (search.as_str(), query.favourites) {
        ("", false) if query.cursor.is_some() => ("No older pictures", "This was the last page.".to_owned()),
        ("", false) => (
            "No pictures yet",
            "Everything you make hangs here, newest first. Others cannot see it.".to_owned(),
        ),
        ("", true) => ("No favourites yet", "Press the heart under a picture to keep it here.".to_owned()),
        (search, true) => ("Nothing found", format!("No favourite has “{search}” in its prompt.")),
        (search, false) => ("Nothing found", format!("No picture has “{search}” in its prompt.")),
    };
    view! {
        <div class="empty">
            <h2>{heading}</h2>
            <p>{words}</p>
            <p>
                {if is_filtered {
                    view! { <a href="/history">"Show all pictures"</a> }
                } else {
                    view! { <a href="/">"Make a picture"</a> }
                }}
            </p>
        </div>
    }
    .into_any()
}

/// The address of another page of the same search.
fn address(query: &HistoryQuery, cursor: Option<&str>) -> String {
    let mut parts = Vec::new();
    if !query.search.is_empty() {
        parts.push(format!("search={}", query_value(&query.search)));
    }
    if query.favourites {
        parts.push("favourites=true".to_owned());
    }
    parts.extend(cursor.map(|cursor| format!("cursor={}", query_value(cursor))));
    if parts.is_empty() { "/history".to_owned() } else { format!("/history?{}", parts.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_search() {
        let query = HistoryQuery { search: "red boat".into(), favourites: true, ..HistoryQuery::default() };
        assert_eq!(address(&query, Some("a=b")), "/history?search=red%20boat&favourites=true&cursor=a%3Db");
        assert_eq!(address(&HistoryQuery::default(), None), "/history");
    }
}
