use axum::http::StatusCode;
use backend::engine::fake::{FakeEngine, fake_lora};
use serde_json::json;
use types::job::{JobInfo, JobStatus};
use types::lora::LoraInfo;
use types::picture::PictureFormat;
use types::prompt::can_stand_in_tag;
use types::request::LoraUse;

use crate::helpers::TestApp;

#[tokio::test]
async fn the_form_makes_a_job_and_leads_to_its_page() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let answer =
        anna.post_form("/", &[("prompt", "a red boat"), ("steps", ""), ("quality", "preview")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let page = answer.header("location").to_owned();
    let id = page.strip_prefix("/j/").expect("it leads to the job").parse().expect("with an id");
    let job: JobInfo = anna.job(id).await.json();
    assert_eq!((job.request.prompt.as_str(), job.request.steps, job.is_owner), ("a red boat", 2, true));
    anna.events(id).await;
    let page = anna.get(&page).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("a red boat"));
}

#[tokio::test]
async fn a_refused_form_comes_back_with_what_was_typed_and_what_is_wrong() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let answer = anna.post_form("/", &[("prompt", "a red boat"), ("steps", "900"), ("seed", "7")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.header("content-type").starts_with("text/html"));
    let page = answer.text();
    assert!(page.contains("teps 900 is out of range; allowed are 1 to 150"), "{page}");
    assert!(page.contains("a red boat"));

    let answer = anna.post_form("/", &[("prompt", "a red boat"), ("steps", "many")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("is not a whole number"));
}

/// Values of the page's check marks for LoRAs, and whether each is set.
fn lora_marks(page: &str) -> Vec<(String, bool)> {
    let marks = page.split("<input").filter(|input| input.contains("type=\"checkbox\" id=\"lora-"));
    let read = |mark: &str| {
        let mark = mark.split_once("autocomplete").unwrap().0;
        let value = mark.split_once("value=\"").unwrap().1.split_once('"').unwrap().0;
        let plain =
            value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        (plain, mark.contains(" checked"))
    };
    marks.map(read).collect()
}

#[tokio::test]
async fn a_lora_of_any_name_goes_through_form_query_json_and_where_it_can_a_tag() {
    let names = ["ink, old", "\"ink\"", "größer 水墨", "style:2", "a<b>&amp;"];
    let loras = names.map(|name| LoraInfo { name: name.into(), ..fake_lora() });
    let app = TestApp::with_engine(FakeEngine::new().with_loras(loras.into())).await;
    let anna = app.browser();
    let all = names.map(|name| LoraUse { name: name.into(), weight: 1.0 });
    let asked_for = async |location: &str| {
        let id = location.strip_prefix("/j/").expect("it leads to the job").parse().expect("with an id");
        anna.job(id).await.json::<JobInfo>().request.loras
    };

    let marks = lora_marks(&anna.get("/").await.text());
    assert!(marks.len() == names.len() && marks.iter().all(|(_, is_set)| !is_set), "{marks:?}");
    let mut fields = vec![("prompt", "a red boat")];
    fields.extend(marks.iter().map(|(value, _)| ("loras", value.as_str())));
    let job = anna.post_form("/", &fields).await.header("location").to_owned();
    assert_eq!(asked_for(&job).await, all);

    // The form is filled in again from the job, and from a query that the form was sent on with.
    let form = anna.get(&format!("/?job={}", &job["/j/".len()..])).await.text();
    let written = anna.post_form("/write-prompt", &fields).await.header("location").to_owned();
    for page in [form, anna.get(&written).await.text()] {
        let again = lora_marks(&page);
        assert!(again.iter().all(|(_, is_set)| *is_set), "{again:?}");
        assert!(again.iter().map(|(value, _)| value).eq(marks.iter().map(|(value, _)| value)), "{again:?}");
    }

    let listed = names.map(|name| json!({ "name": name, "weight": 1 }));
    let answer = anna.create_job(json!({ "prompt": "a red boat", "loras": listed })).await;
    assert_eq!(answer.json::<JobInfo>().request.loras, all);

    // A name that is not installed would be refused.
    let tags: Vec<_> =
        names.iter().filter(|name| can_stand_in_tag(name)).map(|name| format!("<lora:{name}:0.5>")).collect();
    assert!(tags.len() >= 3, "all but those with what ends a tag: {tags:?}");
    let answer = anna.create_job(json!({ "prompt": format!("a red boat {}", tags.join(" ")) })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let answer = anna.create_job(json!({ "prompt": "a red boat <lora:ink, new:0.5>" })).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn random_prompt_works_without_a_script_and_keeps_the_other_fields() {
    let app = TestApp::start().await;
    let answer =
        app.browser().post_form("/write-prompt", &[("prompt", "a red "), ("seed", "7"), ("steps", "")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let address = answer.header("location");
    assert!(address.starts_with("/?prompt=a+red+"), "{address}");
    assert!(address.ends_with("&seed=7"), "{address}");
    assert!(!address.contains("++"), "{address}");
}

#[tokio::test]
async fn cancel_leads_back_to_the_job_whatever_became_of_it() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    for _ in 0..2 {
        let answer = anna.post_form(&format!("/j/{}/cancel", job.id), &[]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, format!("/j/{}", job.id).as_str())
        );
    }
    assert_eq!(anna.job(job.id).await.json::<JobInfo>().status, JobStatus::Cancelled);
    drop(gate);
}

#[tokio::test]
async fn favourite_and_delete_lead_back_to_where_the_button_was() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    let referrer = [("referer", "http://localhost:3000/history?search=boat")];
    let favourite = format!("/images/{}/favourite", picture.id);
    for (on, n_favourites) in [("true", 1), ("false", 0)] {
        let answer = anna.post_form_with(&favourite, &[("on", on)], &referrer).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, "/history?search=boat")
        );
        assert_eq!(anna.history("favourites=true").await.n_matches, n_favourites);
    }
    let answer = anna.post_form(&format!("/images/{}/delete", picture.id), &[]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/history"));
    assert_eq!(anna.get(&picture.path(PictureFormat::Png)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_for_what_is_not_there_shows_the_page_that_says_so() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    let picture = anna.paint("a red boat").await;
    for path in [
        format!("/images/{}/delete", picture.id),
        format!("/j/{}/cancel", picture.job_id),
        "/j/12/cancel".into(),
    ] {
        let answer = ben.post_form(&path, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
    }
    assert_eq!(anna.history("").await.n_matches, 1);
}

#[tokio::test]
async fn a_body_that_is_no_form_shows_the_form_with_a_sentence() {
    let app = TestApp::start().await;
    let answer = app.browser().post_text("/", "application/json", "{}").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(answer.text().contains("he body is not a form"));
}

#[tokio::test]
async fn a_number_that_is_none_comes_back_as_it_was_typed() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let typed = [("prompt", "a red boat"), ("steps", "2o"), ("width", "wide"), ("seed", "7")];
    let answer = anna.post_form("/", &typed).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.text();
    assert!(page.contains("Steps `2o` is not a whole number."), "{page}");
    for value in ["2o", "wide", "7"] {
        assert!(page.contains(&format!("value=\"{value}\"")), "{value} is shown again");
    }
}

#[tokio::test]
async fn a_second_random_prompt_begins_where_the_first_one_did() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let answer = anna.post_form("/write-prompt", &[("prompt", "a red"), ("steps", "2o")]).await;
    let address = answer.header("location").to_owned();
    let page = anna.get(&address).await.text();
    assert!(page.contains("name=\"beginning\" value=\"a red\""), "{page}");
    assert!(page.contains("value=\"2o\""), "what was typed is carried along");

    let written = form_urlencoded::parse(address.trim_start_matches("/?").as_bytes())
        .find(|(name, _)| name == "prompt")
        .map(|(_, prompt)| prompt.into_owned())
        .expect("there is a prompt");
    let again = [("prompt", written.as_str()), ("beginning", "a red"), ("written", written.as_str())];
    let second = anna.post_form("/write-prompt", &again).await;
    assert!(second.header("location").contains("&beginning=a+red"), "{}", second.header("location"));
    let changed = [("prompt", "a blue"), ("beginning", "a red"), ("written", written.as_str())];
    let third = anna.post_form("/write-prompt", &changed).await;
    assert!(third.header("location").starts_with("/?prompt=a+blue+"), "{}", third.header("location"));
}

#[tokio::test]
async fn an_address_that_takes_a_form_alone_leads_to_the_forms_page() {
    let app = TestApp::start().await;
    for (address, page) in [
        ("/write-prompt", "/"),
        ("/j/12/cancel", "/j/12"),
        ("/images/12/delete", "/history"),
        ("/images/12/favourite", "/history"),
        ("/history/zip", "/history"),
        ("/history/delete", "/history"),
    ] {
        let answer = app.browser().get(address).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, page), "{address}");
    }
}
