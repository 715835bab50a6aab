//! What a picture is made from besides words, as the form shows it.

use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use types::request::{KnownPicture, PictureSource};

/// A picture that lies on the server: the one to start from, or a mask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Its name in requests.
    pub id: String,
    /// Where the browser gets it from.
    pub path: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl Material {
    /// An upload.
    pub fn upload(id: String, width: u32, height: u32) -> Self {
        Self { path: format!("/api/v1/uploads/{id}"), id, width, height }
    }

    /// A picture that a request names. A file of a command line is not to be seen from here.
    #[cfg(feature = "ssr")]
    pub fn known(picture: &KnownPicture) -> Option<Self> {
        let path = match &picture.source {
            PictureSource::Upload(id) => format!("/api/v1/uploads/{id}"),
            PictureSource::Picture(id) => format!("/images/{id}.png"),
            PictureSource::File(_) => return None,
        };
        Some(Self { id: picture.source.to_string(), path, width: picture.width, height: picture.height })
    }

    /// Width and height.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// What the style sheet has to know of it to show it as large as there is room for: properties and their values.
    pub fn easel_style(&self) -> [(&'static str, String); 2] {
        [("--wide", self.width.to_string()), ("--high", self.height.to_string())]
    }

    /// Its size for people.
    pub fn size_note(&self) -> String {
        format!("{} × {} pixels", self.width, self.height)
    }
}

/// What is wrong with a mask of this size on a picture of that size, if something is.
pub fn size_fault(mask: &Material, start: (u32, u32)) -> Option<String> {
    (mask.size() != start).then(|| {
        format!(
            "The mask has {} × {} pixels and the picture {} × {}; they have to be of the same size.",
            mask.width, mask.height, start.0, start.1
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_of_another_size_is_told_at_once() {
        let mask = Material::upload("m".into(), 64, 32);
        assert_eq!(size_fault(&mask, (64, 32)), None);
        assert_eq!(
            size_fault(&mask, (32, 64)).unwrap(),
            "The mask has 64 × 32 pixels and the picture 32 × 64; they have to be of the same size."
        );
        assert_eq!(mask.path, "/api/v1/uploads/m");
    }
}
