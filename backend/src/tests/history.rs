use types::history::{HistoryPage, HistoryQuery};
use types::job::JobStatus;

use super::helpers::{TestServices, asking, free_running};

/// Pictures of these prompts, made in this order.
async fn with_pictures(prompts: &[&str]) -> (TestServices, tempfile::TempDir) {
    let (mut site, folder) = free_running().await;
    for prompt in prompts {
        site.ask(prompt).await;
        site.run_next_job().await;
    }
    (site, folder)
}

async fn page(site: &TestServices, query: HistoryQuery) -> HistoryPage {
    site.services.history(&site.alice, query).await.unwrap()
}

async fn found(site: &TestServices, search: &str) -> Vec<String> {
    let query = HistoryQuery { search: search.into(), ..HistoryQuery::default() };
    page(site, query).await.pictures.into_iter().map(|picture| picture.prompt).collect()
}

#[tokio::test]
async fn a_search_finds_beginnings_of_words_in_any_order() {
    let (site, _folder) =
        with_pictures(&["a red sailing boat", "a blue boat at night", "a red cottage"]).await;
    assert_eq!(found(&site, "boat").await, ["a blue boat at night", "a red sailing boat"]);
    assert_eq!(found(&site, "BOAT re").await, ["a red sailing boat"]);
    assert_eq!(found(&site, "sail").await, ["a red sailing boat"]);
    assert!(found(&site, "oat").await.is_empty(), "only beginnings count");
    assert_eq!(found(&site, "").await.len(), 3);
}

#[tokio::test]
async fn a_search_takes_accents_hyphens_and_syntax_as_text() {
    let (site, _folder) = with_pictures(&["a café by the sea", "a hot-air balloon", "夕暮れの船"]).await;
    assert_eq!(found(&site, "cafe").await, ["a café by the sea"]);
    assert_eq!(found(&site, "hot-air").await, ["a hot-air balloon"]);
    assert_eq!(found(&site, "夕").await, ["夕暮れの船"]);
    for syntax in [
        r#"""#,
        "*",
        "(",
        "NEAR(",
        "sea OR",
        "prompt:sea",
        "^sea",
        "-sea AND",
        "a\0b",
        "'; DROP TABLE pictures",
    ] {
        // It is enough that each is a search and none an error.
        found(&site, syntax).await;
    }
    assert_eq!(found(&site, "").await.len(), 3);
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let prompts: Vec<_> = (0..7).map(|number| format!("boat {number}")).collect();
    let (site, _folder) = with_pictures(&prompts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let query = HistoryQuery { search: "boat".into(), limit: 3, cursor, ..HistoryQuery::default() };
        let page = page(&site, query).await;
        assert_eq!(page.n_matches, 7, "the count is of all pages");
        seen.extend(page.pictures.into_iter().map(|picture| picture.prompt));
        let Some(next) = page.next else { break };
        cursor = Some(next);
    }
    assert_eq!(seen, prompts.into_iter().rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_last_page_that_is_full_has_no_next() {
    let (site, _folder) = with_pictures(&["one", "two"]).await;
    let query = HistoryQuery { limit: 2, ..HistoryQuery::default() };
    assert_eq!(page(&site, query).await.next, None);
}

#[tokio::test]
async fn favourites_are_kept_apart() {
    let (site, _folder) = with_pictures(&["one", "two"]).await;
    let one = page(&site, HistoryQuery::default()).await.pictures.pop().unwrap();
    assert!(site.services.set_favourite(&site.alice, one.id, true).await.unwrap().favourite);
    let favourites = HistoryQuery { favourites: true, ..HistoryQuery::default() };
    let marked = page(&site, favourites.clone()).await;
    assert_eq!((marked.pictures[0].prompt.as_str(), marked.n_matches), ("one", 1));
    site.services.set_favourite(&site.alice, one.id, false).await.unwrap();
    assert_eq!(page(&site, favourites).await.n_matches, 0);
}

#[tokio::test]
async fn a_deleted_picture_is_gone_from_everywhere() {
    let (mut site, _folder) = with_pictures(&["a red boat"]).await;
    let picture = page(&site, HistoryQuery::default()).await.pictures.remove(0);
    site.services.delete_picture(&site.alice, picture.id).await.unwrap();
    assert!(site.history().await.is_empty());
    assert!(found(&site, "boat").await.is_empty());
    assert!(site.services.thumbnail(&site.alice, picture.id).await.is_err());
    assert!(site.services.latest_jobs(&site.alice, 5).await.unwrap().is_empty());
    assert!(site.services.delete_picture(&site.alice, picture.id).await.is_err());
    let job = site.job(picture.job_id).await;
    assert_eq!((job.status, job.pictures.len()), (JobStatus::Done, 0));
    let shared = site.services.shared();
    assert_eq!(shared.files.sweep(&shared.store).await.unwrap(), 0, "its files went with it");
    assert_eq!(site.run_next_job().await, crate::jobs::worker::Outcome::Idle);
}

#[tokio::test]
async fn visitors_see_and_touch_only_their_own() {
    let (mut site, _folder) = with_pictures(&["alice's boat"]).await;
    site.services.create_job(&site.bob, asking("bob's boat")).await.unwrap();
    site.run_next_job().await;
    assert_eq!(site.history().await, ["alice's boat"]);
    assert_eq!(found(&site, "boat").await, ["alice's boat"]);
    let alices = page(&site, HistoryQuery::default()).await.pictures.remove(0);
    assert!(site.services.set_favourite(&site.bob, alices.id, true).await.is_err());
    assert!(site.services.delete_picture(&site.bob, alices.id).await.is_err());
    assert!(!page(&site, HistoryQuery::default()).await.pictures[0].favourite);
}
