//! Styles and wildcards, from the site's files to the picture.

use std::path::PathBuf;

use axum::http::StatusCode;
use serde_json::{Value, json};
use types::job::JobInfo;
use types::prompt::{Style, WildcardInfo};

use crate::helpers::{Answer, Browser, TestApp};

/// Puts a file into the data folder.
fn write(app: &TestApp, path: &str, text: &str) {
    let path: PathBuf = app.data().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// What is painted.
async fn painted(browser: &Browser, request: Value) -> (String, String) {
    let answer = browser.create_job(request).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let JobInfo { request, .. } = answer.json();
    (request.prompt, request.negative_prompt)
}

fn pair(prompt: &str, negative_prompt: &str) -> (String, String) {
    (prompt.to_owned(), negative_prompt.to_owned())
}

#[tokio::test]
async fn a_style_of_the_sites_file_is_applied_and_read_anew_when_the_file_changes() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let asked = || json!({ "prompt": "a boat", "negative_prompt": "rain", "styles": ["ink"] });
    insta::assert_snapshot!(
        anna.create_job(asked()).await.complaint(),
        @"422 invalid_field (styles): style `ink` is unknown; known are Product photograph, Concept art, Portrait, Landscape, Travel poster, Watercolour, Without flaws, Without text, Without people, Without bad anatomy, Without bad weather"
    );
    write(&app, "styles.csv", "name,prompt,negative_prompt\nInk,\"ink drawing of {prompt}, wash\",colour\n");
    assert_eq!(painted(&anna, asked()).await, pair("ink drawing of a boat, wash", "rain, colour"));
    write(&app, "styles.csv", "name,prompt,negative_prompt\nbroken,line,,,\nInk,pen,\n");
    assert_eq!(painted(&anna, asked()).await, pair("a boat, pen", "rain"));
    std::fs::remove_file(app.data().join("styles.csv")).unwrap();
    assert_eq!(anna.create_job(asked()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_styles_are_listed_with_what_they_add() {
    let app = TestApp::start().await;
    write(&app, "styles.csv", "name,prompt,negative_prompt\nPORTRAIT,mine,\n");
    let styles: Vec<Style> = app.browser().get("/api/v1/styles").await.json();
    let own = Style {
        name: "PORTRAIT".into(),
        prompt: "mine".into(),
        negative_prompt: String::new(),
        built_in: false,
    };
    assert_eq!(styles[0], own);
    assert!(styles[1..].iter().all(|style| style.built_in && !style.is_called("portrait")));
    let concept = styles.iter().find(|style| style.name == "Concept art").unwrap();
    assert!(concept.prompt.starts_with("{prompt}, concept art"), "{concept:?}");
}

#[tokio::test]
async fn a_wildcard_stands_for_a_line_of_the_sites_file() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let asked = |prompt: &str| json!({ "prompt": prompt, "seed": 7 });
    insta::assert_snapshot!(
        anna.create_job(asked("a __size__ boat")).await.complaint(),
        @"422 invalid_field (prompt): the prompt names the wildcard `__size__`, which is unknown; known are animal, building, color, colour, flower, food, light, material, medium, mood, place, season, shot, style, subject, time, tree, vehicle, weather"
    );
    write(&app, "wildcards/size.txt", "# sizes\nvery small\n");
    write(&app, "wildcards/animals/cat.txt", "tabby\n");
    assert_eq!(
        painted(&anna, asked("a __size__ boat and a __animals/cat__")).await.0,
        "a very small boat and a tabby"
    );
    write(&app, "wildcards/size.txt", "rather large\n");
    assert_eq!(painted(&anna, asked("a __size__ boat")).await.0, "a rather large boat");
    let lists: Vec<WildcardInfo> = anna.get("/api/v1/wildcards").await.json();
    let names: Vec<&str> = lists.iter().map(|list| list.name.as_str()).collect();
    assert_eq!(names[..3], ["animals/cat", "size", "animal"]);
    assert_eq!(
        (lists[1].n_entries, lists[1].built_in, &lists[1].examples[..]),
        (1, false, &["rather large".to_owned()][..])
    );
    let subject = lists.iter().find(|list| list.name == "subject").unwrap();
    assert_eq!(subject.examples, ["boat"], "the model knows no other");
}

#[tokio::test]
async fn no_wildcard_leads_out_of_its_folder() {
    let app = TestApp::start().await;
    write(&app, "secret.txt", "secret\n");
    write(&app, "wildcards/size.txt", "small\n");
    for prompt in ["__../secret__", "__animals/../../secret__", "__/etc/passwd__", "__./size__"] {
        let text = format!("a {prompt} boat");
        let (painted, _) = painted(&app.browser(), json!({ "prompt": &text })).await;
        assert_eq!(painted, text, "it is no name, so it is text");
    }
}

#[tokio::test]
async fn what_has_no_end_is_refused() {
    let app = TestApp::start().await;
    write(&app, "wildcards/again.txt", "and __again__\n");
    insta::assert_snapshot!(
        app.browser().create_job(json!({ "prompt": "a boat __again__" })).await.complaint(),
        @"422 invalid_field (prompt): the prompt holds wildcards or choices that lie more than 16 deep in each other, as one does that leads back to itself; at most 16 are allowed"
    );
}

#[tokio::test]
async fn the_words_follow_from_the_seed_and_the_picture_keeps_those_that_were_painted() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let asked = json!({ "prompt": "a __colour__ {boat|cottage|car|tree} at __time__", "seed": 7 });
    let first = painted(&anna, asked.clone()).await;
    assert_eq!(painted(&anna, asked.clone()).await, first);
    let others: Vec<(String, String)> = {
        let mut others = Vec::new();
        for seed in 8..14 {
            others.push(painted(&anna, json!({ "prompt": asked["prompt"], "seed": seed })).await);
        }
        others
    };
    assert!(others.iter().any(|other| *other != first));
    let picture = anna.generate_image(asked.clone()).await;
    assert!(picture.text().contains(&format!("{}\nSteps: ", first.0)), "{}", first.0);
    let job: JobInfo = anna.create_job(asked.clone()).await.json();
    assert_eq!(job.request.asked_prompt.as_deref(), asked["prompt"].as_str());
    anna.events(job.id).await;
    let page = anna.get(&format!("/j/{}", job.id)).await.text();
    assert!(page.contains(&first.0), "the prompt that was painted");
    assert!(page.contains("__colour__ {boat|cottage|car|tree}"), "and what was typed");
    let plain = anna.ask_for("a boat").await;
    assert!(!anna.get(&format!("/j/{}", plain.id)).await.text().contains("asked-prompt"));
}

/// The check marks of the page's styles that are set.
fn picked(page: &Answer) -> Vec<String> {
    let text = page.text();
    let marks = text.split("<input").filter(|input| input.contains("type=\"checkbox\" id=\"style-"));
    let set = marks.filter(|mark| mark.split('>').next().unwrap().contains(" checked"));
    set.map(|mark| mark.split_once("value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn the_form_takes_styles_without_a_script_and_shows_them_again() {
    let app = TestApp::start().await;
    write(&app, "styles.csv", "name,prompt,negative_prompt\n\"Ink, old\",ink,\nOil,oil,\n");
    let anna = app.browser();
    let page = anna.get("/").await;
    assert_eq!(picked(&page), Vec::<String>::new());
    assert!(page.text().contains("Adds: ink"));
    assert!(page.text().contains("season, shot, style, subject"), "the lists are named");
    let fields = [("prompt", "a boat"), ("styles", "\"Ink, old\""), ("styles", "Oil")];
    let answer = anna.post_form("/", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let id = answer.header("location").strip_prefix("/j/").unwrap().parse().unwrap();
    let job: JobInfo = anna.job(id).await.json();
    assert_eq!(job.request.prompt, "a boat, ink, oil");

    let refused = anna.post_form("/", &[&fields[..], &[("steps", "900")]].concat()).await;
    assert_eq!(picked(&refused), ["&quot;Ink, old&quot;", "Oil"]);
    let query = anna.get("/?prompt=a+boat&styles=Oil").await;
    assert_eq!(picked(&query), ["Oil"]);
    let again = anna.get(&format!("/?job={id}")).await;
    assert_eq!(picked(&again), Vec::<String>::new(), "its prompt holds their words already");
    assert!(again.text().contains("a boat, ink, oil"));
    let unknown = anna.post_form("/", &[("prompt", "a boat"), ("styles", "Chalk")]).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unknown.text().contains("tyle `Chalk` is unknown; known are Ink, old, Oil, Product photograph"));
}
