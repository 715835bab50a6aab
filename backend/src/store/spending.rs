//! How much a visitor and an address asked for, beside what they may.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, ConnectionTrait, QueryOrder};
use types::error::PublicError;
use types::request::GenerationRequest;

use super::Store;
use super::entities::{job, spending};
use super::jobs::OPEN;
use crate::access::{Limits, Ration};
use crate::{Result, Visitor};

/// As long as what was asked for counts.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Seconds after which somebody with too many jobs may look again: about one of them should be done by then.
const QUEUE_RETRY_S: u64 = 30;

/// Who it is that may not ask for more.
#[derive(Clone, Copy)]
enum Whose<'a> {
    Owner(&'a str),
    Address(&'a str),
}

/// Refuses what would be more than the visitor, or everybody at their address, may ask for.
///
/// # Errors
/// The limit that is reached, and when it works again.
pub(super) async fn check(
    db: &impl ConnectionTrait,
    owner: &Visitor,
    limits: &Limits,
    request: &GenerationRequest,
    now: i64,
) -> Result<()> {
    let own = owner.allowance().map_or(limits.visitor, |allowance| allowance.ration.or(limits.visitor));
    check_one(db, Whose::Owner(owner.owner_id()), own, request, now).await?;
    // A key stands for its holder, wherever they call from.
    if owner.allowance().is_none() && !owner.address().is_empty() {
        check_one(db, Whose::Address(owner.address()), limits.address, request, now).await?;
    }
    Ok(())
}

async fn check_one(
    db: &impl ConnectionTrait,
    whose: Whose<'_>,
    ration: Ration,
    request: &GenerationRequest,
    now: i64,
) -> Result<()> {
    if let Some(most) = ration.queued_jobs {
        let n_open = n_open(db, whose).await?;
        if n_open >= u64::from(most) {
            let sentence = format!(
                "{} {n_open} jobs in the queue already; allowed are {most} at a time, so wait for one of them or cancel it",
                whose.has()
            );
            return Err(PublicError::limit_reached(sentence, QUEUE_RETRY_S).into());
        }
    }
    if let Some(most) = ration.megapixels_per_day {
        let most = i64::from(most) * 1_000_000;
        let spent = spent(db, whose, now).await?;
        let wanted = n_pixels(request);
        if wanted > most {
            let sentence = format!(
                "{} megapixels are more than the {} that are allowed in a day; ask for fewer or smaller pictures",
                megapixels(wanted),
                megapixels(most)
            );
            return Err(PublicError::invalid_field("count", sentence).into());
        }
        let sum: i64 = spent.iter().map(|(_, n_pixels)| n_pixels).sum();
        if sum + wanted > most {
            let free_at = free_at(&spent, sum + wanted - most).unwrap_or(now);
            let sentence = format!(
                "{} asked for {} megapixels in the last 24 hours; with these {} it would be more than the {} that are allowed",
                whose.has(),
                megapixels(sum),
                megapixels(wanted),
                megapixels(most)
            );
            let seconds = (free_at + DAY_MS - now).max(0).unsigned_abs().div_ceil(1000);
            return Err(PublicError::limit_reached(sentence, seconds).into());
        }
    }
    Ok(())
}

impl Whose<'_> {
    fn has(self) -> &'static str {
        match self {
            Self::Owner(_) => "you have",
            Self::Address(_) => "everybody at your address together has",
        }
    }
}

/// When so many pixels more will be free: the oldest first.
fn free_at(spent: &[(i64, i64)], mut missing: i64) -> Option<i64> {
    spent.iter().find_map(|&(at, n_pixels)| {
        missing -= n_pixels;
        (missing <= 0).then_some(at)
    })
}

/// Writes down what was asked for, and forgets what was asked for longer than a day ago.
pub(super) async fn record(
    db: &impl ConnectionTrait,
    owner: &Visitor,
    request: &GenerationRequest,
    now: i64,
) -> Result<()> {
    let row = spending::ActiveModel {
        owner: ActiveValue::Set(owner.owner_id().to_owned()),
        // A key stands for its holder, wherever they call from, and takes nothing from others there.
        address: ActiveValue::Set(if owner.allowance().is_some() {
            String::new()
        } else {
            owner.address().to_owned()
        }),
        n_pixels: ActiveValue::Set(n_pixels(request)),
        at: ActiveValue::Set(now),
        ..Default::default()
    };
    spending::Entity::delete_many().filter(spending::Column::At.lte(now - DAY_MS)).exec(db).await?;
    spending::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Jobs that are not at their end. Those of an address are told by what was written down of its visitors.
async fn n_open(db: &impl ConnectionTrait, whose: Whose<'_>) -> Result<u64> {
    let open = job::Entity::find().filter(job::Column::Status.is_in(OPEN));
    let of = match whose {
        Whose::Owner(owner) => open.filter(job::Column::Owner.eq(owner)),
        Whose::Address(address) => open.filter(
            job::Column::Owner.in_subquery(
                sea_orm::sea_query::Query::select()
                    .column(spending::Column::Owner)
                    .from(spending::Entity)
                    .and_where(spending::Column::Address.eq(address))
                    .to_owned(),
            ),
        ),
    };
    Ok(of.count(db).await?)
}

/// When the jobs of the last day were asked for, and how many pixels each, oldest first. What lies in the future counts as
/// well: then the clock was put back.
async fn spent(db: &impl ConnectionTrait, whose: Whose<'_>, now: i64) -> Result<Vec<(i64, i64)>> {
    let of = match whose {
        Whose::Owner(owner) => spending::Column::Owner.eq(owner),
        Whose::Address(address) => spending::Column::Address.eq(address),
    };
    let rows = spending::Entity::find()
        .filter(of)
        .filter(spending::Column::At.gt(now - DAY_MS))
        .order_by_asc(spending::Column::At)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.at, row.n_pixels)).collect())
}

impl Store {
    /// Forgets what was asked for longer than a day ago, and with it where its askers called from, whether anybody asks for more
    /// or not.
    pub(crate) async fn forget_spending(&self, now: i64) -> Result<()> {
        spending::Entity::delete_many().filter(spending::Column::At.lte(now - DAY_MS)).exec(&self.db).await?;
        Ok(())
    }
}

#[cfg(test)]
impl Store {
    /// How many askings are remembered.
    pub(crate) async fn n_spendings(&self) -> u64 {
        spending::Entity::find().count(&self.db).await.unwrap()
    }

    /// Makes the last asking so much older.
    pub(crate) async fn age_last_spending(&self, by: std::time::Duration) {
        let last = spending::Entity::find().order_by_desc(spending::Column::Seq).one(&self.db).await.unwrap();
        let last = last.unwrap();
        let at = last.at - i64::try_from(by.as_millis()).unwrap();
        let older = spending::ActiveModel { at: ActiveValue::Set(at), ..last.into() };
        spending::Entity::update(older).exec(&self.db).await.unwrap();
    }
}

/// Pixels of all pictures of a request.
fn n_pixels(request: &GenerationRequest) -> i64 {
    let (width, height) = request.picture_size();
    (u64::from(width) * u64::from(height) * u64::from(request.count)).cast_signed()
}

fn megapixels(n: i64) -> String {
    format!("{:.1}", n as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_works_again_when_enough_of_the_oldest_is_a_day_old() {
        let spent = [(10, 5), (20, 5), (30, 5)];
        assert_eq!(free_at(&spent, 1), Some(10));
        assert_eq!(free_at(&spent, 5), Some(10));
        assert_eq!(free_at(&spent, 6), Some(20));
        assert_eq!(free_at(&spent, 16), None);
    }
}
