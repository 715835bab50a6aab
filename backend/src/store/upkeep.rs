//! All rows in turn, for a check or a copy of the whole, and what is done about rows whose files are lost.

use std::path::Path;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect, Statement};
use types::note::Note;

use super::entities::job::KnownNote;
use super::entities::{job, picture, upload, upload_use};
use super::{Store, deleted_files};
use crate::data_folder::{PICTURES, UPLOADS};
use crate::error::sqlite_code;
use crate::{Error, Result};

impl Store {
    /// The first pictures after that place in the order of arrival, at most so many.
    pub(crate) async fn pictures_after(&self, seq: i64, limit: u64) -> Result<Vec<picture::Model>> {
        Ok(picture::Entity::find()
            .filter(picture::Column::Seq.gt(seq))
            .order_by_asc(picture::Column::Seq)
            .limit(limit)
            .all(&self.db)
            .await?)
    }

    /// The first uploads after that place in the order of arrival, at most so many.
    pub(crate) async fn uploads_after(&self, seq: i64, limit: u64) -> Result<Vec<upload::Model>> {
        Ok(upload::Entity::find()
            .filter(upload::Column::Seq.gt(seq))
            .order_by_asc(upload::Column::Seq)
            .limit(limit)
            .all(&self.db)
            .await?)
    }

    /// Whether that picture is still there. Of a database of an older version too.
    pub(crate) async fn has_picture(&self, seq: i64) -> Result<bool> {
        let found = picture::Entity::find_by_id(seq).select_only().column(picture::Column::Seq);
        Ok(found.into_tuple::<i64>().one(&self.db).await?.is_some())
    }

    /// Whether that upload is still there. Of a database of an older version too.
    pub(crate) async fn has_upload(&self, seq: i64) -> Result<bool> {
        let found = upload::Entity::find_by_id(seq).select_only().column(upload::Column::Seq);
        Ok(found.into_tuple::<i64>().one(&self.db).await?.is_some())
    }

    /// Deletes the row of a picture whose file is lost, and has its job say so. What there is of its files is left to the
    /// caller.
    pub(crate) async fn drop_lost_picture(&self, lost: &picture::Model) -> Result<()> {
        let transaction = self.begin_writing().await?;
        picture::Entity::delete_many().filter(picture::Column::Seq.eq(lost.seq)).exec(&transaction).await?;
        deleted_files::forget(&transaction, PICTURES, std::slice::from_ref(&lost.file)).await?;
        let of_job = job::Column::Id.eq(lost.job_id);
        if let Some(row) = job::Entity::find().filter(of_job.clone()).one(&transaction).await? {
            let mut notes = row.known_notes()?;
            if !notes.iter().any(|known| known.note == Note::PictureLost) {
                let (attempt, index) = (lost.attempt.unsigned_abs(), lost.idx.unsigned_abs());
                notes.push(KnownNote { note: Note::PictureLost, attempt, index });
            }
            let notes = serde_json::to_string(&notes)
                .map_err(|error| Error::Broken(format!("notes cannot be written as JSON: {error}")))?;
            job::Entity::update_many()
                .col_expr(job::Column::Notes, Expr::val(notes))
                .filter(of_job)
                .exec(&transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Deletes a picture's row, whosever it is.
    pub(crate) async fn forget_picture(&self, seq: i64) -> Result<()> {
        picture::Entity::delete_by_id(seq).exec(&self.db).await?;
        Ok(())
    }

    /// Deletes an upload's row, though a job may use it: such a job ends with a sentence about it. What there is of its file
    /// is left to the caller.
    pub(crate) async fn drop_lost_upload(&self, lost: &upload::Model) -> Result<()> {
        let transaction = self.begin_writing().await?;
        upload_use::Entity::delete_many()
            .filter(upload_use::Column::UploadId.eq(lost.id))
            .exec(&transaction)
            .await?;
        upload::Entity::delete_many().filter(upload::Column::Seq.eq(lost.seq)).exec(&transaction).await?;
        deleted_files::forget(&transaction, UPLOADS, std::slice::from_ref(&lost.file)).await?;
        Ok(transaction.commit().await?)
    }

    /// Writes a copy of the whole database into a new or empty file, as it is at this moment, whoever writes to it meanwhile.
    ///
    /// # Source
    /// <https://sqlite.org/lang_vacuum.html#vacuuminto>
    pub(crate) async fn copy_into(&self, file: &Path) -> Result<()> {
        let name = file.to_str().ok_or_else(|| {
            Error::Broken(format!("the path {} is not UTF-8; choose another one", file.display()))
        })?;
        let backend = self.db.get_database_backend();
        self.db.execute_raw(Statement::from_sql_and_values(backend, "VACUUM INTO ?", [name.into()])).await?;
        Ok(())
    }

    /// What SQLite finds wrong with the database itself; nothing if all is well.
    ///
    /// # Source
    /// <https://sqlite.org/pragma.html#pragma_integrity_check>
    pub(crate) async fn faults(&self) -> Result<Vec<String>> {
        /// `SQLITE_CORRUPT`: it is damaged so badly that SQLite does not even look further.
        const CORRUPT: u32 = 11;
        let query = Statement::from_string(self.db.get_database_backend(), "PRAGMA integrity_check");
        let found = match self.db.query_all_raw(query).await {
            Err(error) if sqlite_code(&error).is_some_and(|code| code & 0xff == CORRUPT) => {
                return Ok(vec![error.to_string()]);
            }
            found => found?,
        };
        let mut faults = Vec::new();
        for row in found {
            let sentence: String = row.try_get("", "integrity_check")?;
            if sentence != "ok" {
                faults.push(sentence);
            }
        }
        Ok(faults)
    }
}

#[cfg(test)]
impl Store {
    /// Makes a job and its pictures so much younger, as if they had been made under a clock that was ahead.
    pub(crate) async fn shift_times(&self, id: types::job::JobId, by: std::time::Duration) {
        use sea_orm::sea_query::ExprTrait as _;
        let by = i64::try_from(by.as_millis()).unwrap();
        let shift = |column: job::Column| Expr::col(column).add(by);
        job::Entity::update_many()
            .col_expr(job::Column::CreatedAt, shift(job::Column::CreatedAt))
            .col_expr(job::Column::StartedAt, shift(job::Column::StartedAt))
            .col_expr(job::Column::FinishedAt, shift(job::Column::FinishedAt))
            .filter(job::Column::Id.eq(id.0))
            .exec(&self.db)
            .await
            .unwrap();
        picture::Entity::update_many()
            .col_expr(picture::Column::CreatedAt, Expr::col(picture::Column::CreatedAt).add(by))
            .filter(picture::Column::JobId.eq(id.0))
            .exec(&self.db)
            .await
            .unwrap();
    }

    /// Where in the database's file the first page of a table or an index begins, and how long a page is. In bytes.
    pub(crate) async fn page_of(&self, name: &str) -> (u64, u64) {
        let backend = self.db.get_database_backend();
        let query = "SELECT rootpage, page_size FROM sqlite_master, pragma_page_size WHERE name = ?";
        let query = Statement::from_sql_and_values(backend, query, [name.into()]);
        let row = self.db.query_one_raw(query).await.unwrap().unwrap();
        let number = |column| row.try_get::<i64>("", column).unwrap().unsigned_abs();
        ((number("rootpage") - 1) * number("page_size"), number("page_size"))
    }

    /// Forgets how large the pictures are, as if an older version had made them.
    pub(crate) async fn forget_sizes(&self) {
        picture::Entity::update_many()
            .col_expr(picture::Column::SizeBytes, Expr::val(None::<i64>))
            .exec(&self.db)
            .await
            .unwrap();
    }
}
