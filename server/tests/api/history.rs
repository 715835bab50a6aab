use crate::helpers::TestApp;

#[tokio::test]
async fn the_history_is_searched_by_beginnings_of_words() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for prompt in ["a red sailing boat", "a blue house"] {
        anna.paint(prompt).await;
    }
    let found = anna.history("search=sail").await;
    assert_eq!(
        found.pictures.iter().map(|picture| picture.prompt.as_str()).collect::<Vec<_>>(),
        ["a red sailing boat"]
    );
    assert_eq!(anna.history("search=green").await.n_matches, 0);
    // What a search language would take for its own signs are only words here.
    assert_eq!(anna.history("search=%22%20OR%20*").await.n_matches, 0);
}

#[tokio::test]
async fn the_history_comes_in_pages_newest_first() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for prompt in ["first", "second", "third"] {
        anna.paint(prompt).await;
    }
    let page = anna.history("limit=2").await;
    let prompts = |page: &types::history::HistoryPage| {
        page.pictures.iter().map(|picture| picture.prompt.clone()).collect::<Vec<_>>()
    };
    assert_eq!((prompts(&page), page.n_matches), (vec!["third".into(), "second".into()], 3));
    let cursor = page.next.expect("there is another page");
    let page = anna.history(&format!("limit=2&cursor={cursor}")).await;
    assert_eq!((prompts(&page), page.next), (vec!["first".to_owned()], None));
}

#[tokio::test]
async fn nobody_sees_the_history_of_somebody_else() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    anna.paint("a red boat").await;
    assert_eq!(anna.history("").await.n_matches, 1);
    assert_eq!(ben.history("").await.n_matches, 0);
}
