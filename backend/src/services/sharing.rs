//! Who else may look: jobs that are shared, and addresses of pictures that are signed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use types::job::{JobId, JobInfo};
use types::picture::PictureId;

use super::Services;
use crate::hexadecimal::hexadecimal;
use crate::jobs::info;
use crate::shared::Shared;
use crate::store::{Store, now_ms};
use crate::{Error, Result, Visitor};

/// How long a signed address of a picture is good, in seconds: an hour, as OpenAI has it.
const PASS_SECONDS: i64 = 60 * 60;

impl Services {
    /// Shows a job and its pictures to everybody who knows the job's name, or no longer.
    ///
    /// # Errors
    /// There is no such job or it is somebody else's.
    pub async fn share_job(&self, owner: &Visitor, id: JobId, shared: bool) -> Result<JobInfo> {
        let row = self.0.shared.store.set_shared(owner, id, shared).await?;
        let row = row.ok_or_else(|| Error::not_found("job", &id))?;
        tracing::info!(job.id = %id, shared, "who may see a job was changed");
        if !shared {
            // Nobody listens where nobody follows the job of somebody else.
            let _ = self.0.shared.taken_back.send(id);
        }
        info::describe_one(&self.0.shared, Some(owner), row).await
    }

    /// What lets whoever shows it see this picture for an hour, without being its owner: for addresses in answers to
    /// programs, which hand them on.
    pub fn picture_pass(&self, id: PictureId) -> String {
        pass(&self.0.shared, id, now_ms() / 1000 + PASS_SECONDS)
    }

    /// Whether that was given out for the picture, less than an hour ago.
    pub(super) fn is_pass(&self, id: PictureId, shown: &str) -> bool {
        let until = shown.split_once('.').and_then(|(until, _)| until.parse::<i64>().ok());
        let Some(until) = until.filter(|until| *until > now_ms() / 1000) else { return false };
        pass(&self.0.shared, id, until).as_bytes().ct_eq(shown.as_bytes()).into()
    }

    /// HMAC-SHA256 (RFC 2104) of a text with a secret of this site's own, in hexadecimal digits.
    pub fn signature(&self, text: &str) -> String {
        signature(&self.0.shared.signing_secret, text)
    }
}

/// Comes to its end once the viewer may see the job no longer.
pub(super) async fn until_taken_back(
    store: Store,
    viewer: Visitor,
    id: JobId,
    mut told: broadcast::Receiver<JobId>,
) {
    loop {
        match told.recv().await {
            Ok(other) if other != id => continue,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            // The program stops, which ends the job's events as well.
            Err(RecvError::Closed) => std::future::pending().await,
        }
        // Who cannot be looked up now is looked up at the next time.
        if let Ok(row) = store.job(id).await
            && !row.is_some_and(|row| info::may_see(&viewer, &row))
        {
            return;
        }
    }
}

fn pass(shared: &Shared, id: PictureId, until: i64) -> String {
    format!("{until}.{}", signature(&shared.signing_secret, &format!("picture {id} until {until}")))
}

fn signature(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(text.as_bytes());
    hexadecimal(&mac.finalize().into_bytes())
}
