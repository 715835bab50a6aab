//! softmax(q kᵀ) v without the full matrix of scores.
//!
//! Keys and values of a head are packed like weights; then some queries at a time get their row of scores,
//! their shares of the values, and the sum.

use rayon::prelude::*;

use super::curves::exp;
use super::lanes::{Lanes, for_each_level};
use super::packed::{Form, PANEL, Packed};
use super::product::multiply;
use super::shared::Shared;
use crate::nn::attention::Sight;

/// Queries that one task works off.
const TASK_QUERIES: usize = 24;

/// Tokens of a batch, `(batch, tokens, channels)`.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    /// The numbers.
    pub values: &'a [f32],
    /// Tokens of one text or picture.
    pub n_tokens: usize,
}

/// How tokens are cut into heads.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Texts or pictures.
    pub batch: usize,
    /// Heads.
    pub n_heads: usize,
    /// Channels of one head.
    pub channels: usize,
    /// What a query may look at.
    pub sight: Sight,
}

/// One head of one text or picture, ready to be multiplied with.
struct Head {
    /// `(channels, keys)`
    keys: Packed,
    /// `(keys, channels)`
    values: Packed,
}

/// Attention into `out`, shaped like `queries`.
pub fn attend(queries: Tokens<'_>, keys: Tokens<'_>, values: Tokens<'_>, heads: Heads, out: &mut [f32]) {
    let Heads { batch, n_heads, channels, .. } = heads;
    let width = n_heads * channels;
    assert_eq!(queries.values.len(), batch * queries.n_tokens * width);
    assert_eq!(keys.values.len(), batch * keys.n_tokens * width);
    assert_eq!(values.values.len(), keys.values.len());
    assert_eq!(out.len(), queries.values.len());
    let packed: Vec<Head> = (0..batch * n_heads)
        .into_par_iter()
        .map(|i| {
            let start = i / n_heads * keys.n_tokens * width + i % n_heads * channels;
            let key = |channel: usize, token: usize| keys.values[start + token * width + channel];
            let value = |token: usize, channel: usize| values.values[start + token * width + channel];
            Head {
                keys: Packed::in_form(Form::Numbers, 1, channels, keys.n_tokens, key),
                values: Packed::in_form(Form::Numbers, 1, keys.n_tokens, channels, value),
            }
        })
        .collect();
    let n_tasks = queries.n_tokens.div_ceil(TASK_QUERIES);
    let out = Shared::new(out);
    (0..batch * n_heads * n_tasks).into_par_iter().for_each(|i| {
        let (head, task) = (i / n_tasks, i % n_tasks);
        let first = task * TASK_QUERIES;
        let part = Part {
            queries: queries.values,
            pitch: width,
            start: (head / n_heads * queries.n_tokens + first) * width + head % n_heads * channels,
            first,
            n: TASK_QUERIES.min(queries.n_tokens - first),
            sight: heads.sight,
        };
        some_queries(&part, &packed[head], &out);
    });
}

/// Some queries of one head.
struct Part<'a> {
    queries: &'a [f32],
    /// Distance of two queries.
    pitch: usize,
    /// Where the first one's numbers begin, as do its results in the output.
    start: usize,
    /// Place of the first one in its text or picture.
    first: usize,
    n: usize,
    sight: Sight,
}

for_each_level! {
    fn some_queries(part: &Part<'_>, head: &Head, out: &Shared<'_>) = some_queries_with;
}

#[inline(always)]
unsafe fn some_queries_with<L: Lanes>(part: &Part<'_>, head: &Head, out: &Shared<'_>) {
    let n_keys = head.keys.outputs();
    let channels = head.keys.inputs();
    // A whole number of panels, so that a panel's scores can be stored at once.
    let pitch = head.keys.n_panels() * PANEL;
    let mut scores = vec![0.0f32; part.n * pitch];
    let queries = &part.queries[part.start..];
    for panel in 0..head.keys.n_panels() {
        let columns = &mut scores[panel * PANEL..];
        // SAFETY: as the caller says; a panel of keys has `channels` rows.
        unsafe {
            rows_times_panel::<L>(
                queries,
                part.pitch,
                part.n,
                head.keys.panel(panel),
                channels,
                columns,
                pitch,
            );
        }
    }
    let factor = 1.0 / (channels as f32).sqrt();
    let mut shares = [0.0f32; TASK_QUERIES];
    for (i, (scores, share)) in scores.chunks_exact_mut(pitch).zip(&mut shares).enumerate() {
        let visible = match part.sight {
            Sight::Everything => n_keys,
            Sight::Past => n_keys.min(part.first + i + 1),
        };
        *share = 1.0 / exponentials::<L>(&mut scores[..visible], factor);
        scores[visible..].fill(0.0);
    }
    let mut found = [0.0f32; TASK_QUERIES * PANEL];
    for panel in 0..head.values.n_panels() {
        let values = head.values.panel(panel);
        // SAFETY: as the caller says; a panel of values has `n_keys` rows.
        unsafe { rows_times_panel::<L>(&scores, pitch, part.n, values, n_keys, &mut found, PANEL) };
        let width = PANEL.min(channels - panel * PANEL);
        for i in 0..part.n {
            // SAFETY: no other task has these queries, heads and panels.
            let out = unsafe { out.part(part.start + i * part.pitch + panel * PANEL, width) };
            for (out, found) in out.iter_mut().zip(&found[i * PANEL..]) {
                *out = found * shares[i];
            }
        }
    }
}

/// Replaces scores by e^(factor · (score − largest)); returns their sum.
#[inline(always)]
fn exponentials<L: Lanes>(scores: &mut [f32], factor: f32) -> f32 {
    let mut largest = [f32::NEG_INFINITY; 16];
    let (sixteens, rest) = scores.as_chunks::<16>();
    for sixteen in sixteens {
        for (largest, score) in largest.iter_mut().zip(sixteen) {
            *largest = if *score > *largest { *score } else { *largest };
        }
    }
    let largest = largest.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0.0f32; 16];
    let (sixteens, rest) = scores.as_chunks_mut::<16>();
    for sixteen in sixteens {
        for (sum, score) in sums.iter_mut().zip(sixteen) {
            *score = exp::<L>((*score - largest) * factor);
            *sum += *score;
        }
    }
    for (sum, score) in sums.iter_mut().zip(rest) {
        *score = exp::<L>((*score - largest) * factor);
        *sum += *score;
    }
    sums.iter().sum()
}

/// `n_rows` rows of `left`, `stride` apart, times a panel with `n_inputs` rows, into rows of `out`, `pitch` apart.
///
/// # Safety
/// As [`Lanes`] says.
#[inline(always)]
unsafe fn rows_times_panel<L: Lanes>(
    left: &[f32],
    stride: usize,
    n_rows: usize,
    panel: &[f32],
    n_inputs: usize,
    out: &mut [f32],
    pitch: usize,
) {
    assert!(left.len() >= (n_rows - 1) * stride + n_inputs);
    assert!(out.len() >= (n_rows - 1) * pitch + PANEL);
    assert!(panel.len() >= n_inputs * PANEL);
    let mut row = 0;
    while row < n_rows {
        macro_rules! rows {
            ($rows:literal) => {{
                for first in (0..PANEL).step_by(2 * L::WIDTH) {
                    // SAFETY: as the assertions above say, and the caller.
                    unsafe {
                        let mut sums = [[L::splat(0.0); 2]; $rows];
                        let (left, panel) = (left.as_ptr().add(row * stride), panel.as_ptr().add(first));
                        multiply::<L, $rows, 2>(left, stride, n_inputs, panel, PANEL, &mut sums);
                        for (i, sums) in sums.iter().enumerate() {
                            let out = out.as_mut_ptr().add((row + i) * pitch + first);
                            sums[0].store(out);
                            sums[1].store(out.add(L::WIDTH));
                        }
                    }
                }
                $rows
            }};
        }
        row += match (n_rows - row).min(L::ROWS) {
            12.. => rows!(12),
            6..=11 => rows!(6),
            4..=5 => rows!(4),
            2..=3 => rows!(2),
            _ => rows!(1),
        };
    }
}
