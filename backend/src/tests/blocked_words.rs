//! Words that a site does not paint.

use futures::TryStreamExt;
use tempfile::TempDir;
use types::error::{ErrorCode, PublicError};
use types::job::JobStatus;
use types::request::{RawGrid, RawGridAxis, RawRequest};

use super::helpers::{TestServices, asking, free_running};
use crate::Error;
use crate::engine::fake::{FakeEngine, fake_lora};
use crate::jobs::worker::{Outcome, Worker};
use crate::prompt_helpers::{BLOCKED_WORDS, STYLES, WILDCARDS};

/// Services whose data folder has that file.
async fn blocking(words: &str) -> (TestServices, TempDir) {
    let (site, folder) = free_running().await;
    block(&folder, words);
    (site, folder)
}

fn block(folder: &TempDir, words: &str) {
    std::fs::write(folder.path().join("data").join(BLOCKED_WORDS), words).unwrap();
}

async fn refusal(site: &TestServices, raw: RawRequest) -> PublicError {
    site.services.create_job(&site.alice, raw).await.unwrap_err().public()
}

#[tokio::test]
async fn a_prompt_with_such_a_word_is_refused_in_one_sentence_and_leaves_no_job() {
    let (site, _folder) = blocking("# mine\nknife\n").await;
    let error = refusal(&site, asking("a big kn1fe")).await;
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidField, Some("prompt")));
    assert_eq!(error.message, "the prompt has words that this site does not paint; say it in other words");
    assert!(site.services.latest_jobs(&site.alice, 9).await.unwrap().is_empty());
    site.ask("a penknife").await;
}

#[tokio::test]
async fn the_file_is_read_again_once_it_changes() {
    let (site, folder) = free_running().await;
    site.ask("a knife").await;
    block(&folder, "knife");
    refusal(&site, asking("a knife")).await;
    block(&folder, "sword\n");
    site.ask("a knife").await;
    std::fs::remove_file(folder.path().join("data").join(BLOCKED_WORDS)).unwrap();
    site.ask("a sword").await;
}

#[tokio::test]
async fn a_job_that_waits_is_not_painted_once_the_list_has_its_word() {
    let (mut site, folder) = free_running().await;
    let (blocked, other) = (site.ask("a knife").await, site.ask("a boat").await);
    block(&folder, "knife");
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(blocked).await;
    assert_eq!((job.status, job.pictures.len()), (JobStatus::Failed, 0));
    assert_eq!(
        job.error.unwrap(),
        "the prompt has words that this site does not paint; say it in other words"
    );
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.job(other).await.status, JobStatus::Done);
}

#[tokio::test]
async fn what_is_painted_counts_and_not_what_was_typed() {
    let (site, folder) = blocking("knife").await;
    let data = folder.path().join("data");
    std::fs::write(data.join(STYLES), "name,prompt,negative_prompt\nSharp,knife,\n").unwrap();
    std::fs::create_dir_all(data.join(WILDCARDS)).unwrap();
    std::fs::write(data.join(WILDCARDS).join("tool.txt"), "knife\n").unwrap();
    for raw in [
        asking("a __tool__"),
        asking("a {knife}"),
        RawRequest { styles: vec!["Sharp".into()], ..asking("a boat") },
    ] {
        assert_eq!(refusal(&site, raw).await.field.as_deref(), Some("prompt"));
    }
}

#[tokio::test]
async fn a_word_that_is_put_together_from_several_places_counts() {
    let (site, folder) = blocking("knife\nsharp sword\n").await;
    let data = folder.path().join("data");
    let styles = "name,prompt,negative_prompt\nEdge,kni{prompt},\nSword,\"{prompt} {sword|sword}\",\n";
    std::fs::write(data.join(STYLES), styles).unwrap();
    std::fs::create_dir_all(data.join(WILDCARDS)).unwrap();
    std::fs::write(data.join(WILDCARDS).join("half.txt"), "kn1\n").unwrap();
    let in_style = |style: &str, prompt: &str| RawRequest { styles: vec![style.into()], ..asking(prompt) };
    for raw in [
        asking("a {kni}{fe}"),
        asking("a __half__fe"),
        asking("a {k}{n}.{i|1}{{f}}-e"),
        in_style("Edge", "fe"),
        in_style("Sword", "sharp"),
    ] {
        let prompt = raw.prompt.clone();
        assert_eq!(refusal(&site, raw).await.field.as_deref(), Some("prompt"), "{prompt}");
    }
}

#[tokio::test]
async fn what_is_kept_away_from_may_be_named() {
    let (site, _folder) = blocking("knife").await;
    for negative in ["knife", "(knife:1.5)", "(fog:-1) knife"] {
        let raw = RawRequest { negative_prompt: Some(negative.into()), ..asking("a boat") };
        assert!(site.services.create_job(&site.alice, raw).await.is_ok(), "{negative}");
    }
}

#[tokio::test]
async fn what_is_kept_away_from_less_than_not_at_all_is_asked_for() {
    let (site, _folder) = blocking("knife").await;
    for negative in ["(knife:-1.5)", "fog, ((a kn1fe:-0.5))"] {
        let raw = RawRequest { negative_prompt: Some(negative.into()), ..asking("a boat") };
        let error = refusal(&site, raw).await;
        assert_eq!(error.field.as_deref(), Some("negative_prompt"), "{negative}");
        let sentence = "the negative prompt has words that this site does not paint; say it in other words";
        assert_eq!(error.message, sentence);
    }
}

#[tokio::test]
async fn a_tag_hides_no_word_and_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let knife = types::lora::LoraInfo { name: "knife".into(), ..fake_lora() };
    let engine = FakeEngine::new().with_loras(vec![fake_lora(), knife]);
    let site = TestServices::open(folder.path(), engine).await;
    block(&folder, "knife");
    refusal(&site, asking("a kni<lora:ink:0.5>fe")).await;
    site.ask("a boat <lora:knife:0.5>").await;
}

#[tokio::test]
async fn the_words_of_every_cell_of_a_grid_count() {
    let (site, _folder) = blocking("knife").await;
    let cells = |values: &str| {
        let columns = RawGridAxis::typed("prompt_part", values);
        RawRequest { grid: Some(RawGrid { columns, rows: None, sheets: None }), ..asking("a boat at sea") }
    };
    assert!(site.services.create_job(&site.alice, cells("boat, ship")).await.is_ok());
    refusal(&site, cells("boat, knife")).await;
}

#[tokio::test]
async fn what_is_written_ends_before_such_a_word() {
    let (site, folder) = free_running().await;
    let write = |start: &str| site.services.write_prompt(&site.alice, start.to_owned(), Some(0));
    let whole = |pieces: Vec<String>| pieces.concat();
    let free = whole(write("a").unwrap().try_collect().await.unwrap());
    assert_eq!(free, " red boat calm sea evening sky");
    block(&folder, "sea");
    assert_eq!(whole(write("a").unwrap().try_collect().await.unwrap()), " red boat calm");
    block(&folder, "knife\n");
    assert_eq!(whole(write("a").unwrap().try_collect().await.unwrap()), free);
    block(&folder, "boat calm\n");
    assert_eq!(whole(write("a").unwrap().try_collect().await.unwrap()), " red boat");
    let error = write("a boat, calm").err().unwrap().public();
    assert_eq!(error.field.as_deref(), Some("start"));
}

#[tokio::test]
async fn a_prompt_that_goes_on_by_itself_is_painted_up_to_such_a_word() {
    let (site, _folder) = blocking("evening").await;
    let raw = RawRequest { extend: true, seed: Some(0), ..asking("a") };
    let job = site.services.create_job(&site.alice, raw).await.unwrap();
    assert_eq!(job.request.prompt, "a red boat calm sea");
    let raw = RawRequest { extend: true, ..asking("an evening") };
    assert_eq!(refusal(&site, raw).await.field.as_deref(), Some("prompt"));
}

#[tokio::test]
async fn words_that_a_model_and_a_style_put_together_count() {
    let (site, folder) = blocking("sky knife\n").await;
    let styles = "name,prompt,negative_prompt\nKnife,{prompt} knife,\n";
    std::fs::write(folder.path().join("data").join(STYLES), styles).unwrap();
    // What was written ends with the sky, and may.
    let raw = RawRequest { extend: true, seed: Some(0), styles: vec!["Knife".into()], ..asking("a") };
    assert_eq!(refusal(&site, raw).await.field.as_deref(), Some("prompt"));
    assert!(site.services.latest_jobs(&site.alice, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_is_painted_or_written_while_a_list_was_never_read_and_the_site_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join(BLOCKED_WORDS);
    std::fs::create_dir_all(&path).unwrap();
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let error = refusal(&site, asking("a boat")).await;
    assert_eq!(error.code, ErrorCode::StorageUnavailable);
    assert_eq!(
        error.message,
        "this site's list of words that it does not paint cannot be read, so it paints nothing for now; whoever runs \
         the site has to see to it"
    );
    let written = site.services.write_prompt(&site.alice, "a".to_owned(), Some(0)).err().unwrap().public();
    assert_eq!(written.code, ErrorCode::StorageUnavailable);
    let problem = async || {
        let readiness = site.services.readiness().await;
        let mut checks = readiness.checks.into_iter();
        checks.find(|check| check.name == "blocked_words").unwrap().problem
    };
    assert_eq!(problem().await.as_deref(), Some("the file blocked-words.txt is no file"));
    std::fs::remove_dir(&path).unwrap();
    block(&folder, "knife");
    site.ask("a boat").await;
    assert_eq!(problem().await, None);
}

#[tokio::test]
async fn jobs_from_before_a_restart_wait_while_the_list_cannot_be_read() {
    let (site, folder) = free_running().await;
    let id = site.ask("a boat").await;
    drop(site);
    let path = folder.path().join("data").join(BLOCKED_WORDS);
    std::fs::create_dir_all(&path).unwrap();
    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let mut worker = Worker::new(site.services.shared());
    assert!(matches!(worker.run_next_job().await, Err(Error::BlockedWordsUnread)));
    assert_eq!(site.job(id).await.status, JobStatus::Queued);
    std::fs::remove_dir(&path).unwrap();
    block(&folder, "knife");
    assert_eq!(site.run_next_job().await, Outcome::Done);
}

#[tokio::test]
async fn a_list_that_was_read_stays_while_its_file_is_out_of_order() {
    let (site, folder) = blocking("knife").await;
    refusal(&site, asking("a knife")).await;
    block(&folder, "");
    refusal(&site, asking("a knife")).await;
    site.ask("a boat").await;
    let checks = site.services.readiness().await.checks;
    assert!(checks.iter().all(|check| check.name != "blocked_words" || check.problem.is_none()));
}
