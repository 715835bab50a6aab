//! Databases of every released version, brought up to date.
//!
//! `backend/src/tests/schemas` holds one for the tables after each change, as SQL that any SQLite reads: tables, triggers and
//! a few rows of each. They are made of the changes themselves, by the one test here that is passed over as a rule:
//! `cargo nextest run --package backend --run-ignored only -E 'test(schemas_are_made)'`. A released one is not made anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use sea_orm_migration::MigratorTrait;
use sha2::{Digest, Sha256};
use types::history::HistoryQuery;
use types::job::JobId;
use types::note::Note;
use types::picture::PictureId;
use types::upload::UploadId;
use uuid::Uuid;

use super::migrations::Migrator;
use super::{BUSY_TIMEOUT, Inserted, NewJob, Store};
use crate::Visitor;
use crate::access::{Keyring, Limits};
use crate::hexadecimal::hexadecimal;

/// The changes after which there is a database here, by their names.
const RELEASED: [&str; 9] = [
    "m0001_jobs_and_pictures",
    "m0002_attempts_and_faults",
    "m0003_uploads",
    "m0004_notes",
    "m0005_asked_again",
    "m0006_workflows",
    "m0007_rounds_keys_and_shares",
    "m0008_sizes",
    "m0009_step_times",
];

/// A request as the first version kept it.
const REQUEST: &str = r#"{"prompt":"PROMPT","negative_prompt":"rain","model":"demo","steps":20,"guidance_scale":4.0,"sampler":"dpmpp_2m","schedule":"karras","seed":7,"width":256,"height":192,"count":2}"#;

/// The first day of 2026, in milliseconds since 1970.
const DAY: i64 = 1_767_225_600_000;

fn file_of(change: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/tests/schemas/{change}.sql"))
}

fn id(number: u8) -> Uuid {
    Uuid::from_bytes([number; 16])
}

/// The key of Alice's notebook, put together so that nobody takes it for one that got into the repository.
fn key() -> String {
    format!("dk_{}_{}", "01".repeat(6), "0123456789abcdef".repeat(4))
}

fn alice() -> Visitor {
    Visitor::from_token("alice")
}

/// The rows of Alice's that a database has after so many changes: a finished job with two pictures, of which one is a
/// favourite, one that was running and one that failed; and what else there was by then.
fn rows(n_changes: usize) -> Vec<String> {
    let owner = alice().owner_id().to_owned();
    let blob = |number: u8| format!("x'{}'", id(number).simple());
    let job = |number: u8, status: &str, n_made: u8, prompt: &str, error: &str| {
        format!(
            "INSERT INTO jobs (id, owner, status, attempt, crashes, n_made, request, error, created_at, finished_at)
            VALUES ({}, '{owner}', '{status}', 1, 0, {n_made}, '{}', {error}, {DAY}, {})",
            blob(number),
            REQUEST.replace("PROMPT", prompt),
            if status == "running" { "NULL".to_owned() } else { (DAY + 5_000).to_string() },
        )
    };
    let picture = |number: u8, index: u8, prompt: &str, favourite: bool| {
        format!(
            "INSERT INTO pictures (id, job_id, idx, attempt, owner, prompt, seed, width, height, favourite, file, created_at)
            VALUES ({}, {}, {index}, 1, '{owner}', '{prompt}', {}, 256, 192, {favourite}, '{}/1-{index}.png', {DAY})",
            blob(number),
            blob(1),
            7 + index,
            id(1).simple(),
        )
    };
    let by_change: [Vec<String>; 9] = [
        vec![
            job(1, "done", 2, "a red boat", "NULL"),
            job(2, "running", 0, "a blue cottage", "NULL"),
            job(3, "failed", 0, "a green hill", "'the disk is full; delete pictures or make room, then try again'"),
            picture(11, 0, "a red boat", true),
            picture(12, 1, "a red boat", false),
        ],
        vec![format!("UPDATE jobs SET error_code = 'storage_full', started_at = {DAY} WHERE status = 'failed'")],
        vec![
            format!(
                "INSERT INTO uploads (id, owner, width, height, file, created_at)
                VALUES ({}, '{owner}', 256, 192, '{}.png', {DAY})",
                blob(21),
                id(21).simple()
            ),
            format!("INSERT INTO upload_uses (upload_id, job_id) VALUES ({}, {})", blob(21), blob(1)),
        ],
        vec![r#"UPDATE jobs SET notes = '[{"note":"decoded_in_f32","attempt":1,"index":0}]' WHERE status = 'done'"#
            .to_owned()],
        vec!["UPDATE jobs SET idempotency_key = 'once', idempotency_hash = 'hash', fingerprint = 'print'
            WHERE status = 'done'"
            .to_owned()],
        vec![
            format!(
                "INSERT INTO workflows (id, owner, client_id, document) VALUES ({}, '{owner}', NULL, '{{}}')",
                blob(1)
            ),
            format!("INSERT INTO workflow_jobs (workflow_seq, job_id) VALUES (1, {})", blob(1)),
            format!(
                "INSERT INTO upload_names (owner, name, upload_id) VALUES ('{owner}', 'boat.png', {})",
                blob(21)
            ),
        ],
        vec![
            "UPDATE jobs SET round = 4, shared = TRUE WHERE status = 'done'".to_owned(),
            // The change after the next keeps the newest of all alone.
            if n_changes < 9 {
                format!("INSERT INTO turns (owner, round) VALUES ('{owner}', 4), ('bob', 5)")
            } else {
                "INSERT INTO served_round (id, round) VALUES (1, 5)".to_owned()
            },
            format!("INSERT INTO spending (owner, address, n_pixels, at) VALUES ('{owner}', 'here', 98304, {DAY})"),
            "INSERT INTO secrets (name, value) VALUES ('signing', 'secret')".to_owned(),
            format!(
                "INSERT INTO keys (prefix, hash, name, scopes, requests_per_minute, queued_jobs, megapixels_per_day, created_at)
                VALUES ('dk_010101010101', '{}', 'notebook', 'generate', 60, NULL, 5, {DAY})",
                hexadecimal(&Sha256::digest(key()))
            ),
        ],
        vec!["UPDATE pictures SET size_bytes = 1000 + idx".to_owned()],
        vec!["INSERT INTO step_times (device, name, n_pixels, seconds) VALUES ('cpu', 'demo', 49152, 0.5)".to_owned()],
    ];
    by_change.into_iter().take(n_changes).flatten().collect()
}

/// An empty database after so many changes.
async fn after_changes(folder: &Path, n_changes: usize) -> DatabaseConnection {
    let db = Store::connect(&folder.join("made.sqlite3"), 1, BUSY_TIMEOUT, true).await.unwrap();
    Migrator::up(&db, Some(u32::try_from(n_changes).unwrap())).await.unwrap();
    // When they were made is of no interest, and would be another time each time.
    db.execute_unprepared("UPDATE seaql_migrations SET applied_at = 1767225600").await.unwrap();
    db
}

async fn texts(db: &DatabaseConnection, query: &str, column: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), query)).await.unwrap();
    rows.iter().map(|row| row.try_get("", column).unwrap()).collect()
}

/// The statements that make the tables. Those in which the search keeps its words are made by the search itself.
async fn tables(db: &DatabaseConnection) -> String {
    let query =
        "SELECT sql || ';' AS statement FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
        AND NOT (type = 'table' AND name LIKE 'pictures\\_search\\_%' ESCAPE '\\') ORDER BY rowid";
    texts(db, query, "statement").await.join("\n")
}

/// The whole database as SQL.
async fn dump(db: &DatabaseConnection) -> String {
    let mut dump = tables(db).await;
    dump.push('\n');
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        AND name NOT LIKE 'pictures\\_search%' ESCAPE '\\' ORDER BY rowid";
    for table in texts(db, names, "name").await {
        let columns = texts(db, &format!("SELECT name FROM pragma_table_info('{table}')"), "name").await;
        let values: Vec<_> = columns.iter().map(|column| format!(r#"quote("{column}")"#)).collect();
        let lines = format!(
            r#"SELECT 'INSERT INTO "{table}" VALUES (' || {} || ');' AS line FROM "{table}""#,
            values.join(" || ', ' || ")
        );
        for line in texts(db, &lines, "line").await {
            // Writing to a `String` cannot fail.
            let _ = writeln!(dump, "{line}");
        }
    }
    dump
}

#[tokio::test]
#[ignore = "writes the committed databases anew"]
async fn schemas_are_made() {
    for (index, change) in RELEASED.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let db = after_changes(folder.path(), index + 1).await;
        for row in rows(index + 1) {
            db.execute_unprepared(&row).await.unwrap();
        }
        std::fs::write(file_of(change), dump(&db).await).unwrap();
    }
}

#[test]
fn every_change_has_a_database_here_but_perhaps_the_newest() {
    let changes = Migrator::migrations();
    let names: Vec<_> = changes.iter().map(|change| change.name()).collect();
    let (_, all_but_newest) = names.split_last().unwrap();
    assert!(
        names == RELEASED || all_but_newest == RELEASED,
        "of {names:?} there are databases after {RELEASED:?} alone"
    );
}

#[tokio::test]
async fn a_released_change_makes_the_tables_that_it_made_when_it_was_released() {
    for (index, change) in RELEASED.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let db = after_changes(folder.path(), index + 1).await;
        let released = std::fs::read_to_string(file_of(change)).unwrap();
        assert!(released.starts_with(&tables(&db).await), "{change} was changed after its release");
    }
}

#[tokio::test]
async fn everything_is_found_again_in_a_database_of_every_released_version() {
    for (index, change) in RELEASED.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("darkroom.sqlite3");
        let old = Store::connect(&file, 1, BUSY_TIMEOUT, true).await.unwrap();
        old.execute_unprepared(&std::fs::read_to_string(file_of(change)).unwrap()).await.unwrap();
        old.close().await.unwrap();

        let store = Store::open(&file).await.unwrap();
        everything_is_found(&store, change, index + 1).await;
        assert!(store.faults().await.unwrap().is_empty(), "{change}");
        store.close().await.unwrap();
        // A second start changes nothing more.
        let store = Store::look_at_newest(&file).await.unwrap();
        assert_eq!(store.pictures_after(0, 10).await.unwrap().len(), 1, "{change}");
    }
}

async fn everything_is_found(store: &Store, change: &str, n_changes: usize) {
    let alice = alice();
    let found = async |search: &str, favourites: bool| {
        let query = HistoryQuery { search: search.into(), favourites, ..HistoryQuery::default() };
        store.history(&alice, &query).await.unwrap().pictures
    };
    assert_eq!(found("", false).await.len(), 2, "{change}");
    assert_eq!(found("red boa", false).await.len(), 2, "{change}: the search knows the words");
    assert!(found("cottage", false).await.is_empty(), "{change}");
    let favourites = found("boat", true).await;
    assert_eq!(
        favourites.iter().map(|picture| picture.id).collect::<Vec<_>>(),
        [PictureId(id(11))],
        "{change}"
    );

    let (n_back, n_given_up) = store.recover().await.unwrap();
    assert_eq!((n_back, n_given_up), (1, 0), "{change}: the running job waits again");
    let jobs = store.latest_jobs(&alice, 10).await.unwrap();
    let statuses: Vec<_> = jobs.iter().map(|job| job.status.as_str()).collect();
    assert_eq!(statuses, ["queued", "failed", "done"], "{change}");
    for job in &jobs {
        assert_eq!(job.generation_request().unwrap().count, 2, "{change}");
        assert!(!job.cached, "{change}");
    }
    let code = if n_changes >= 2 { "storage_full" } else { "internal" };
    assert_eq!(jobs[1].fault_code().unwrap().as_str(), code, "{change}");
    let n_unmeasured = if n_changes >= 8 { 0 } else { 2 };
    assert_eq!(store.unmeasured(0, 10).await.unwrap().len(), n_unmeasured, "{change}: to be measured");

    if n_changes >= 3 {
        assert!(store.upload(alice.owner_id(), UploadId(id(21))).await.unwrap().is_some(), "{change}");
        assert!(store.delete_unused_uploads(i64::MAX).await.unwrap().is_empty(), "{change}: a job uses it");
    }
    if n_changes >= 4 {
        let notes: Vec<_> = jobs[2].known_notes().unwrap().iter().map(|known| known.note).collect();
        assert_eq!(notes, [Note::DecodedInF32], "{change}");
    }
    if n_changes >= 5 {
        let known = store.job_under(&alice, "once").await.unwrap().unwrap();
        assert_eq!(known.id, id(1), "{change}");
        assert!(store.job_like("print").await.unwrap().is_some(), "{change}");
    }
    if n_changes >= 6 {
        assert!(store.workflow(&alice, JobId(id(1))).await.unwrap().is_some(), "{change}");
        let named = store.named_upload(&alice, "boat.png").await.unwrap();
        assert_eq!(named, Some(UploadId(id(21))), "{change}");
    }
    if n_changes >= 7 {
        assert!(jobs[2].shared, "{change}");
        assert_eq!(store.secret("signing").await.unwrap().as_deref(), Some("secret"), "{change}");
        assert_eq!(store.n_spendings().await, 1, "{change}");
        let allowance = Keyring::of(store.clone()).holder(&key()).await.unwrap().allowance().unwrap().clone();
        assert_eq!(allowance.ration.megapixels_per_day, Some(5), "{change}");
        // Alice's job that waits is in round 0; the round that is being served is Bob's.
        let request = jobs[2].generation_request().unwrap();
        let limits = Limits::default();
        let new = NewJob { request: &request, fingerprint: None, once: None, cached: false, limits };
        let Inserted::Job(next) = store.insert_job(&alice, new).await.unwrap() else { panic!("{change}") };
        assert_eq!(next.round, 6, "{change}");
    }
    if n_changes >= 9 {
        let times = store.step_times("cpu").await.unwrap();
        assert_eq!(times.len(), 1, "{change}");
    }
    // The search is told of what is deleted.
    let deleted = store.delete_picture(&alice, PictureId(id(12))).await.unwrap();
    let size_bytes = deleted.unwrap().size_bytes;
    assert_eq!(size_bytes, (n_changes >= 8).then_some(1001), "{change}");
    assert_eq!(found("boat", false).await.len(), 1, "{change}");
}
