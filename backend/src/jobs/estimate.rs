//! How long jobs take, by what jobs took before.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use types::job::JobStatus;
use types::request::GenerationRequest;

use super::progress::ProgressHub;
use crate::shared::Shared;
use crate::store::StepTime;
use crate::store::entities::job;

/// How much the newest job counts beside all before it: the machine may be busy with something else for a while.
const WEIGHT: f64 = 0.3;

/// How many sizes are kept of each model, the ones that were met last.
const MOST_SIZES: usize = 32;

/// How many times as many pixels a picture may have as one that was measured, or how many times fewer, for the one to say
/// something of the other. Small pictures take longer for each pixel, by far on a graphics card.
const FARTHEST: f64 = 4.0;

/// What steps took, by model and by pixels of the picture. The database keeps it for the next start.
#[derive(Default)]
pub(crate) struct Estimates {
    measured: Mutex<HashMap<String, Vec<Measured>>>,
}

/// What a step of one picture took.
#[derive(Clone, Copy)]
struct Measured {
    n_pixels: u64,
    seconds: f64,
}

impl Estimates {
    /// What is known from before, the newest last.
    pub(crate) fn known(times: Vec<StepTime>) -> Self {
        let mut measured: HashMap<String, Vec<Measured>> = HashMap::new();
        for StepTime { model, n_pixels, seconds } in times {
            measured.entry(model).or_default().push(Measured { n_pixels, seconds });
        }
        Self { measured: Mutex::new(measured) }
    }

    /// A step of a picture of this request took that long, loading, decoding and whatever else apart. Gives back what is
    /// known of such steps from now on.
    pub(crate) fn record(&self, request: &GenerationRequest, step: Duration) -> StepTime {
        let (n_pixels, seconds) = (n_pixels(request), step.as_secs_f64());
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let sizes = measured.entry(request.model.clone()).or_default();
        let known = sizes.iter().position(|known| known.n_pixels == n_pixels).map(|at| sizes.remove(at));
        let seconds = known.map_or(seconds, |known| known.seconds + WEIGHT * (seconds - known.seconds));
        if sizes.len() >= MOST_SIZES {
            sizes.remove(0);
        }
        sizes.push(Measured { n_pixels, seconds });
        StepTime { model: request.model.clone(), n_pixels, seconds }
    }

    /// What the steps of a request will take, once its model has made something of about its size.
    pub(crate) fn of(&self, request: &GenerationRequest) -> Option<Duration> {
        let wanted = n_pixels(request) as f64;
        let measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let times = |known: &Measured| wanted / known.n_pixels.max(1) as f64;
        let far = |known: &Measured| times(known).max(1.0 / times(known));
        let near = measured.get(&request.model)?.iter().min_by(|a, b| far(a).total_cmp(&far(b)))?;
        let step = near.seconds * times(near);
        (far(near) <= FARTHEST).then(|| Duration::try_from_secs_f64(step * n_steps(request)).ok()).flatten()
    }

    /// What would take no longer than `most`, of a request that does: as many pictures as can be, else as many steps. A grid has
    /// as many pictures as it has cells, and its cells may have steps of their own, as a second pass may.
    pub(crate) fn nearest(&self, request: &GenerationRequest, most: Duration) -> Nearest {
        let fits = |changed: &GenerationRequest| self.of(changed).is_some_and(|takes| takes <= most);
        let of_count = |&count: &u32| fits(&GenerationRequest { count, ..request.clone() });
        let of_steps = |&steps: &u32| fits(&GenerationRequest { steps, ..request.clone() });
        let counts = if request.grid.is_some() { 1..1 } else { 1..request.count };
        let count = counts.rev().find(of_count).map(Nearest::Count);
        let steps = || (1..request.steps).rev().find(of_steps).map(Nearest::Steps);
        count.or_else(steps).unwrap_or(Nearest::Neither)
    }
}

/// A step of a picture of this request took that long: kept in memory and in the database. A database that is out of order
/// costs no job: what was measured counts until the program stops. So does what was measured of a job that is stopped, for
/// taking longer than it may: perhaps the machine was busy, and the next start is to try that size again.
pub(crate) async fn record(shared: &Shared, request: &GenerationRequest, step: Duration, is_stopped: bool) {
    let Shared { engine, store, estimates, .. } = shared;
    let measured = estimates.record(request, step);
    if is_stopped {
        return;
    }
    if let Err(error) = store.keep_step_time(engine.device().as_str(), &measured, MOST_SIZES).await {
        tracing::warn!(%error, "what a step took could not be kept for the next start");
    }
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

/// Pixels of each picture.
fn n_pixels(request: &GenerationRequest) -> u64 {
    let (width, height) = request.picture_size();
    u64::from(width) * u64::from(height)
}

/// Steps of all pictures.
fn n_steps(request: &GenerationRequest) -> f64 {
    (0..request.count).map(|index| f64::from(request.n_steps_of(index))).sum()
}

/// What a request that takes too long may be changed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nearest {
    /// So many pictures, with all else as it is.
    Count(u32),
    /// So many steps, with all else as it is.
    Steps(u32),
    /// Neither fewer pictures nor fewer steps alone would do.
    Neither,
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
        // Two pictures of 20 steps.
        estimates.record(&known, Duration::from_millis(200));
        let more = GenerationRequest { steps: known.steps * 2, ..known.clone() };
        let larger = GenerationRequest { width: known.width * 2, ..known.clone() };
        for (request, seconds) in [(known, 8.0), (more, 16.0), (larger, 16.0)] {
            let found = estimates.of(&request).unwrap().as_secs_f64();
            assert!((found - seconds).abs() < 1e-6, "{found} {seconds}");
        }
    }

    #[test]
    fn a_tiny_picture_says_nothing_of_a_large_one_and_the_nearest_size_says_most() {
        let estimates = Estimates::default();
        let sized = |side| GenerationRequest { width: side, height: side, count: 1, ..request() };
        estimates.record(&sized(64), Duration::from_secs(1));
        assert_eq!(estimates.of(&sized(512)), None);
        estimates.record(&sized(384), Duration::from_secs(1));
        let found = estimates.of(&sized(512)).unwrap().as_secs_f64();
        assert!((found - 20.0 * 512.0 * 512.0 / (384.0 * 384.0)).abs() < 1e-6, "{found}");
    }

    #[test]
    fn no_more_sizes_are_kept_than_are_of_use() {
        let estimates = Estimates::default();
        for width in 1..200 {
            estimates.record(&GenerationRequest { width, ..request() }, Duration::from_secs(1));
        }
        assert_eq!(estimates.measured.lock().unwrap()["demo"].len(), MOST_SIZES);
    }

    #[test]
    fn what_is_measured_later_counts_more_and_one_outlier_does_not_rule() {
        let (estimates, request) =
            (Estimates::default(), GenerationRequest { count: 1, steps: 1, ..request() });
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
        let estimates = Estimates::default();
        let request = GenerationRequest { steps: 40, count: 8, ..request() };
        estimates.record(&request, Duration::from_secs(1));
        let nearest =
            |request: &GenerationRequest, seconds| estimates.nearest(request, Duration::from_secs(seconds));
        assert_eq!(nearest(&request, 90), Nearest::Count(2));
        let one = GenerationRequest { count: 1, ..request.clone() };
        assert_eq!(nearest(&one, 12), Nearest::Steps(12));
        assert_eq!(nearest(&one, 0), Nearest::Neither);
    }

    #[test]
    fn the_steps_of_a_second_pass_are_left_as_they_are_asked_for() {
        let estimates = Estimates::default();
        let json = r#"{"scale": 2.0, "width": 512, "height": 512, "steps": 20, "strength": 1.0}"#;
        let hires = Some(serde_json::from_str(json).unwrap());
        let request = GenerationRequest { count: 1, hires, ..request() };
        estimates.record(&request, Duration::from_secs(1));
        assert_eq!(estimates.of(&request), Some(Duration::from_secs(40)));
        assert_eq!(estimates.nearest(&request, Duration::from_secs(30)), Nearest::Steps(10));
        assert_eq!(estimates.nearest(&request, Duration::from_secs(20)), Nearest::Neither);
    }

    #[test]
    fn a_grid_has_as_many_pictures_as_cells_so_its_steps_alone_can_be_fewer() {
        let estimates = Estimates::default();
        let of_values = |json: &str| -> GenerationRequest {
            GenerationRequest { count: 3, grid: Some(serde_json::from_str(json).unwrap()), ..request() }
        };
        let seeds = of_values(r#"{"columns": {"field": "seed", "values": [1, 2]}}"#);
        estimates.record(&seeds, Duration::from_secs(1));
        assert_eq!(estimates.of(&seeds), Some(Duration::from_secs(40)));
        assert_eq!(estimates.nearest(&seeds, Duration::from_secs(30)), Nearest::Steps(15));
        let steps = of_values(r#"{"columns": {"field": "steps", "values": [10, 30]}}"#);
        assert_eq!(estimates.nearest(&steps, Duration::from_secs(30)), Nearest::Neither);
    }
}
