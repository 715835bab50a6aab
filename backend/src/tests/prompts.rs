use futures::StreamExt;
use types::error::ErrorCode;

use super::helpers::{TestServices, free_running, gated};
use crate::engine::fake::{Behaviour, FakeEngine};

#[tokio::test]
async fn a_prompt_comes_in_pieces_as_it_is_written() {
    let (site, _folder, gate) = gated().await;
    let mut pieces = site.services.write_prompt(&site.alice, String::new(), Some(0)).unwrap();
    gate.allow(1);
    assert_eq!(pieces.next().await.unwrap().unwrap(), "red");
    gate.allow(1);
    assert_eq!(pieces.next().await.unwrap().unwrap(), " boat");
    gate.open();
    let rest: Vec<_> = pieces.map(Result::unwrap).collect().await;
    assert_eq!(rest.concat(), " calm sea evening sky");
}

#[tokio::test]
async fn a_start_is_continued() {
    let (site, _folder) = free_running().await;
    let pieces = site.services.write_prompt(&site.alice, "a very".into(), Some(0)).unwrap();
    let text: Vec<_> = pieces.map(Result::unwrap).collect().await;
    assert!(text.concat().starts_with(" red boat"));
}

#[tokio::test]
async fn dropping_the_stream_stops_the_writing() {
    let (site, _folder, gate) = gated().await;
    let mut pieces = site.services.write_prompt(&site.alice, String::new(), Some(0)).unwrap();
    gate.allow(1);
    pieces.next().await.unwrap().unwrap();
    drop(pieces);
    // The writer is let through to the second of six pieces, and finds that nobody listens.
    gate.allow(1);
    site.services.prompts().all_quiet().await;
}

#[tokio::test]
async fn a_start_that_no_prompt_may_have_is_refused() {
    let (site, _folder) = free_running().await;
    let refused =
        |start: String| site.services.write_prompt(&site.alice, start, None).err().unwrap().public();
    let error = refused("x".repeat(2001));
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidField, Some("start")));
    assert_eq!(error.message, "the start has 2001 characters; at most 2000 are allowed");
    assert!(refused("a\u{1b}b".into()).message.contains("U+001B"));
}

#[tokio::test]
async fn a_panic_while_writing_is_the_streams_last_item_and_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let site = TestServices::open(folder.path(), FakeEngine::new().behaving(Behaviour::Panics)).await;
    let mut pieces = site.services.write_prompt(&site.alice, String::new(), Some(0)).unwrap();
    let error = pieces.next().await.expect("the reader is told").unwrap_err();
    assert_eq!(error.public().code, ErrorCode::Internal);
    assert!(pieces.next().await.is_none());
    site.services.prompts().all_quiet().await;
}

#[tokio::test]
async fn stopping_the_program_stops_the_writing() {
    let (site, _folder, gate) = gated().await;
    let mut pieces = site.services.write_prompt(&site.alice, String::new(), Some(0)).unwrap();
    gate.allow(1);
    pieces.next().await.unwrap().unwrap();
    site.services.shutdown().await;
    gate.open();
    assert_eq!(pieces.count().await, 0);
}
