//! Pictures that stand in JSON, as OpenAI's reference has them for edits besides forms with files.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::{OpenAiError, OpenAiResult};
use super::form::PictureForm;
use crate::base64_picture;
use crate::extract::from_json;

/// The parameters that hold pictures.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct References {
    images: Vec<Reference>,
    mask: Option<Reference>,
}

/// A picture by its address, or by the name of a file that OpenAI keeps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    image_url: Option<String>,
    file_id: Option<String>,
}

/// Takes the pictures out of an object of parameters. A `mask` that is a text is Darkroom's own field, and stays.
///
/// # Errors
/// A picture that is none, or lies elsewhere; more than one to start from.
pub fn read(mut object: Map<String, Value>) -> OpenAiResult<PictureForm> {
    let mut references = Map::new();
    for name in ["images", "mask"] {
        if object.get(name).is_some_and(|value| value.is_object() || value.is_array()) {
            references.extend(object.remove_entry(name));
        }
    }
    let References { images, mask } = from_json(Value::Object(references))?;
    if images.len() > 1 {
        let message = format!("images has {} pictures; allowed is 1", images.len());
        return Err(OpenAiError::invalid_value("images", message));
    }
    let image = images.into_iter().next().map(|image| image.file("images")).transpose()?;
    let mask = mask.map(|mask| mask.file("mask")).transpose()?;
    Ok(PictureForm { object, image, mask })
}

impl Reference {
    /// The file itself. Nothing is fetched for anybody: a server that did so could be sent to addresses that only it
    /// reaches.
    fn file(self, param: &str) -> OpenAiResult<Bytes> {
        match self.image_url {
            Some(url) if url.trim_start().starts_with("data:") => Ok(base64_picture::decode(param, &url)?),
            Some(_) => {
                let message = format!(
                    "{param} has an image_url that leads elsewhere, from where nothing is fetched; allowed is \
                     `data:image/png;base64,…`"
                );
                Err(OpenAiError::invalid_value(param, message))
            }
            None => {
                let what = if self.file_id.is_some() {
                    "a file_id, which means nothing here"
                } else {
                    "no image_url"
                };
                let message =
                    format!("{param} has {what}; send the picture as image_url `data:image/png;base64,…`");
                Err(OpenAiError::invalid_value(param, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(object: Value) -> OpenAiResult<PictureForm> {
        let Value::Object(object) = object else { panic!("an object is asked for with") };
        super::read(object)
    }

    #[test]
    fn pictures_are_taken_out_and_the_rest_stays() {
        let picture = json!({ "image_url": "data:image/png;base64,AQID" });
        let form = read(json!({ "prompt": "boat", "images": [picture], "mask": picture })).unwrap();
        assert_eq!(form.image.as_deref(), Some(&[1, 2, 3][..]));
        assert_eq!(form.mask, form.image);
        assert_eq!(Value::Object(form.object), json!({ "prompt": "boat" }));
        let form = read(json!({ "mask": "0123" })).unwrap();
        assert_eq!((form.mask, Value::Object(form.object)), (None, json!({ "mask": "0123" })));
    }

    #[test]
    fn what_is_no_picture_is_refused_by_its_name() {
        let refused = |object| {
            let error = read(object).unwrap_err().error;
            format!("{}: {}", error.param.unwrap_or_default(), error.message)
        };
        assert_eq!(
            refused(json!({ "images": [{ "image_url": "http://127.0.0.1/a.png" }] })),
            "images: images has an image_url that leads elsewhere, from where nothing is fetched; allowed is \
             `data:image/png;base64,…`"
        );
        assert_eq!(
            refused(json!({ "images": [{ "file_id": "file-1" }] })),
            "images: images has a file_id, which means nothing here; send the picture as image_url \
             `data:image/png;base64,…`"
        );
        assert_eq!(
            refused(json!({ "mask": { "image_url": "data:image/png;base64,?" } })),
            "mask: mask is no base64: invalid symbol 63, offset 0"
        );
        let picture = json!({ "image_url": "data:image/png;base64,AQID" });
        assert_eq!(
            refused(json!({ "images": [picture, picture] })),
            "images: images has 2 pictures; allowed is 1"
        );
        assert!(refused(json!({ "images": [{ "url": "data:" }] })).contains("there is no field `url`"));
    }
}
