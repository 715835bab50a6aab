//! `darkroom models inspect`.

use std::io::Write;
use std::path::PathBuf;

use backend::models::inspect::{self, PartReport, Report};
use clap::Args;
use types::error::PublicError;

use super::table;

/// Say what is in a model without installing it: family, parts, sizes, and whether it can be used.
#[derive(Args)]
pub struct Inspect {
    /// A folder in diffusers' layout, or a .safetensors checkpoint
    path: PathBuf,
}

impl Inspect {
    /// Prints the report.
    pub fn run(self) -> anyhow::Result<()> {
        let files =
            inspect::open(&self.path).map_err(|message| PublicError::invalid_field("path", message))?;
        let report = inspect::inspect(&files);
        write!(std::io::stdout(), "{}", describe(&report))?;
        Ok(())
    }
}

fn describe(report: &Report) -> String {
    let form = if report.is_checkpoint { "one file" } else { "a folder in diffusers' layout" };
    let inpaints = if report.inpaints { ", for inpainting" } else { "" };
    let mut rows = vec![["PART", "STORED AS", "WEIGHTS", "SIZE"].map(str::to_owned)];
    rows.extend(report.parts.iter().map(row));
    let all = PartReport {
        name: "all",
        kind: String::new(),
        n_parameters: report.parts.iter().map(|part| part.n_parameters).sum(),
        n_bytes: report.parts.iter().map(|part| part.n_bytes).sum(),
    };
    rows.push(row(&all));
    let state = match &report.problem {
        None => "It can be used.".to_owned(),
        Some(problem) => format!("It cannot be used: {problem}."),
    };
    format!("{}{inpaints}, {form}\n\n{}\n{state}\n", report.family.title(), table(&rows))
}

fn row(part: &PartReport) -> [String; 4] {
    [
        part.name.to_owned(),
        part.kind.clone(),
        format!("{:.1} M", part.n_parameters as f64 / 1e6),
        format!("{:.1} MB", part.n_bytes as f64 / 1e6),
    ]
}
