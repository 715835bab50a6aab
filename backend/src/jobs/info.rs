//! A job as its page shows it.

use types::job::{JobId, JobInfo, JobStatus, Progress};

use super::places::Places;
use crate::shared::Shared;
use crate::store::entities::{job, picture};
use crate::store::from_ms;
use crate::{Error, Result, Visitor};

/// Whether this visitor may look at the job and its pictures: it is theirs, or its owner shares it.
pub(crate) fn may_see(viewer: &Visitor, row: &job::Model) -> bool {
    row.shared || row.owner == viewer.owner_id()
}

/// One job, as far as the viewer may see it. Without a viewer it is for the program itself.
pub(crate) async fn job_info(shared: &Shared, viewer: Option<&Visitor>, id: JobId) -> Result<JobInfo> {
    let row = shared.store.job(id).await?.ok_or_else(|| Error::not_found("job", &id))?;
    if viewer.is_some_and(|viewer| !may_see(viewer, &row)) {
        return Err(Error::not_found("job", &id));
    }
    describe_one(shared, viewer, row).await
}

/// The same of a job whose row was read, and that the viewer may see.
pub(crate) async fn describe_one(
    shared: &Shared,
    viewer: Option<&Visitor>,
    row: job::Model,
) -> Result<JobInfo> {
    let pictures = shared.store.pictures_of([row.job_id()]).await?;
    let places = Places::of(shared, std::slice::from_ref(&row)).await?;
    describe(shared, viewer, row, &pictures, &places)
}

/// A visitor's jobs: those that are not at their end first, then the latest.
pub(crate) async fn latest_jobs(shared: &Shared, owner: &Visitor, limit: u32) -> Result<Vec<JobInfo>> {
    let rows = shared.store.latest_jobs(owner, limit).await?;
    describe_all(shared, owner, rows).await
}

/// Jobs that the viewer may see, in the order of their rows.
pub(crate) async fn describe_all(
    shared: &Shared,
    viewer: &Visitor,
    rows: Vec<job::Model>,
) -> Result<Vec<JobInfo>> {
    let pictures = shared.store.pictures_of(rows.iter().map(job::Model::job_id)).await?;
    let places = Places::of(shared, &rows).await?;
    rows.into_iter().map(|row| describe(shared, Some(viewer), row, &pictures, &places)).collect()
}

/// `pictures` may hold other jobs' pictures too, and `places` other jobs' places.
pub(crate) fn describe(
    shared: &Shared,
    viewer: Option<&Visitor>,
    row: job::Model,
    pictures: &[picture::Model],
    places: &Places,
) -> Result<JobInfo> {
    let (id, status, request) = (row.job_id(), row.job_status()?, row.generation_request()?);
    let notes = row.known_notes()?.into_iter().map(|known| known.note).collect();
    let (n_ahead, wait_ms) = match (status, places.get(id)) {
        (JobStatus::Queued, Some(place)) => (Some(place.n_ahead), place.wait_ms()),
        // Its turn came after its row was read.
        (JobStatus::Queued, None) => (Some(0), Some(0)),
        _ => (None, None),
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
        wait_ms,
        shared: row.shared,
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
