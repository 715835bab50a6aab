//! Jobs: asked for, listed, deleted.

use std::collections::HashMap;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait as _, Query};
use sea_orm::{ActiveValue, ConnectionTrait, QueryOrder, QuerySelect, QueryTrait};
use types::job::{JobId, JobStatus};
use types::request::GenerationRequest;

use super::entities::{job, picture};
use super::uploads::keep_for;
use super::{Store, now_ms, returning, rounds, spending};
use crate::access::Limits;
use crate::{Error, Result, Visitor};

/// What is known of a job when it is asked for.
pub(crate) struct NewJob<'a> {
    pub(crate) request: &'a GenerationRequest,
    /// A hash of all that makes its pictures.
    pub(crate) fingerprint: Option<String>,
    /// What its asker calls the asking.
    pub(crate) once: Option<Once>,
    /// Whether its pictures are there already, and are about to be copied: then it begins at once.
    pub(crate) cached: bool,
    /// How much its owner may ask for.
    pub(crate) limits: Limits,
}

/// What makes a second asking the same as a first.
#[derive(Clone)]
pub(crate) struct Once {
    /// Its name, unique to its owner.
    pub(crate) key: String,
    /// A hash of what was asked for.
    pub(crate) hash: String,
}

/// What became of a new job.
pub(crate) enum Inserted {
    /// It is in the database.
    Job(job::Model),
    /// It is not: an upload that it uses was swept since the request was checked.
    Swept,
    /// It is not: there is one under that key already.
    Known(job::Model),
}

impl Store {
    /// Puts a job at the end of the queue, or begins it if its pictures are there already, and keeps the uploads that it
    /// uses.
    pub(crate) async fn insert_job(&self, owner: &Visitor, job: NewJob<'_>) -> Result<Inserted> {
        let uploads = job.request.uploads().collect();
        let request = serde_json::to_string(job.request)
            .map_err(|error| Error::Broken(format!("a request cannot be written as JSON: {error}")))?;
        let (id, now) = (JobId(Uuid::new_v4()), now_ms());
        let status = if job.cached { JobStatus::Running } else { JobStatus::Queued };
        let (key, hash) = job.once.clone().map(|Once { key, hash }| (key, hash)).unzip();
        let new = job::ActiveModel {
            id: ActiveValue::Set(id.0),
            owner: ActiveValue::Set(owner.owner_id().to_owned()),
            status: ActiveValue::Set(status.as_str().to_owned()),
            attempt: ActiveValue::Set(i64::from(job.cached)),
            request: ActiveValue::Set(request),
            fingerprint: ActiveValue::Set(job.fingerprint),
            cached: ActiveValue::Set(job.cached),
            idempotency_key: ActiveValue::Set(key),
            idempotency_hash: ActiveValue::Set(hash),
            created_at: ActiveValue::Set(now),
            started_at: ActiveValue::Set(job.cached.then_some(now)),
            ..Default::default()
        };
        let transaction = self.begin_writing().await?;
        // Within the transaction, so that of two who ask at once the second finds what the first asked for.
        if let Some(once) = &job.once
            && let Some(known) = job_under(&transaction, owner, &once.key).await?
        {
            transaction.rollback().await?;
            return Ok(Inserted::Known(known));
        }
        let round = rounds::next_round(&transaction, owner).await?;
        let new = job::ActiveModel { round: ActiveValue::Set(round), ..new };
        // What is there already costs no time, but a row and files as any other: it counts.
        spending::check(&transaction, owner, &job.limits, job.request, now).await?;
        spending::record(&transaction, owner, id, job.request, now).await?;
        let row = job::Entity::insert(new).exec_with_returning(&transaction).await?;
        if !keep_for(&transaction, id, &uploads).await? {
            transaction.rollback().await?;
            return Ok(Inserted::Swept);
        }
        transaction.commit().await?;
        Ok(Inserted::Job(row))
    }

    /// What the visitor asked for under that key.
    pub(crate) async fn job_under(&self, owner: &Visitor, key: &str) -> Result<Option<job::Model>> {
        job_under(&self.db, owner, key).await
    }

    /// A finished job whose pictures are the same as those of that fingerprint, with the pictures, in order, if none of
    /// them was deleted.
    pub(crate) async fn job_like(
        &self,
        fingerprint: &str,
    ) -> Result<Option<(job::Model, Vec<picture::Model>)>> {
        /// Of some, pictures were deleted; the newest are the likeliest to be whole.
        const TRIED: u64 = 8;
        let jobs = job::Entity::find()
            .filter(job::Column::Fingerprint.eq(fingerprint))
            .filter(job::Column::Status.eq(JobStatus::Done.as_str()))
            .order_by_desc(job::Column::Seq)
            .limit(TRIED)
            .all(&self.db)
            .await?;
        for job in jobs {
            let pictures = self.pictures_of([job.job_id()]).await?;
            if pictures.len() as u32 == job.generation_request()?.count {
                return Ok(Some((job, pictures)));
            }
        }
        Ok(None)
    }

    /// A page of a visitor's jobs, newest first: those before the one at that place, one more than `limit` if there are more.
    pub(crate) async fn jobs_of(
        &self,
        owner: &Visitor,
        status: Option<JobStatus>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<job::Model>> {
        let mut jobs = job::Entity::find().filter(job::Column::Owner.eq(owner.owner_id()));
        if let Some(status) = status {
            jobs = jobs.filter(job::Column::Status.eq(status.as_str()));
        }
        if let Some(before) = before {
            jobs = jobs.filter(job::Column::Seq.lt(before));
        }
        Ok(jobs.order_by_desc(job::Column::Seq).limit(u64::from(limit) + 1).all(&self.db).await?)
    }

    /// Deletes a visitor's job that is at its end, with its pictures' rows, which are given back. `None` if there is no such
    /// job, or it is not at its end.
    pub(crate) async fn delete_job(&self, owner: &Visitor, id: JobId) -> Result<Option<Vec<picture::Model>>> {
        let transaction = self.begin_writing().await?;
        let of_job = picture::Column::JobId.eq(id.0);
        let pictures = picture::Entity::find().filter(of_job.clone()).all(&transaction).await?;
        // Pictures first, so that the search index is told of each.
        picture::Entity::delete_many()
            .filter(of_job)
            .filter(picture::Column::Owner.eq(owner.owner_id()))
            .exec(&transaction)
            .await?;
        let deleted = job::Entity::delete_many()
            .filter(job::Column::Id.eq(id.0))
            .filter(job::Column::Owner.eq(owner.owner_id()))
            .filter(job::Column::Status.is_not_in(OPEN))
            .exec(&transaction)
            .await?;
        if deleted.rows_affected == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        transaction.commit().await?;
        Ok(Some(pictures))
    }

    /// Shows a visitor's job to everybody who knows its name, or no longer. `None` if there is no such job.
    pub(crate) async fn set_shared(
        &self,
        owner: &Visitor,
        id: JobId,
        shared: bool,
    ) -> Result<Option<job::Model>> {
        let mut share = job::Entity::update_many()
            .col_expr(job::Column::Shared, Expr::val(shared))
            .filter(job::Column::Id.eq(id.0))
            .filter(job::Column::Owner.eq(owner.owner_id()))
            .into_query();
        Ok(returning::<job::Entity>(&self.db, share.returning_all()).await?.into_iter().next())
    }

    /// The job of that name.
    pub(crate) async fn job(&self, id: JobId) -> Result<Option<job::Model>> {
        Ok(job::Entity::find().filter(job::Column::Id.eq(id.0)).one(&self.db).await?)
    }

    /// Jobs by their ids, in any order. Those that are not there are left out.
    pub(crate) async fn jobs(&self, ids: &[JobId]) -> Result<Vec<job::Model>> {
        let ids = ids.iter().map(|id| id.0);
        Ok(job::Entity::find().filter(job::Column::Id.is_in(ids)).all(&self.db).await?)
    }

    /// A visitor's jobs: those that are not at their end first, then the latest. A done job all of whose
    /// pictures were deleted is left out.
    pub(crate) async fn latest_jobs(&self, owner: &Visitor, limit: u32) -> Result<Vec<job::Model>> {
        let is_over = CaseStatement::new().case(job::Column::Status.is_in(OPEN), 0).finally(1);
        let has_picture = Query::select()
            .expr(Expr::val(1))
            .from(picture::Entity)
            .and_where(
                Expr::col((picture::Entity, picture::Column::JobId)).equals((job::Entity, job::Column::Id)),
            )
            .to_owned();
        let jobs = job::Entity::find()
            .filter(job::Column::Owner.eq(owner.owner_id()))
            .filter(job::Column::Status.ne(JobStatus::Done.as_str()).or(Expr::exists(has_picture)))
            .order_by_asc(Expr::expr(is_over))
            .order_by_desc(job::Column::Seq)
            .limit(u64::from(limit));
        Ok(jobs.all(&self.db).await?)
    }

    /// The job of a visitor's that is worked on, or else the one of theirs that is next.
    pub(crate) async fn current_job(&self, owner: &Visitor) -> Result<Option<job::Model>> {
        let is_queued =
            CaseStatement::new().case(job::Column::Status.eq(JobStatus::Running.as_str()), 0).finally(1);
        let job = job::Entity::find()
            .filter(job::Column::Owner.eq(owner.owner_id()))
            .filter(job::Column::Status.is_in(OPEN))
            .order_by_asc(Expr::expr(is_queued))
            .order_by_asc(job::Column::Seq);
        Ok(job.one(&self.db).await?)
    }

    /// Those of these jobs that there are, and whether each is being worked on.
    pub(crate) async fn known_jobs(&self, jobs: &[JobId]) -> Result<HashMap<JobId, bool>> {
        let known: Vec<(Uuid, String)> = job::Entity::find()
            .select_only()
            .columns([job::Column::Id, job::Column::Status])
            .filter(job::Column::Id.is_in(jobs.iter().map(|job| job.0)))
            .into_tuple()
            .all(&self.db)
            .await?;
        let is_running = |status: String| status == JobStatus::Running.as_str();
        Ok(known.into_iter().map(|(id, status)| (JobId(id), is_running(status))).collect())
    }
}

async fn job_under(db: &impl ConnectionTrait, owner: &Visitor, key: &str) -> Result<Option<job::Model>> {
    Ok(job::Entity::find()
        .filter(job::Column::Owner.eq(owner.owner_id()))
        .filter(job::Column::IdempotencyKey.eq(key))
        .one(db)
        .await?)
}

/// The statuses of a job that is not at its end.
pub(super) const OPEN: [&str; 2] = ["queued", "running"];
