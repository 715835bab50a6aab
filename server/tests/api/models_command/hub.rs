//! A hub that the tests' own process answers for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::{Ended, run};
use crate::helpers::models_folder;

/// Path inside the repository to what is in the file.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a revision stands for.
pub struct Commit {
    pub id: &'static str,
    pub files: Files,
}

/// What goes wrong with one file.
#[derive(Clone, Copy)]
pub enum Fault {
    /// It comes with other bytes than were promised.
    OtherBytes(&'static str),
    /// After so many bytes the connection is gone.
    BreaksOff(&'static str, usize),
}

/// What the hub holds just now.
struct Held {
    /// By revision.
    revisions: BTreeMap<&'static str, Commit>,
    fault: Option<Fault>,
    /// Request line, range and token of every request.
    asked: Vec<String>,
}

/// A hub with one repository, `somebody/small`, which answers as the few requests need it. `somebody/private` and
/// `somebody/gated` hold the same, but not for everybody.
pub struct FakeHub {
    address: SocketAddr,
    held: Arc<Mutex<Held>>,
}

impl FakeHub {
    /// With one commit, `c0ffee`, on the branch `main`.
    pub fn start(files: Files) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let revisions = BTreeMap::from([("main", Commit { id: "c0ffee", files })]);
        let held = Arc::new(Mutex::new(Held { revisions, fault: None, asked: Vec::new() }));
        let answering = Arc::clone(&held);
        // It waits for requests until the test's process ends.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(stream, &mut answering.lock().unwrap());
            }
        });
        Self { address, held }
    }

    /// Moves a branch, or makes one.
    pub fn push(&self, revision: &'static str, commit: Commit) {
        self.held.lock().unwrap().revisions.insert(revision, commit);
    }

    /// From now on.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.held.lock().unwrap().fault = fault;
    }

    pub fn pull(&self, folder: &Path, arguments: &[&str], token: Option<&str>) -> Ended {
        let endpoint = format!("http://{}", self.address);
        let mut environment = vec![("HF_ENDPOINT", endpoint.as_str())];
        environment.extend(token.map(|token| ("HF_TOKEN", token)));
        let mut ended = run(folder, &[&["pull"], arguments].concat(), &environment);
        ended.stderr = ended.stderr.replace(&endpoint, "HUB");
        ended
    }

    /// Everything that was asked for since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.held.lock().unwrap().asked)
    }
}

fn answer(stream: TcpStream, held: &mut Held) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let Some(first) = lines.first().cloned() else { return };
    let header = |name: &str| {
        lines.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (range, token) = (header("range"), header("authorization"));
    let said = [range.as_deref().unwrap_or("-"), token.as_deref().unwrap_or("-")].join(" ");
    held.asked.push(format!("{path} {said}"));
    let from = range.and_then(|range| range[6..].trim_end_matches('-').parse::<usize>().ok());
    let answer = match path.strip_prefix("/api/models/") {
        Some(about) => describe(about, token.as_deref(), held),
        None => send(&path, from, held),
    };
    let Answer { status, code, body, n_sent } = answer;
    let length = body.len();
    let beginning =
        format!("HTTP/1.1 {status} X\r\n{code}content-length: {length}\r\nconnection: close\r\n\r\n");
    let mut stream = reader.into_inner();
    // A client that has gone away is no fault of the hub.
    let _ = stream.write_all(beginning.as_bytes()).and_then(|()| stream.write_all(&body[..n_sent]));
}

struct Answer {
    status: u16,
    /// A header that says more about the status.
    code: &'static str,
    body: Vec<u8>,
    /// Bytes of the body before the connection is gone.
    n_sent: usize,
}

impl Answer {
    fn whole(status: u16, body: Vec<u8>) -> Self {
        Self { status, code: "", n_sent: body.len(), body }
    }
}

/// The commit of a revision, as `REPOSITORY/revision/REVISION?blobs=true` asks for it.
fn describe(about: &str, token: Option<&str>, held: &Held) -> Answer {
    let refuse = |status| Answer::whole(status, Vec::new());
    let about = about.trim_end_matches("?blobs=true");
    let Some((repository, revision)) = about.split_once("/revision/") else { return refuse(404) };
    match repository {
        "somebody/private" if token != Some("Bearer secret") => return refuse(401),
        "somebody/gated" => return refuse(403),
        "somebody/small" | "somebody/private" => {}
        _ => return refuse(404),
    }
    // A slash that is not escaped divides one segment from the next, and no revision has two.
    let found = held.revisions.get(revision.replace("%2F", "/").as_str()).filter(|_| !revision.contains('/'));
    match found {
        Some(commit) => Answer::whole(200, listing(commit)),
        None => Answer { code: "x-error-code: RevisionNotFound\r\n", ..refuse(404) },
    }
}

/// A file, as `/REPOSITORY/resolve/COMMIT/FILE` asks for it.
fn send(path: &str, from: Option<usize>, held: &Held) -> Answer {
    let asked = path.split_once("/resolve/").and_then(|(_, asked)| asked.split_once('/'));
    let found = asked.and_then(|(id, file)| {
        let commit = held.revisions.values().find(|commit| commit.id == id)?;
        Some((file, commit.files.get(&file.replace("%20", " "))?))
    });
    let Some((file, bytes)) = found else { return Answer::whole(404, Vec::new()) };
    match held.fault {
        Some(Fault::OtherBytes(broken)) if broken == file => Answer::whole(200, vec![b'?'; bytes.len()]),
        Some(Fault::BreaksOff(broken, n_sent)) if broken == file => {
            Answer { n_sent, ..Answer::whole(200, bytes.clone()) }
        }
        _ => match from {
            Some(from) => Answer::whole(206, bytes[from..].to_vec()),
            None => Answer::whole(200, bytes.clone()),
        },
    }
}

fn listing(commit: &Commit) -> Vec<u8> {
    let siblings: Vec<_> = commit
        .files
        .iter()
        .map(|(path, bytes)| {
            let mut line = serde_json::json!({"rfilename": path, "size": bytes.len()});
            if path.ends_with(".safetensors") {
                let mut sum = String::new();
                for byte in Sha256::digest(bytes) {
                    write!(sum, "{byte:02x}").unwrap();
                }
                line["lfs"] = serde_json::json!({"sha256": sum, "size": bytes.len()});
            }
            line
        })
        .collect();
    serde_json::json!({"sha": commit.id, "siblings": siblings}).to_string().into_bytes()
}

/// The demo model as a repository, with much that nobody needs.
pub fn repository() -> Files {
    fn collect(folder: &Path, inside: &str, files: &mut Files) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{inside}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                collect(&entry.path(), &format!("{name}/"), files);
            } else {
                files.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut files = Files::new();
    collect(&models_folder().join("demo"), "", &mut files);
    for name in [
        "README.md",
        "unet/diffusion_pytorch_model.bin",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "safety_checker/model.safetensors",
        "whole.safetensors",
        "../outside.json",
    ] {
        files.insert(name.to_owned(), b"not needed".to_vec());
    }
    files
}
