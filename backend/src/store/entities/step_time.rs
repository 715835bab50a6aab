//! A row of `step_times`: what a step of a picture of that size took.

use sea_orm::entity::prelude::*;

/// One model and size on one kind of device.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "step_times")]
pub struct Model {
    /// The order in which they were measured last.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// What computed, by its name in settings.
    pub device: String,
    /// The model's name.
    pub name: String,
    /// Pixels of the picture.
    pub n_pixels: i64,
    /// What a step takes.
    pub seconds: f64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
