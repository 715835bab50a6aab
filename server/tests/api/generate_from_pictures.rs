//! `darkroom generate` with a picture to start from.

use std::path::Path;

use image::{GrayImage, Luma, Rgb, RgbImage};

use crate::process::darkroom;

/// How a run of `darkroom generate` ended: its status, and what it said.
fn generate(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = darkroom(folder)
        .args(["generate", "a red boat", "--seed", "7", "--steps", "2", "-o", "out.png"])
        .args(arguments)
        .output()
        .expect("the program starts");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().expect("it ends by itself"), String::from_utf8(said).unwrap().trim_end().to_owned())
}

/// A folder with a start picture of one colour, and a mask that lets its right half be painted anew.
fn folder_with_pictures() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    RgbImage::from_pixel(256, 192, Rgb([20, 60, 180])).save(folder.path().join("start.png")).unwrap();
    let mask = GrayImage::from_fn(256, 192, |x, _| Luma([if x < 128 { 0 } else { 255 }]));
    mask.save(folder.path().join("mask.png")).unwrap();
    GrayImage::new(64, 64).save(folder.path().join("small.png")).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    folder
}

fn made(folder: &Path) -> RgbImage {
    image::open(folder.join("out.png")).expect("the picture was written").into_rgb8()
}

#[test]
fn a_picture_begins_with_a_file_and_has_its_size() {
    let folder = folder_with_pictures();
    let said = generate(folder.path(), &["--init", "start.png", "--strength", "0.5"]);
    assert_eq!(said, (0, "out.png seed 7".to_owned()));
    let picture = made(folder.path());
    assert_eq!(picture.dimensions(), (256, 192));
    // One step of two leaves the start's colour nearly everywhere.
    let blue = picture.pixels().filter(|pixel| pixel[2] > pixel[0]).count();
    assert!(blue * 10 > 9 * 256 * 192, "{blue} pixels are blue");
}

#[test]
fn what_the_mask_covers_stays_as_it_was() {
    let folder = folder_with_pictures();
    let flags = ["--init", "start.png", "--mask", "mask.png", "--mask-feather", "0", "--strength", "1"];
    assert_eq!(generate(folder.path(), &flags).0, 0);
    let picture = made(folder.path());
    let farthest = |x: u32| {
        let differences = picture.get_pixel(x, 96).0.into_iter().zip([20_u8, 60, 180]);
        differences.map(|(found, started)| found.abs_diff(started)).max().unwrap()
    };
    assert!(farthest(20) <= 1, "{:?}", picture.get_pixel(20, 96));
    assert!((140..250).any(|x| farthest(x) > 20), "the other half was painted");
}

#[test]
fn a_picture_grows_by_its_margins_and_by_a_second_pass() {
    let folder = folder_with_pictures();
    let wider = generate(folder.path(), &["--init", "start.png", "--outpaint", "64,0,64,0"]);
    assert_eq!(wider.0, 0, "{}", wider.1);
    assert_eq!(made(folder.path()).dimensions(), (384, 192));
    let larger = generate(folder.path(), &["--width", "128", "--height", "128", "--hires", "2"]);
    assert_eq!(larger.0, 0, "{}", larger.1);
    assert_eq!(made(folder.path()).dimensions(), (256, 256));
}

#[test]
fn files_that_are_no_pictures_are_refused_before_anything_is_computed() {
    let folder = folder_with_pictures();
    let refused = |arguments: &[&str]| {
        let (code, said) = generate(folder.path(), arguments);
        format!("{code} {said}")
    };
    insta::assert_snapshot!(refused(&["--init", "nowhere.png"]), @"2 error: start `nowhere.png` cannot be read: No such file or directory (os error 2)");
    insta::assert_snapshot!(refused(&["--init", "notes.txt"]), @"2 error: start `notes.txt` is not an image; allowed are PNG, JPEG and WebP");
    insta::assert_snapshot!(refused(&["--mask", "mask.png"]), @"2 error: mask `mask.png` lies over no picture; name the one under it as `start`");
    insta::assert_snapshot!(refused(&["--init", "start.png", "--mask", "small.png"]), @"2 error: the mask has 64x64 pixels; allowed are 256x192, as the start picture has");
    insta::assert_snapshot!(refused(&["--init", "start.png", "--strength", "2"]), @"2 error: strength 2 is out of range; allowed are 0 to 1");
    insta::assert_snapshot!(refused(&["--init", "start.png", "--outpaint", "12"]), @"2 error: outpaint left 12 is not possible; allowed are multiples of 8 from 0 to 1024");
    insta::assert_snapshot!(refused(&["--lora", "ink:9"]).split(';').next().unwrap(), @"2 error: LoRA `ink` is not installed");
    insta::assert_snapshot!(refused(&["--dtype", "bf16"]), @"2 error: dtype bf16 is not possible on the processor; allowed are f32 and f16");
    assert!(refused(&["--outpaint", "1,2"]).contains("give one number, or four with commas in between"));
    assert!(refused(&["--device", "gpu"]).contains("known are cpu, cuda, metal"));
    assert!(!folder.path().join("out.png").exists());
}
