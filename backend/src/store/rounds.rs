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
use sea_orm::{ActiveValue, ConnectionTrait, Order, QueryOrder, QuerySelect};
use types::job::JobStatus;

use super::Store;
use super::entities::{job, turn};
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

/// The job is being served: its owner's turn is over, and with it, perhaps, a round.
pub(super) async fn record_turn(db: &impl ConnectionTrait, claim: &job::Model) -> Result<()> {
    let turn = turn::ActiveModel {
        owner: ActiveValue::Set(claim.owner.clone()),
        round: ActiveValue::Set(claim.round),
    };
    // A job that went back into the queue is served in its old round, which takes nothing back.
    let later = Func::greatest([Expr::col((turn::Entity, turn::Column::Round)), Expr::val(claim.round)]);
    let known =
        OnConflict::column(turn::Column::Owner).value(turn::Column::Round, Expr::expr(later)).to_owned();
    turn::Entity::insert(turn).on_conflict(known).exec_without_returning(db).await?;
    // Of rounds that are past, nobody asks.
    let newest = newest_round(db).await?;
    turn::Entity::delete_many().filter(turn::Column::Round.lt(newest)).exec(db).await?;
    Ok(())
}

/// The round that is being served.
async fn newest_round(db: &impl ConnectionTrait) -> Result<i64> {
    let newest: Option<Option<i64>> = turn::Entity::find()
        .select_only()
        .column_as(turn::Column::Round.max(), "round")
        .into_tuple()
        .one(db)
        .await?;
    Ok(newest.flatten().unwrap_or(0))
}

impl Store {
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
