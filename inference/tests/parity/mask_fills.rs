//! What a masked part begins with, in whole runs.

use candle_core::Device;
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::{PictureRequest, Rgb, SoftMask, StableDiffusion, Start};
use types::request::MaskFill;

use crate::families::family;
use crate::family_pictures::{mask, paint, start};

const SIDE: usize = 64;

/// An inpainted picture whose part under the mask began with that.
fn painted(model: &StableDiffusion, picture: Rgb, fill: MaskFill, strength: f64) -> Rgb {
    let mask = Some(SoftMask { mask: mask(SIDE, SIDE), feather: 0.0, fill });
    let start = Some(Start { picture, strength, mask });
    let request =
        PictureRequest { start, steps: 4, seed: 7, ..PictureRequest::new("a red boat", SIDE, SIDE) };
    paint(model, &request).picture
}

fn bytes_where(picture: &Rgb, is_new: bool) -> Vec<[u8; 3]> {
    let places = picture.pixels.as_chunks::<3>().0.iter().zip(mask(SIDE, SIDE).pixels);
    places.filter(|(_, white)| (*white == 255) == is_new).map(|(pixel, _)| *pixel).collect()
}

#[test]
fn every_fill_paints_another_picture_under_the_mask_and_leaves_the_rest_to_the_byte() {
    for name in ["sd1", "sd1-inpainting"] {
        let folder = family(name).write();
        let model = StableDiffusion::load(&ModelFiles::folder(folder.path()), &Device::Cpu).unwrap();
        let before = start(SIDE, SIDE);
        let after = MaskFill::ALL.map(|fill| painted(&model, before.clone(), fill, 0.5));
        for (i, picture) in after.iter().enumerate() {
            assert_eq!(bytes_where(picture, false), bytes_where(&before, false), "{name}");
            for other in &after[..i] {
                assert_ne!(bytes_where(picture, true), bytes_where(other, true), "{name}");
            }
        }
    }
}

#[test]
fn with_any_fill_but_the_original_nothing_of_what_was_under_the_mask_is_seen() {
    let folder = family("sd1").write();
    let model = StableDiffusion::load(&ModelFiles::folder(folder.path()), &Device::Cpu).unwrap();
    let before = start(SIDE, SIDE);
    let mut other = before.clone();
    for (pixel, white) in other.pixels.as_chunks_mut::<3>().0.iter_mut().zip(mask(SIDE, SIDE).pixels) {
        if white == 255 {
            *pixel = [255, 0, 255];
        }
    }
    let of_both = |fill| [&before, &other].map(|picture| painted(&model, picture.clone(), fill, 0.5));
    for fill in [MaskFill::Fill, MaskFill::Noise, MaskFill::Nothing] {
        let [one, other] = of_both(fill);
        assert_eq!(one, other, "{fill}");
    }
    let [one, other] = of_both(MaskFill::Original);
    assert_ne!(one, other);
}
