//! Loading a model, and telling meanwhile how much of it was read.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::{Arc, mpsc};
use std::thread;

use inference::model_files::ModelFiles;
use inference::weights::Progress;

/// Reads a model of `n_bytes` of weights and tells the share that was read: 0 at first, then every whole hundredth, up to
/// 0.99. Whole it is when this returns.
///
/// `Break` from `tell` ends the reading.
///
/// # Errors
/// [`inference::Error::Cancelled`] if `tell` broke off; otherwise whatever `read` returns.
pub(super) fn load<T: Send>(
    files: &ModelFiles,
    n_bytes: u64,
    read: impl FnOnce(&ModelFiles) -> inference::Result<T> + Send,
    tell: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> inference::Result<T> {
    let (tell_percent, percents) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    thread::scope(|scope| {
        // A thread of its own reads, since a model keeps the one who is told for parts that it reads later, and `tell`
        // does not live that long.
        let reader = scope.spawn(move || {
            let end = tell_percent.clone();
            let mut told = None;
            let progress = Progress::breakable(move |n_read, _| {
                // Not all parts are read: no encoder of pictures where there is only text.
                let percent = (n_read.saturating_mul(100) / n_bytes.max(1)).min(99) as u8;
                if told.replace(percent) == Some(percent) || tell_percent.send(Some(percent)).is_err() {
                    return ControlFlow::Continue(());
                }
                answers.recv().unwrap_or(ControlFlow::Continue(()))
            });
            let model = read(&files.with_progress(Arc::new(progress)));
            // Nobody waits any more if this cannot be sent.
            let _ = end.send(None);
            model
        });
        // It ends with an error if the reader panicked, which took all senders with it.
        while let Ok(Some(percent)) = percents.recv() {
            let _ = answer.send(tell(f64::from(percent) / 100.0));
        }
        reader.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use inference::pipelines::stable_diffusion::StableDiffusion;

    use super::*;
    use crate::models;

    /// Reads the demo model until `is_enough`, and gives back what was told and how it ended.
    fn told(is_enough: impl Fn(f64) -> bool) -> (Vec<f64>, inference::Result<StableDiffusion>) {
        let files = ModelFiles::folder(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo"));
        let mut told = Vec::new();
        let loaded = load(
            &files,
            models::n_bytes(&files),
            |files| StableDiffusion::load(files, &Device::Cpu),
            &mut |fraction| {
                told.push(fraction);
                if is_enough(fraction) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        (told, loaded)
    }

    #[test]
    fn the_share_that_was_read_grows_from_nothing_to_nearly_all() {
        let (told, loaded) = told(|_| false);
        assert!(loaded.is_ok());
        assert_eq!(told.first(), Some(&0.0));
        assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
        assert!((0.8..1.0).contains(told.last().unwrap()), "{told:?}");
    }

    #[test]
    fn reading_ends_where_the_listener_breaks_off() {
        let (told, loaded) = told(|fraction| fraction >= 0.3);
        assert!(matches!(loaded, Err(inference::Error::Cancelled)));
        let (last, before) = told.split_last().unwrap();
        assert!(*last >= 0.3 && before.iter().all(|&fraction| fraction < 0.3), "{told:?}");
    }

    #[test]
    #[should_panic = "the reader breaks down"]
    fn a_reader_that_panics_is_no_listener_that_waits_for_ever() {
        let files = ModelFiles::folder("nowhere");
        let _ =
            load::<()>(&files, 1, |_| panic!("the reader breaks down"), &mut |_| ControlFlow::Continue(()));
    }
}
