//! Rounds: how the queue serves its owners in turn, however many jobs each of them has.
//!
//! Every job has a round. The queue works off one round after the other, and within a round first come, first served. A
//! new job comes into the round after the one that is being served, or into the one after its owner's last, whichever is
//! later: an owner has one job in each round, and a hundred jobs of one owner delay the one job of another by at most two
//! of them. Nobody comes into the round that is being served, so it has an end, however many newcomers there are.
//!
//! It is start-time fair queueing (Goyal, Vin, Cheng 1996) with every job counted alike.
//!
//! Which round is being served is kept apart from the jobs, since those can be deleted.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, Func, OnConflict, Query, SelectStatement};
use sea_orm::{ActiveValue, ConnectionTrait, FromQueryResult, Order, QueryOrder, QuerySelect};
use types::job::JobStatus;

use super::Store;
use super::entities::{job, served_round};
use super::jobs::OPEN;
use crate::{Result, Visitor};

/// The round of this owner's next job.
pub(super) async fn next_round(db: &impl ConnectionTrait, owner: &Visitor) -> Result<i64> {
    let current = newest_round(db).await?;
    let queued: Option<Option<i64>> = job::Entity::find()
        .select_only()
        .column_as(job::Column::Round.max(), "round")
        .filter(job::Column::Owner.eq(owner.owner_id()))
        .filter(job::Column::Status.is_in(OPEN))
        .into_tuple()
        .one(db)
        .await?;
    Ok(queued.flatten().map_or(current, |last| current.max(last)) + 1)
}

/// The job is being served, and with it, perhaps, the next round.
pub(super) async fn record_turn(db: &impl ConnectionTrait, claim: &job::Model) -> Result<()> {
    let served = served_round::ActiveModel {
        id: ActiveValue::Set(served_round::ONLY),
        round: ActiveValue::Set(claim.round),
    };
    // A job that went back into the queue is served in its old round, which takes nothing back.
    let column = Expr::col((served_round::Entity, served_round::Column::Round));
    let later = Func::greatest([column, Expr::val(claim.round)]);
    let known = OnConflict::column(served_round::Column::Id)
        .value(served_round::Column::Round, Expr::expr(later))
        .to_owned();
    served_round::Entity::insert(served).on_conflict(known).exec_without_returning(db).await?;
    Ok(())
}

/// The round that is being served.
async fn newest_round(db: &impl ConnectionTrait) -> Result<i64> {
    let served = served_round::Entity::find_by_id(served_round::ONLY).one(db).await?;
    Ok(served.map_or(0, |served| served.round))
}

/// A job that is not at its end, as far as its place in the queue needs.
#[derive(Debug, Clone, FromQueryResult)]
pub(crate) struct OpenJob {
    pub(crate) id: Uuid,
    pub(crate) seq: i64,
    pub(crate) status: String,
    pub(crate) attempt: i64,
    /// The place in the order of arrival of the newest job that there ever was.
    pub(crate) newest: i64,
}

impl Store {
    /// The jobs that are not at their end, in the order in which they are worked off, all as they are at one moment.
    pub(crate) async fn order_of_work(&self) -> Result<Vec<OpenJob>> {
        // SQLite remembers the number, even if the job was deleted.
        let newest = Expr::cust("(SELECT seq FROM sqlite_sequence WHERE name = 'jobs')");
        Ok(in_order()
            .select_only()
            .columns([job::Column::Id, job::Column::Seq, job::Column::Status, job::Column::Attempt])
            .column_as(newest, "newest")
            .into_model()
            .all(&self.db)
            .await?)
    }

    /// All jobs that are not at their end, in the order in which they are worked off: those that are worked on first.
    pub(crate) async fn open_jobs(&self) -> Result<Vec<job::Model>> {
        Ok(in_order().all(&self.db).await?)
    }

    /// The first of them.
    pub(crate) async fn first_open_jobs(&self, n: u64) -> Result<Vec<job::Model>> {
        Ok(in_order().limit(n).all(&self.db).await?)
    }
}

/// The jobs that are not at their end, in the order in which they are worked off.
fn in_order() -> Select<job::Entity> {
    let is_queued =
        CaseStatement::new().case(job::Column::Status.eq(JobStatus::Running.as_str()), 0).finally(1);
    job::Entity::find()
        .filter(job::Column::Status.is_in(OPEN))
        .order_by_asc(Expr::expr(is_queued))
        .order_by_asc(job::Column::Round)
        .order_by_asc(job::Column::Seq)
}

/// The place of the job that is served next.
pub(super) fn first_queued() -> SelectStatement {
    Query::select()
        .column(job::Column::Seq)
        .from(job::Entity)
        .and_where(job::Column::Status.eq(JobStatus::Queued.as_str()))
        .order_by(job::Column::Round, Order::Asc)
        .order_by(job::Column::Seq, Order::Asc)
        .limit(1)
        .to_owned()
}
