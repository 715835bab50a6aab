use super::*;

fn request(prompt: &str) -> GenerationRequest {
    let json = r#"{"prompt": "", "negative_prompt": "rain", "model": "demo", "steps": 20, "guidance_scale": 4,
        "sampler": "dpmpp_2m", "schedule": "karras", "seed": 7, "width": 24, "height": 16, "count": 2}"#;
    GenerationRequest { prompt: prompt.into(), ..serde_json::from_str(json).unwrap() }
}

fn gradient() -> RgbImage {
    RgbImage::from_fn(24, 16, |x, y| image::Rgb([x as u8 * 10, y as u8 * 15, 90]))
}

/// Keyword and text of each text chunk.
type Chunks = Vec<(String, String)>;

/// The Latin-1 chunks and the international ones.
fn text_chunks(bytes: &[u8]) -> (Chunks, Chunks) {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let info = reader.info();
    let latin1 = info
        .uncompressed_latin1_text
        .iter()
        .map(|chunk| (chunk.keyword.clone(), chunk.text.clone()))
        .collect();
    let utf8 =
        info.utf8_text.iter().map(|chunk| (chunk.keyword.clone(), chunk.get_text().unwrap())).collect();
    (latin1, utf8)
}

fn names(chunks: &Chunks) -> Vec<&str> {
    chunks.iter().map(|(keyword, _)| keyword.as_str()).collect()
}

#[test]
fn a_png_holds_the_parameters_text_and_the_whole_request() {
    let request = request("a café by the sea");
    let bytes = encode(&gradient(), &request, 1, PictureFormat::Png).unwrap();
    let (latin1, utf8) = text_chunks(&bytes);
    assert_eq!(names(&utf8), ["XML:com.adobe.xmp"], "Latin-1 text needs no other chunk");
    assert_eq!(latin1[0], ("parameters".into(), parameters::to_text(&request, 1)));
    assert_eq!(latin1[1].0, "darkroom");
    let origin: Origin = serde_json::from_str(&latin1[1].1).unwrap();
    assert_eq!((origin.index, origin.request), (1, request));
}

#[test]
fn text_outside_latin_1_goes_into_an_international_chunk() {
    let request = request("夕暮れの赤い船");
    let bytes = encode(&gradient(), &request, 0, PictureFormat::Png).unwrap();
    let (latin1, utf8) = text_chunks(&bytes);
    assert!(latin1.is_empty());
    assert_eq!(utf8[0], ("parameters".into(), parameters::to_text(&request, 0)));
    assert_eq!(origin_of(&bytes).unwrap().request, request);
}

#[test]
fn what_a_png_says_of_its_making_is_read_again() {
    let request = request("a café by the sea");
    let bytes = encode(&gradient(), &request, 1, PictureFormat::Png).unwrap();
    let origin = origin_of(&bytes).unwrap();
    assert_eq!((origin.index, origin.request), (1, request));
    assert!(origin_of(&bytes[..40]).is_none());
    let mut plain = Vec::new();
    gradient().write_with_encoder(image::codecs::png::PngEncoder::new(&mut plain)).unwrap();
    assert!(origin_of(&plain).is_none());
}

/// The XMP packet of a file, as a reader finds it.
fn xmp_of(bytes: &[u8]) -> String {
    let mut decoder =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap().into_decoder().unwrap();
    String::from_utf8(decoder.xmp_metadata().unwrap().unwrap()).unwrap()
}

#[test]
fn every_format_says_that_the_picture_is_generated_and_keeps_its_pixels_and_settings() {
    let generated = "Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\"";
    for format in PictureFormat::ALL {
        let bytes = encode(&gradient(), &request("夕 boat"), 0, format).unwrap();
        let xmp = xmp_of(&bytes);
        assert!(xmp.contains(generated), "{format:?}: {xmp}");
        assert!(xmp.starts_with("<?xpacket begin=\"\u{feff}\"") && xmp.ends_with("<?xpacket end=\"r\"?>"));
        let image = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert_eq!(image.dimensions(), gradient().dimensions());
        if format != PictureFormat::Jpeg {
            assert_eq!(image, gradient());
        }
    }
}

#[test]
fn a_picture_of_which_a_part_stayed_is_a_composite() {
    let mut request = request("a boat");
    request.outpaint = Some(types::request::Margins { left: 8, ..types::request::Margins::default() });
    for format in PictureFormat::ALL {
        let xmp = xmp_of(&encode(&gradient(), &request, 0, format).unwrap());
        assert!(xmp.contains("/compositeWithTrainedAlgorithmicMedia\""), "{xmp}");
    }
}

#[test]
fn a_webp_with_the_plain_header_stays_as_it_is() {
    let mut plain = Vec::new();
    WebPEncoder::new_lossless(&mut plain)
        .write_image(gradient().as_raw(), 24, 16, ExtendedColorType::Rgb8)
        .unwrap();
    assert_eq!(xmp::into_webp(plain.clone(), "packet"), plain);
}

#[test]
fn a_png_and_a_webp_give_back_the_very_pixels() {
    let png = encode(&gradient(), &request("boat"), 0, PictureFormat::Png).unwrap();
    assert_eq!(decode_png(&png).unwrap(), gradient());
    let webp = encode(&gradient(), &request("boat"), 0, PictureFormat::Webp).unwrap();
    assert_eq!(image::load_from_memory(&webp).unwrap().into_rgb8(), gradient());
}

#[test]
fn jpeg_and_webp_hold_the_parameters_text_as_user_comment() {
    for format in [PictureFormat::Jpeg, PictureFormat::Webp] {
        let bytes = encode(&gradient(), &request("夕 boat"), 0, format).unwrap();
        let mut decoder =
            ImageReader::new(Cursor::new(&bytes)).with_guessed_format().unwrap().into_decoder().unwrap();
        let exif = decoder.exif_metadata().unwrap().unwrap();
        let text = &exif[exif.windows(8).position(|window| window == b"UNICODE\0").unwrap() + 8..];
        let text: Vec<_> = text.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        assert_eq!(String::from_utf16(&text).unwrap(), parameters::to_text(&request("夕 boat"), 0));
    }
}

#[test]
fn the_same_picture_gives_the_same_bytes() {
    for format in PictureFormat::ALL {
        let once = encode(&gradient(), &request("boat"), 0, format).unwrap();
        assert_eq!(once, encode(&gradient(), &request("boat"), 0, format).unwrap());
    }
}

#[test]
fn a_truncated_png_is_an_error_and_no_panic() {
    let png = encode(&gradient(), &request("boat"), 0, PictureFormat::Png).unwrap();
    for length in [0, 8, 40, png.len() / 2] {
        assert!(decode_png(&png[..length]).is_err());
    }
}
