//! Samplers and schedules in the API's document: their names, and no other of the many spellings that are read.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{Sampler, Schedule};

impl PartialSchema for Sampler {
    fn schema() -> RefOr<Schema> {
        names("How the noise levels are walked.", Self::ALL.map(Self::as_str))
    }
}

impl ToSchema for Sampler {}

impl PartialSchema for Schedule {
    fn schema() -> RefOr<Schema> {
        names("How the noise levels are spaced.", Self::ALL.map(Self::as_str))
    }
}

impl ToSchema for Schedule {}

fn names<const N: usize>(description: &str, names: [&'static str; N]) -> RefOr<Schema> {
    let names = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    names.description(Some(description)).build().into()
}
