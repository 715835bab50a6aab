//! `darkroom keys`.

use std::io::Write;

use backend::access::{Allowance, KeyInfo, Keyring, Ration, Scope};
use clap::{Args, Subcommand};
use time::format_description::well_known::Rfc3339;

use super::settings::Settings;
use super::table::table;

/// Make, list and revoke keys for programs. A running site knows every change at once.
#[derive(Subcommand)]
pub enum Keys {
    Create(Create),
    /// List all keys, oldest first
    List,
    Revoke(Revoke),
}

/// Make a key and print it. It is shown this once: only a hash of it is kept.
#[derive(Args)]
pub struct Create {
    /// What it is for, such as `Anna's notebook`
    name: String,
    /// What it allows, several with commas between them: read, generate (and read), operator (the operator's page)
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', default_value = "generate")]
    scope: Vec<Scope>,
    /// Most requests in a minute [default: as for visitors]
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    /// Most jobs that wait or run at a time [default: as for visitors]
    #[arg(long, value_name = "N")]
    queued_jobs: Option<u32>,
    /// Most millions of pixels in 24 hours [default: as for visitors]
    #[arg(long, value_name = "N")]
    megapixels_per_day: Option<u32>,
}

/// Revoke a key: from now on it is not valid any more.
#[derive(Args)]
pub struct Revoke {
    /// The key's first characters, as `darkroom keys list` shows them
    prefix: String,
}

impl Keys {
    /// Runs the subcommand.
    pub fn run(self, settings: Settings) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let config = settings.into_config();
            match self {
                Self::Create(create) => create.run(&Keyring::open(&config).await?).await,
                // A folder that is misspelt is not made, and a database that another version works on stays as it is.
                Self::List => list(&Keyring::look(&config).await?.list().await?),
                Self::Revoke(Revoke { prefix }) => {
                    let key = Keyring::look(&config).await?.revoke(&prefix).await?;
                    writeln!(std::io::stdout(), "revoked {} ({})", key.prefix, key.name)?;
                    Ok(())
                }
            }
        })
    }
}

impl Create {
    async fn run(self, keyring: &Keyring) -> anyhow::Result<()> {
        let Self { name, mut scope, requests_per_minute, queued_jobs, megapixels_per_day } = self;
        let ration = Ration { requests_per_minute, queued_jobs, megapixels_per_day, ..Ration::default() };
        scope.dedup();
        let key = keyring.create(&name, Allowance { scopes: scope, ration }).await?;
        writeln!(std::io::stderr(), "this key is shown once; keep it where nobody else sees it")?;
        writeln!(std::io::stdout(), "{}", key.text)?;
        Ok(())
    }
}

fn list(keys: &[KeyInfo]) -> anyhow::Result<()> {
    let mut rows = vec![["KEY", "NAME", "SCOPES", "LIMITS", "MADE", "STATE"].map(str::to_owned)];
    rows.extend(keys.iter().map(row));
    write!(std::io::stdout(), "{}", table(&rows))?;
    Ok(())
}

fn row(key: &KeyInfo) -> [String; 6] {
    let when = |time: time::OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    let scopes: Vec<_> = key.allowance.scopes.iter().map(Scope::to_string).collect();
    let Ration { requests_per_minute, queued_jobs, megapixels_per_day, .. } = key.allowance.ration;
    let limits =
        [(requests_per_minute, "requests/min"), (queued_jobs, "jobs"), (megapixels_per_day, "MP/day")];
    let limits: Vec<_> = limits.into_iter().filter_map(|(n, unit)| Some(format!("{} {unit}", n?))).collect();
    let state = key.revoked_at.map_or_else(|| "valid".to_owned(), |at| format!("revoked {}", when(at)));
    let limits = if limits.is_empty() { "as visitors".to_owned() } else { limits.join(", ") };
    [key.prefix.clone(), key.name.clone(), scopes.join(","), limits, when(key.created_at), state]
}
