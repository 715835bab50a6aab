use backend::{
    Asked, Check, DiskSpace, FailedJob, JobFacts, JobsNow, MemoryUse, OperatorSnapshot, QueuedJob, Readiness,
    Resident, RunningJob, Sample,
};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use types::error::ErrorCode;
use types::job::{JobId, Progress};

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-29 12:00 UTC);

fn job(prompt: Option<&str>) -> JobFacts {
    JobFacts {
        id: "00000000000000000000000000000007".parse::<JobId>().unwrap(),
        owner: "ba7816bf".into(),
        created_at: NOW - Duration::seconds(90),
        asked: Some(Asked {
            model: "demo".into(),
            width: 256,
            height: 192,
            n_steps: 20,
            count: 2,
            prompt: prompt.map(str::to_owned),
        }),
    }
}

fn snapshot() -> OperatorSnapshot {
    let progress = Progress { picture: 2, n_pictures: 2, step: 5, n_steps: 20, ..Progress::default() };
    OperatorSnapshot {
        taken_at: NOW,
        started_at: NOW - Duration::hours(3),
        readiness: Readiness { checks: vec![Check { name: "database", problem: None }] },
        jobs: Some(JobsNow {
            running: vec![RunningJob {
                job: job(None),
                started_at: Some(NOW - Duration::seconds(12)),
                progress: Some(progress),
                loading: None,
            }],
            n_queued: 101,
            queued: vec![QueuedJob { job: job(Some("a <b>red</b> boat")), n_ahead: 1 }],
            failures: vec![FailedJob {
                job: job(None),
                failed_at: Some(NOW),
                code: Some(ErrorCode::ModelUnusable),
                sentence: "model `demo` cannot be used: it has no VAE".into(),
            }],
        }),
        machine: None,
        memory: Some(MemoryUse { used: 1 << 30, total: 4 << 30 }),
        disk: Some(DiskSpace { free_bytes: 5 << 30, total_bytes: 9 << 30 }),
        residents: vec![Resident { model: "demo".into(), n_bytes: 60 << 20 }],
        last_hour: vec![Sample {
            at: NOW - Duration::minutes(30),
            n_queued: Some(4),
            n_pictures: 3,
            step_ms: Some(25.0),
            memory_bytes: None,
        }],
    }
}

fn page() -> String {
    operator_document(&snapshot(), OperatorView::default(), "/pkg/darkroom.css")
}

#[test]
fn the_page_tells_of_jobs_machine_and_models() {
    let page = page();
    for told in [
        "demo, 256 × 192, 20 steps, 2 pictures",
        "picture 2 of 2, step 5 of 20",
        "for 12 s",
        "place 2, for 1 min",
        "The queue: 101 jobs",
        "and 100 more.",
        "ba7816bf",
        "00000000000000000000000000000007",
        "Model `demo` cannot be used: it has no VAE.",
        "model_unusable",
        "5.0 GiB of 9.0 GiB",
        "60 MiB",
        "Jobs that wait: 4 jobs, at most 4 jobs",
        "Time of a step: 25 ms, at most 25 ms",
        "Memory of the program: nothing yet",
    ] {
        assert!(page.contains(told), "{told} in {page}");
    }
}

#[test]
fn whatever_was_typed_is_text() {
    let page = page();
    assert!(page.contains("a &lt;b&gt;red") && !page.contains("<b>"), "{page}");
}

#[test]
fn the_page_needs_neither_a_script_nor_a_style_of_its_own() {
    let page = page();
    for forbidden in ["<script", "<style", " style=", "javascript:", " onclick"] {
        assert!(!page.contains(forbidden), "{forbidden} in {page}");
    }
    assert!(page.contains(r#"<link rel="stylesheet" href="/pkg/darkroom.css""#), "{page}");
}

#[test]
fn the_page_loads_itself_anew_as_often_as_was_chosen() {
    let refresh = |refresh| {
        let view = OperatorView::read(None, refresh);
        let page = operator_document(&snapshot(), view, "/pkg/darkroom.css");
        let content = page.split(r#"http-equiv="refresh" content=""#).nth(1)?;
        Some(content.split('"').next().unwrap_or_default().to_owned())
    };
    assert_eq!(refresh(None).as_deref(), Some("10"));
    assert_eq!(refresh(Some("60")).as_deref(), Some("60"));
    assert_eq!(refresh(Some("0; url=https://evil.example")).as_deref(), Some("10"));
    assert_eq!(refresh(Some("off")), None);
}

#[test]
fn prompts_are_shown_to_those_who_ask() {
    assert!(!OperatorView::default().shows_prompts);
    assert!(OperatorView::read(Some("show"), None).shows_prompts);
    assert!(!OperatorView::read(Some("perhaps"), None).shows_prompts);
}

#[test]
fn what_is_wrong_stands_at_the_top() {
    let mut snapshot = snapshot();
    snapshot.jobs = None;
    snapshot.readiness.checks[0].problem = Some("the database did not answer within 5 s".into());
    let page = operator_document(&snapshot, OperatorView::default(), "/pkg/darkroom.css");
    assert!(page.contains("Something is wrong"), "{page}");
    assert!(page.contains("The database did not answer within 5 s."), "{page}");
    assert!(page.contains("so the jobs cannot be shown"), "{page}");
}
