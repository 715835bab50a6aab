//! The database: every line of SQL.
//!
//! # Layout
//! * [`entities`]: a row of each table
//! * [`migrations`]: how the tables came to be
//! * [`jobs`]: what was asked for; [`attempts`]: how it was made; [`rounds`]: who is served next
//! * [`spending`]: who asked for how much; [`step_times`]: what steps took
//! * [`operator`]: everybody's jobs, for whoever operates the site
//! * [`pictures`]: one picture at a time
//! * [`search`]: a visitor's history, by words
//! * [`page`]: long lists in pages
//! * [`uploads`]: pictures that visitors sent; [`upload_names`]: what programs call them
//! * [`keys`]: what programs show to say who they are; [`secrets`]: what older versions signed with
//! * [`retention`]: the pictures that are too old or too many
//! * [`deleted_files`]: files whose rows are gone
//! * [`upkeep`]: all rows in turn, for a check or a copy of the whole
//! * [`workflows`]: what programs posted in ComfyUI's form
//!
//! # Invariants
//! Whatever a worker writes about a job names the attempt it works on. A worker whose attempt is over (the
//! job was cancelled, or put back into the queue) changes no row.

mod attempts;
mod deleted_files;
pub(crate) mod entities;
mod jobs;
mod keys;
mod migrations;
mod operator;
pub(crate) mod page;
mod pictures;
mod retention;
mod rounds;
mod search;
mod secrets;
mod spending;
mod step_times;
mod upkeep;
mod upload_names;
mod uploads;
mod workflows;

#[cfg(test)]
mod schema_tests;

use std::path::Path;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use sea_orm::{
    DatabaseTransaction, EntityTrait, SqliteTransactionMode, StatementBuilder, TransactionOptions,
    TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use time::OffsetDateTime;

pub(crate) use attempts::{MAX_CRASHES, NewPicture, gave_up};
pub(crate) use jobs::{Inserted, NewJob, Once};
pub(crate) use operator::{QueueDepth, since};
pub(crate) use retention::Excess;
pub(crate) use step_times::StepTime;

use crate::{Error, Result};

/// What a server writes into its log as a rule: not the two lines that a new database has for each of its changes, which tell
/// nobody anything.
pub const USUAL_LOG: &str = "info,sea_orm_migration=warn";

/// Readers beside the one writer that SQLite allows.
const MAX_CONNECTIONS: u32 = 4;

/// How long a statement waits for another one's transaction. They take milliseconds; this is for a disk
/// that stalls, and for another program that holds the database for ten seconds.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(15);

/// The database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    db: DatabaseConnection,
}

impl Store {
    /// Opens the file, makes it if it is not there, and brings its tables up to date.
    ///
    /// Write-ahead logging lets pages be read while a result is written. Only with `synchronous = FULL` is what was committed
    /// on the disk, so that a machine which loses its power loses no job that was accepted, and brings no row back whose
    /// files were deleted since. It costs a write to the disk for each of a job's few changes.
    ///
    /// # Source
    /// <https://sqlite.org/pragma.html#pragma_synchronous>
    pub(crate) async fn open(file: &Path) -> Result<Self> {
        Self::open_waiting(file, BUSY_TIMEOUT).await
    }

    /// The same, with another time for which a statement waits for another one's transaction.
    pub(crate) async fn open_waiting(file: &Path, busy_timeout: Duration) -> Result<Self> {
        // Alone: a connection that has seen the tables as they were before would prepare a statement for their columns,
        // and the driver fails on the rows that come.
        let alone = Self::connect(file, 1, busy_timeout, true).await?;
        migrations::Migrator::up(&alone, None).await?;
        alone.close().await?;
        Ok(Self { db: Self::connect(file, MAX_CONNECTIONS, busy_timeout, true).await? })
    }

    /// Opens a database that is there, beside whoever works with it, and leaves its tables as they are. It may be of an
    /// older version.
    pub(crate) async fn look(file: &Path) -> Result<Self> {
        Ok(Self { db: Self::connect(file, MAX_CONNECTIONS, BUSY_TIMEOUT, false).await? })
    }

    /// The same for whoever reads its rows, and nothing has to be written beside it: where nothing can be, as on a disk that may
    /// be read alone, it is taken as one that nobody changes.
    ///
    /// # Errors
    /// It is of an older version; nothing can be written beside it, and not all that it holds is in its own file.
    pub(crate) async fn look_at_newest(file: &Path) -> Result<Self> {
        let store = match Self::look(file).await {
            Err(Error::StorageUnusable(_)) if has_log(file) => {
                return Err(Error::LogInReadOnlyFolder(file.to_owned()));
            }
            Err(Error::StorageUnusable(_)) => Self { db: Self::connect_to_unchanging(file).await? },
            store => store?,
        };
        if migrations::Migrator::get_pending_migrations_read_only(&store.db).await?.is_empty() {
            return Ok(store);
        }
        Err(Error::OldDatabase(file.to_owned()))
    }

    /// Closes it. The last one to do so leaves everything in the one file.
    pub(crate) async fn close(self) -> Result<()> {
        Ok(self.db.close().await?)
    }

    async fn connect(
        file: &Path,
        max_connections: u32,
        busy_timeout: Duration,
        create: bool,
    ) -> Result<DatabaseConnection> {
        let file = file.to_owned();
        // The file's name is set below as a path, since not every path can be written as a URL.
        let mut options = ConnectOptions::new("sqlite://darkroom");
        options
            .max_connections(max_connections)
            // Statements hold prompts, which have no place in a log.
            .sqlx_logging(false)
            .record_stmt_in_spans(false)
            .map_sqlx_sqlite_opts(move |options| {
                options
                    .filename(&file)
                    .create_if_missing(create)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(busy_timeout)
                    .foreign_keys(true)
            });
        Ok(Database::connect(options).await?)
    }

    /// Connects to a database that nobody changes: without locks, and without the files that write-ahead logging has beside it.
    ///
    /// # Source
    /// <https://sqlite.org/uri.html#uriimmutable>
    async fn connect_to_unchanging(file: &Path) -> Result<DatabaseConnection> {
        let file = file.to_owned();
        let mut options = ConnectOptions::new("sqlite://darkroom");
        options
            .max_connections(MAX_CONNECTIONS)
            .sqlx_logging(false)
            .record_stmt_in_spans(false)
            .map_sqlx_sqlite_opts(move |options| options.filename(&file).read_only(true).immutable(true));
        Ok(Database::connect(options).await?)
    }

    /// From now on, or no longer, the database refuses whatever is to be written about a running job, as a full
    /// disk would. [`Store::n_refused`] counts how often.
    #[cfg(test)]
    pub(crate) async fn refuse_results(&self, refuses: bool) {
        let statements: &[&str] = if refuses {
            &[
                "CREATE TABLE IF NOT EXISTS refusals (job INTEGER)",
                // `FAIL` leaves the row that counts it, where `ABORT` would take it back.
                "CREATE TRIGGER refusing BEFORE UPDATE ON jobs WHEN old.status = 'running' BEGIN
                    INSERT INTO refusals VALUES (old.seq);
                    SELECT RAISE(FAIL, 'the test refuses');
                END",
            ]
        } else {
            &["DROP TRIGGER refusing"]
        };
        for statement in statements {
            self.db.execute_unprepared(statement).await.unwrap();
        }
    }

    /// How often a statement was refused that was no part of a transaction.
    #[cfg(test)]
    pub(crate) async fn n_refused(&self) -> u64 {
        let count = sea_orm::Statement::from_string(
            self.db.get_database_backend(),
            "SELECT COUNT(*) AS n FROM refusals",
        );
        let row = self.db.query_one_raw(count).await.unwrap().unwrap();
        row.try_get::<i64>("", "n").unwrap().unsigned_abs()
    }

    /// What `PRAGMA synchronous` says on each connection: 2 is `FULL`.
    #[cfg(test)]
    pub(crate) async fn synchronous(&self) -> Vec<i64> {
        use sea_orm::sqlx;
        let pool = self.db.get_sqlite_connection_pool();
        let (mut held, mut said) = (Vec::new(), Vec::new());
        // All at once, so that each is another one.
        for _ in 0..MAX_CONNECTIONS {
            let mut connection = pool.acquire().await.unwrap();
            said.push(sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await.unwrap());
            held.push(connection);
        }
        said
    }

    /// From now on, or no longer, the database may be read alone, as on a disk that was mounted anew.
    #[cfg(test)]
    pub(crate) async fn be_read_only(&self, is_read_only: bool) {
        use sea_orm::sqlx;
        let pool = self.db.get_sqlite_connection_pool();
        let mut held = Vec::new();
        // All at once, so that each is another one.
        for _ in 0..MAX_CONNECTIONS {
            held.push(pool.acquire().await.unwrap());
        }
        let pragma = if is_read_only { "PRAGMA query_only = ON" } else { "PRAGMA query_only = OFF" };
        for connection in &mut held {
            sqlx::query(pragma).execute(&mut **connection).await.unwrap();
        }
    }

    /// A transaction that takes the right to write at once. One that reads first and writes later may be
    /// refused in the middle, without any waiting.
    pub(crate) async fn begin_writing(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.db.begin_with_options(options).await?)
    }
}

/// Whether something that was written to the database lies in the log beside it, and not in its own file yet.
fn has_log(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.is_file() && log.len() > 0)
}

/// Runs an update or a deletion and gives back the rows that it met, as they are afterwards (or were before).
///
/// The driver's own form of this is behind a feature that asks every SQLite for its version.
async fn returning<E: EntityTrait>(
    db: &impl ConnectionTrait,
    statement: &impl StatementBuilder,
) -> Result<Vec<E::Model>> {
    let statement = db.get_database_backend().build(statement);
    Ok(E::find().from_raw_sql(statement).all(db).await?)
}

/// Times are kept in milliseconds since 1970: they sort, and every database has such a column.
pub(crate) fn now_ms() -> i64 {
    to_ms(OffsetDateTime::now_utc())
}

pub(crate) fn to_ms(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

/// A time from the database; one that is out of range, which nobody wrote, counts as 1970.
pub(crate) fn from_ms(ms: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
