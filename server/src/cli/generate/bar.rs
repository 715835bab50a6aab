//! What `darkroom generate` shows while it paints.

use std::ops::Range;
use std::time::Duration;

use backend::engine::Report;
use indicatif::{ProgressBar, ProgressStyle};
use types::request::GenerationRequest;

const LOADING: &str = "{msg} {wide_bar} {pos} %";
const STEPS: &str = "{msg} {wide_bar} step {pos} of {len}, {eta} left";

/// A bar for the loading of the model, and then for the steps of all pictures.
pub struct Bar {
    /// On stderr, and only if that is a terminal.
    pub drawn: ProgressBar,
}

impl Bar {
    /// Shows that something is done, and not yet what.
    pub fn new() -> Self {
        let drawn = ProgressBar::no_length();
        style(&drawn, "{spinner} {msg}");
        drawn.set_message("getting ready");
        drawn.enable_steady_tick(Duration::from_millis(100));
        Self { drawn }
    }

    /// Shows how far the pictures `indices` are, which are made together.
    pub fn show(&self, request: &GenerationRequest, indices: &Range<u32>, report: &Report<'_>) {
        let drawn = &self.drawn;
        let (template, message, length, position) = match report {
            Report::Loading(fraction) => {
                let message = format!("loading {}", request.model);
                (LOADING, message, 100, (fraction * 100.0).round() as u64)
            }
            Report::Step(step) => {
                let (first, last) = (indices.start + 1, indices.end);
                let message = if first == last {
                    format!("picture {first} of {}", request.count)
                } else {
                    format!("pictures {first} to {last} of {}", request.count)
                };
                let [count, n_steps, n_before, n_together, step] =
                    [request.count, step.n_steps, indices.start, last - indices.start, step.step]
                        .map(u64::from);
                (STEPS, message, count * n_steps, n_before * n_steps + step * n_together)
            }
        };
        if drawn.length() != Some(length) || drawn.message() != message {
            style(drawn, template);
            drawn.set_length(length);
            drawn.set_message(message);
        }
        drawn.set_position(position);
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

#[cfg(test)]
mod tests {
    use backend::engine::Step;

    use super::*;

    #[test]
    fn the_bar_tells_of_the_loading_and_then_of_the_steps_of_all_pictures() {
        let request: GenerationRequest = serde_json::from_str(
            r#"{"prompt": "a boat", "negative_prompt": "", "model": "sd-xl", "steps": 4, "guidance_scale": 4,
            "sampler": "euler", "schedule": "normal", "seed": 7, "width": 96, "height": 64, "count": 2}"#,
        )
        .unwrap();
        let bar = Bar { drawn: ProgressBar::hidden() };
        let shown = |indices: Range<u32>, report: Report<'_>| {
            bar.show(&request, &indices, &report);
            let (position, length) = (bar.drawn.position(), bar.drawn.length().unwrap());
            format!("{}: {position} of {length}", bar.drawn.message())
        };
        let step = |step| Report::Step(Step { step, n_steps: 4, preview: &|| None });
        assert_eq!(shown(0..1, Report::Loading(0.0)), "loading sd-xl: 0 of 100");
        assert_eq!(shown(0..1, Report::Loading(0.43)), "loading sd-xl: 43 of 100");
        assert_eq!(shown(0..1, step(1)), "picture 1 of 2: 1 of 8");
        assert_eq!(shown(1..2, step(3)), "picture 2 of 2: 7 of 8");
        assert_eq!(shown(0..2, step(3)), "pictures 1 to 2 of 2: 6 of 8");
    }
}
