//! What the names in workflows may stand for.

use backend::{Services, Visitor};
use types::picture::PictureId;
use types::upload::UploadId;

use super::file_names::{picture, without_folder_mark};
use super::graph::Graph;
use super::nodes::Kind;
use super::values::Installed;
use crate::error::{ApiError, ApiResult};

/// Most uploads that are listed by name.
const MOST_LISTED: u64 = 1_000;

/// Models and LoRAs that can be used, and no picture.
fn models(services: &Services) -> Installed {
    Installed { checkpoints: checkpoints(services), loras: loras(services), ..Installed::default() }
}

/// Names of the models that can be used, the default one first.
pub fn checkpoints(services: &Services) -> Vec<String> {
    let usable = services.models().into_iter().filter(|model| model.problem.is_none());
    usable.map(|model| model.name).collect()
}

/// Names of the LoRAs that can be used.
pub fn loras(services: &Services) -> Vec<String> {
    let usable = services.loras().into_iter().filter(|lora| lora.problem.is_none());
    usable.map(|lora| lora.name).collect()
}

/// What there is, with the names of the visitor's uploads.
///
/// # Errors
/// The database is out of order.
pub async fn installed(services: &Services, visitor: &Visitor) -> ApiResult<Installed> {
    let names = services.upload_names(visitor, MOST_LISTED).await.map_err(ApiError::from)?;
    let pictures = names.into_iter().map(|name| (name.clone(), name)).collect();
    Ok(Installed { pictures, ..models(services) })
}

/// What there is, with those of the visitor's pictures that a workflow names.
///
/// # Errors
/// The database is out of order.
pub async fn installed_for(services: &Services, visitor: &Visitor, graph: &Graph) -> ApiResult<Installed> {
    let mut installed = models(services);
    for node in graph.nodes() {
        for input in node.class.inputs.iter().filter(|input| input.kind == Kind::Picture) {
            let Some(name) = node.inputs.get(input.name).and_then(|name| name.as_str()) else { continue };
            if installed.pictures.contains_key(name) {
                continue;
            }
            if let Some(known) = find_picture(services, visitor, name).await? {
                installed.pictures.insert(name.to_owned(), known);
            }
        }
    }
    Ok(installed)
}

/// What a request calls a picture: an upload by the name that it was given, or by its id, or a picture that was made
/// before, by the name that answers call it.
///
/// # Errors
/// The database is out of order.
pub async fn find_picture(services: &Services, visitor: &Visitor, name: &str) -> ApiResult<Option<String>> {
    let name = without_folder_mark(name);
    if let Some(upload) = services.named_upload(visitor, name).await.map_err(ApiError::from)? {
        return Ok(Some(upload.to_string()));
    }
    let Some(PictureId(id)) = picture(name) else { return Ok(None) };
    let id = UploadId(id).to_string();
    let known = services.known_start(visitor, Some(&id)).await.map_err(ApiError::from)?;
    Ok(known.map(|_| id))
}
