//! Weights in the order in which they are read.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::tiles::{self, LINES_PER_STEP, Line, STEP, split};

/// Outputs that are computed together.
pub const PANEL: usize = 32;

/// Tiles pay if filling up does not make the work larger than this.
const MAX_FILLING: f64 = 2.5;

/// A matrix `(inputs, outputs)` in panels of [`PANEL`] outputs; the last one is filled up with zeros. The
/// inputs are taps of so many channels each.
#[derive(Debug, Clone)]
pub struct Packed {
    n_taps: usize,
    channels: usize,
    outputs: usize,
    form: Form,
    lines: Vec<Line>,
}

/// What the lines hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Numbers: within a panel the inputs follow one another, each with its outputs side by side.
    Numbers,
    /// Numbers split for [`tiles`]: within a panel each tap has its channels in steps of [`STEP`], filled
    /// up, and a step has two tiles of high parts and two of low ones. A line has two channels of sixteen
    /// outputs.
    Split,
}

impl Packed {
    /// Packs `value(input, output)` in the form that is fastest here.
    pub fn new(
        n_taps: usize,
        channels: usize,
        outputs: usize,
        value: impl Fn(usize, usize) -> f32 + Sync,
    ) -> Self {
        let filled = channels.next_multiple_of(STEP) * outputs.next_multiple_of(PANEL);
        let filling = filled as f64 / (channels * outputs) as f64;
        let form = if tiles::available() && filling <= MAX_FILLING { Form::Split } else { Form::Numbers };
        Self::in_form(form, n_taps, channels, outputs, value)
    }

    /// Packs `value(input, output)` in a given form.
    pub fn in_form(
        form: Form,
        n_taps: usize,
        channels: usize,
        outputs: usize,
        value: impl Fn(usize, usize) -> f32 + Sync,
    ) -> Self {
        let mut packed = Self { n_taps, channels, outputs, form, lines: Vec::new() };
        let n_lines = packed.lines_per_panel();
        let n_all = packed.n_panels() * n_lines;
        // Zeros first would touch every page of the memory once more, and by one thread alone.
        let mut all = Vec::with_capacity(n_all);
        let filled = |input: usize, output: usize| if output < outputs { value(input, output) } else { 0.0 };
        let fresh = &mut all.spare_capacity_mut()[..n_all];
        fresh.par_chunks_mut(n_lines.max(1)).enumerate().for_each(|(panel, lines)| {
            let first = panel * PANEL;
            match form {
                Form::Numbers => numbers(lines, first, &filled),
                Form::Split => halves(lines, first, n_taps, channels, &filled),
            }
        });
        // SAFETY: the chunks cover all lines, and either function writes every line of its chunk.
        unsafe { all.set_len(n_all) };
        packed.lines = all;
        packed
    }

    /// Rows of the matrix.
    pub fn inputs(&self) -> usize {
        self.n_taps * self.channels
    }

    /// Columns of the matrix.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// How the weights are packed.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Panels.
    pub fn n_panels(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    /// One panel of [`Form::Numbers`], `inputs * PANEL` numbers.
    pub fn panel(&self, panel: usize) -> &[f32] {
        assert_eq!(self.form, Form::Numbers);
        let lines = self.lines(panel);
        // SAFETY: a line is sixteen words without gaps, and any bits make a number.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * 16) }
    }

    /// The lines of one panel.
    pub fn lines(&self, panel: usize) -> &[Line] {
        let n = self.lines_per_panel();
        &self.lines[panel * n..(panel + 1) * n]
    }

    fn lines_per_panel(&self) -> usize {
        match self.form {
            Form::Numbers => self.inputs() * PANEL / 16,
            Form::Split => self.n_taps * self.channels.div_ceil(STEP) * LINES_PER_STEP,
        }
    }
}

/// Writes every line.
fn numbers(lines: &mut [MaybeUninit<Line>], first: usize, value: &impl Fn(usize, usize) -> f32) {
    for (i, line) in lines.iter_mut().enumerate() {
        let (input, first) = (i / 2, first + i % 2 * 16);
        line.write(Line(std::array::from_fn(|lane| value(input, first + lane).to_bits())));
    }
}

/// Writes every line: a whole number of steps.
fn halves(
    lines: &mut [MaybeUninit<Line>],
    first: usize,
    n_taps: usize,
    channels: usize,
    value: &impl Fn(usize, usize) -> f32,
) {
    let steps = channels.div_ceil(STEP);
    for tap in 0..n_taps {
        for step in 0..steps {
            let mut written = [Line([0; 16]); LINES_PER_STEP];
            let part = |channel: usize, output: usize| {
                if channel < channels { split(value(tap * channels + channel, output)) } else { (0, 0) }
            };
            for row in 0..16 {
                for lane in 0..PANEL {
                    let (even_high, even_low) = part(step * STEP + 2 * row, first + lane);
                    let (odd_high, odd_low) = part(step * STEP + 2 * row + 1, first + lane);
                    let tile = lane / 16 * 16;
                    let both = |even: u16, odd: u16| u32::from(odd) << 16 | u32::from(even);
                    written[tile + row].0[lane % 16] = both(even_high, odd_high);
                    written[32 + tile + row].0[lane % 16] = both(even_low, odd_low);
                }
            }
            let lines = &mut lines[(tap * steps + step) * LINES_PER_STEP..][..LINES_PER_STEP];
            for (line, written) in lines.iter_mut().zip(written) {
                line.write(written);
            }
        }
    }
}
