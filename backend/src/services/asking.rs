//! Jobs: asked for, listed, deleted.

use std::time::Duration;

use tracing::Instrument;
use types::error::PublicError;
use types::event::JobEvent;
use types::history::{JobPage, JobQuery};
use types::job::{JobId, JobInfo};
use types::model::ModelInfo;
use types::request::{GenerationRequest, RawRequest, RequestContext};

use super::{Services, choose_seed, uploads};
use crate::jobs::estimate::Nearest;
use crate::jobs::worker::n_together;
use crate::jobs::{cache, fingerprint, info, numbers};
use crate::measures::JobEnd;
use crate::shared::Shared;
use crate::store::entities::{job, picture};
use crate::store::{Inserted, NewJob, Once, page};
use crate::{Error, Result, Visitor, deleted_files};

/// Longest key of [`Services::create_job_once`], in bytes.
pub const MAX_IDEMPOTENCY_KEY: usize = 255;

impl Services {
    /// Checks a request and puts it into the queue. If its pictures were made before, the job has them at once, unless
    /// the request or the configuration says otherwise.
    ///
    /// # Errors
    /// The first field that is not allowed; words that the site does not paint; a model that cannot be used; a full disk; the
    /// program is stopping.
    pub async fn create_job(&self, owner: &Visitor, raw: RawRequest) -> Result<JobInfo> {
        self.ask(owner, raw, None).await
    }

    /// The same under a name that the asker chose, 1 to 255 visible ASCII characters: whoever asks a second time under that
    /// name, since the first answer was lost perhaps, gets the first job again.
    ///
    /// # Errors
    /// As [`Self::create_job`]; a key that is none, or that stands for another request.
    pub async fn create_job_once(&self, owner: &Visitor, key: &str, raw: RawRequest) -> Result<JobInfo> {
        if !(1..=MAX_IDEMPOTENCY_KEY).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let sentence = format!(
                "the idempotency key has {} bytes or characters that are not allowed; allowed are 1 to \
                 {MAX_IDEMPOTENCY_KEY} visible ASCII characters",
                key.len()
            );
            return Err(PublicError::invalid_field(KEY, sentence).into());
        }
        let asked = serde_json::to_string(&raw)
            .map_err(|error| Error::Broken(format!("a request cannot be written as JSON: {error}")))?;
        let once = Once { key: key.to_owned(), hash: fingerprint::hash(asked.as_bytes()) };
        if let Some(known) = self.0.shared.store.job_under(owner, key).await? {
            return self.again(owner, known, &once).await;
        }
        self.ask(owner, raw, Some(once)).await
    }

    async fn ask(&self, owner: &Visitor, raw: RawRequest, once: Option<Once>) -> Result<JobInfo> {
        let shared = &*self.0.shared;
        let Shared { engine, store, stopping, caches, helpers, presets, .. } = shared;
        if stopping.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        let mut context = RequestContext {
            models: &self.models_to_ask_for(),
            loras: &self.loras(),
            start: self.known_start(owner, raw.start.as_deref()).await?,
            mask: self.known_mask(owner, raw.mask.as_deref()).await?,
            styles: &helpers.styles(),
            wildcards: &helpers.wildcards_for(&raw),
            presets: presets.clone(),
            continuation: None,
        };
        let (raw, continuation) = self.extend(owner, raw, &context).await?;
        context.continuation = continuation.as_deref();
        let may_copy = *caches && raw.cache.unwrap_or(true);
        let request = raw.check(&context, choose_seed)?;
        shared.refuse_blocked(&request).await?;
        engine.fits(&request)?;
        self.check_time(&request)?;
        for cell in (0..request.count).map_while(|index| request.cell(index)) {
            engine.fits(&cell)?;
        }
        let fingerprint =
            if *caches { fingerprint::of(shared, owner.owner_id(), &request).await? } else { None };
        let like = match &fingerprint {
            Some(fingerprint) if may_copy => store.job_like(fingerprint).await?,
            _ => None,
        };
        let (services, owner) = (self.clone(), owner.clone());
        let make = async move { services.make(&owner, &request, fingerprint, once, like).await };
        // A task of its own: a caller who hangs up leaves no job half made.
        tokio::spawn(make.in_current_span())
            .await
            .map_err(|panic| Error::Broken(format!("making a job ended early: {panic}")))?
    }

    /// Refuses what would take longer than the operator lets a job take, by what jobs took before.
    fn check_time(&self, request: &GenerationRequest) -> Result<()> {
        let Shared { limits, estimates, .. } = &*self.0.shared;
        let (Some(most), Some(takes)) = (limits.seconds_per_job, estimates.of(request)) else {
            return Ok(());
        };
        if takes.as_secs_f64() <= f64::from(most) {
            return Ok(());
        }
        let (field, instead) = match estimates.nearest(request, Duration::from_secs(most.into())) {
            Nearest::Count(count) => ("count", format!("; {count} pictures of these settings would do")),
            Nearest::Steps(steps) => ("steps", format!("; {steps} steps would do")),
            Nearest::Neither => ("steps", "; a smaller picture may do".to_owned()),
        };
        let sentence = format!(
            "this would take about {:.0} seconds, and a job may take {most}{instead}",
            takes.as_secs_f64()
        );
        Err(PublicError::invalid_field(field, sentence).into())
    }

    /// The models as a request may name them: one that cannot be used may be asked for where another one stands in for it.
    fn models_to_ask_for(&self) -> Vec<ModelInfo> {
        let mut models = self.models();
        let fallback = self.0.shared.fallback_model.as_ref();
        if models.iter().any(|model| Some(&model.name) == fallback && model.problem.is_none()) {
            for model in &mut models {
                model.problem = None;
            }
        }
        models
    }

    /// Puts a checked request into the queue, or gives it the pictures of a job that is `like` it.
    async fn make(
        &self,
        owner: &Visitor,
        request: &GenerationRequest,
        fingerprint: Option<String>,
        once: Option<Once>,
        like: Option<(job::Model, Vec<picture::Model>)>,
    ) -> Result<JobInfo> {
        let shared = &*self.0.shared;
        let (cached, limits) = (like.is_some(), shared.limits);
        let job = NewJob { request, fingerprint, once: once.clone(), cached, limits };
        let row = match (shared.store.insert_job(owner, job).await?, once) {
            (Inserted::Job(row), _) => row,
            (Inserted::Known(known), Some(once)) => return self.again(owner, known, &once).await,
            (Inserted::Known(_) | Inserted::Swept, _) => return Err(uploads::swept().into()),
        };
        let id = row.job_id();
        tracing::info!(job.id = %id, "a job was asked for");
        if let Some(like) = like {
            cache::give(shared, row, request, &like).await;
            return self.job(owner, id).await;
        }
        shared.queue.wake();
        // Those who have asked for more come later now.
        shared.queue.announce_places(shared).await;
        info::describe_one(shared, Some(owner), row).await
    }

    /// The job that was asked for before under this key.
    async fn again(&self, owner: &Visitor, known: job::Model, once: &Once) -> Result<JobInfo> {
        if known.idempotency_hash.as_deref() == Some(&once.hash) {
            // Whoever asked first may have been cut off before the worker was told.
            self.0.shared.queue.wake();
            return self.job(owner, known.job_id()).await;
        }
        let sentence = format!(
            "the idempotency key `{}` stands for another request already; take a new one for every request",
            once.key
        );
        Err(PublicError::invalid_field(KEY, sentence).into())
    }

    /// A page of a visitor's jobs, newest first.
    ///
    /// # Errors
    /// A limit or a cursor that is not allowed.
    pub async fn jobs(&self, owner: &Visitor, query: JobQuery) -> Result<JobPage> {
        let shared = &*self.0.shared;
        let limit = page::check_limit(query.limit)?;
        let before = query.cursor.as_deref().map(page::check_cursor).transpose()?;
        let mut rows = shared.store.jobs_of(owner, query.status, before, limit).await?;
        let next = page::cut(&mut rows, limit, |row| row.seq);
        Ok(JobPage { jobs: info::describe_all(shared, owner, rows).await?, next })
    }

    /// Deletes a job that is at its end, and its pictures, for good.
    ///
    /// # Errors
    /// There is no such job or it is somebody else's; it is not at its end.
    pub async fn delete_job(&self, owner: &Visitor, id: JobId) -> Result<()> {
        let shared = &*self.0.shared;
        let job = self.job(owner, id).await?;
        if !job.is_owner {
            return Err(Error::not_found("job", &id));
        }
        let Some(pictures) = shared.store.delete_job(owner, id).await? else {
            let job = self.job(owner, id).await?;
            return Err(Error::NotFinal(job.status));
        };
        // First the rows and then the files: a row never points to nothing.
        deleted_files::of_pictures(shared, &pictures).await;
        tracing::info!(job.id = %id, "a job was deleted");
        Ok(())
    }

    /// Cancels a job that is queued or running. A running one stops after its present step; pictures that it
    /// has finished stay, and the pixels of those that were never begun are given back to the visitor's share of the day.
    ///
    /// # Errors
    /// There is no such job or it is somebody else's; it came to its end before.
    pub async fn cancel_job(&self, owner: &Visitor, id: JobId) -> Result<JobInfo> {
        let Shared { engine, store, queue, hub, .. } = &*self.0.shared;
        let row = store.job(id).await?.filter(|row| row.owner == owner.owner_id());
        let request = row.ok_or_else(|| Error::not_found("job", &id))?.generation_request()?;
        let Some(row) = store.cancel(id, n_together(&**engine, &request)).await? else {
            let job = self.job(owner, id).await?;
            return Err(Error::AlreadyFinal(job.status));
        };
        self.0.shared.measures.job_ended(JobEnd::Cancelled);
        queue.stop(id);
        hub.finish(id, numbers::last(row.attempt_number()), JobEvent::Cancelled);
        tracing::info!(job.id = %id, "a job was cancelled");
        queue.announce_places(&self.0.shared).await;
        self.job(owner, id).await
    }
}

/// The name of the key in errors.
const KEY: &str = "idempotency_key";
