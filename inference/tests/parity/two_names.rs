//! Models of every family under both names of their tensors, as `make_checkpoints.py` listed them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use half::f16;
use serde::Deserialize;
use serde_json::{Value, json};

/// A tensor under its two names.
#[derive(Debug, Clone, Deserialize)]
pub struct Pair {
    pub part: String,
    pub diffusers: String,
    pub shape: Vec<usize>,
    pub original: String,
    /// Where it is another one.
    pub original_shape: Option<Vec<usize>>,
    /// Which third of the original tensor it is.
    pub row: Option<usize>,
    #[serde(default)]
    pub is_transposed: bool,
}

/// All tensors of a family, and the configs of its folder.
pub struct Names {
    pub pairs: Vec<Pair>,
    pub configs: BTreeMap<String, Value>,
}

pub fn names(family: &str) -> Names {
    #[derive(Deserialize)]
    struct First {
        configs: BTreeMap<String, Value>,
    }
    let path = format!("{}/tests/reference/checkpoints/{family}.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let First { configs } = serde_json::from_str(first).unwrap();
    Names { configs, pairs: rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect() }
}

/// How numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    F16,
    BF16,
    F32,
}

impl Stored {
    fn name(self) -> &'static str {
        match self {
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::F32 => "F32",
        }
    }

    fn bytes(self, value: f32) -> Vec<u8> {
        match self {
            Self::F16 => f16::from_f32(value).to_le_bytes().to_vec(),
            Self::BF16 => half::bf16::from_f32(value).to_le_bytes().to_vec(),
            Self::F32 => value.to_le_bytes().to_vec(),
        }
    }
}

/// A tensor to be written: its shape and its bytes.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<u8>)>;

/// A tensor that several others are rows of: its shape, and the bytes of each in its place.
type InRows = (Vec<usize>, BTreeMap<usize, Vec<u8>>);

/// Writes a safetensors file.
pub fn write(path: &Path, stored: &str, tensors: &Tensors) {
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, (shape, bytes)) in tensors {
        let line = json!({"dtype": stored, "shape": shape, "data_offsets": [end, end + bytes.len()]});
        header.insert(name.clone(), line);
        end += bytes.len();
    }
    let header = Value::Object(header).to_string();
    let mut file = std::io::BufWriter::new(File::create(path).unwrap());
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    for (_, bytes) in tensors.values() {
        file.write_all(bytes).unwrap();
    }
}

/// Writes the header of a checkpoint and leaves its weights as a hole, which takes no room on the disk: enough for
/// whatever does not read weights.
pub fn write_hollow(path: &Path, shapes: &BTreeMap<String, Vec<usize>>) {
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, shape) in shapes {
        let length = 2 * shape.iter().product::<usize>();
        header.insert(
            name.clone(),
            json!({"dtype": "F16", "shape": shape, "data_offsets": [end, end + length]}),
        );
        end += length;
    }
    let header = Value::Object(header).to_string();
    let mut file = File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.seek(SeekFrom::Start((8 + header.len() + end) as u64)).unwrap();
    file.set_len((8 + header.len() + end) as u64).unwrap();
}

impl Names {
    /// The same with a U-Net that takes so many channels.
    pub fn with_inputs(mut self, channels: usize) -> Self {
        let first =
            self.pairs.iter_mut().find(|pair| pair.part == "unet" && pair.diffusers == "conv_in.weight");
        first.unwrap().shape[1] = channels;
        self.configs.get_mut("unet").unwrap()["in_channels"] = channels.into();
        self
    }

    /// Name to shape of all original tensors.
    pub fn originals(&self) -> BTreeMap<String, Vec<usize>> {
        let shape = |pair: &Pair| pair.original_shape.clone().unwrap_or_else(|| pair.shape.clone());
        self.pairs.iter().map(|pair| (pair.original.clone(), shape(pair))).collect()
    }

    /// The same numbers twice: as a folder in diffusers' layout without a tokenizer, and as one file.
    pub fn write_both(&self, folder: &Path, checkpoint: &Path, stored: Stored) {
        let mut parts: BTreeMap<&str, Tensors> = BTreeMap::new();
        let mut original: BTreeMap<String, InRows> = BTreeMap::new();
        let mut random = 1u64;
        for pair in &self.pairs {
            let n: usize = pair.shape.iter().product();
            let inputs: usize = pair.shape[1..].iter().product();
            let scale = if pair.shape.len() == 1 { 0.2 } else { 1.5 / (inputs as f32).sqrt() };
            // Normalisations multiply by numbers near 1.
            let centre =
                if pair.diffusers.contains("norm") && pair.diffusers.ends_with("weight") { 1.0 } else { 0.0 };
            let values: Vec<f32> = (0..n)
                .map(|_| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    centre + scale * ((random >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
                })
                .collect();
            let bytes: Vec<u8> = values.iter().flat_map(|&value| stored.bytes(value)).collect();
            let in_checkpoint = if pair.is_transposed {
                let (rows, columns) = (pair.shape[0], pair.shape[1]);
                let at = |i: usize| values[i % rows * columns + i / rows];
                (0..n).flat_map(|i| stored.bytes(at(i))).collect()
            } else {
                bytes.clone()
            };
            let shape = pair.original_shape.clone().unwrap_or_else(|| pair.shape.clone());
            let (_, rows) = original.entry(pair.original.clone()).or_insert((shape, BTreeMap::new()));
            rows.insert(pair.row.unwrap_or(0), in_checkpoint);
            parts.entry(&pair.part).or_default().insert(pair.diffusers.clone(), (pair.shape.clone(), bytes));
        }
        let whole =
            |(name, (shape, rows)): (String, InRows)| (name, (shape, rows.into_values().flatten().collect()));
        write(checkpoint, stored.name(), &original.into_iter().map(whole).collect());
        for (part, tensors) in parts {
            let stem = if part.starts_with("text") { "model" } else { "diffusion_pytorch_model" };
            std::fs::create_dir_all(folder.join(part)).unwrap();
            write(&folder.join(part).join(format!("{stem}.safetensors")), stored.name(), &tensors);
            let config = self.configs[part].to_string();
            std::fs::write(folder.join(part).join("config.json"), config).unwrap();
        }
    }
}
