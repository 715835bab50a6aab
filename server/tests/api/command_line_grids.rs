//! Grids on the command line, with the real model.

use crate::process::darkroom;

#[test]
fn a_grid_is_written_cell_by_cell_and_then_as_a_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = darkroom(folder.path());
    command.args([
        "generate",
        "a red boat",
        "--seed",
        "7",
        "--width",
        "128",
        "--height",
        "128",
        "-o",
        "boat.png",
    ]);
    command.args(["--grid", "prompt_part=red,blue", "--grid", "steps=1,2"]);
    let ended = command.output().expect("the program starts");
    let files = ["boat-1.png", "boat-2.png", "boat-3.png", "boat-4.png", "boat-5.png"];
    let told: String = files.map(|file| format!("{file} seed 7\n")).concat();
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), told, "{}", String::from_utf8_lossy(&ended.stderr));

    let cell = std::fs::read(folder.path().join("boat-4.png")).unwrap();
    let text = String::from_utf8_lossy(&cell);
    assert!(text.contains("a blue boat\nSteps: 2, "), "a cell has its own settings inside");
    let sheet = image::open(folder.path().join("boat-5.png")).unwrap().into_rgb8();
    assert!(sheet.width() > 256 && sheet.height() > 256, "{:?}", sheet.dimensions());
    let cell = image::load_from_memory(&cell).unwrap().into_rgb8();
    let (x, y) = (sheet.width() - 13 - 128, sheet.height() - 13 - 128);
    let last = image::imageops::crop_imm(&sheet, x, y, 128, 128).to_image();
    assert!(last == cell, "the last cell stands at the lower right");

    let alone = tempfile::tempdir().unwrap();
    let mut command = darkroom(alone.path());
    command.args([
        "generate",
        "a blue boat",
        "--seed",
        "7",
        "--width",
        "128",
        "--height",
        "128",
        "-o",
        "boat.png",
    ]);
    command.args(["--steps", "2"]);
    assert!(command.output().expect("the program starts").status.success());
    let alone = image::open(alone.path().join("boat.png")).unwrap().into_rgb8();
    assert!(alone == cell, "a cell is the picture that it would be alone");
}

#[test]
fn a_grid_that_is_not_possible_is_refused_before_anything_is_computed() {
    let complaint = |grids: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = darkroom(folder.path());
        command.args(["generate", "a red boat", "-o", "boat.png"]);
        for grid in grids {
            command.args(["--grid", grid]);
        }
        let ended = command.output().expect("the program starts");
        assert_eq!(ended.status.code(), Some(2));
        String::from_utf8(ended.stderr).unwrap().trim_end().to_owned()
    };
    insta::assert_snapshot!(
        complaint(&["size=1,2"]),
        @"error: grid columns field `size` is unknown; known are sampler, schedule, steps, guidance_scale, seed, strength, clip_skip, prompt_part"
    );
    insta::assert_snapshot!(
        complaint(&["steps=1", "seed=1", "sampler=ddim", "schedule=karras"]),
        @"error: a grid over 4 settings is not possible; at most 3 are allowed"
    );
    insta::assert_snapshot!(
        complaint(&["steps=1", "steps=2"]),
        @"error: the grid has the field `steps` twice; put all its values into one of columns, rows and sheets"
    );
    assert!(complaint(&["steps"]).contains("`steps` has no `=`; write it as `steps=5,10,20`"));
}
