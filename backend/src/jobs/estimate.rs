//! How long jobs take, by what jobs took before.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use types::job::JobStatus;
use types::request::GenerationRequest;

use super::progress::ProgressHub;
use crate::store::entities::job;

/// How much the newest job counts beside all before it: the machine may be busy with something else for a while.
const WEIGHT: f64 = 0.3;

/// What was measured: seconds for a step of a million pixels, by model. Lives as long as the program.
#[derive(Default)]
pub(crate) struct Estimates {
    seconds: Mutex<HashMap<String, f64>>,
}

impl Estimates {
    /// All pictures of this request were made in that time.
    pub(crate) fn record(&self, request: &GenerationRequest, time: Duration) {
        let work = work(request);
        if work <= 0.0 {
            return;
        }
        let found = time.as_secs_f64() / work;
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seconds.entry(request.model.clone()).or_insert(found);
        *known += WEIGHT * (found - *known);
    }

    /// What a request will take, once its model has made something.
    pub(crate) fn of(&self, request: &GenerationRequest) -> Option<Duration> {
        let seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let per_work = seconds.get(&request.model)?;
        Duration::try_from_secs_f64(per_work * work(request)).ok()
    }
}

/// How long one waits for these jobs, which are worked off before one's own.
///
/// `None` if one of them cannot be estimated.
pub(crate) fn wait_for(estimates: &Estimates, hub: &ProgressHub, jobs: &[job::Model]) -> Option<Duration> {
    jobs.iter().map(|job| time_left(estimates, hub, job)).sum()
}

/// How long a job that is queued or running will still take.
pub(crate) fn time_left(estimates: &Estimates, hub: &ProgressHub, job: &job::Model) -> Option<Duration> {
    let told = hub.progress(job.job_id()).and_then(|progress| progress.remaining_ms);
    if job.status == JobStatus::Running.as_str()
        && let Some(ms) = told
    {
        return Some(Duration::from_millis(ms));
    }
    estimates.of(&job.generation_request().ok()?)
}

/// Steps times millions of pixels, over all pictures.
fn work(request: &GenerationRequest) -> f64 {
    let (width, height) = request.picture_size();
    let megapixels = f64::from(width) * f64::from(height) / 1e6;
    let n_steps: f64 = (0..request.count).map(|index| f64::from(request.n_steps_of(index))).sum();
    n_steps * megapixels
}

/// Of a request that would take longer than `most_s` seconds: how many steps, and how many pictures with as many steps as
/// were asked for, would not. Zero where not even one would do.
pub(crate) fn nearest(request: &GenerationRequest, takes: Duration, most_s: u32) -> (u32, u32) {
    let share = f64::from(most_s) / takes.as_secs_f64().max(f64::EPSILON);
    let part = |n: u32| (f64::from(n) * share).floor() as u32;
    (part(request.steps), part(request.count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> GenerationRequest {
        let json = r#"{"prompt": "a boat", "negative_prompt": "", "model": "demo", "steps": 20, "guidance_scale": 4.0,
            "sampler": "dpmpp_2m", "schedule": "karras", "seed": 7, "width": 256, "height": 256, "count": 2}"#;
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn nothing_is_known_of_a_model_that_made_nothing() {
        assert_eq!(Estimates::default().of(&request()), None);
    }

    #[test]
    fn twice_the_steps_take_twice_the_time_and_so_do_twice_the_pixels() {
        let estimates = Estimates::default();
        let known = request();
        estimates.record(&known, Duration::from_secs(8));
        let more = GenerationRequest { steps: known.steps * 2, ..known.clone() };
        let larger = GenerationRequest { width: known.width * 2, ..known.clone() };
        for (request, seconds) in [(known, 8.0), (more, 16.0), (larger, 16.0)] {
            let found = estimates.of(&request).unwrap().as_secs_f64();
            assert!((found - seconds).abs() < 1e-6, "{found} {seconds}");
        }
    }

    #[test]
    fn what_is_measured_later_counts_more_and_one_outlier_does_not_rule() {
        let (estimates, request) = (Estimates::default(), request());
        estimates.record(&request, Duration::from_secs(1));
        estimates.record(&request, Duration::from_secs(11));
        let after_one = estimates.of(&request).unwrap().as_secs_f64();
        assert!((3.9..4.1).contains(&after_one), "{after_one}");
        for _ in 0..20 {
            estimates.record(&request, Duration::from_secs(11));
        }
        assert!(estimates.of(&request).unwrap().as_secs_f64() > 10.9);
    }

    #[test]
    fn the_nearest_settings_that_fit_are_fewer_steps_or_fewer_pictures() {
        let request = GenerationRequest { steps: 40, count: 8, ..request() };
        assert_eq!(nearest(&request, Duration::from_secs(100), 30), (12, 2));
        assert_eq!(nearest(&request, Duration::from_secs(1000), 30), (1, 0));
    }
}
