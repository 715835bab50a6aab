use super::tests::{asked, check, complaint, demo};
use super::*;
use crate::error::PublicError;
use crate::model::{ModelInfo, Shape, SizeLimits};

const UPLOAD: &str = "0123456789abcdef0123456789abcdef";

fn upload(width: u32, height: u32) -> KnownPicture {
    KnownPicture { source: PictureSource::Upload(UPLOAD.parse().unwrap()), width, height }
}

/// A request that starts from an upload.
fn from_upload() -> RawRequest {
    RawRequest { start: Some(UPLOAD.into()), ..asked("boat") }
}

/// Checks against a start picture of this size, and a mask of the other.
fn check_over(
    raw: RawRequest,
    start: (u32, u32),
    mask: Option<(u32, u32)>,
) -> Result<GenerationRequest, PublicError> {
    // Sides that a full-size model has.
    let model = ModelInfo { limits: SizeLimits { multiple: 64, min_side: 256, max_side: 1024 }, ..demo() };
    let context = RequestContext {
        models: &[model],
        start: Some(upload(start.0, start.1)),
        mask: mask.map(|(width, height)| upload(width, height)),
        ..RequestContext::default()
    };
    raw.check(&context, || 42)
}

fn complaint_over(raw: RawRequest, start: (u32, u32), mask: Option<(u32, u32)>) -> (String, String) {
    let error = check_over(raw, start, mask).expect_err("the request should be refused");
    (error.field.expect("the error names a field"), error.message)
}

#[test]
fn a_start_takes_its_own_size_and_the_usual_strength() {
    let request = check_over(from_upload(), (512, 768), None).unwrap();
    assert_eq!((request.width, request.height), (512, 768));
    let source = PictureSource::Upload(UPLOAD.parse().unwrap());
    assert_eq!(request.start, Some(Start { source, strength: 0.75 }));
    assert_eq!(request.n_steps(), 15, "of the usual 20");
}

#[test]
fn a_start_is_brought_to_the_nearest_size_that_the_model_can_make_and_keeps_its_shape() {
    let size = |start| {
        let request = check_over(from_upload(), start, None).unwrap();
        (request.width, request.height)
    };
    assert_eq!(size((500, 700)), (512, 704));
    assert_eq!(size((4000, 3000)), (1024, 768));
    assert_eq!(size((3000, 4000)), (768, 1024));
    assert_eq!(size((64, 32)), (512, 256));
    assert_eq!(size((1, 8000)), (256, 1024), "as near as can be");
}

#[test]
fn width_and_height_go_before_the_starts_size_and_one_of_them_keeps_its_shape() {
    let size = |width, height| {
        let request = check_over(RawRequest { width, height, ..from_upload() }, (512, 1024), None).unwrap();
        (request.width, request.height)
    };
    assert_eq!(size(Some(640), Some(256)), (640, 256));
    assert_eq!(size(Some(320), None), (320, 640));
    assert_eq!(size(None, Some(512)), (256, 512));
    let raw = RawRequest { shape: Some(Shape::Landscape), ..from_upload() };
    let request = check_over(raw, (512, 1024), None).unwrap();
    assert_eq!((request.width, request.height), (512, 1024), "the form always names a shape");
}

#[test]
fn margins_make_the_picture_larger_and_leave_the_start_as_it_is() {
    let raw = RawRequest { outpaint_left: Some(128), outpaint_bottom: Some(64), ..from_upload() };
    let request = check_over(raw, (512, 512), None).unwrap();
    assert_eq!((request.width, request.height), (640, 576));
    assert_eq!(request.start_size(), (512, 512));
    assert_eq!(request.outpaint, Some(Margins { left: 128, top: 0, right: 0, bottom: 64 }));
    let raw = RawRequest { outpaint_left: Some(0), outpaint_top: Some(0), ..from_upload() };
    assert_eq!(check_over(raw, (512, 512), None).unwrap().outpaint, None);
}

#[test]
fn with_margins_that_make_the_picture_too_large_the_start_shrinks_in_both_directions() {
    let raw = RawRequest { outpaint_left: Some(512), ..from_upload() };
    let request = check_over(raw, (1024, 1024), None).unwrap();
    assert_eq!((request.width, request.height), (1024, 512));
    assert_eq!(request.start_size(), (512, 512));
}

#[test]
fn margins_that_leave_no_room_are_refused() {
    let raw = RawRequest { outpaint_left: Some(512), outpaint_right: Some(512), ..from_upload() };
    assert_eq!(
        complaint_over(raw, (512, 512), None),
        (
            "outpaint_left".into(),
            "1024 pixels left and right leave no room for the start picture; together they have to stay below 1024 \
             with model `demo`"
                .into()
        )
    );
    let raw = RawRequest { outpaint_bottom: Some(256), height: Some(256), ..from_upload() };
    assert_eq!(complaint_over(raw, (512, 512), None).0, "outpaint_top");
}

#[test]
fn every_size_of_a_start_with_margins_leaves_some_of_it() {
    for start in [1, 7, 64, 250, 511, 1024, 8192] {
        for margin in [0, 8, 120, 128, 504, 1016] {
            let raw = RawRequest { outpaint_left: Some(margin), ..from_upload() };
            let request = check_over(raw, (start, start), None).unwrap();
            let (width, height) = request.start_size();
            assert!(width > 0 && height > 0, "{start} {margin}");
            for side in [request.width, request.height] {
                assert!(side.is_multiple_of(64) && (256..=1024).contains(&side), "{side}");
            }
        }
    }
}

#[test]
fn margins_out_of_range_or_not_on_the_grid_or_without_a_picture_are_refused() {
    let refused =
        |pixels| complaint_over(RawRequest { outpaint_top: Some(pixels), ..from_upload() }, (512, 512), None);
    assert_eq!(
        refused(-8),
        ("outpaint_top".into(), "outpaint top -8 is out of range; allowed are 0 to 1024".into())
    );
    assert_eq!(refused(1032).1, "outpaint top 1032 is out of range; allowed are 0 to 1024");
    assert_eq!(refused(12).1, "outpaint top 12 is not possible; allowed are multiples of 8 from 0 to 1024");
    assert_eq!(
        complaint(RawRequest { outpaint_right: Some(64), ..asked("boat") }),
        (
            "outpaint_right".into(),
            "outpaint right 64 has no picture to paint on to; name one as `start`".into()
        )
    );
}

#[test]
fn a_strength_out_of_range_is_refused_with_a_start_and_without() {
    for strength in [-0.1, 1.1, f64::NAN] {
        let raw = RawRequest { strength: Some(strength), ..from_upload() };
        let expected = format!("strength {strength} is out of range; allowed are 0 to 1");
        assert_eq!(complaint_over(raw, (512, 512), None), ("strength".into(), expected.clone()));
        assert_eq!(complaint(RawRequest { strength: Some(strength), ..asked("boat") }).1, expected);
    }
    assert_eq!(check(RawRequest { strength: Some(0.5), ..asked("boat") }).unwrap().start, None);
}

#[test]
fn a_strength_that_walks_no_step_is_refused_with_the_least_that_does() {
    let raw = |strength, steps| RawRequest { strength, steps: Some(steps), ..from_upload() };
    assert_eq!(
        complaint_over(raw(Some(0.0), 20), (512, 512), None),
        ("strength".into(), "strength 0 walks none of the 20 steps; allowed are 0.05 to 1".into())
    );
    for steps in 1..=150 {
        let (_, message) = complaint_over(raw(Some(0.0), steps), (512, 512), None);
        let least: f64 =
            message.rsplit_once("allowed are ").unwrap().1.trim_end_matches(" to 1").parse().unwrap();
        assert_eq!(check_over(raw(Some(least), steps), (512, 512), None).unwrap().n_steps(), 1, "{message}");
    }
    let of_one = check_over(raw(None, 1), (512, 512), None).unwrap();
    assert_eq!((of_one.start.as_ref().unwrap().strength, of_one.n_steps()), (1.0, 1));
}

#[test]
fn a_start_that_nobody_knows_is_refused() {
    assert_eq!(
        complaint(RawRequest { start: Some("x1".into()), ..asked("boat") }),
        (
            "start".into(),
            "start `x1` is neither an upload nor a picture of yours; upload it, or leave it out".into()
        )
    );
    let empty = RawRequest { start: Some(" ".into()), mask: Some(String::new()), ..asked("boat") };
    assert_eq!(check(empty).unwrap().start, None, "an empty field of a form is none");
}

#[test]
fn a_mask_needs_a_start_of_its_own_size() {
    let masked = RawRequest { mask: Some("m1".into()), ..from_upload() };
    let request = check_over(masked.clone(), (512, 512), Some((512, 512))).unwrap();
    assert_eq!(request.mask.unwrap().feather, 4);
    assert_eq!(
        complaint_over(masked.clone(), (512, 512), Some((256, 512))),
        ("mask".into(), "the mask has 256x512 pixels; allowed are 512x512, as the start picture has".into())
    );
    assert_eq!(
        complaint_over(masked.clone(), (512, 512), None).1,
        "mask `m1` is not an upload of yours; upload it, or leave it out"
    );
    assert_eq!(
        complaint(RawRequest { start: None, ..masked }),
        ("mask".into(), "mask `m1` lies over no picture; name the one under it as `start`".into())
    );
}

#[test]
fn what_is_under_a_mask_is_the_start_picture_unless_something_else_is_named() {
    let masked = RawRequest { mask: Some("m1".into()), ..from_upload() };
    let filled = |raw| check_over(raw, (512, 512), Some((512, 512))).unwrap().mask_fill;
    assert_eq!(filled(masked.clone()), MaskFill::Original);
    for fill in MaskFill::ALL {
        assert_eq!(filled(RawRequest { mask_fill: Some(fill.to_string()), ..masked.clone() }), fill);
    }
    let without_mask = RawRequest { mask_fill: Some("noise".into()), ..asked("boat") };
    assert_eq!(check(without_mask).unwrap().mask_fill, MaskFill::Original, "there is nothing to fill");
    assert_eq!(
        complaint(RawRequest { mask_fill: Some("latent".into()), ..asked("boat") }),
        (
            "mask_fill".into(),
            "mask_fill `latent` is unknown; known are original, fill, noise, nothing".into()
        )
    );
}

#[test]
fn a_feather_out_of_range_is_refused() {
    for feather in [-1, 65] {
        assert_eq!(
            complaint(RawRequest { mask_feather: Some(feather), ..asked("boat") }),
            ("mask_feather".into(), format!("mask feather {feather} is out of range; allowed are 0 to 64"))
        );
    }
}

#[test]
fn a_second_pass_over_a_start_is_refused() {
    let raw = RawRequest { hires_scale: Some(1.5), ..from_upload() };
    assert_eq!(
        complaint_over(raw, (512, 512), None),
        (
            "hires_scale".into(),
            "hires scale 1.5 cannot go together with a start picture; leave one of them out".into()
        )
    );
}

#[test]
fn a_model_that_edits_by_an_instruction_walks_all_steps_and_is_guided_to_the_picture() {
    let edits = ModelInfo { edits: true, ..demo() };
    let check = |model: &ModelInfo, raw: RawRequest| {
        let start = KnownPicture { source: PictureSource::File("a.png".into()), width: 256, height: 256 };
        let models = std::slice::from_ref(model);
        let context = RequestContext { models, start: Some(start), ..RequestContext::default() };
        raw.check(&context, || 42).map_err(|error| error.message)
    };
    let raw = RawRequest { start: Some("a.png".into()), strength: Some(0.01), ..asked("make it blue") };
    let request = check(&edits, raw.clone()).unwrap();
    assert_eq!((request.picture_guidance_scale, request.strength()), (Some(1.5), None));
    assert_eq!(request.n_steps(), 20, "the strength is not asked for");
    let guided = RawRequest { picture_guidance_scale: Some(2.0), strength: None, ..raw };
    assert_eq!(check(&edits, guided.clone()).unwrap().picture_guidance_scale, Some(2.0));
    let other = check(&demo(), guided.clone()).unwrap();
    assert_eq!((other.picture_guidance_scale, other.strength()), (None, Some(0.75)));
    for model in [edits, demo()] {
        let far = RawRequest { picture_guidance_scale: Some(0.5), ..guided.clone() };
        assert_eq!(
            check(&model, far).unwrap_err(),
            "picture guidance scale 0.5 is out of range; allowed are 1 to 10"
        );
    }
}
