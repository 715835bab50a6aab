//! The first tables: jobs, their pictures, and an index over the pictures' prompts.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, pk_auto, string, text, text_null, uuid, uuid_uniq,
};

/// This change.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// All or nothing: a program that is killed in between starts over.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("jobs")
                    .col(pk_auto("seq"))
                    .col(uuid_uniq("id"))
                    .col(string("owner"))
                    .col(string("status"))
                    .col(big_integer("attempt").default(0))
                    .col(big_integer("crashes").default(0))
                    .col(big_integer("n_made").default(0))
                    .col(text("request"))
                    .col(text_null("error"))
                    .col(big_integer("created_at"))
                    .col(big_integer_null("finished_at"))
                    .to_owned(),
            )
            .await?;
        // The worker looks for the oldest queued job, a page for a visitor's newest.
        for (name, column) in [("jobs_by_status", "status"), ("jobs_by_owner", "owner")] {
            let index = Index::create().name(name).table("jobs").col(column).col("seq").to_owned();
            manager.create_index(index).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("pictures")
                    .col(pk_auto("seq"))
                    .col(uuid_uniq("id"))
                    .col(uuid("job_id"))
                    .col(integer("idx"))
                    .col(big_integer("attempt"))
                    .col(string("owner"))
                    .col(text("prompt"))
                    .col(big_integer("seed"))
                    .col(integer("width"))
                    .col(integer("height"))
                    .col(boolean("favourite").default(false))
                    .col(string("file").unique_key())
                    .col(big_integer("created_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("pictures", "job_id")
                            .to("jobs", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("pictures_by_place")
                    .table("pictures")
                    .col("job_id")
                    .col("idx")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("pictures_by_owner")
                    .table("pictures")
                    .col("owner")
                    .col("seq")
                    .to_owned(),
            )
            .await?;
        manager.get_connection().execute_unprepared(SEARCH).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE pictures_search").await?;
        manager.drop_table(Table::drop().table("pictures").to_owned()).await?;
        manager.drop_table(Table::drop().table("jobs").to_owned()).await
    }
}

/// FTS5 keeps the words alone and reads the text from `pictures`; the triggers tell it what changes, as
/// <https://sqlite.org/fts5.html#external_content_tables> describes. A prompt never changes once it is
/// stored, so there is no trigger for updates.
const SEARCH: &str = "
CREATE VIRTUAL TABLE pictures_search USING fts5(
    prompt, content='pictures', content_rowid='seq', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
);
CREATE TRIGGER pictures_search_insert AFTER INSERT ON pictures BEGIN
    INSERT INTO pictures_search (rowid, prompt) VALUES (new.seq, new.prompt);
END;
CREATE TRIGGER pictures_search_delete AFTER DELETE ON pictures BEGIN
    INSERT INTO pictures_search (pictures_search, rowid, prompt) VALUES ('delete', old.seq, old.prompt);
END;
";
