//! The queue and its results.

use std::collections::HashSet;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{ActiveValue, ConnectionTrait, QueryOrder, QuerySelect, QueryTrait, TryInsertResult};
use types::error::{ErrorCode, PublicError};
use types::job::{JobId, JobStatus};
use types::note::Note;
use types::picture::PictureId;
use types::request::GenerationRequest;

use super::entities::job::KnownNote;
use super::entities::{job, picture};
use super::uploads::keep_for;
use super::{Store, now_ms, returning, rounds, spending};
use crate::access::Limits;
use crate::{Error, Result, Visitor};

/// A job during which the program died so often, with no picture in between, is not tried again.
pub(crate) const MAX_CRASHES: i64 = 3;

/// What is known of a picture when its files are written.
pub(crate) struct NewPicture {
    pub(crate) index: u32,
    pub(crate) file: String,
    /// Pixels.
    pub(crate) width: u32,
    /// Pixels.
    pub(crate) height: u32,
    /// How long the PNG and its thumbnail are together, in bytes.
    pub(crate) size_bytes: u64,
    /// What is to be said of how it was made.
    pub(crate) notes: Vec<Note>,
}

/// What is known of a job when it is asked for.
pub(crate) struct NewJob<'a> {
    pub(crate) request: &'a GenerationRequest,
    /// A hash of all that makes its pictures.
    pub(crate) fingerprint: Option<String>,
    /// What its asker calls the asking.
    pub(crate) once: Option<Once>,
    /// Whether its pictures are there already, and are about to be copied: then it begins at once.
    pub(crate) cached: bool,
    /// How much its owner may ask for. Does not hold for what is there already.
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
        if !job.cached {
            spending::check(&transaction, owner, &job.limits, job.request, now).await?;
            spending::record(&transaction, owner, job.request, now).await?;
        }
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

    /// What the job was to be made with has changed since it was asked for.
    pub(crate) async fn forget_fingerprint(&self, claim: &job::Model) -> Result<()> {
        job::Entity::update_many()
            .col_expr(job::Column::Fingerprint, Expr::val(None::<String>))
            .filter(is_attempt(claim))
            .exec(&self.db)
            .await?;
        Ok(())
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

    /// How many jobs are worked on before this one, as long as it is queued.
    pub(crate) async fn n_ahead(&self, job: &job::Model) -> Result<u64> {
        let in_round = job::Column::Round.eq(job.round).and(job::Column::Seq.lt(job.seq));
        let is_before = job::Column::Status
            .eq(JobStatus::Running.as_str())
            .or(job::Column::Round.lt(job.round))
            .or(in_round);
        Ok(job::Entity::find()
            .filter(job::Column::Status.is_in(OPEN))
            .filter(is_before)
            .filter(job::Column::Id.ne(job.id))
            .count(&self.db)
            .await?)
    }

    /// Takes the queued job whose turn it is, in one statement, so that no two workers take the same.
    pub(crate) async fn claim(&self) -> Result<Option<job::Model>> {
        let transaction = self.begin_writing().await?;
        let mut claim = job::Entity::update_many()
            .col_expr(job::Column::Status, Expr::val(JobStatus::Running.as_str()))
            .col_expr(job::Column::Attempt, Expr::col(job::Column::Attempt).add(1))
            .col_expr(job::Column::StartedAt, Expr::val(now_ms()))
            .filter(job::Column::Seq.in_subquery(rounds::first_queued()))
            .filter(job::Column::Status.eq(JobStatus::Queued.as_str()))
            .into_query();
        let claimed = returning::<job::Entity>(&transaction, claim.returning_all()).await?.into_iter().next();
        if let Some(claim) = &claimed {
            rounds::record_turn(&transaction, claim).await?;
        }
        transaction.commit().await?;
        Ok(claimed)
    }

    /// Whether the attempt that began with this claim is still the job's present one.
    pub(crate) async fn is_current(&self, claim: &job::Model) -> Result<bool> {
        let found = job::Entity::find().filter(is_attempt(claim)).count(&self.db).await?;
        Ok(found > 0)
    }

    /// Stores a picture and counts it, and ends the job with its last picture, all in one transaction. Crashes
    /// are counted anew from here: a job that gets on is not one that brings the program down.
    ///
    /// What is to be said of the picture is added to the job's notes, and to `claim`'s.
    ///
    /// `None`: the attempt is over, nothing was stored, and the picture's files are to be thrown away. Should
    /// the place be taken already, the picture that is there is given back.
    pub(crate) async fn add_picture(
        &self,
        claim: &mut job::Model,
        request: &GenerationRequest,
        new: &NewPicture,
    ) -> Result<Option<picture::Model>> {
        let notes = all_notes(claim, new)?;
        let transaction = self.begin_writing().await?;
        let n_made = new.index + 1;
        let mut count = job::Entity::update_many()
            .col_expr(job::Column::NMade, Expr::val(i64::from(n_made)))
            .col_expr(job::Column::Crashes, Expr::val(0))
            .col_expr(job::Column::Notes, Expr::val(notes.as_deref()))
            .filter(is_attempt(claim));
        if n_made == request.count {
            count = count
                .col_expr(job::Column::Status, Expr::val(JobStatus::Done.as_str()))
                .col_expr(job::Column::FinishedAt, Expr::val(now_ms()));
        }
        if count.exec(&transaction).await?.rows_affected == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        let row = new_row(claim, request, new);
        let place =
            OnConflict::columns([picture::Column::JobId, picture::Column::Idx]).do_nothing().to_owned();
        let inserted = picture::Entity::insert(row).on_conflict(place).try_insert();
        if let TryInsertResult::Conflicted = inserted.exec_without_returning(&transaction).await? {
            tracing::warn!(job.id = %claim.job_id(), picture.index = new.index, "the picture was there already");
        }
        let stored = picture::Entity::find()
            .filter(picture::Column::JobId.eq(claim.id))
            .filter(picture::Column::Idx.eq(new.index))
            .one(&transaction)
            .await?;
        transaction.commit().await?;
        claim.notes = notes;
        Ok(stored)
    }

    /// Ends an attempt with a sentence and its kind. False if it was over already.
    pub(crate) async fn fail(&self, claim: &job::Model, fault: &PublicError) -> Result<bool> {
        let failed = job::Entity::update_many()
            .col_expr(job::Column::Status, Expr::val(JobStatus::Failed.as_str()))
            .col_expr(job::Column::Error, Expr::val(fault.message.as_str()))
            .col_expr(job::Column::ErrorCode, Expr::val(fault.code.as_str()))
            .col_expr(job::Column::FinishedAt, Expr::val(now_ms()))
            .filter(is_attempt(claim))
            .exec(&self.db)
            .await?;
        Ok(failed.rows_affected > 0)
    }

    /// Those of these jobs that there are.
    pub(crate) async fn known_jobs(&self, jobs: &[JobId]) -> Result<HashSet<JobId>> {
        let known: Vec<Uuid> = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::Id.is_in(jobs.iter().map(|job| job.0)))
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(known.into_iter().map(JobId).collect())
    }

    /// Cancels a job that is not at its end. Compare and set: `None` if it came to its end before.
    pub(crate) async fn cancel(&self, id: JobId) -> Result<Option<job::Model>> {
        let mut cancel = job::Entity::update_many()
            .col_expr(job::Column::Status, Expr::val(JobStatus::Cancelled.as_str()))
            .col_expr(job::Column::FinishedAt, Expr::val(now_ms()))
            .filter(job::Column::Id.eq(id.0))
            .filter(job::Column::Status.is_in(OPEN))
            .into_query();
        let cancelled = returning::<job::Entity>(&self.db, cancel.returning_all()).await?;
        Ok(cancelled.into_iter().next())
    }

    /// Puts a job back into the queue, at its old place. False if the attempt was over already.
    pub(crate) async fn put_back(&self, claim: &job::Model, crashed: bool) -> Result<bool> {
        let back = job::Entity::update_many()
            .col_expr(job::Column::Status, Expr::val(JobStatus::Queued.as_str()))
            .col_expr(job::Column::Crashes, Expr::col(job::Column::Crashes).add(i64::from(crashed)))
            .col_expr(job::Column::StartedAt, Expr::val(None::<i64>))
            .col_expr(job::Column::Cached, Expr::val(false))
            .filter(is_attempt(claim))
            .exec(&self.db)
            .await?;
        Ok(back.rows_affected > 0)
    }

    /// At the start, when nobody works: whatever is running was running when the program died. It goes back
    /// into the queue, unless that happened too often. Gives back how many went back and how many did not.
    pub(crate) async fn recover(&self) -> Result<(u64, u64)> {
        let transaction = self.begin_writing().await?;
        let running = job::Column::Status.eq(JobStatus::Running.as_str());
        let count = job::Entity::update_many()
            .col_expr(job::Column::Crashes, Expr::col(job::Column::Crashes).add(1))
            // What was only being copied is painted from now on, and brought nothing down.
            .filter(job::Column::Cached.eq(false))
            .filter(running.clone());
        count.exec(&transaction).await?;
        let gave_up = gave_up();
        let given_up = job::Entity::update_many()
            .col_expr(job::Column::Status, Expr::val(JobStatus::Failed.as_str()))
            .col_expr(job::Column::Error, Expr::val(gave_up.message))
            .col_expr(job::Column::ErrorCode, Expr::val(gave_up.code.as_str()))
            .col_expr(job::Column::FinishedAt, Expr::val(now_ms()))
            .filter(running.clone())
            .filter(job::Column::Crashes.gte(MAX_CRASHES))
            .exec(&transaction)
            .await?;
        let back = job::Entity::update_many()
            .col_expr(job::Column::Status, Expr::val(JobStatus::Queued.as_str()))
            .col_expr(job::Column::StartedAt, Expr::val(None::<i64>))
            // Whatever was being copied for it is made anew.
            .col_expr(job::Column::Cached, Expr::val(false))
            .filter(running)
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok((back.rows_affected, given_up.rows_affected))
    }
}

/// A job's notes with those of one more picture, as they are kept. Nobody else writes them meanwhile: they change with an
/// attempt's pictures alone.
fn all_notes(claim: &job::Model, new: &NewPicture) -> Result<Option<String>> {
    let mut notes = claim.known_notes()?;
    for &note in &new.notes {
        if !notes.iter().any(|known| known.note == note) {
            notes.push(KnownNote { note, attempt: claim.attempt_number(), index: new.index });
        }
    }
    if notes.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_string(&notes);
    json.map(Some).map_err(|error| Error::Broken(format!("notes cannot be written as JSON: {error}")))
}

/// What the owner of a job is told that was tried too often.
pub(crate) fn gave_up() -> PublicError {
    let sentence = format!(
        "the program stopped {MAX_CRASHES} times while it made this picture, so it is not tried again"
    );
    PublicError::new(ErrorCode::Internal, sentence)
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

/// The row, as long as it belongs to the attempt that began with this claim.
fn is_attempt(claim: &job::Model) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(job::Column::Id.eq(claim.id))
        .add(job::Column::Attempt.eq(claim.attempt))
        .add(job::Column::Status.eq(JobStatus::Running.as_str()))
}

fn new_row(claim: &job::Model, request: &GenerationRequest, new: &NewPicture) -> picture::ActiveModel {
    picture::ActiveModel {
        id: ActiveValue::Set(PictureId(Uuid::new_v4()).0),
        job_id: ActiveValue::Set(claim.id),
        idx: ActiveValue::Set(new.index.cast_signed()),
        attempt: ActiveValue::Set(claim.attempt),
        owner: ActiveValue::Set(claim.owner.clone()),
        prompt: ActiveValue::Set(request.of_picture(new.index).0.prompt.clone()),
        seed: ActiveValue::Set(request.seed_of(new.index).cast_signed()),
        width: ActiveValue::Set(new.width.cast_signed()),
        height: ActiveValue::Set(new.height.cast_signed()),
        favourite: ActiveValue::Set(false),
        file: ActiveValue::Set(new.file.clone()),
        size_bytes: ActiveValue::Set(Some(new.size_bytes.cast_signed())),
        created_at: ActiveValue::Set(now_ms()),
        ..Default::default()
    }
}
