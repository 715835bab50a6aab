//! The last hour as graphs, drawn on the server.

use std::fmt::Write;

use backend::{OperatorSnapshot, Sample};
use leptos::prelude::*;

use crate::format::{bytes, counted, seconds};

/// The hour in the units of the drawing, and its height.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 80.0;

/// Room above and below the line, so that none of its breadth is cut off.
const MARGIN: f64 = 4.0;

/// What the left edge stands for.
const MINUTES: f64 = 60.0;

/// One graph: its name, a value for each sample, and how a value is said.
struct Graph {
    name: &'static str,
    value: fn(&Sample) -> Option<f64>,
    say: fn(f64) -> String,
}

const GRAPHS: [Graph; 4] = [
    Graph {
        name: "Jobs that wait",
        value: |sample| sample.n_queued.map(|n| n as f64),
        say: |n| counted(n as u64, "job", "jobs"),
    },
    Graph {
        name: "Pictures a minute",
        value: |sample| Some(sample.n_pictures as f64),
        say: |n| counted(n as u64, "picture", "pictures"),
    },
    Graph { name: "Time of a step", value: |sample| sample.step_ms, say: |ms| seconds(ms / 1000.0) },
    Graph {
        name: "Memory of the program",
        value: |sample| sample.memory_bytes.map(|n| n as f64),
        say: |n| bytes(n as u64),
    },
];

/// All graphs.
pub(super) fn last_hour(snapshot: &OperatorSnapshot) -> AnyView {
    let graphs = GRAPHS.iter().map(|graph| figure(graph, snapshot));
    view! {
        <h2>"The last hour"</h2>
        <div class="graphs">{graphs.collect_view()}</div>
    }
    .into_any()
}

fn figure(graph: &Graph, snapshot: &OperatorSnapshot) -> AnyView {
    let points: Vec<_> = snapshot
        .last_hour
        .iter()
        .map(|sample| {
            let age = (snapshot.taken_at - sample.at).as_seconds_f64() / 60.0;
            (age, (graph.value)(sample))
        })
        .collect();
    let known = || points.iter().filter_map(|(_, value)| *value);
    let most = known().fold(0.0, f64::max);
    let at_most = known().next().map(|_| format!("at most {}", (graph.say)(most)));
    let now = points.last().and_then(|(_, value)| *value).map(graph.say);
    let now =
        now.unwrap_or_else(|| if at_most.is_some() { "none just now" } else { "nothing yet" }.to_owned());
    let label = std::iter::once(now.clone()).chain(at_most.clone()).collect::<Vec<_>>().join(", ");
    let label = format!("{}: {label}", graph.name);
    view! {
        <figure class="graph">
            <figcaption>
                <span>{graph.name}</span>
                <strong>{now}</strong>
                <span>{at_most}</span>
            </figcaption>
            <svg
                viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                preserveAspectRatio="none"
                role="img"
                aria-label=label
            >
                <path class="graph-base" d=format!("M0 {} H{WIDTH}", HEIGHT - MARGIN) />
                <path class="graph-line" d=line(&points, most) />
            </svg>
            <p class="graph-scale">
                <span>"60 min ago"</span>
                <span>"now"</span>
            </p>
        </figure>
    }
    .into_any()
}

/// The line through the points, which are minutes ago and values; broken where there is none. One that stands alone is a
/// dot: a line of no length with round ends.
fn line(points: &[(f64, Option<f64>)], most: f64) -> String {
    let mut path = String::new();
    let mut is_open = false;
    for (minutes_ago, value) in points {
        let Some(value) = value else {
            is_open = false;
            continue;
        };
        let x = WIDTH * (1.0 - minutes_ago / MINUTES).clamp(0.0, 1.0);
        let share = if most > 0.0 { value / most } else { 0.0 };
        let y = HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN);
        // Writing to a `String` cannot fail.
        let _ = if is_open { write!(path, "L{x:.1} {y:.1}") } else { write!(path, "M{x:.1} {y:.1}h0") };
        is_open = true;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_an_hour_ago_to_now_and_from_nothing_to_the_most() {
        let points = [(60.0, Some(0.0)), (30.0, Some(5.0)), (0.0, Some(10.0))];
        assert_eq!(line(&points, 10.0), "M0.0 76.0h0L150.0 40.0L300.0 4.0");
    }

    #[test]
    fn a_line_breaks_where_nothing_is_known() {
        let points = [(60.0, Some(1.0)), (40.0, None), (20.0, Some(1.0)), (0.0, None)];
        assert_eq!(line(&points, 1.0), "M0.0 4.0h0M200.0 4.0h0");
    }

    #[test]
    fn nothing_at_all_lies_on_the_ground() {
        assert_eq!(line(&[(0.0, Some(0.0))], 0.0), "M300.0 76.0h0");
        assert_eq!(line(&[], 0.0), "");
    }
}
