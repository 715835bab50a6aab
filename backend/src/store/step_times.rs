//! What steps took, so that a program that starts knows what the one before measured.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{ActiveValue, Order, QueryOrder};

use super::Store;
use super::entities::step_time;
use crate::Result;

/// What a step takes of a model's picture of a size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StepTime {
    pub(crate) model: String,
    pub(crate) n_pixels: u64,
    pub(crate) seconds: f64,
}

impl Store {
    /// What was measured on a kind of device, the newest last.
    pub(crate) async fn step_times(&self, device: &str) -> Result<Vec<StepTime>> {
        let rows = step_time::Entity::find()
            .filter(step_time::Column::Device.eq(device))
            .order_by_asc(step_time::Column::Seq)
            .all(&self.db)
            .await?;
        let known = rows.into_iter().map(|row| StepTime {
            model: row.name,
            n_pixels: row.n_pixels.unsigned_abs(),
            seconds: row.seconds,
        });
        Ok(known.collect())
    }

    /// Keeps what was measured in place of what was known of the same size, and the newest `most` sizes of the model.
    pub(crate) async fn keep_step_time(&self, device: &str, measured: &StepTime, most: usize) -> Result<()> {
        let n_pixels = measured.n_pixels.cast_signed();
        let of_model = sea_orm::Condition::all()
            .add(step_time::Column::Device.eq(device))
            .add(step_time::Column::Name.eq(measured.model.as_str()));
        let newest = Query::select()
            .column(step_time::Column::Seq)
            .from(step_time::Entity)
            .cond_where(of_model.clone())
            .order_by(step_time::Column::Seq, Order::Desc)
            .limit(most as u64)
            .to_owned();
        let transaction = self.begin_writing().await?;
        step_time::Entity::delete_many()
            .filter(of_model.clone())
            .filter(step_time::Column::NPixels.eq(n_pixels))
            .exec(&transaction)
            .await?;
        let row = step_time::ActiveModel {
            device: ActiveValue::Set(device.to_owned()),
            name: ActiveValue::Set(measured.model.clone()),
            n_pixels: ActiveValue::Set(n_pixels),
            seconds: ActiveValue::Set(measured.seconds),
            ..Default::default()
        };
        step_time::Entity::insert(row).exec_without_returning(&transaction).await?;
        step_time::Entity::delete_many()
            .filter(of_model)
            .filter(step_time::Column::Seq.not_in_subquery(newest))
            .exec(&transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_sizes_of_each_model_are_kept_for_each_kind_of_device() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("darkroom.sqlite3")).await.unwrap();
        let time = |model: &str, n_pixels, seconds| StepTime { model: model.to_owned(), n_pixels, seconds };
        for measured in
            [time("demo", 1, 0.5), time("demo", 2, 0.5), time("demo", 1, 0.25), time("demo", 3, 1.0)]
        {
            store.keep_step_time("cpu", &measured, 2).await.unwrap();
        }
        store.keep_step_time("cpu", &time("large", 9, 7.0), 2).await.unwrap();
        let kept = [time("demo", 1, 0.25), time("demo", 3, 1.0), time("large", 9, 7.0)];
        assert_eq!(store.step_times("cpu").await.unwrap(), kept);
        assert!(store.step_times("cuda").await.unwrap().is_empty());
    }
}
