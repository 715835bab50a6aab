//! Weights in the order in which they are read.

use rayon::prelude::*;

/// Outputs that are computed together.
pub const PANEL: usize = 32;

/// Sixteen numbers on one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A matrix `(inputs, outputs)` in panels of [`PANEL`] outputs: within a panel the inputs follow one
/// another, each with its outputs side by side. The last panel is filled up with zeros.
#[derive(Debug, Clone)]
pub struct Packed {
    inputs: usize,
    outputs: usize,
    lines: Vec<Line>,
}

impl Packed {
    /// Packs `value(input, output)`.
    pub fn new(inputs: usize, outputs: usize, value: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        let n_panels = outputs.div_ceil(PANEL);
        let lines_per_panel = inputs * PANEL / 16;
        let mut lines = vec![Line([0.0; 16]); n_panels * lines_per_panel];
        lines.par_chunks_mut(lines_per_panel.max(1)).enumerate().for_each(|(panel, lines)| {
            for (i, line) in lines.iter_mut().enumerate() {
                let (input, first) = (i / 2, panel * PANEL + i % 2 * 16);
                for (lane, number) in line.0.iter_mut().enumerate() {
                    if first + lane < outputs {
                        *number = value(input, first + lane);
                    }
                }
            }
        });
        Self { inputs, outputs, lines }
    }

    /// Rows of the matrix.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Columns of the matrix.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Panels.
    pub fn n_panels(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    /// One panel, `inputs * PANEL` numbers.
    pub fn panel(&self, panel: usize) -> &[f32] {
        let n = self.inputs * PANEL / 16;
        let lines = &self.lines[panel * n..(panel + 1) * n];
        // SAFETY: a line is sixteen numbers without gaps, so `n` lines are `16 n` numbers.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * 16) }
    }
}
