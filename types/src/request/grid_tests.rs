use super::tests::{asked, check, complaint, demo};
use super::*;
use crate::sampler::{Sampler, Schedule};
use crate::upload::UploadId;

fn grid(columns: (&str, &str), rows: Option<(&str, &str)>, sheets: Option<(&str, &str)>) -> RawRequest {
    let axis = |(field, values)| RawGridAxis::typed(field, values);
    let grid = RawGrid { columns: axis(columns), rows: rows.map(axis), sheets: sheets.map(axis) };
    RawRequest { grid: Some(grid), seed: Some(7), ..asked("a red boat on a red sea") }
}

fn refusal(raw: RawRequest) -> String {
    let (field, sentence) = complaint(raw);
    assert_eq!(field, "grid");
    sentence
}

#[test]
fn every_combination_is_a_cell_row_by_row_and_the_sheet_comes_behind_them() {
    let raw =
        grid(("sampler", "Euler a, ddim"), Some(("steps", "5, 10")), Some(("guidance_scale", "2, 7.5")));
    let request = check(raw).unwrap();
    assert_eq!(request.count, 9);
    let cells: Vec<_> = (0..8).map(|index| request.cell(index).unwrap()).collect();
    let told: Vec<_> = cells
        .iter()
        .map(|cell| (cell.sampler, cell.steps, cell.guidance_scale, cell.count, cell.seed))
        .collect();
    let (ancestral, ddim) = (Sampler::EulerAncestral, Sampler::Ddim);
    assert_eq!(
        told,
        [
            (ancestral, 5, 2.0, 1, 7),
            (ddim, 5, 2.0, 1, 7),
            (ancestral, 10, 2.0, 1, 7),
            (ddim, 10, 2.0, 1, 7),
            (ancestral, 5, 7.5, 1, 7),
            (ddim, 5, 7.5, 1, 7),
            (ancestral, 10, 7.5, 1, 7),
            (ddim, 10, 7.5, 1, 7),
        ]
    );
    assert!(cells.iter().all(|cell| cell.grid.is_none()));
    assert!(request.cell(8).is_none() && request.is_sheet(8) && !request.is_sheet(7));
    assert_eq!([0, 2, 8].map(|index| request.n_steps_of(index)), [5, 10, 0]);
}

#[test]
fn a_cell_is_what_the_same_request_is_without_a_grid() {
    let raw = grid(("steps", "5, 10"), Some(("seed", "3, 9")), Some(("schedule", "karras, AYS")));
    let request = check(raw.clone()).unwrap();
    let alone = RawRequest {
        grid: None,
        steps: Some(10),
        seed: Some(9),
        schedule: Some("align_your_steps".into()),
        ..raw
    };
    assert_eq!(request.cell(7).unwrap(), check(alone).unwrap());
    assert_eq!([0, 2, 7, 8].map(|index| request.seed_of(index)), [3, 9, 9, 3]);
}

#[test]
fn a_request_of_one_picture_has_no_cells() {
    let request = check(asked("a boat")).unwrap();
    assert!(request.cell(0).is_none() && !request.is_sheet(0) && !request.is_sheet(1));
    assert_eq!(request.n_steps_of(0), request.n_steps());
}

#[test]
fn words_are_replaced_in_both_prompts_wherever_they_stand() {
    let raw = grid(("prompt_part", "red, blue, \"gold, old\""), None, None);
    let request = check(RawRequest { negative_prompt: Some("red sails".into()), ..raw }).unwrap();
    let cells: Vec<_> = (0..3).map(|index| request.cell(index).unwrap()).collect();
    assert_eq!(cells[0].prompt, "a red boat on a red sea");
    assert_eq!(cells[1].prompt, "a blue boat on a blue sea");
    assert_eq!(cells[2].prompt, "a gold, old boat on a gold, old sea");
    assert_eq!(cells[1].negative_prompt, "blue sails");
}

#[test]
fn wildcards_are_written_out_once_for_all_cells() {
    let raw = RawRequest { prompt: "a {red|blue|grey} boat".into(), ..grid(("seed", "1, 2, 3"), None, None) };
    let request = check(raw).unwrap();
    let prompts: Vec<_> = (0..3).map(|index| request.cell(index).unwrap().prompt).collect();
    assert!(prompts.iter().all(|prompt| *prompt == request.prompt), "{prompts:?}");
    assert_eq!(request.asked_prompt.as_deref(), Some("a {red|blue|grey} boat"));
    assert_eq!(request.cell(1).unwrap().asked_prompt, None);
    assert_eq!(
        refusal(grid(("prompt_part", "red, {blue|grey}"), None, None)),
        "the grid's words hold wildcards or choices, which stand for no one text; write them out"
    );
}

#[test]
fn a_strength_needs_a_picture_to_start_from() {
    let raw = grid(("strength", "0.3, 0.9"), None, None);
    assert_eq!(
        refusal(raw.clone()),
        "grid columns of `strength` act on nothing, as there is no start picture or the model has no use for one; \
         name a picture as `start`"
    );
    let id: UploadId = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let start = KnownPicture { source: PictureSource::Upload(id), width: 256, height: 256 };
    let context = RequestContext { models: &[demo()], start: Some(start), ..RequestContext::default() };
    let request = RawRequest { start: Some(id.to_string()), ..raw }.check(&context, || 42).unwrap();
    let strengths: Vec<_> = (0..2).map(|index| request.cell(index).unwrap().strength()).collect();
    assert_eq!(strengths, [Some(0.3), Some(0.9)]);
    assert_eq!([0, 1].map(|index| request.n_steps_of(index)), [6, 18]);
}

#[test]
fn what_is_wrong_with_an_axis_is_said_with_what_is_allowed() {
    let known = "sampler, schedule, steps, guidance_scale, seed, strength, clip_skip, prompt_part";
    for (columns, sentence) in [
        (("tile", "1"), format!("grid columns field `tile` is unknown; known are {known}")),
        (("", "1"), format!("grid columns name no field; known are {known}")),
        (("steps", ""), "grid columns have no values of `steps`; give at least one".to_owned()),
        (("steps", "5, 10, 5"), "grid columns have the value `5` of `steps` twice; once is enough".to_owned()),
        (
            ("sampler", "Euler a, euler_ancestral"),
            "grid columns have the value `euler_ancestral` of `sampler` twice; once is enough".to_owned(),
        ),
        (("steps", "many"), "grid steps `many` is not a whole number, 0 or more".to_owned()),
        (("guidance_scale", "x"), "grid guidance scale `x` is not a number".to_owned()),
        (("seed", "-1"), "grid seed `-1` is not possible; allowed are 0 to 9007199254740991".to_owned()),
        (
            ("steps", "5, 500"),
            "a cell of the grid is not possible: steps 500 is out of range; allowed are 1 to 150".to_owned(),
        ),
        (
            ("guidance_scale", "NaN"),
            "a cell of the grid is not possible: guidance scale NaN is out of range; allowed are 0 to 30".to_owned(),
        ),
        (
            ("sampler", "DPM++ 2M Karras"),
            "grid sampler `DPM++ 2M Karras` is a sampler and a schedule; write `dpmpp_2m`, and `karras` as `schedule`"
                .to_owned(),
        ),
        (
            ("prompt_part", "green, blue"),
            "grid `prompt_part` begins with `green`, which is in neither prompt; the first value is the one that is \
             replaced by the others"
                .to_owned(),
        ),
    ] {
        assert_eq!(refusal(grid(columns, None, None)), sentence);
    }
    let sentence = refusal(grid(("sampler", "fast"), None, None));
    assert!(sentence.starts_with("sampler `fast` is unknown; known are dpmpp_2m, "), "{sentence}");
}

#[test]
fn what_is_wrong_with_the_whole_grid_is_said_with_what_is_allowed() {
    assert_eq!(
        refusal(grid(("steps", "5"), Some(("steps", "6")), None)),
        "the grid has the field `steps` twice; put all its values into one of columns, rows and sheets"
    );
    assert_eq!(
        refusal(grid(("steps", "1,2,3,4,5"), Some(("seed", "1,2,3,4,5")), Some(("guidance_scale", "1,2,3")))),
        "a grid of 5 columns, 5 rows and 3 sheets has 75 cells; at most 64 are allowed"
    );
    let many: Vec<String> = (1..=65).map(|seed| seed.to_string()).collect();
    assert_eq!(
        refusal(grid(("seed", &many.join(",")), None, None)),
        "grid columns have 65 values of `seed`; at most 64 cells are allowed"
    );
    assert_eq!(
        refusal(RawRequest { count: Some(2), ..grid(("steps", "5"), None, None) }),
        "a grid cannot go together with count 2, as it makes one picture for each cell; leave one of them out, or put \
         several seeds into the grid"
    );
    assert!(check(RawRequest { count: Some(1), ..grid(("steps", "5"), None, None) }).is_ok());
}

#[test]
fn an_empty_value_of_a_program_is_refused() {
    let axis = RawGridAxis { field: "prompt_part".into(), values: vec![RawGridValue::Text(" ".into())] };
    let grid = RawGrid { columns: axis, ..RawGrid::default() };
    assert_eq!(
        refusal(RawRequest { grid: Some(grid), ..asked("a boat") }),
        "grid columns have an empty value of `prompt_part`; leave it out"
    );
}

#[test]
fn numbers_may_come_as_numbers_or_as_texts() {
    let json = r#"{"prompt": "a boat", "grid": {"columns": {"field": "steps", "values": [5, "10", 20.0]},
        "rows": {"field": "guidance_scale", "values": [1.5, 4]}}}"#;
    let request = check(serde_json::from_str(json).unwrap()).unwrap();
    let grid = request.grid.as_ref().unwrap();
    assert_eq!(grid.columns, GridAxis::Steps(vec![5, 10, 20]));
    assert_eq!(grid.rows, Some(GridAxis::GuidanceScale(vec![1.5, 4.0])));
    let kept = serde_json::to_string(grid).unwrap();
    assert!(kept.starts_with(r#"{"columns":{"field":"steps","values":[5,10,20]}"#), "{kept}");
}

#[test]
fn a_misspelt_axis_is_refused() {
    let json = r#"{"prompt": "a boat", "grid": {"columns": {"field": "steps", "values": [5]}, "row": null}}"#;
    assert!(
        serde_json::from_str::<RawRequest>(json).unwrap_err().to_string().contains("unknown field `row`")
    );
}

#[test]
fn a_grid_that_was_made_is_asked_for_again_as_it_was_and_a_cell_of_it_alone() {
    let raw = grid(("sampler", "euler, ddim"), Some(("prompt_part", "red, \"blue, deep\"")), None);
    let request = check(raw).unwrap();
    assert_eq!(check(RawRequest::exact(&request)).unwrap(), request);
    let cell = check(RawRequest::one_of(&request, 3)).unwrap();
    assert_eq!(cell, request.cell(3).unwrap());
    assert_eq!(
        (cell.sampler, cell.prompt.as_str()),
        (Sampler::Ddim, "a blue, deep boat on a blue, deep sea")
    );
    assert_eq!(check(RawRequest::one_of(&request, 4)).unwrap(), request, "the sheet is the whole grid");
}

#[test]
fn a_grid_goes_into_a_forms_fields_and_comes_back() {
    let raw = grid(("prompt_part", "red, \"blue, deep\""), None, Some(("steps", "5, 10"))).grid.unwrap();
    let fields = raw.fields();
    assert_eq!(fields[1], ("grid_columns_values", "red, \"blue, deep\"".to_owned()));
    let value = |name: &str| fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.clone());
    assert_eq!(RawGrid::from_fields(value), Some(raw));
    assert_eq!(RawGrid::from_fields(|_| Some(String::new())), None);
    let rows_alone = RawGrid::from_fields(|name| (name == "grid_rows_field").then(|| "steps".to_owned()));
    assert_eq!(
        rows_alone.unwrap().columns,
        RawGridAxis::default(),
        "that the columns are missing is said later"
    );
}

#[test]
fn labels_say_what_they_are() {
    assert_eq!(GridAxis::Sampler(vec![Sampler::EulerAncestral]).labels(), ["Euler a"]);
    assert_eq!(GridAxis::Schedule(vec![Schedule::AlignYourSteps]).labels(), ["Align Your Steps"]);
    assert_eq!(GridAxis::GuidanceScale(vec![1.5, 4.0]).labels(), ["Guidance 1.5", "Guidance 4"]);
    assert_eq!(GridAxis::PromptPart(vec!["red".into()]).labels(), ["red"]);
}
