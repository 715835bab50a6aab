//! The files that the browser loads: the bundle, the style sheet, icons.
//!
//! With the feature `embed` they are inside the program; without it they are read from `target/site`, so a
//! rebuilt style sheet shows at the next reload.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};

/// What the bundle's files are called, before the ending.
pub const BUNDLE: &str = "darkroom";

/// A file that never changes under its address.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// A file that is asked about again at every use, which costs no more than a 304 while it is the same.
const ASK_AGAIN: &str = "no-cache";

/// Where the files lie. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Site(Source);

#[derive(Debug, Clone)]
enum Source {
    Folder(Arc<Path>),
    #[cfg(feature = "embed")]
    Embedded(Arc<str>),
}

/// One file.
struct Asset {
    bytes: Cow<'static, [u8]>,
    /// Differs whenever the content does.
    tag: String,
}

#[cfg(feature = "embed")]
#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
struct EmbeddedSite;

impl Site {
    /// The site that this program was built with.
    pub fn bundled() -> Self {
        #[cfg(feature = "embed")]
        return Self(Source::Embedded(embedded_version().into()));
        #[cfg(not(feature = "embed"))]
        Self::folder(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/site"))
    }

    /// A site in a folder, read anew at every request.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Source::Folder(path.into().into()))
    }

    /// Where pages say the bundle lies. The name holds the content's version if that cannot change under
    /// a running server, so that browsers need not ask for the bundle again at every page.
    pub fn pkg_dir(&self) -> String {
        match &self.0 {
            Source::Folder(_) => "pkg".to_owned(),
            #[cfg(feature = "embed")]
            Source::Embedded(version) => format!("pkg/{version}"),
        }
    }

    /// Where pages say the style sheet lies.
    pub fn style_sheet(&self) -> String {
        format!("/{}/{BUNDLE}.css", self.pkg_dir())
    }

    /// The answer to a request for a file; nothing if there is no such file.
    pub async fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Option<Response<Body>> {
        // Browsers ask for the icon of old where a page names none, such as beside a picture alone.
        let path =
            if uri.path() == "/favicon.ico" { "favicon.svg" } else { uri.path().trim_start_matches('/') };
        let (path, is_versioned) = self.without_version(path);

        let packed = format!("{path}.br");
        let packed = if accepts_brotli(headers) { self.read(&packed).await } else { None };
        let is_packed = packed.is_some();
        let asset = match packed {
            Some(asset) => asset,
            None => self.read(&path).await?,
        };

        let etag = format!("\"{}\"", asset.tag);
        let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == etag.as_str());
        let mut answer = Response::builder()
            .header(header::ETAG, etag)
            .header(header::VARY, HeaderValue::from_static("accept-encoding"))
            .header(header::CACHE_CONTROL, if is_versioned { FOR_EVER } else { ASK_AGAIN });
        if is_known {
            return answer.status(StatusCode::NOT_MODIFIED).body(Body::empty()).ok();
        }
        if is_packed {
            answer = answer.header(header::CONTENT_ENCODING, "br");
        }
        answer.header(header::CONTENT_TYPE, content_type(&path)).body(asset.bytes.into()).ok()
    }

    /// `pkg/VERSION/file` is `pkg/file`, if the version is this site's.
    fn without_version<'a>(&self, path: &'a str) -> (Cow<'a, str>, bool) {
        let below_version = path.strip_prefix(&self.pkg_dir()).and_then(|rest| rest.strip_prefix('/'));
        match (&self.0, below_version) {
            #[cfg(feature = "embed")]
            (Source::Embedded(_), Some(file)) => (format!("pkg/{file}").into(), true),
            _ => (path.into(), false),
        }
    }

    async fn read(&self, path: &str) -> Option<Asset> {
        // Names with a dot in front, and so `..` as well, are nobody's business; empty ones are folders.
        if path.split('/').any(|part| part.is_empty() || part.starts_with('.') || part.contains('\\')) {
            return None;
        }
        match &self.0 {
            Source::Folder(folder) => {
                let file = folder.join(path);
                let facts = tokio::fs::metadata(&file).await.ok().filter(std::fs::Metadata::is_file)?;
                let age = facts.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
                let bytes = tokio::fs::read(&file).await.ok()?;
                let ending = file.extension().unwrap_or_default().to_string_lossy().into_owned();
                Some(Asset {
                    tag: format!("{:x}-{:x}-{ending}", bytes.len(), age.as_nanos()),
                    bytes: bytes.into(),
                })
            }
            #[cfg(feature = "embed")]
            Source::Embedded(_) => {
                let file = EmbeddedSite::get(path)?;
                Some(Asset { tag: short_hex(file.metadata.sha256_hash()), bytes: file.data })
            }
        }
    }
}

/// Names everything that is embedded: the same files, the same name.
#[cfg(feature = "embed")]
fn embedded_version() -> String {
    let mut all = [0; 32];
    for file in EmbeddedSite::iter().filter_map(|path| EmbeddedSite::get(&path)) {
        for (sum, byte) in all.iter_mut().zip(file.metadata.sha256_hash()) {
            *sum ^= byte;
        }
    }
    short_hex(all)
}

#[cfg(feature = "embed")]
fn short_hex(hash: [u8; 32]) -> String {
    let start = hash.into_iter().take(8).fold(0, |start: u64, byte| start << 8 | u64::from(byte));
    format!("{start:016x}")
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("br")
            && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn content_type(path: &str) -> String {
    let guessed = mime_guess::from_path(path).first_or_octet_stream();
    let is_text =
        guessed.type_() == "text" || matches!(guessed.subtype().as_str(), "javascript" | "svg" | "json");
    if is_text { format!("{guessed}; charset=utf-8") } else { guessed.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_accepted_when_it_is_named_and_not_refused() {
        let accepts = |value: &'static str| {
            accepts_brotli(&HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(accepts("gzip, deflate, br"));
        assert!(accepts("br;q=0.5"));
        assert!(!accepts("gzip"));
        assert!(!accepts("gzip, br;q=0"));
        assert!(!accepts_brotli(&HeaderMap::new()));
    }

    #[test]
    fn browsers_are_told_what_a_file_is() {
        assert_eq!(content_type("pkg/darkroom.wasm"), "application/wasm");
        assert_eq!(content_type("pkg/darkroom.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("favicon.svg"), "image/svg+xml; charset=utf-8");
        assert_eq!(content_type("favicon.png"), "image/png");
    }

    #[tokio::test]
    async fn nothing_outside_the_folder_is_served() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::create_dir(parent.path().join("site")).unwrap();
        std::fs::write(parent.path().join("secret"), "s").unwrap();
        std::fs::write(parent.path().join("site/open"), "o").unwrap();
        let site = Site::folder(parent.path().join("site"));
        let found = async |path: &'static str| site.read(path).await.is_some();
        assert!(found("open").await);
        assert!(!found("../secret").await);
        assert!(!found("").await);
        assert!(!found("/etc/hostname").await);
    }
}
