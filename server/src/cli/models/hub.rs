//! The few requests to a Hugging Face hub that fetching a model takes.
//!
//! Not hf-hub: its 1.0 brings some 280 crates, a runtime of its own among them, for three kinds of request.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use ureq::config::RedirectAuthHeaders;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// The header in which a hub says more exactly than by the status what is wrong.
const ERROR_CODE: &str = "x-error-code";

/// A hub, and who asks.
pub struct Hub {
    endpoint: String,
    token: Option<String>,
    agent: Agent,
}

/// A file of a repository.
#[derive(Debug, Clone, Deserialize)]
pub struct Sibling {
    /// Path inside the repository.
    #[serde(rename = "rfilename")]
    pub path: String,
    /// In bytes.
    #[serde(default)]
    pub size: u64,
    lfs: Option<Lfs>,
}

/// What the hub knows of a large file.
#[derive(Debug, Clone, Deserialize)]
struct Lfs {
    sha256: String,
}

#[derive(Deserialize)]
struct Repository {
    /// The commit that the revision stands for, so that all files come from one.
    sha: String,
    siblings: Vec<Sibling>,
}

impl Hub {
    /// The hub of `HF_ENDPOINT`, else huggingface.co, with the token of `HF_TOKEN` if there is one.
    pub fn from_environment() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        let agent = Agent::config_builder()
            // Statuses mean something here, and are no faults of the connection.
            .http_status_as_error(false)
            // A file may lie on another host, which has no business with the token.
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_mins(1)))
            .build()
            .new_agent();
        Self { endpoint: endpoint.trim_end_matches('/').to_owned(), token: set("HF_TOKEN"), agent }
    }

    /// The commit of a revision, and the files in it.
    ///
    /// # Errors
    /// There is no network, no such repository, or no permission.
    pub fn files(&self, repository: &str, revision: &str) -> anyhow::Result<(String, Vec<Sibling>)> {
        let segment = address_segment(revision);
        let url = format!("{}/api/models/{repository}/revision/{segment}?blobs=true", self.endpoint);
        let mut response = self.get(&url, 0)?;
        if response.headers().get(ERROR_CODE).is_some_and(|code| code == "RevisionNotFound") {
            bail!("repository `{repository}` at `{}` has no revision `{revision}`", self.endpoint);
        }
        self.refuse(repository, &response)?;
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string();
        let text = text.with_context(|| format!("the answer of `{}` breaks off", self.endpoint))?;
        let found: Repository = serde_json::from_str(&text)
            .with_context(|| format!("`{}` does not answer as a hub does", self.endpoint))?;
        Ok((found.sha, found.siblings))
    }

    /// Fetches one file, going on where an earlier try broke off, and checks its size and its sum where the hub
    /// tells them.
    ///
    /// # Errors
    /// As [`Hub::files`]; the disk is full; what came is not what the hub has, and then it is deleted.
    pub fn fetch(
        &self,
        repository: &str,
        commit: &str,
        file: &Sibling,
        to: &Path,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        let path = &file.path;
        let mut out = OpenOptions::new().create(true).append(true).read(true).open(to)?;
        let mut done = out.metadata()?.len();
        if done > file.size {
            out.set_len(0)?;
            done = 0;
        }
        bar.inc(done);
        if done < file.size || file.size == 0 {
            let segments: Vec<String> = path.split('/').map(address_segment).collect();
            let url = format!("{}/{repository}/resolve/{commit}/{}", self.endpoint, segments.join("/"));
            let mut response = self.get(&url, done)?;
            self.refuse(repository, &response)?;
            if done > 0 && response.status() != StatusCode::PARTIAL_CONTENT {
                // The host does not know parts, and sends all of it.
                out.set_len(0)?;
                bar.dec(done);
            }
            receive(&mut response.body_mut().as_reader(), &mut out, bar)
                .with_context(|| format!("`{path}` breaks off; the same command goes on from there"))?;
        }
        out.sync_all()?;
        if let Err(error) = check(&mut out, file) {
            drop(out);
            std::fs::remove_file(to)?;
            return Err(error);
        }
        Ok(())
    }

    fn get(&self, url: &str, from: u64) -> anyhow::Result<Response<Body>> {
        let mut request = self.agent.get(url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        request.call().with_context(|| format!("`{}` cannot be reached; is there a network?", self.endpoint))
    }

    fn refuse(&self, repository: &str, response: &Response<Body>) -> anyhow::Result<()> {
        let endpoint = &self.endpoint;
        let with_token = self.token.is_some();
        match response.status() {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND => bail!("`{endpoint}` has no repository `{repository}`"),
            StatusCode::UNAUTHORIZED if !with_token => bail!(
                "`{endpoint}` has no repository `{repository}` for everybody; if it is private or asks for consent, set \
                 HF_TOKEN to a token that may read it"
            ),
            StatusCode::UNAUTHORIZED => {
                bail!("`{endpoint}` does not know the token in HF_TOKEN, or not `{repository}`")
            }
            StatusCode::FORBIDDEN => bail!(
                "`{repository}` is not for everybody: agree to its terms at `{endpoint}/{repository}`, and set HF_TOKEN \
                 to a token of that account"
            ),
            status => bail!(
                "`{endpoint}` answers with status {} to a question about `{repository}`",
                status.as_u16()
            ),
        }
    }
}

/// Bytes as the hub writes sums.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A text as one segment of an address's path. A hub takes the slashes of `refs/pr/1` as `%2F`.
fn address_segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

fn receive(from: &mut impl Read, to: &mut File, bar: &ProgressBar) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let n = from.read(&mut piece)?;
        if n == 0 {
            return Ok(());
        }
        to.write_all(&piece[..n])?;
        bar.inc(n as u64);
    }
}

fn check(file: &mut File, expected: &Sibling) -> anyhow::Result<()> {
    let path = &expected.path;
    let size = file.metadata()?.len();
    if expected.size > 0 && size != expected.size {
        bail!("`{path}` has {size} bytes and should have {}; try again", expected.size);
    }
    let Some(Lfs { sha256 }) = &expected.lfs else { return Ok(()) };
    file.seek(SeekFrom::Start(0))?;
    let (mut sum, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        let n = file.read(&mut piece)?;
        if n == 0 {
            break;
        }
        sum.update(&piece[..n]);
    }
    let found = hexadecimal(&sum.finalize());
    if !found.eq_ignore_ascii_case(sha256) {
        bail!("`{path}` has the SHA-256 {found} and should have {sha256}; try again");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_of_an_address_has_nothing_in_it_that_means_something_there() {
        assert_eq!(address_segment("refs/pr/1"), "refs%2Fpr%2F1");
        assert_eq!(address_segment("v1.5_half~2-x"), "v1.5_half~2-x");
        assert_eq!(address_segment("a b?c#d%e"), "a%20b%3Fc%23d%25e");
        assert_eq!(address_segment("größer"), "gr%C3%B6%C3%9Fer");
    }
}
