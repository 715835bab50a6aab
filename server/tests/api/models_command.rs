//! `darkroom models inspect`, `import` and `pull`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use crate::helpers::models_folder;
use crate::process::darkroom;

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = darkroom(folder);
    for name in
        ["HF_TOKEN", "HF_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"]
    {
        command.env_remove(name);
    }
    let output = command.arg("models").args(arguments).envs(environment.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).unwrap().replace(folder.to_str().unwrap(), "FOLDER").trim_end().to_owned()
    };
    Ended { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn demo() -> String {
    models_folder().join("demo").to_str().unwrap().to_owned()
}

/// A safetensors file of zeros.
fn write_safetensors(path: &Path, tensors: &[(&str, &[usize])]) {
    let (mut header, mut end) = (String::new(), 0);
    for (name, shape) in tensors {
        let length = 4 * shape.iter().product::<usize>();
        let comma = if header.is_empty() { "" } else { "," };
        write!(
            header,
            r#"{comma}"{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{end},{}]}}"#,
            end + length
        )
        .unwrap();
        end += length;
    }
    let header = format!("{{{header}}}");
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(path, [&length[..], header.as_bytes(), &vec![0; end]].concat()).unwrap();
}

#[test]
fn a_model_is_inspected_part_by_part() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["inspect", &demo()], &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "a family of its own, a folder in diffusers' layout");
    for part in ["text_encoder", "unet", "vae"] {
        let line = lines.iter().find(|line| line.starts_with(part)).unwrap();
        assert!(line.contains("f16") && line.ends_with("MB"), "{line}");
    }
    assert_eq!(*lines.last().unwrap(), "It can be used.");
}

#[test]
fn what_is_no_model_is_refused_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str| {
        let ended = run(folder.path(), &["inspect", name], &[]);
        format!("{} {}", ended.code, ended.stderr)
    };
    std::fs::write(folder.path().join("old.ckpt"), "PK").unwrap();
    write_safetensors(&folder.path().join("flux.safetensors"), &[("double_blocks.0.weight", &[1])]);
    insta::assert_snapshot!(refused("old.ckpt"), @"2 error: file `old.ckpt` is a pickle, and a pickle can run any program while it is read, so it is not opened; take the model's .safetensors file instead, or convert it in a place where it can do no harm");
    insta::assert_snapshot!(refused("flux.safetensors"), @"2 error: file `flux.safetensors` is no Stable Diffusion 1.x, 2.x or XL checkpoint: it is a FLUX model");
    insta::assert_snapshot!(refused("nothing"), @"2 error: `nothing` cannot be read: No such file or directory (os error 2)");
}

#[test]
fn an_imported_model_can_be_listed_and_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let import = |extra: &[&str]| run(folder.path(), &[&["import", &demo()], extra].concat(), &[]);
    let ended = import(&["--name", "mine"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(ended.stdout, "model mine is installed at FOLDER/data/models/mine");
    let linked = import(&["--name", "linked", "--link"]);
    assert_eq!(linked.code, 0, "{}", linked.stderr);
    let list = run(folder.path(), &["list"], &[]).stdout;
    for name in ["mine ", "linked "] {
        assert!(list.lines().any(|line| line.starts_with(name) && line.ends_with("ready")), "{list}");
    }
    let again = import(&["--name", "mine"]);
    assert_eq!(
        (again.code, again.stderr.as_str()),
        (2, "error: there is `mine` in `FOLDER/data/models` already; choose another name with --name")
    );
    for name in ["../mine", ".hidden", "loras"] {
        let ended = import(&["--name", name]);
        assert_eq!(ended.code, 2, "{}", ended.stderr);
    }
    let mut names: Vec<_> = std::fs::read_dir(folder.path().join("data/models"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["linked", "mine"], "nothing unfinished is left");
}

#[test]
fn a_lora_is_imported_to_its_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    let layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
    let (down, up) = (format!("{layer}.lora_down.weight"), format!("{layer}.lora_up.weight"));
    write_safetensors(&folder.path().join("ink.safetensors"), &[(&down, &[4, 768]), (&up, &[320, 4])]);
    let ended = run(folder.path(), &["import", "ink.safetensors"], &[]);
    assert_eq!(
        ended.stdout, "LoRA ink is installed at FOLDER/data/models/loras/ink.safetensors",
        "{}",
        ended.stderr
    );
    let list = run(folder.path(), &["list"], &[]).stdout;
    let line = list.lines().find(|line| line.starts_with("ink ")).unwrap();
    assert!(
        line.contains("LoRA") && line.contains("Stable Diffusion 1.x") && line.ends_with("ready"),
        "{line}"
    );
}

/// A hub with one repository, `somebody/small`, which answers as the few requests need it.
struct FakeHub {
    address: SocketAddr,
    /// Request line, range and token of every request.
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeHub {
    /// `broken`: a file that comes with other bytes than were promised.
    fn start(files: BTreeMap<String, Vec<u8>>, broken: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&asked);
        // It waits for requests until the test's process ends.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(stream, &files, broken, &log);
            }
        });
        Self { address, asked }
    }

    fn pull(&self, folder: &Path, arguments: &[&str], token: Option<&str>) -> Ended {
        let endpoint = format!("http://{}", self.address);
        let mut environment = vec![("HF_ENDPOINT", endpoint.as_str())];
        environment.extend(token.map(|token| ("HF_TOKEN", token)));
        let mut ended = run(folder, &[&["pull"], arguments].concat(), &environment);
        ended.stderr = ended.stderr.replace(&endpoint, "HUB");
        ended
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(
    stream: TcpStream,
    files: &BTreeMap<String, Vec<u8>>,
    broken: Option<&str>,
    log: &Mutex<Vec<String>>,
) {
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
    log.lock().unwrap().push(format!(
        "{path} {} {}",
        range.as_deref().unwrap_or("-"),
        token.as_deref().unwrap_or("-")
    ));
    let (status, body) = if let Some(repository) = path.strip_prefix("/api/models/") {
        match repository.split_once("/revision/main").map(|(name, _)| name) {
            Some("somebody/small") => (200, listing(files)),
            Some("somebody/private") if token.as_deref() == Some("Bearer secret") => (200, listing(files)),
            Some("somebody/private") => (401, Vec::new()),
            Some("somebody/gated") => (403, Vec::new()),
            _ => (404, Vec::new()),
        }
    } else {
        let file = path.split_once("/resolve/c0ffee/").map_or("", |(_, file)| file);
        match (
            files.get(file),
            range.and_then(|range| range[6..].trim_end_matches('-').parse::<usize>().ok()),
        ) {
            (Some(bytes), _) if broken == Some(file) => (200, vec![b'?'; bytes.len()]),
            (Some(bytes), Some(from)) => (206, bytes[from..].to_vec()),
            (Some(bytes), None) => (200, bytes.clone()),
            (None, _) => (404, Vec::new()),
        }
    };
    let mut stream = reader.into_inner();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // A client that has gone away is no fault of the hub.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

fn listing(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let siblings: Vec<_> = files
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
    serde_json::json!({"sha": "c0ffee", "siblings": siblings}).to_string().into_bytes()
}

/// The demo model as a repository, with much that nobody needs.
fn repository() -> BTreeMap<String, Vec<u8>> {
    fn collect(folder: &Path, inside: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{inside}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                collect(&entry.path(), &format!("{name}/"), files);
            } else {
                files.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
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

#[test]
fn a_pulled_model_has_what_it_needs_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let hub = FakeHub::start(repository(), None);
    let ended = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(ended.stdout, "model small is installed at FOLDER/data/models/small");
    let model = folder.path().join("data/models/small");
    let weights = "unet/diffusion_pytorch_model.safetensors";
    assert_eq!(std::fs::read(model.join(weights)).unwrap(), repository()[weights]);
    let asked = hub.asked().join("\n");
    for name in ["README", ".bin", "fp16", "non_ema", "safety", "whole", "outside"] {
        assert!(!asked.contains(name), "{asked}");
    }
    let again = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!(
        again.stderr,
        "error: there is `small` in `FOLDER/data/models` already; choose another name with --name"
    );
    let list = run(folder.path(), &["list"], &[]).stdout;
    assert!(list.lines().any(|line| line.starts_with("small ") && line.ends_with("ready")), "{list}");
}

#[test]
fn a_download_that_broke_off_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let weights = "unet/diffusion_pytorch_model.safetensors";
    let part = folder.path().join("data/models/.small.part").join(weights);
    std::fs::create_dir_all(part.parent().unwrap()).unwrap();
    std::fs::write(&part, &repository()[weights][..1000]).unwrap();
    let hub = FakeHub::start(repository(), None);
    let ended = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let expected = format!("/somebody/small/resolve/c0ffee/{weights} bytes=1000- -");
    assert!(hub.asked().contains(&expected), "{:?}", hub.asked());
    let model = folder.path().join("data/models/small");
    assert_eq!(std::fs::read(model.join(weights)).unwrap(), repository()[weights]);
}

#[test]
fn what_came_with_other_bytes_than_promised_is_deleted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "vae/diffusion_pytorch_model.safetensors";
    let hub = FakeHub::start(repository(), Some(broken));
    let ended = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!(ended.code, 1);
    let start = format!("error: `{broken}` has the SHA-256 ");
    assert!(ended.stderr.starts_with(&start) && ended.stderr.ends_with("; try again"), "{}", ended.stderr);
    assert!(!folder.path().join("data/models/small").exists());
    assert!(!folder.path().join("data/models/.small.part").join(broken).exists());
}

#[test]
fn no_network_no_repository_and_no_permission_are_three_different_sentences() {
    let folder = tempfile::tempdir().unwrap();
    let hub = FakeHub::start(repository(), None);
    let pull = |repository: &str, token: Option<&str>| {
        let ended = hub.pull(folder.path(), &[repository], token);
        format!("{} {}", ended.code, ended.stderr)
    };
    insta::assert_snapshot!(pull("somebody/nothing", None), @"1 error: `HUB` has no repository `somebody/nothing`");
    insta::assert_snapshot!(pull("somebody/private", None), @"1 error: `HUB` has no repository `somebody/private` for everybody; if it is private or asks for consent, set HF_TOKEN to a token that may read it");
    insta::assert_snapshot!(pull("somebody/private", Some("wrong")), @"1 error: `HUB` does not know the token in HF_TOKEN, or not `somebody/private`");
    insta::assert_snapshot!(pull("somebody/gated", Some("secret")), @"1 error: `somebody/gated` is not for everybody: agree to its terms at `HUB/somebody/gated`, and set HF_TOKEN to a token of that account");
    insta::assert_snapshot!(pull("small", None), @"2 error: repository `small` is not possible; write it as OWNER/NAME");
    assert_eq!(hub.pull(folder.path(), &["somebody/private"], Some("secret")).code, 0);

    // A port that nobody listens on.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ended = run(folder.path(), &["pull", "somebody/other"], &[("HF_ENDPOINT", endpoint.as_str())]);
    let expected = format!("error: `{endpoint}` cannot be reached; is there a network?");
    assert!(ended.code == 1 && ended.stderr.starts_with(&expected), "{}", ended.stderr);
}
