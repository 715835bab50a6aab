//! How much a visitor and an address asked for, beside what they may.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue, ConnectionTrait, QuerySelect, Statement};
use types::error::PublicError;
use types::job::JobId;
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
        let wanted = n_pixels(request, request.count);
        if wanted > most {
            let sentence = format!(
                "{} megapixels are more than the {} that are allowed in a day; ask for fewer or smaller pictures",
                megapixels(wanted),
                megapixels(most)
            );
            return Err(PublicError::invalid_field("count", sentence).into());
        }
        let sum = spent(db, whose, now).await?;
        if sum + wanted > most {
            let free_at = free_at(db, whose, now, sum + wanted - most).await?.unwrap_or(now);
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
    /// What was written down of them.
    fn is_theirs(self) -> sea_orm::sea_query::SimpleExpr {
        match self {
            Self::Owner(owner) => spending::Column::Owner.eq(owner),
            Self::Address(address) => spending::Column::Address.eq(address),
        }
    }

    fn has(self) -> &'static str {
        match self {
            Self::Owner(_) => "you have",
            Self::Address(_) => "everybody at your address together has",
        }
    }
}

/// Writes down what was asked for, and forgets what was asked for longer than a day ago.
pub(super) async fn record(
    db: &impl ConnectionTrait,
    owner: &Visitor,
    job: JobId,
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
        job_id: ActiveValue::Set(Some(job.0)),
        n_pixels: ActiveValue::Set(n_pixels(request, request.count)),
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

/// Takes back what was written down of so many of a job's pictures. The row stays: it tells where its owner called from.
pub(super) async fn give_back(
    db: &impl ConnectionTrait,
    job: &job::Model,
    request: &GenerationRequest,
    n_pictures: u32,
) -> Result<()> {
    // Here alone: to numbers, it gives methods that they have already.
    use sea_orm::sea_query::ExprTrait as _;
    if n_pictures == 0 {
        return Ok(());
    }
    let n_pixels = n_pixels(request, n_pictures);
    spending::Entity::update_many()
        .col_expr(spending::Column::NPixels, Expr::col(spending::Column::NPixels).sub(n_pixels))
        .filter(spending::Column::Owner.eq(job.owner.as_str()))
        .filter(spending::Column::JobId.eq(job.id))
        .exec(db)
        .await?;
    Ok(())
}

/// Pixels that were asked for in the last day. What lies in the future counts as well: then the clock was put back.
async fn spent(db: &impl ConnectionTrait, whose: Whose<'_>, now: i64) -> Result<i64> {
    let sum: Option<Option<i64>> = spending::Entity::find()
        .select_only()
        .column_as(spending::Column::NPixels.sum(), "sum")
        .filter(whose.is_theirs())
        .filter(spending::Column::At.gt(now - DAY_MS))
        .into_tuple()
        .one(db)
        .await?;
    Ok(sum.flatten().unwrap_or(0))
}

/// When the last of the oldest jobs was asked for whose pixels are as many as are missing: a day later they are free. `None`
/// if all are fewer.
async fn free_at(db: &impl ConnectionTrait, whose: Whose<'_>, now: i64, missing: i64) -> Result<Option<i64>> {
    let (column, name) = match whose {
        Whose::Owner(owner) => ("owner", owner),
        Whose::Address(address) => ("address", address),
    };
    let query = format!(
        "SELECT at FROM (
            SELECT at, seq, SUM(n_pixels) OVER (ORDER BY at, seq) AS so_far FROM spending
            WHERE {column} = ? AND at > ?
        ) WHERE so_far >= ? ORDER BY at, seq LIMIT 1"
    );
    let values = [name.into(), (now - DAY_MS).into(), missing.into()];
    let query = Statement::from_sql_and_values(db.get_database_backend(), query, values);
    let row = db.query_one_raw(query).await?;
    Ok(row.map(|row| row.try_get("", "at")).transpose()?)
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
        use sea_orm::QueryOrder as _;
        let last = spending::Entity::find().order_by_desc(spending::Column::Seq).one(&self.db).await.unwrap();
        let last = last.unwrap();
        let at = last.at - i64::try_from(by.as_millis()).unwrap();
        let older = spending::ActiveModel { at: ActiveValue::Set(at), ..last.into() };
        spending::Entity::update(older).exec(&self.db).await.unwrap();
    }
}

/// Pixels of so many pictures of a request.
fn n_pixels(request: &GenerationRequest, n_pictures: u32) -> i64 {
    let (width, height) = request.picture_size();
    (u64::from(width) * u64::from(height) * u64::from(n_pictures)).cast_signed()
}

fn megapixels(n: i64) -> String {
    format!("{:.1}", n as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    #[tokio::test]
    async fn it_works_again_when_enough_of_the_oldest_is_a_day_old() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("darkroom.sqlite3")).await.unwrap();
        let alice = Visitor::from_token("alice");
        for (at, n_pixels) in [(30, 5), (10, 5), (20, 5)] {
            let row = spending::ActiveModel {
                owner: ActiveValue::Set(alice.owner_id().to_owned()),
                address: ActiveValue::Set("here".to_owned()),
                n_pixels: ActiveValue::Set(n_pixels),
                at: ActiveValue::Set(at),
                ..Default::default()
            };
            spending::Entity::insert(row).exec_without_returning(&store.db).await.unwrap();
        }
        for whose in [Whose::Owner(alice.owner_id()), Whose::Address("here")] {
            assert_eq!(spent(&store.db, whose, 0).await.unwrap(), 15);
            assert_eq!(
                spent(&store.db, whose, DAY_MS + 10).await.unwrap(),
                10,
                "a day is over for the first"
            );
            for (missing, at) in [(1, Some(10)), (5, Some(10)), (6, Some(20)), (15, Some(30)), (16, None)] {
                assert_eq!(free_at(&store.db, whose, 0, missing).await.unwrap(), at, "{missing}");
            }
        }
        assert_eq!(spent(&store.db, Whose::Owner("bob"), 0).await.unwrap(), 0);
    }
}
