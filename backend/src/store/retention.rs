//! The pictures that are too old or too many, and the jobs that have none any more.
//!
//! What is too many is told by the order of arrival alone, so a clock that jumps makes nobody's newest pictures the oldest.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{Condition, QueryOrder, QuerySelect, QueryTrait};

use super::entities::{job, picture, workflow, workflow_job};
use super::jobs::OPEN;
use super::{Store, returning};
use crate::Result;

/// How many sizes are read at once.
const PAGE: u64 = 1_000;

/// Pictures that are to go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Excess<'a> {
    /// Those made before that time, in milliseconds since 1970.
    Before(i64),
    /// Those up to this place in the order of arrival.
    UpTo(i64),
    /// The same of one owner's.
    OwnersUpTo(&'a str, i64),
    /// The favourites of one owner's up to that place, though favourites are kept.
    FavouritesUpTo(&'a str, i64),
}

/// Whoever has the most bytes of favourites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GreatestHolder {
    pub(crate) owner: String,
    /// Bytes of their favourites.
    pub(crate) bytes: u64,
    /// Bytes of the favourites of whoever comes next; nothing if nobody does.
    pub(crate) next_bytes: u64,
    /// Bytes of everybody's favourites.
    pub(crate) all_bytes: u64,
}

impl Store {
    /// Deletes the rows of the oldest of these pictures, at most so many, and gives them back. Favourites are passed over if
    /// they are kept and are not what is asked for, and so are pictures of jobs that are not at their end.
    pub(crate) async fn delete_excess(
        &self,
        excess: Excess<'_>,
        keeps_favourites: bool,
        limit: u64,
    ) -> Result<Vec<picture::Model>> {
        let passes_over = keeps_favourites && !matches!(excess, Excess::FavouritesUpTo(..));
        let chosen = may_go(passes_over);
        let chosen = match excess {
            Excess::Before(time) => chosen.add(picture::Column::CreatedAt.lt(time)),
            Excess::UpTo(seq) => chosen.add(picture::Column::Seq.lte(seq)),
            Excess::OwnersUpTo(owner, seq) => {
                chosen.add(picture::Column::Owner.eq(owner)).add(picture::Column::Seq.lte(seq))
            }
            Excess::FavouritesUpTo(owner, seq) => {
                chosen.add(is_favourite_of(owner)).add(picture::Column::Seq.lte(seq))
            }
        };
        let chosen = picture::Entity::find()
            .select_only()
            .column(picture::Column::Seq)
            .filter(chosen)
            .order_by_asc(picture::Column::Seq)
            .limit(limit)
            .into_query();
        let mut delete =
            picture::Entity::delete_many().filter(picture::Column::Seq.in_subquery(chosen)).into_query();
        returning::<picture::Entity>(&self.db, delete.returning_all()).await
    }

    /// The place of the newest picture that is too much if the newest `n` are kept, of one owner's or of everybody's.
    pub(crate) async fn last_beyond(
        &self,
        n: u64,
        owner: Option<&str>,
        keeps_favourites: bool,
    ) -> Result<Option<i64>> {
        let mut counted = may_go(keeps_favourites);
        if let Some(owner) = owner {
            counted = counted.add(picture::Column::Owner.eq(owner));
        }
        Ok(picture::Entity::find()
            .select_only()
            .column(picture::Column::Seq)
            .filter(counted)
            .order_by_desc(picture::Column::Seq)
            .offset(n)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?)
    }

    /// The owners who have more than `n` pictures.
    pub(crate) async fn owners_beyond(&self, n: u64, keeps_favourites: bool) -> Result<Vec<String>> {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        Ok(picture::Entity::find()
            .select_only()
            .column(picture::Column::Owner)
            .filter(may_go(keeps_favourites))
            .group_by(picture::Column::Owner)
            .having(picture::Column::Seq.count().gt(n))
            .into_tuple()
            .all(&self.db)
            .await?)
    }

    /// The place of the newest picture that has to go, so that those after it take at most `max_bytes` together.
    pub(crate) async fn last_beyond_bytes(
        &self,
        max_bytes: u64,
        keeps_favourites: bool,
    ) -> Result<Option<i64>> {
        let total = self.bytes_of(may_go(keeps_favourites)).await?;
        self.last_of_bytes(may_go(keeps_favourites), total.saturating_sub(max_bytes)).await
    }

    /// Who has the most bytes of favourites; `None` if there are no favourites.
    pub(crate) async fn greatest_holder(&self) -> Result<Option<GreatestHolder>> {
        let holders: Vec<(String, Option<i64>)> = picture::Entity::find()
            .select_only()
            .column(picture::Column::Owner)
            .column_as(picture::Column::SizeBytes.sum(), "bytes")
            .filter(favourites())
            .group_by(picture::Column::Owner)
            .order_by_desc(picture::Column::SizeBytes.sum())
            .order_by_asc(picture::Column::Owner)
            .limit(2)
            .into_tuple()
            .all(&self.db)
            .await?;
        let bytes = |bytes: Option<i64>| bytes.unwrap_or(0).unsigned_abs();
        let mut holders = holders.into_iter();
        let Some((owner, most)) = holders.next() else { return Ok(None) };
        let next_bytes = holders.next().map_or(0, |(_, next)| bytes(next));
        let all_bytes = self.bytes_of(favourites()).await?;
        Ok(Some(GreatestHolder { owner, bytes: bytes(most), next_bytes, all_bytes }))
    }

    /// Bytes of all favourites.
    pub(crate) async fn favourite_bytes(&self) -> Result<u64> {
        self.bytes_of(favourites()).await
    }

    /// The place of the newest of an owner's oldest favourites that take at least so many bytes together.
    pub(crate) async fn last_favourite_of_bytes(&self, owner: &str, bytes: u64) -> Result<Option<i64>> {
        self.last_of_bytes(favourites().add(picture::Column::Owner.eq(owner)), bytes).await
    }

    async fn bytes_of(&self, which: Condition) -> Result<u64> {
        let total: Option<Option<i64>> = picture::Entity::find()
            .select_only()
            .column_as(picture::Column::SizeBytes.sum(), "total")
            .filter(which)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(total.flatten().unwrap_or(0).unsigned_abs())
    }

    /// The place of the newest of the oldest of these pictures that take at least so many bytes together, or of all of them
    /// if they take fewer.
    async fn last_of_bytes(&self, which: Condition, bytes: u64) -> Result<Option<i64>> {
        let mut excess = i64::try_from(bytes).unwrap_or(i64::MAX);
        let mut last = None;
        while excess > 0 {
            let oldest: Vec<(i64, Option<i64>)> = picture::Entity::find()
                .select_only()
                .column(picture::Column::Seq)
                .column(picture::Column::SizeBytes)
                .filter(which.clone())
                .filter(picture::Column::Seq.gt(last.unwrap_or(i64::MIN)))
                .order_by_asc(picture::Column::Seq)
                .limit(PAGE)
                .into_tuple()
                .all(&self.db)
                .await?;
            if oldest.is_empty() {
                break;
            }
            for (seq, size_bytes) in oldest {
                last = Some(seq);
                excess -= size_bytes.unwrap_or(0);
                if excess <= 0 {
                    break;
                }
            }
        }
        Ok(last)
    }

    /// When the oldest picture was made that may go, in milliseconds since 1970.
    pub(crate) async fn oldest_picture(&self, keeps_favourites: bool) -> Result<Option<i64>> {
        Ok(picture::Entity::find()
            .select_only()
            .column(picture::Column::CreatedAt)
            .filter(may_go(keeps_favourites))
            .order_by_asc(picture::Column::CreatedAt)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?)
    }

    /// When the first of the jobs came to its end that have no picture, in milliseconds since 1970.
    pub(crate) async fn oldest_empty_job(&self) -> Result<Option<i64>> {
        Ok(job::Entity::find()
            .select_only()
            .column(job::Column::FinishedAt)
            .filter(is_empty())
            .filter(job::Column::FinishedAt.is_not_null())
            .order_by_asc(job::Column::FinishedAt)
            .limit(1)
            .into_tuple()
            .one(&self.db)
            .await?)
    }

    /// Deletes the jobs without pictures that came to their end before that time (milliseconds since 1970), and the
    /// workflows that have no job any more. Gives back how many jobs there were.
    pub(crate) async fn delete_empty_jobs(&self, before: i64) -> Result<u64> {
        let transaction = self.begin_writing().await?;
        let deleted = job::Entity::delete_many()
            .filter(is_empty())
            .filter(job::Column::FinishedAt.lt(before))
            .exec(&transaction)
            .await?;
        if deleted.rows_affected > 0 {
            let used = Query::select()
                .column(workflow_job::Column::WorkflowSeq)
                .from(workflow_job::Entity)
                .to_owned();
            workflow::Entity::delete_many()
                .filter(workflow::Column::Seq.not_in_subquery(used))
                .exec(&transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(deleted.rows_affected)
    }

    /// The first pictures after that place that were never measured, at most so many.
    pub(crate) async fn unmeasured(&self, after: i64, limit: u64) -> Result<Vec<picture::Model>> {
        Ok(picture::Entity::find()
            .filter(picture::Column::SizeBytes.is_null())
            .filter(picture::Column::Seq.gt(after))
            .order_by_asc(picture::Column::Seq)
            .limit(limit)
            .all(&self.db)
            .await?)
    }

    /// Notes how long a picture's files are.
    pub(crate) async fn set_size(&self, seq: i64, size_bytes: u64) -> Result<()> {
        picture::Entity::update_many()
            .col_expr(picture::Column::SizeBytes, Expr::val(size_bytes.cast_signed()))
            .filter(picture::Column::Seq.eq(seq))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}

/// The pictures that count and that may be deleted.
fn may_go(keeps_favourites: bool) -> Condition {
    let open = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(job::Column::Status.is_in(OPEN))
        .to_owned();
    let of_ended_jobs = Condition::all().add(picture::Column::JobId.not_in_subquery(open));
    of_ended_jobs.add_option(keeps_favourites.then(|| picture::Column::Favourite.eq(false)))
}

/// The favourites of jobs that are at their end.
fn favourites() -> Condition {
    may_go(false).add(picture::Column::Favourite.eq(true))
}

fn is_favourite_of(owner: &str) -> Condition {
    Condition::all().add(picture::Column::Favourite.eq(true)).add(picture::Column::Owner.eq(owner))
}

/// The jobs at their end that have no picture.
fn is_empty() -> Condition {
    Condition::all()
        .add(job::Column::Status.is_not_in(OPEN))
        .add(job::Column::Id.not_in_subquery(with_pictures()))
}

fn with_pictures() -> SelectStatement {
    Query::select().column(picture::Column::JobId).from(picture::Entity).to_owned()
}
