//! The command line.
//!
//! One subcommand per file. A command that fails says why in one sentence on stderr and ends with status 1, or
//! with 2 if it was asked for something that is not allowed.

mod backup;
mod bench;
mod check;
mod generate;
mod keys;
mod licences;
mod models;
mod output;
mod prompt;
mod restore;
mod serve;
mod settings;
mod table;

use std::process::ExitCode;

use backend::EngineError;
use clap::{Parser, Subcommand};
use types::error::{ErrorCode, PublicError};

use crate::error::chain;
use crate::telemetry;
use settings::{Common, Settings};

/// Type a prompt and watch the picture develop: text to image on your own machine.
///
/// Flags take precedence over environment variables, these over the file darkroom.toml.
#[derive(Parser)]
#[command(name = "darkroom", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  darkroom serve
  darkroom serve --addr 0.0.0.0:8080 --data /srv/darkroom
  darkroom generate \"a red sailing boat on a calm sea at sunset\" -o boat.png
  darkroom prompt \"a lighthouse\" --count 5

The file darkroom.toml may hold any of these lines:
  addr = \"127.0.0.1:3000\"
  data = \"/srv/darkroom\"
  models = \"/srv/models\"
  default_model = \"demo\"
  log = \"info\"
  log_format = \"json\"

where the operator listens:
  [operator]
  addr = \"127.0.0.1:3001\"

and for each of preview, standard and premium what is meant by it, as far as it is not the usual:
  [presets.premium]
  model = \"sdxl\"
  width = 1024
  height = 1024
  steps = 40

and when pictures are deleted by themselves, which they are not as a rule:
  [retention]
  max_age_days = 30
  max_pictures = 100000
  max_pictures_per_visitor = 500
  max_gigabytes = 50
  keep_favourites = true

and what becomes of pictures that a safety checker would not show, which model stands in for one that fails, and what
pictures are signed with:
  [safety]
  mode = \"blur\"
  fallback_model = \"demo\"
  c2pa_certificate = \"chain.pem\"
  c2pa_key = \"key.pem\"";

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Generate(Box<generate::Generate>),
    Prompt(prompt::Prompt),
    #[command(subcommand)]
    Models(models::Models),
    #[command(subcommand)]
    Keys(keys::Keys),
    Check(check::Check),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Bench(bench::Bench),
    #[command(visible_alias = "licenses")]
    Licences(licences::Licences),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has enough of it, as in `darkroom prompt --count 100 | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(error.as_ref()));
            ExitCode::from(if is_users_mistake(&error) { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let usual_log = if matches!(cli.command, Command::Serve(_)) { backend::USUAL_LOG } else { "error" };
    let settings = Settings::read(cli.common, usual_log)?;
    let _telemetry = telemetry::start(&settings.log, settings.log_format)?;
    match cli.command {
        Command::Serve(serve) => serve.run(settings),
        Command::Generate(generate) => generate.run(settings),
        Command::Prompt(prompt) => prompt.run(settings),
        Command::Models(models) => models.run(settings),
        Command::Keys(keys) => keys.run(settings),
        Command::Check(check) => check.run(&settings.data),
        Command::Backup(backup) => backup.run(&settings.data),
        Command::Restore(restore) => restore.run(&settings.data),
        Command::Bench(bench) => bench.run(),
        Command::Licences(_) => licences::Licences::run(),
    }
}

fn is_users_mistake(error: &anyhow::Error) -> bool {
    let refused = |error: &EngineError| match error {
        EngineError::Refused(error) | EngineError::OutOfMemory(error) | EngineError::NotFinite(error) => {
            Some(error.clone())
        }
        _ => None,
    };
    let public = error.downcast_ref::<PublicError>().cloned();
    let public = public.or_else(|| error.downcast_ref::<EngineError>().and_then(refused));
    let public = public.or_else(|| match error.downcast_ref::<backend::Error>() {
        Some(backend::Error::Refused(error)) => Some(error.clone()),
        _ => None,
    });
    public.is_some_and(|error| matches!(error.code, ErrorCode::InvalidField | ErrorCode::InvalidRequest))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }
}
