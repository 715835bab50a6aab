use types::job::{JobStatus, Progress};

use super::*;

fn job(count: u32) -> SeenJob {
    SeenJob {
        id: "job".into(),
        status: JobStatus::Queued,
        prompt: "a red boat".into(),
        width: 256,
        height: 256,
        count,
        has_sheet: false,
        n_ahead: Some(1),
        wait_ms: None,
        progress: None,
        loading: None,
        error: None,
        notes: Vec::new(),
        cached: false,
        pictures: Vec::new(),
        is_owner: true,
    }
}

fn picture(index: u32) -> SeenPicture {
    SeenPicture {
        id: format!("picture {index}"),
        job_id: "job".into(),
        index,
        prompt: "a red boat".into(),
        seed: 7 + u64::from(index),
        width: 256,
        height: 256,
        favourite: false,
    }
}

fn progress(picture: u32, step: u32) -> Happened {
    let progress =
        Progress { picture, n_together: 1, n_pictures: 2, step, n_steps: 20, remaining_ms: Some(5_000) };
    Happened::Progress { progress, preview: None }
}

#[test]
fn pictures_that_are_made_together_develop_together() {
    let mut job = job(3);
    let Happened::Progress { progress, preview } = progress(1, 5) else { unreachable!() };
    let progress = Progress { n_together: 2, n_pictures: 3, ..progress };
    apply(&mut job, Happened::Progress { progress, preview });
    assert_eq!(headline(&job), "Pictures 1 to 2 of 3, step 5 of 20");
    let frames: Vec<_> = (0..3).map(|index| frame(&job, index)).collect();
    assert_eq!(frames, [Frame::Developing, Frame::Developing, Frame::Waiting]);
}

#[test]
fn a_job_goes_from_the_queue_to_its_pictures() {
    let mut job = job(2);
    assert_eq!(headline(&job), "In the queue, after 1 other job");
    assert_eq!(frame(&job, 0), Frame::Waiting);

    apply(&mut job, progress(1, 5));
    assert_eq!(headline(&job), "Picture 1 of 2, step 5 of 20");
    assert_eq!(details(&job, 2_000), "about 3 s left");
    assert_eq!((frame(&job, 0), frame(&job, 1)), (Frame::Developing, Frame::Waiting));

    apply(&mut job, Happened::Picture { picture: picture(0) });
    apply(&mut job, progress(2, 1));
    assert_eq!((frame(&job, 0), frame(&job, 1)), (Frame::Picture(picture(0)), Frame::Developing));
    assert_eq!(title(&job), "52 %: a red boat");

    apply(&mut job, Happened::Picture { picture: picture(1) });
    apply(&mut job, Happened::Done);
    assert_eq!(announcement(&job), "2 pictures are ready");
    assert_eq!(title(&job), "a red boat");
}

fn loading(fraction: f64) -> Happened {
    Happened::Loading { loading: types::job::Loading { model: "sd-xl".into(), fraction } }
}

#[test]
fn a_model_that_is_loaded_is_told_of_until_the_first_step() {
    let mut job = job(2);
    apply(&mut job, progress(1, 0));
    apply(&mut job, loading(0.1));
    assert_eq!(announcement(&job), "Loading sd-xl");
    apply(&mut job, loading(0.4));
    assert_eq!((headline(&job).as_str(), fraction(&job)), ("Loading sd-xl: 40 %", 0.4));
    assert_eq!(announcement(&job), "Loading sd-xl, 25 percent");
    assert_eq!(title(&job), "Loading: a red boat");
    assert_eq!(details(&job, 0), "The time left is known after the first steps");
    assert_eq!(frame(&job, 0), Frame::Developing);

    apply(&mut job, progress(1, 10));
    assert_eq!((headline(&job).as_str(), fraction(&job)), ("Picture 1 of 2, step 10 of 20", 0.25));
    assert_eq!(announcement(&job), "25 percent developed");
}

#[test]
fn a_job_that_ends_while_its_model_is_loaded_says_how_it_ended() {
    let mut job = job(1);
    apply(&mut job, loading(0.4));
    let mut cancelled = job.clone();
    apply(&mut cancelled, Happened::Cancelled);
    assert_eq!(
        (headline(&cancelled).as_str(), announcement(&cancelled).as_str()),
        ("Cancelled", "Cancelled")
    );
    apply(&mut job, Happened::Queued { n_ahead: 0, wait_ms: None });
    assert_eq!((headline(&job).as_str(), fraction(&job)), ("Next in the queue", 0.0));
}

#[test]
fn a_note_is_said_once_and_stays() {
    let mut job = job(1);
    assert_eq!(notes(&job), "");
    for _ in 0..2 {
        apply(&mut job, Happened::Note { note: types::note::Note::DecodedInF32 });
    }
    apply(&mut job, Happened::Done);
    assert_eq!(notes(&job), "The VAE left the range of f16 and was used in f32.");
    job.cached = true;
    assert!(notes(&job).ends_with(" f32. Made before from the same request, and shown again."));
}

#[test]
fn a_picture_that_is_told_twice_is_shown_once() {
    let mut job = job(1);
    apply(&mut job, Happened::Picture { picture: picture(0) });
    apply(&mut job, Happened::Picture { picture: picture(0) });
    assert_eq!(job.pictures.len(), 1);
}

#[test]
fn a_job_that_was_put_back_waits_again() {
    let mut job = job(1);
    apply(&mut job, progress(1, 5));
    apply(&mut job, Happened::Queued { n_ahead: 0, wait_ms: None });
    assert_eq!(job.status, JobStatus::Queued);
    assert_eq!(frame(&job, 0), Frame::Waiting);
}

#[test]
fn a_failure_is_said_in_a_sentence() {
    let mut job = job(1);
    apply(&mut job, Happened::Failed { message: "the disk is full".into() });
    assert_eq!(announcement(&job), "That did not work. The disk is full.");
    assert_eq!(frame(&job, 0), Frame::Empty);
}

#[test]
fn a_done_job_without_pictures_says_that_they_were_deleted() {
    let mut job = job(1);
    apply(&mut job, Happened::Done);
    assert_eq!(headline(&job), "Deleted");
}
