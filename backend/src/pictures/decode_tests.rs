use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, Luma, Rgba, RgbaImage};

use super::*;

/// Red above, blue below; wider than high.
fn flag() -> RgbImage {
    RgbImage::from_fn(48, 32, |_, y| if y < 16 { Rgb([250, 10, 10]) } else { Rgb([10, 10, 250]) })
}

fn png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A JPEG whose camera was held as this EXIF orientation says.
fn jpeg(image: &RgbImage, orientation: u8) -> Vec<u8> {
    // One directory with one entry: tag 0x0112, a short.
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.encode_image(image).unwrap();
    bytes
}

fn webp(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut bytes);
    encoder.write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8).unwrap();
    bytes
}

fn refused(bytes: &[u8]) -> String {
    format!("the file {}", Decoded::read(bytes).expect_err("it is no picture"))
}

#[test]
fn png_and_webp_give_their_very_pixels_and_jpeg_nearly() {
    for (bytes, format) in [
        (png(&flag().into()), PictureFormat::Png),
        (webp(&flag()), PictureFormat::Webp),
        (jpeg(&flag(), 1), PictureFormat::Jpeg),
    ] {
        let decoded = Decoded::read(&bytes).unwrap();
        assert_eq!((decoded.format, decoded.size()), (format, (48, 32)));
        let most = decoded.into_rgb().iter().zip(flag().iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(most <= if format == PictureFormat::Jpeg { 20 } else { 0 }, "{most}");
    }
}

#[test]
fn a_picture_is_turned_as_its_camera_was_held() {
    let decoded = Decoded::read(&jpeg(&flag(), 6)).unwrap();
    assert_eq!(decoded.size(), (32, 48));
    let turned = decoded.into_rgb();
    // What was above is to the right.
    assert!(turned.get_pixel(28, 24)[0] > 200 && turned.get_pixel(4, 24)[2] > 200);
    let upside_down = Decoded::read(&jpeg(&flag(), 3)).unwrap().into_rgb();
    assert!(upside_down.get_pixel(24, 4)[2] > 200);
}

#[test]
fn what_is_transparent_is_white_in_a_picture_and_kept_by_a_mask() {
    let image = RgbaImage::from_fn(2, 1, |x, _| if x == 0 { Rgba([0, 0, 0, 0]) } else { Rgba([255; 4]) });
    let bytes = png(&image.into());
    let rgb = Decoded::read(&bytes).unwrap().into_rgb();
    assert_eq!((rgb.get_pixel(0, 0), rgb.get_pixel(1, 0)), (&Rgb([255; 3]), &Rgb([255; 3])));
    let gray = Decoded::read(&bytes).unwrap().into_gray();
    assert_eq!((gray.get_pixel(0, 0), gray.get_pixel(1, 0)), (&Luma([0]), &Luma([255])));
}

#[test]
fn what_is_no_image_is_refused() {
    assert_eq!(refused(b""), "the file is empty; send a PNG, JPEG or WebP image");
    assert_eq!(refused(b"hello"), "the file is not an image; allowed are PNG, JPEG and WebP");
    assert_eq!(refused(&[0; 4096]), "the file is not an image; allowed are PNG, JPEG and WebP");
}

#[test]
fn images_of_other_kinds_are_refused_by_their_names() {
    for (bytes, kind) in
        [(&b"GIF89a\x01\0\x01\0"[..], "GIF"), (b"BM123456", "BMP"), (b"II*\0\x08\0\0\0", "TIFF")]
    {
        assert_eq!(
            refused(bytes),
            format!("the file is an image of the kind {kind}; allowed are PNG, JPEG and WebP")
        );
    }
}

#[test]
fn a_file_that_breaks_off_is_refused_wherever_it_does() {
    let noise =
        RgbImage::from_fn(64, 64, |x, y| Rgb([(x * 37 + y * 91) as u8, (x * y) as u8, (x ^ y) as u8 * 3]));
    for bytes in [png(&noise.clone().into()), jpeg(&noise, 6), webp(&noise)] {
        for length in [40, bytes.len() / 4, bytes.len() / 2, bytes.len() - 20] {
            assert!(Decoded::read(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
        }
    }
    let bytes = jpeg(&noise, 6);
    assert_eq!(refused(&bytes[..bytes.len() - 20]), "the file breaks off before its end; send it again");
    let bytes = png(&noise.into());
    assert_eq!(refused(&bytes[..bytes.len() / 2]), "the file breaks off before its end; send it again");
}

/// A PNG that says it is this large, and holds next to nothing.
fn hollow_png(width: u32, height: u32, depth: png::BitDepth) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(depth);
    // The header and next to no pixels: whoever reads on has set up the memory already.
    encoder.write_header().unwrap().write_chunk(png::chunk::IDAT, &[0]).unwrap();
    bytes
}

#[test]
fn a_picture_that_unfolds_beyond_the_limits_is_refused_by_its_header() {
    let refused = |width, height, depth| refused(&hollow_png(width, height, depth));
    assert_eq!(
        refused(8193, 16, png::BitDepth::Eight),
        "the file has 8193x16 pixels; allowed are at most 8192 a side and 64 million in all"
    );
    assert_eq!(
        refused(4_000_000, 4_000_000, png::BitDepth::Eight),
        "the file has 4000000x4000000 pixels; allowed are at most 8192 a side and 64 million in all"
    );
    assert_eq!(
        refused(8192, 8192, png::BitDepth::Eight),
        "the file has 8192x8192 pixels; allowed are at most 8192 a side and 64 million in all"
    );
    assert_eq!(
        refused(8000, 8000, png::BitDepth::Sixteen),
        "the file takes 512000000 bytes when it is unpacked; allowed are at most 256000000"
    );
}

#[test]
fn a_file_with_wrong_bytes_in_the_middle_is_refused_and_no_panic() {
    for bytes in [png(&flag().into()), webp(&flag())] {
        for at in [20, bytes.len() / 2] {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0xff;
            let _ = Decoded::read(&bytes);
        }
    }
    let mut bytes = png(&flag().into());
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    assert!(refused(&bytes).starts_with("the file cannot be read: "), "{}", refused(&bytes));
}
