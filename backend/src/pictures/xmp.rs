//! The mark that a picture is generated, as XMP: what programs for pictures read, whatever else is inside.
//!
//! # Source
//! Where a packet lies in a file: Adobe's XMP specification, part 3.

use types::request::GenerationRequest;

use super::digital_source::DigitalSource;

/// The keyword of the PNG chunk.
pub(super) const PNG_KEYWORD: &str = "XML:com.adobe.xmp";

/// What stands before the packet in a JPEG's segment.
const JPEG_NAME: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// The packet of a request's pictures.
pub(super) fn packet(request: &GenerationRequest) -> String {
    let code = DigitalSource::of(request).code();
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
         xmp:CreatorTool=\"Darkroom {version}\" \
         Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/{code}\"/>\
         </rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>"
    )
}

/// A JPEG with the packet in a segment of its own (APP1) behind those that it begins with.
pub(super) fn into_jpeg(mut jpeg: Vec<u8>, packet: &str) -> Vec<u8> {
    // What every such file begins with.
    let mut at = 2;
    while let Some(&[0xFF, 0xE0..=0xEF, high, low]) = jpeg.get(at..at + 4) {
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    let length = (2 + JPEG_NAME.len() + packet.len()) as u16;
    let segment = [&[0xFF, 0xE1][..], &length.to_be_bytes(), JPEG_NAME, packet.as_bytes()].concat();
    let at = at.min(jpeg.len());
    jpeg.splice(at..at, segment);
    jpeg
}

/// A WebP with the packet as its last chunk. Its header has to be the extended one, as it is where there is EXIF; else
/// the file stays as it was.
pub(super) fn into_webp(mut webp: Vec<u8>, packet: &str) -> Vec<u8> {
    /// Behind `RIFF`, the size, `WEBP`, `VP8X` and its size.
    const FLAGS_AT: usize = 20;
    const HAS_XMP: u8 = 1 << 2;
    if webp.get(12..16) != Some(b"VP8X") || webp.len() <= FLAGS_AT {
        tracing::warn!("the mark that a picture is generated was left out of a WebP file");
        return webp;
    }
    webp[FLAGS_AT] |= HAS_XMP;
    webp.extend(b"XMP ");
    webp.extend((packet.len() as u32).to_le_bytes());
    webp.extend(packet.as_bytes());
    // Chunks begin at even places.
    webp.resize(webp.len().next_multiple_of(2), 0);
    let size = (webp.len() - 8) as u32;
    webp[4..8].copy_from_slice(&size.to_le_bytes());
    webp
}
