//! How many bytes of uploads came from each visitor and each address in the last 24 hours, with the workflows that were posted.
//! An upload that no job uses is kept no longer than that.
//!
//! The account is in memory. After a start, that of an owner is read anew from the uploads that lie there; that of an
//! address, which stands with no upload, begins anew.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use types::error::PublicError;
use types::upload::UploadId;

use super::{Limits, Ration};
use crate::Visitor;

/// As long as an upload counts.
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What an upload counts at least, in bytes: as much as a file takes on a disk.
const LEAST_BYTES: u64 = 4096;

/// From so many names on, those whose uploads are all too old are forgotten.
const MOST_NAMES: usize = 10_000;

/// The account of a site.
#[derive(Default)]
pub(crate) struct UploadAccount(Mutex<HashMap<String, VecDeque<Entry>>>);

/// One upload.
#[derive(Clone, Copy)]
struct Entry {
    id: UploadId,
    /// Milliseconds since 1970.
    at: i64,
    n_bytes: u64,
}

/// Room for an upload that is being kept. Dropped before it is, the room is free again.
pub(crate) struct Reserved {
    account: Arc<UploadAccount>,
    id: UploadId,
    names: Vec<String>,
}

impl UploadAccount {
    /// Takes room for an upload of so many bytes that comes at `now`, in milliseconds since 1970.
    ///
    /// # Errors
    /// It would be more than the visitor, or everybody at their address, may send; and when there is room again.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        owner: &Visitor,
        limits: &Limits,
        id: UploadId,
        n_bytes: usize,
        now: i64,
    ) -> Result<Reserved, PublicError> {
        let own = owner.allowance().map_or(limits.visitor, |allowance| allowance.ration.or(limits.visitor));
        let mut limited = limit("you have", name_of_owner(owner.owner_id()), own);
        // A key stands for its holder, wherever they call from.
        if owner.allowance().is_none() && !owner.address().is_empty() {
            let name = format!("address {}", owner.address());
            limited.extend(limit("everybody at your address together has", name, limits.address));
        }
        let new = Entry { id, at: now, n_bytes: (n_bytes as u64).max(LEAST_BYTES) };
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if account.len() > MOST_NAMES {
            account.retain(|_, entries| entries.back().is_some_and(|newest| newest.at > now - DAY_MS));
        }
        for (who, name, most) in &limited {
            let entries = account.entry(name.clone()).or_default();
            while entries.front().is_some_and(|oldest| oldest.at <= now - DAY_MS) {
                entries.pop_front();
            }
            check(entries, new, who, *most, now)?;
        }
        let names: Vec<String> = limited.into_iter().map(|(_, name, _)| name).collect();
        for name in &names {
            account.entry(name.clone()).or_default().push_back(new);
        }
        Ok(Reserved { account: Arc::clone(self), id, names })
    }

    /// Counts an upload that lies there from before the start.
    pub(crate) fn recount(&self, owner_id: &str, id: UploadId, n_bytes: u64, at: i64) {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry { id, at, n_bytes: n_bytes.max(LEAST_BYTES) };
        account.entry(name_of_owner(owner_id)).or_default().push_back(entry);
    }

    /// An upload of this owner's was deleted before its day was over, and counts no longer.
    pub(crate) fn give_back(&self, owner: &Visitor, id: UploadId) {
        self.remove(&[name_of_owner(owner.owner_id()), format!("address {}", owner.address())], id);
    }

    fn remove(&self, names: &[String], id: UploadId) {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if let Some(entries) = account.get_mut(name) {
                entries.retain(|entry| entry.id != id);
                if entries.is_empty() {
                    account.remove(name);
                }
            }
        }
    }
}

impl Reserved {
    /// The upload is kept, and counts for a day.
    pub(crate) fn keep(mut self) {
        self.names.clear();
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.account.remove(&self.names, self.id);
    }
}

fn name_of_owner(owner_id: &str) -> String {
    format!("owner {owner_id}")
}

/// Who has how many bytes, if they are limited.
fn limit(who: &'static str, name: String, ration: Ration) -> Vec<(&'static str, String, u64)> {
    let most = ration.uploaded_megabytes_per_day.map(|most| u64::from(most) * 1_000_000);
    most.map(|most| (who, name, most)).into_iter().collect()
}

fn check(entries: &VecDeque<Entry>, new: Entry, who: &str, most: u64, now: i64) -> Result<(), PublicError> {
    let sent: u64 = entries.iter().map(|entry| entry.n_bytes).sum();
    if sent + new.n_bytes <= most {
        return Ok(());
    }
    if new.n_bytes > most {
        let sentence = format!(
            "the file has {} megabytes; at most {} are allowed in a day",
            megabytes(new.n_bytes),
            megabytes(most)
        );
        return Err(PublicError::invalid_field("file", sentence));
    }
    // The oldest make room first.
    let mut missing = sent + new.n_bytes - most;
    let free_at = entries.iter().find_map(|entry| {
        missing = missing.saturating_sub(entry.n_bytes);
        (missing == 0).then_some(entry.at + DAY_MS)
    });
    let seconds = (free_at.unwrap_or(now) - now).max(0).unsigned_abs().div_ceil(1000);
    let sentence = format!(
        "{who} sent {} megabytes of files in the last 24 hours; with these {} it would be more than the {} that are \
         allowed",
        megabytes(sent),
        megabytes(new.n_bytes),
        megabytes(most)
    );
    Err(PublicError::limit_reached(sentence, seconds))
}

fn megabytes(n_bytes: u64) -> String {
    format!("{:.1}", n_bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use types::error::ErrorCode;
    use uuid::Uuid;

    use super::*;
    use crate::access::Allowance;

    fn limits(visitor: Option<u32>, address: Option<u32>) -> Limits {
        let ration = |most| Ration { uploaded_megabytes_per_day: most, ..Ration::default() };
        Limits { visitor: ration(visitor), address: ration(address), ..Limits::default() }
    }

    fn send(
        account: &Arc<UploadAccount>,
        limits: &Limits,
        owner: &Visitor,
        n_bytes: usize,
        now: i64,
    ) -> Result<UploadId, PublicError> {
        let id = UploadId(Uuid::new_v4());
        account.reserve(owner, limits, id, n_bytes, now).map(Reserved::keep).map(|()| id)
    }

    #[test]
    fn an_owner_has_so_many_bytes_and_the_oldest_make_room_a_day_later() {
        let (account, limits) = (Arc::<UploadAccount>::default(), limits(Some(1), None));
        let (anna, ben) = (Visitor::from_token("anna"), Visitor::from_token("ben"));
        send(&account, &limits, &anna, 600_000, 1000).unwrap();
        send(&account, &limits, &anna, 300_000, 2000).unwrap();
        let refused = send(&account, &limits, &anna, 200_000, 3000).unwrap_err();
        assert_eq!(
            refused.message,
            "you have sent 0.9 megabytes of files in the last 24 hours; with these 0.2 it would be more than the 1.0 \
             that are allowed"
        );
        assert_eq!((refused.code, refused.retry_after_s), (ErrorCode::LimitReached, Some(86_398)));
        send(&account, &limits, &ben, 200_000, 3000).unwrap();
        send(&account, &limits, &anna, 200_000, 1000 + DAY_MS).unwrap();
    }

    #[test]
    fn everybody_at_an_address_has_so_many_together_and_a_key_takes_nothing_of_it() {
        let (account, limits) = (Arc::<UploadAccount>::default(), limits(None, Some(1)));
        let at = |name: &str| Visitor::from_token(name).at("here".into());
        send(&account, &limits, &at("anna"), 600_000, 0).unwrap();
        let refused = send(&account, &limits, &at("ben"), 600_000, 0).unwrap_err().message;
        assert!(
            refused.starts_with("everybody at your address together has sent 0.6 megabytes"),
            "{refused}"
        );
        let allowance = Allowance { scopes: Vec::new(), ration: Ration::default() };
        send(&account, &limits, &at("a key").allowed(allowance), 600_000, 0).unwrap();
    }

    #[test]
    fn what_is_not_kept_or_is_deleted_counts_no_longer() {
        let (account, limits) = (Arc::<UploadAccount>::default(), limits(Some(1), Some(1)));
        let anna = Visitor::from_token("anna").at("here".into());
        drop(account.reserve(&anna, &limits, UploadId(Uuid::new_v4()), 900_000, 0).unwrap());
        let kept = send(&account, &limits, &anna, 900_000, 0).unwrap();
        assert!(send(&account, &limits, &anna, 900_000, 0).is_err());
        account.give_back(&anna, kept);
        send(&account, &limits, &anna, 900_000, 0).unwrap();
    }

    #[test]
    fn a_file_that_is_more_than_a_days_worth_is_wrong_and_not_too_early() {
        let (account, limits) = (Arc::<UploadAccount>::default(), limits(Some(1), None));
        let refused = send(&account, &limits, &Visitor::from_token("anna"), 1_500_000, 0).unwrap_err();
        assert_eq!(refused.message, "the file has 1.5 megabytes; at most 1.0 are allowed in a day");
        assert_eq!(refused.field.as_deref(), Some("file"));
    }

    #[test]
    fn what_lay_there_before_the_start_counts() {
        let (account, limits) = (Arc::<UploadAccount>::default(), limits(Some(1), None));
        let anna = Visitor::from_token("anna");
        account.recount(anna.owner_id(), UploadId(Uuid::new_v4()), 900_000, 0);
        assert!(send(&account, &limits, &anna, 200_000, 1).is_err());
    }
}
