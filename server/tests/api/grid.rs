//! Grids over HTTP, and by the form.

use axum::http::StatusCode;
use serde_json::{Value, json};
use types::job::{JobInfo, JobStatus};
use types::picture::PictureFormat;

use crate::helpers::TestApp;

fn four_cells() -> Value {
    json!({
        "prompt": "a red boat",
        "seed": 7,
        "grid": {
            "columns": { "field": "sampler", "values": ["Euler a", "ddim"] },
            "rows": { "field": "steps", "values": [2, 3] },
        },
    })
}

#[tokio::test]
async fn a_grid_is_a_job_with_a_picture_for_each_cell_and_the_sheet_last() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let asked = anna.create_job(four_cells()).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let job: JobInfo = asked.json();
    assert_eq!(job.request.count, 5);
    app.services.wait(job.id).await.unwrap();
    let answer = anna.job(job.id).await;
    let told: Value = answer.json();
    assert_eq!(
        told["request"]["grid"],
        json!({
            "columns": { "field": "sampler", "values": ["euler_ancestral", "ddim"] },
            "rows": { "field": "steps", "values": [2, 3] },
        })
    );
    let job: JobInfo = answer.json();
    assert_eq!((job.status, job.pictures.len()), (JobStatus::Done, 5));
    let cell = anna.get(&job.pictures[2].path(PictureFormat::Png)).await;
    assert!(cell.text().contains("Steps: 3, Sampler: Euler a"), "a cell has its own settings inside");
    assert_eq!(anna.history("").await.n_matches, 5);
}

#[tokio::test]
async fn one_call_is_answered_with_the_sheet() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let answer = anna.generate_image(four_cells()).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "image/png"));
    let pixels = image::load_from_memory(&answer.body).unwrap();
    assert!(pixels.width() > 2 * 128 && pixels.height() > 2 * 128, "{}x{}", pixels.width(), pixels.height());
    assert_eq!(anna.get(answer.header("content-location")).await.body, answer.body);
}

#[tokio::test]
async fn a_grid_that_is_not_possible_is_refused_with_what_is_allowed() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let complaint = async |grid: Value| {
        anna.create_job(json!({ "prompt": "a red boat", "grid": grid })).await.complaint()
    };
    insta::assert_snapshot!(
        complaint(json!({ "columns": { "field": "tile", "values": [1] } })).await,
        @"422 invalid_field (grid): grid columns field `tile` is unknown; known are sampler, schedule, steps, guidance_scale, seed, strength, clip_skip, prompt_part"
    );
    insta::assert_snapshot!(
        complaint(json!({ "columns": { "field": "steps", "values": [5, 500] } })).await,
        @"422 invalid_field (grid): a cell of the grid is not possible: steps 500 is out of range; allowed are 1 to 150"
    );
    insta::assert_snapshot!(
        complaint(json!({ "columns": { "field": "steps", "values": [] } })).await,
        @"422 invalid_field (grid): grid columns have no values of `steps`; give at least one"
    );
    let seeds: Vec<u32> = (0..9).collect();
    insta::assert_snapshot!(
        complaint(json!({
            "columns": { "field": "seed", "values": seeds },
            "rows": { "field": "steps", "values": [1, 2, 3, 4, 5, 6, 7, 8] },
        }))
        .await,
        @"422 invalid_field (grid): a grid of 9 columns, 8 rows and 1 sheets has 72 cells; at most 64 are allowed"
    );
    for grid in [json!("steps"), json!({}), json!({ "columns": { "field": "steps", "values": [null] } })] {
        let answer = anna.create_job(json!({ "prompt": "a red boat", "grid": grid })).await;
        assert!(answer.status.is_client_error(), "{}", answer.text());
    }
    assert_eq!(anna.history("").await.n_matches, 0);
}

#[tokio::test]
async fn the_form_asks_for_a_grid_and_its_job_shows_the_cells_and_the_sheet() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let typed = [
        ("prompt", "a red boat"),
        ("grid_columns_field", "prompt_part"),
        ("grid_columns_values", "red, \"blue, deep\""),
        ("grid_rows_field", ""),
        ("grid_rows_values", ""),
        ("grid_sheets_field", "seed"),
        ("grid_sheets_values", "3, 4"),
    ];
    let answer = anna.post_form("/", &typed).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let address = answer.header("location").to_owned();
    let id = address.trim_start_matches("/j/").parse().unwrap();
    let job = app.services.wait(id).await.unwrap();
    let told: Vec<_> = job.pictures.iter().map(|picture| (picture.prompt.as_str(), picture.seed)).collect();
    let (red, blue) = ("a red boat", "a blue, deep boat");
    assert_eq!(told, [(red, 3), (blue, 3), (red, 4), (blue, 4), (red, 3)]);

    let page = anna.get(&address).await.text();
    for picture in &job.pictures {
        assert!(page.contains(&picture.path(PictureFormat::Png)), "picture {}", picture.index);
    }
    assert!(page.contains("frame sheet"), "the sheet has a place of its own");
    assert!(page.contains("Words in the prompt: red, "), "{page}");
    assert!(page.contains("name=\"grid_columns_values\""), "the same is asked for again with the same grid");
}

#[tokio::test]
async fn a_form_that_is_refused_shows_the_grid_as_it_was_typed() {
    let app = TestApp::start().await;
    let typed = [
        ("prompt", "a red boat"),
        ("grid_columns_field", "steps"),
        ("grid_columns_values", "5, many"),
        ("grid_rows_field", "sampler"),
        ("grid_rows_values", "euler"),
    ];
    let answer = app.browser().post_form("/", &typed).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.text();
    assert!(page.contains("Grid steps `many` is not a whole number, 0 or more."), "{page}");
    for value in ["5, many", "euler"] {
        assert!(page.contains(&format!("value=\"{value}\"")), "{value} is shown again");
    }
    assert!(page.contains("id=\"finer-settings\" open"), "the fold is open");
}
