//! What programs posted in ComfyUI's form.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{
    ActiveValue, Condition, DatabaseTransaction, Order, QueryOrder, QuerySelect, TransactionTrait,
};
use types::job::JobId;

use super::Store;
use super::entities::{job, workflow, workflow_job};
use super::jobs::OPEN;
use crate::services::{NewWorkflow, WorkflowFilter};
use crate::{Result, Visitor};

impl Store {
    /// Keeps a workflow with the jobs that were made of it, and of its owner's that are at their end so many, the newest.
    pub(crate) async fn insert_workflow(
        &self,
        owner: &Visitor,
        new: &NewWorkflow<'_>,
        most: u64,
    ) -> Result<workflow::Model> {
        let row = workflow::ActiveModel {
            id: ActiveValue::Set(new.id.0),
            owner: ActiveValue::Set(owner.owner_id().to_owned()),
            client_id: ActiveValue::Set(new.client_id.map(str::to_owned)),
            document: ActiveValue::Set(new.document.to_owned()),
            ..Default::default()
        };
        let transaction = self.db.begin().await?;
        let row = workflow::Entity::insert(row).exec_with_returning(&transaction).await?;
        let jobs = new.jobs.iter().map(|job| workflow_job::ActiveModel {
            workflow_seq: ActiveValue::Set(row.seq),
            job_id: ActiveValue::Set(job.0),
            ..Default::default()
        });
        workflow_job::Entity::insert_many(jobs).exec_without_returning(&transaction).await?;
        delete_beyond_newest(&transaction, owner, most).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Whether a workflow of any owner's has that name.
    pub(crate) async fn has_workflow(&self, id: JobId) -> Result<bool> {
        let found = workflow::Entity::find().select_only().column(workflow::Column::Seq);
        let found = found.filter(workflow::Column::Id.eq(id.0)).into_tuple::<i64>().one(&self.db).await?;
        Ok(found.is_some())
    }

    /// The owner's workflow of that name.
    pub(crate) async fn workflow(&self, owner: &Visitor, id: JobId) -> Result<Option<workflow::Model>> {
        Ok(workflow::Entity::find()
            .filter(workflow::Column::Owner.eq(owner.owner_id()))
            .filter(workflow::Column::Id.eq(id.0))
            .one(&self.db)
            .await?)
    }

    /// The owner's workflows, in the order that the filter says.
    pub(crate) async fn workflows(
        &self,
        owner: &Visitor,
        filter: &WorkflowFilter<'_>,
    ) -> Result<Vec<workflow::Model>> {
        let order = if filter.oldest_first { Order::Asc } else { Order::Desc };
        let mut found = workflow::Entity::find()
            .filter(workflow::Column::Owner.eq(owner.owner_id()))
            .order_by(workflow::Column::Seq, order)
            .offset(filter.offset)
            .limit(filter.limit);
        if let Some(client_id) = filter.client_id {
            found = found.filter(workflow::Column::ClientId.eq(client_id));
        }
        if let Some(after) = filter.after {
            found = found.filter(workflow::Column::Seq.gt(after));
        }
        if let Some(is_open) = filter.is_open {
            let open = open();
            found = found.filter(if is_open {
                workflow::Column::Seq.in_subquery(open)
            } else {
                workflow::Column::Seq.not_in_subquery(open)
            });
        }
        Ok(found.all(&self.db).await?)
    }

    /// How many of the owner's workflows have a job that is not at its end.
    pub(crate) async fn n_open_workflows(&self, owner: &Visitor) -> Result<u64> {
        Ok(workflow::Entity::find()
            .filter(workflow::Column::Owner.eq(owner.owner_id()))
            .filter(workflow::Column::Seq.in_subquery(open()))
            .count(&self.db)
            .await?)
    }

    /// Forgets those of these workflows that are the owner's. Their jobs and pictures stay.
    pub(crate) async fn delete_workflows(&self, owner: &Visitor, ids: &[JobId]) -> Result<()> {
        workflow::Entity::delete_many()
            .filter(workflow::Column::Owner.eq(owner.owner_id()))
            .filter(workflow::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}

/// Deletes those of the owner's workflows at their end that are older than the newest `most` of them: a program that
/// posts and never forgets would fill the disk. How many are open is for the limits of jobs to say.
async fn delete_beyond_newest(transaction: &DatabaseTransaction, owner: &Visitor, most: u64) -> Result<()> {
    let ended = Condition::all()
        .add(workflow::Column::Owner.eq(owner.owner_id()))
        .add(workflow::Column::Seq.not_in_subquery(open()));
    let newest_beyond: Option<i64> = workflow::Entity::find()
        .select_only()
        .column(workflow::Column::Seq)
        .filter(ended.clone())
        .order_by_desc(workflow::Column::Seq)
        .offset(most)
        .limit(1)
        .into_tuple()
        .one(transaction)
        .await?;
    if let Some(newest_beyond) = newest_beyond {
        workflow::Entity::delete_many()
            .filter(ended.add(workflow::Column::Seq.lte(newest_beyond)))
            .exec(transaction)
            .await?;
    }
    Ok(())
}

/// The workflows that have a job that is not at its end.
fn open() -> SelectStatement {
    let open_jobs = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(job::Column::Status.is_in(OPEN))
        .to_owned();
    Query::select()
        .column(workflow_job::Column::WorkflowSeq)
        .from(workflow_job::Entity)
        .and_where(workflow_job::Column::JobId.in_subquery(open_jobs))
        .to_owned()
}
