//! A job as its page shows it.

use types::job::{JobId, JobInfo, JobStatus, Progress};

use crate::shared::Shared;
use crate::store::entities::{job, picture};
use crate::store::from_ms;
use crate::{Error, Result, Visitor};

/// One job. Without a viewer, nobody may act on it.
pub(crate) async fn job_info(shared: &Shared, viewer: Option<&Visitor>, id: JobId) -> Result<JobInfo> {
    let row = shared.store.job(id).await?.ok_or_else(|| Error::not_found("job", &id))?;
    let pictures = shared.store.pictures_of([id]).await?;
    describe(shared, viewer, row, &pictures).await
}

/// A visitor's jobs: those that are not at their end first, then the latest.
pub(crate) async fn latest_jobs(shared: &Shared, owner: &Visitor, limit: u32) -> Result<Vec<JobInfo>> {
    let rows = shared.store.latest_jobs(owner, limit).await?;
    let pictures = shared.store.pictures_of(rows.iter().map(job::Model::job_id)).await?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in rows {
        jobs.push(describe(shared, Some(owner), row, &pictures).await?);
    }
    Ok(jobs)
}

/// `pictures` may hold other jobs' pictures too.
pub(crate) async fn describe(
    shared: &Shared,
    viewer: Option<&Visitor>,
    row: job::Model,
    pictures: &[picture::Model],
) -> Result<JobInfo> {
    let (id, status, request) = (row.job_id(), row.job_status()?, row.generation_request()?);
    let notes = row.known_notes()?.into_iter().map(|known| known.note).collect();
    let n_ahead = match status {
        JobStatus::Queued => Some(shared.store.n_ahead(row.seq).await?),
        _ => None,
    };
    let progress = (status == JobStatus::Running).then(|| {
        shared.hub.progress(id).unwrap_or_else(|| Progress {
            picture: row.n_made as u32 + 1,
            n_pictures: request.count,
            n_steps: request.n_steps_of(row.n_made as u32),
            ..Progress::default()
        })
    });
    let loading = if status == JobStatus::Running { shared.hub.loading(id) } else { None };
    Ok(JobInfo {
        id,
        status,
        request,
        created_at: from_ms(row.created_at),
        started_at: row.started_at.map(from_ms),
        finished_at: row.finished_at.map(from_ms),
        n_ahead,
        progress,
        loading,
        notes,
        pictures: pictures
            .iter()
            .filter(|picture| picture.job_id == row.id)
            .map(picture::Model::info)
            .collect(),
        cached: row.cached,
        is_owner: viewer.is_some_and(|viewer| viewer.owner_id() == row.owner),
        error_code: row.fault_code(),
        error: row.error,
    })
}
