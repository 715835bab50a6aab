use std::io::Cursor;

use bytes::Bytes;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use super::helpers::{TestServices, free_running};
use crate::pictures::Fit;
use crate::{Frame, Result};

fn png(image: impl Into<DynamicImage>) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

async fn stored(site: &TestServices, info: Result<types::upload::UploadInfo>) -> DynamicImage {
    let file = site.services.upload_file(&site.alice, info.unwrap().id).await.unwrap();
    image::load_from_memory(&file.bytes).unwrap()
}

#[tokio::test]
async fn a_start_picture_is_kept_as_it_came_or_cut_to_a_frame() {
    let (site, _folder) = free_running().await;
    let file = png(RgbImage::from_pixel(90, 60, Rgb([1, 2, 3])));
    let as_it_came = site.services.store_start(&site.alice, file.clone(), None).await.unwrap();
    assert_eq!(site.services.upload_file(&site.alice, as_it_came.id).await.unwrap().bytes, file);
    for fit in [Fit::Crop, Fit::Extend] {
        let frame = Some(Frame { width: 64, height: 64, fit });
        let info = site.services.store_start(&site.alice, file.clone(), frame).await.unwrap();
        assert_eq!((info.width, info.height), (64, 64));
    }
    // A model is asked whether it can do that; nothing so large is made before.
    let frame = Some(Frame { width: 1 << 30, height: 8, fit: Fit::Crop });
    let info = site.services.store_start(&site.alice, file, frame).await.unwrap();
    assert_eq!((info.width, info.height), (90, 60));
}

#[tokio::test]
async fn a_mask_is_as_large_as_the_picture_under_it_and_may_be_turned_round() {
    let (site, _folder) = free_running().await;
    let half = png(GrayImage::from_fn(40, 20, |x, _| Luma([if x < 20 { 0 } else { 255 }])));
    for is_inverted in [false, true] {
        let info = site.services.store_mask(&site.alice, half.clone(), is_inverted, (80, 80), None).await;
        let mask = stored(&site, info).await.into_luma8();
        assert_eq!(mask.dimensions(), (80, 80));
        assert_eq!(
            (mask.get_pixel(4, 40)[0] == 255, mask.get_pixel(76, 40)[0] == 255),
            (is_inverted, !is_inverted)
        );
    }
}

#[tokio::test]
async fn a_mask_that_is_transparent_somewhere_says_what_it_says_by_that() {
    let (site, _folder) = free_running().await;
    let drawn = RgbaImage::from_fn(16, 16, |x, _| Rgba([0, 0, 0, if x < 8 { 0 } else { 255 }]));
    let info = site.services.store_mask(&site.alice, png(drawn), false, (16, 16), None).await;
    let mask = stored(&site, info).await.into_luma8();
    assert_eq!((mask.get_pixel(2, 2)[0], mask.get_pixel(12, 2)[0]), (0, 255));
    let opaque = RgbaImage::from_fn(16, 16, |x, _| if x < 8 { Rgba([255; 4]) } else { Rgba([0, 0, 0, 255]) });
    let info = site.services.store_mask(&site.alice, png(opaque), false, (16, 16), None).await;
    let mask = stored(&site, info).await.into_luma8();
    assert_eq!((mask.get_pixel(2, 2)[0], mask.get_pixel(12, 2)[0]), (255, 0));
}

#[tokio::test]
async fn what_is_no_picture_is_refused_as_any_upload_is() {
    let (site, _folder) = free_running().await;
    let text = Bytes::from_static(b"a red boat");
    let frame = Some(Frame { width: 64, height: 64, fit: Fit::Crop });
    let start = site.services.store_start(&site.alice, text.clone(), frame).await.unwrap_err().public();
    let mask = site.services.store_mask(&site.alice, text, false, (8, 8), None).await.unwrap_err().public();
    for error in [start, mask] {
        assert_eq!(error.message, "the file is not an image; allowed are PNG, JPEG and WebP");
    }
}
