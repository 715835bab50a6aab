//! Workflows in ComfyUI's form: kept with the jobs that were made of them, until their owner forgets them or posted too many
//! others.

use types::job::JobId;
use types::upload::UploadId;
use uuid::Uuid;

use super::Services;
use crate::access::upload_account::Reserved;
use crate::shared::Shared;
use crate::store::entities::workflow;
use crate::store::now_ms;
use crate::{Error, Result, Visitor};

/// A workflow that is to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewWorkflow<'a> {
    /// Its name: that of its first job, or one that the program chose, which nothing else has.
    pub id: JobId,
    /// The name that the program gave itself.
    pub client_id: Option<&'a str>,
    /// All its jobs, in the order in which they are made; one at least.
    pub jobs: &'a [JobId],
    /// The workflow and what was made of it, in whatever form the caller reads.
    pub document: &'a str,
}

/// A workflow that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its place in the order of arrival.
    pub number: i64,
    /// Its name.
    pub id: JobId,
    /// [`NewWorkflow::document`].
    pub document: String,
}

/// Which workflows are looked for.
#[derive(Debug, Clone, Copy)]
pub struct WorkflowFilter<'a> {
    /// Those of one program.
    pub client_id: Option<&'a str>,
    /// Those that came after this one.
    pub after: Option<i64>,
    /// Those with a job that is not at its end, or those without.
    pub is_open: Option<bool>,
    /// Whether the oldest come first, and not the newest.
    pub oldest_first: bool,
    /// How many of the first are passed over.
    pub offset: u64,
    /// Most that are given back.
    pub limit: u64,
}

/// Most workflows that are given back at once.
pub const MOST_WORKFLOWS: u64 = 200;

/// Workflows at their end that are kept of an owner, the newest. Programs ask for each of theirs by its name, and wait for ever for
/// one that is not there.
pub const MOST_KEPT_WORKFLOWS: u64 = 2_000;

/// Room for a workflow among what its owner may send in a day. Dropped before the workflow is kept, it is free again.
pub struct WorkflowRoom(Reserved);

impl Default for WorkflowFilter<'_> {
    fn default() -> Self {
        Self {
            client_id: None,
            after: None,
            is_open: None,
            oldest_first: false,
            offset: 0,
            limit: MOST_WORKFLOWS,
        }
    }
}

impl From<workflow::Model> for Workflow {
    fn from(row: workflow::Model) -> Self {
        Self { number: row.seq, id: JobId(row.id), document: row.document }
    }
}

impl Services {
    /// Takes room for a workflow of so many bytes, before jobs are made of it. It counts as what else its owner sends: cookies
    /// are to be had for nothing, and so are owners.
    ///
    /// # Errors
    /// The owner, or everybody at their address, sent as much as is allowed in a day.
    pub fn room_for_workflow(&self, owner: &Visitor, n_bytes: usize) -> Result<WorkflowRoom> {
        let Shared { upload_account, limits, .. } = &*self.0.shared;
        let id = UploadId(Uuid::new_v4());
        Ok(WorkflowRoom(upload_account.reserve(owner, limits, id, n_bytes, now_ms())?))
    }

    /// Keeps a workflow whose jobs were made. Of the owner's workflows at their end, those older than the newest
    /// [`MOST_KEPT_WORKFLOWS`] are forgotten.
    ///
    /// # Errors
    /// The database is out of order; the disk is full.
    pub async fn keep_workflow(
        &self,
        owner: &Visitor,
        room: WorkflowRoom,
        new: NewWorkflow<'_>,
    ) -> Result<Workflow> {
        let kept = self.0.shared.store.insert_workflow(owner, &new, MOST_KEPT_WORKFLOWS).await?;
        room.0.keep();
        Ok(kept.into())
    }

    /// Whether a workflow of anybody's has that name.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn has_workflow(&self, id: JobId) -> Result<bool> {
        self.0.shared.store.has_workflow(id).await
    }

    /// A workflow of the visitor's.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn workflow(&self, owner: &Visitor, id: JobId) -> Result<Option<Workflow>> {
        Ok(self.0.shared.store.workflow(owner, id).await?.map(Workflow::from))
    }

    /// A visitor's workflows, in the order that the filter says.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn workflows(&self, owner: &Visitor, filter: WorkflowFilter<'_>) -> Result<Vec<Workflow>> {
        let found = self.0.shared.store.workflows(owner, &filter).await?;
        Ok(found.into_iter().map(Workflow::from).collect())
    }

    /// How many of a visitor's workflows have a job that is not at its end.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn n_open_workflows(&self, owner: &Visitor) -> Result<u64> {
        self.0.shared.store.n_open_workflows(owner).await
    }

    /// Forgets workflows of the visitor's; others are passed over. Their jobs and pictures stay.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn forget_workflows(&self, owner: &Visitor, ids: &[JobId]) -> Result<()> {
        self.0.shared.store.delete_workflows(owner, ids).await
    }

    /// Gives an upload of the visitor's a name, which may have stood for another one before.
    ///
    /// # Errors
    /// There is no such upload or it is somebody else's.
    pub async fn name_upload(&self, owner: &Visitor, name: &str, id: UploadId) -> Result<()> {
        self.upload_info(owner, id).await?;
        self.0.shared.store.name_upload(owner, name, id).await
    }

    /// Gives an upload of the visitor's a name that is free, or stands for the same file. Whether it is one of the two; if
    /// not, the name stands for what it stood for.
    ///
    /// # Errors
    /// There is no such upload or it is somebody else's.
    pub async fn name_upload_unless_taken(&self, owner: &Visitor, name: &str, id: UploadId) -> Result<bool> {
        self.upload_info(owner, id).await?;
        let store = &self.0.shared.store;
        // Whoever else gives or takes the same name between two of these statements makes it begin anew.
        loop {
            if store.name_upload_if_free(owner, name, id).await? {
                return Ok(true);
            }
            let Some(other) = store.named_upload(owner, name).await? else { continue };
            match self.are_same_upload(owner, id, other).await {
                Ok(false) => return Ok(false),
                // From now on the newer one, which is kept for longer.
                Ok(true) if store.rename_upload(owner, name, other, id).await? => return Ok(true),
                Ok(true) => {}
                // The other one was swept, and its name with it.
                Err(Error::NotFound { .. } | Error::Files(object_store::Error::NotFound { .. }))
                    if store.named_upload(owner, name).await? != Some(other) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The upload that the visitor's name stands for.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn named_upload(&self, owner: &Visitor, name: &str) -> Result<Option<UploadId>> {
        self.0.shared.store.named_upload(owner, name).await
    }

    /// The names of the visitor's uploads, sorted, at most so many.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn upload_names(&self, owner: &Visitor, limit: u64) -> Result<Vec<String>> {
        self.0.shared.store.upload_names(owner, limit).await
    }
}
