//! Attempts at a job: begun with a claim, written down picture by picture, ended.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue, QueryTrait, TryInsertResult};
use types::error::{ErrorCode, PublicError};
use types::job::{JobId, JobStatus};
use types::note::Note;
use types::picture::PictureId;
use types::request::GenerationRequest;

use super::entities::job::KnownNote;
use super::entities::{job, picture};
use super::jobs::OPEN;
use super::{Store, now_ms, returning, rounds, spending};
use crate::{Error, Result};

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

impl Store {
    /// What the job was to be made with has changed since it was asked for.
    pub(crate) async fn forget_fingerprint(&self, claim: &job::Model) -> Result<()> {
        job::Entity::update_many()
            .col_expr(job::Column::Fingerprint, Expr::val(None::<String>))
            .filter(is_attempt(claim))
            .exec(&self.db)
            .await?;
        Ok(())
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

    /// Cancels a job that is not at its end. Compare and set: `None` if it came to its end before.
    ///
    /// The pixels of pictures that were never begun are given back to its owner. Of a job that is worked on, as many count
    /// as begun as are made together.
    pub(crate) async fn cancel(&self, id: JobId, n_together: u32) -> Result<Option<job::Model>> {
        let transaction = self.begin_writing().await?;
        let mut cancel = job::Entity::update_many()
            .col_expr(job::Column::Status, Expr::val(JobStatus::Cancelled.as_str()))
            .col_expr(job::Column::FinishedAt, Expr::val(now_ms()))
            .filter(job::Column::Id.eq(id.0))
            .filter(job::Column::Status.is_in(OPEN))
            .into_query();
        let cancelled =
            returning::<job::Entity>(&transaction, cancel.returning_all()).await?.into_iter().next();
        // Should its request be one that this version cannot read, it is cancelled all the same.
        if let Some(row) = &cancelled
            && let Ok(request) = row.generation_request()
        {
            // Only a job that is worked on has a time at which that began.
            let n_under_way = if row.started_at.is_some() { n_together } else { 0 };
            let n_begun = u32::try_from(row.n_made).unwrap_or(u32::MAX).saturating_add(n_under_way);
            let n_left = request.count.saturating_sub(n_begun);
            spending::give_back(&transaction, row, &request, n_left).await?;
        }
        transaction.commit().await?;
        Ok(cancelled)
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
