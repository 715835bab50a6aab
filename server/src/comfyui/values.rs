//! One input of a node against what it takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use types::sampler::{Sampler, Schedule};

use super::faults::Fault;
use super::graph::{Graph, Node};
use super::nodes::{Input, Kind};

/// What names in a workflow may stand for.
#[derive(Debug, Clone, Default)]
pub struct Installed {
    /// Names of models.
    pub checkpoints: Vec<String>,
    /// Names of LoRAs.
    pub loras: Vec<String>,
    /// Pictures that were sent or made: what a request names them by their names here.
    pub pictures: BTreeMap<String, String>,
}

/// Most names that a fault tells.
const MOST_LISTED: usize = 20;

/// An input that was checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// The output `slot` of the node at this place.
    Link {
        /// The node's place.
        node: usize,
        /// Which of its outputs.
        slot: usize,
    },
    /// A whole number.
    Integer(i128),
    /// A number.
    Number(f64),
    /// Text; of names, what a request calls the thing.
    Text(String),
}

/// Checks one input of a node.
///
/// # Errors
/// It is missing, of the wrong kind or out of range; a link leads nowhere, or to something else.
pub fn check(graph: &Graph, node: &Node, input: &Input, installed: &Installed) -> Result<Given, Fault> {
    let Input { name, kind } = *input;
    let Some(value) = node.inputs.get(name) else {
        let extra = json!({ "input_name": name });
        return Err(Fault::new("required_input_missing", "a required input is missing", name, extra));
    };
    let checking = Checking { name, kind, value, installed };
    match value {
        Value::Array(link) => checking.link(graph, link),
        value => checking.value(value),
    }
}

/// An input's type and settings, as `/object_info` and faults tell them.
pub fn config(kind: Kind, installed: &Installed) -> Value {
    match kind {
        Kind::Link(flow) => json!([flow.as_str()]),
        Kind::Integer { default, min, max, step } => {
            let [default, min, max] = [default, min, max].map(integer_json);
            json!(["INT", { "default": default, "min": min, "max": max, "step": step }])
        }
        Kind::Number { default, min, max } => {
            json!(["FLOAT", { "default": default, "min": min, "max": max, "step": 0.01 }])
        }
        Kind::Text { default, multiline } => {
            json!(["STRING", { "default": default, "multiline": multiline }])
        }
        Kind::Picture => json!([names_of(kind, installed), { "image_upload": true }]),
        Kind::Choice(_) | Kind::Checkpoint | Kind::Lora | Kind::Sampler | Kind::Schedule => {
            json!([names_of(kind, installed)])
        }
    }
}

/// No JSON reader takes a number that is larger than a `u64`, and none is.
fn integer_json(value: i128) -> Value {
    u64::try_from(value).map_or_else(|_| json!(value as i64), |value| json!(value))
}

/// The names that a choice offers.
fn names_of(kind: Kind, installed: &Installed) -> Vec<String> {
    match kind {
        Kind::Choice(names) => names.iter().map(|&name| name.to_owned()).collect(),
        Kind::Checkpoint => installed.checkpoints.clone(),
        Kind::Lora => installed.loras.clone(),
        Kind::Sampler => Sampler::ALL.map(|sampler| sampler.to_string()).to_vec(),
        Kind::Schedule => Schedule::ALL.map(|schedule| schedule.to_string()).to_vec(),
        Kind::Picture => installed.pictures.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// A file's name in lists that have none of the folders and none of the endings.
fn find_name<'a>(name: &str, names: &'a [String]) -> Option<&'a String> {
    const ENDINGS: [&str; 6] = [".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin"];
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = ENDINGS.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file);
    [name, file, stem].into_iter().find_map(|spelling| names.iter().find(|known| *known == spelling))
}

struct Checking<'a> {
    name: &'static str,
    kind: Kind,
    value: &'a Value,
    installed: &'a Installed,
}

impl Checking<'_> {
    fn link(&self, graph: &Graph, link: &[Value]) -> Result<Given, Fault> {
        let bad = |why: &str| {
            let message = "a link is a list of a node's name and the number of its output";
            self.fault("bad_linked_input", message, format!("{}, {why}", self.name))
        };
        let [id, slot] = link else { return Err(bad(&format!("the list has {} items", link.len()))) };
        let id = match id {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return Err(bad("the node's name is no text")),
        };
        let Some(place) = graph.place(&id) else {
            let shown: String = id.chars().take(100).collect();
            return Err(bad(&format!("the prompt has no node {shown}")));
        };
        let outputs = graph.node(place).class.outputs;
        let slot = slot.as_u64().and_then(|slot| usize::try_from(slot).ok()).unwrap_or(usize::MAX);
        let Some(&received) = outputs.get(slot) else {
            return Err(bad(&format!("node {id} has no such output")));
        };
        if self.kind == Kind::Link(received) {
            return Ok(Given::Link { node: place, slot });
        }
        let details =
            format!("{}, {} is linked where {} is needed", self.name, received.as_str(), self.type_name());
        let mut fault = self.fault("return_type_mismatch", "the linked output is of another type", details);
        fault.extra_info.remove("received_value");
        fault.extra_info.insert("received_type".to_owned(), json!(received.as_str()));
        fault.extra_info.insert("linked_node".to_owned(), self.value.clone());
        Err(fault)
    }

    fn value(&self, value: &Value) -> Result<Given, Fault> {
        match self.kind {
            Kind::Link(flow) => {
                let message = "a link is a list of a node's name and the number of its output";
                let details = format!("{}, {} has to be linked", self.name, flow.as_str());
                Err(self.fault("bad_linked_input", message, details))
            }
            Kind::Integer { min, max, .. } => {
                let given = to_integer(value).ok_or_else(|| self.of_wrong_type())?;
                self.check_range(&given, &min, &max).map(|()| Given::Integer(given))
            }
            Kind::Number { min, max, .. } => {
                let given = to_number(value).ok_or_else(|| self.of_wrong_type())?;
                self.check_range(&given, &min, &max).map(|()| Given::Number(given))
            }
            Kind::Text { .. } => to_text(value).map(Given::Text).ok_or_else(|| self.of_wrong_type()),
            _ => {
                let name = to_text(value).ok_or_else(|| self.of_wrong_type())?;
                self.choice(&name).map(Given::Text)
            }
        }
    }

    fn choice(&self, name: &str) -> Result<String, Fault> {
        let Installed { checkpoints, loras, pictures } = self.installed;
        let found = match self.kind {
            Kind::Checkpoint => find_name(name, checkpoints).cloned(),
            Kind::Lora => find_name(name, loras).cloned(),
            Kind::Sampler => name.parse().ok().map(|sampler: Sampler| sampler.to_string()),
            Kind::Schedule => name.parse().ok().map(|schedule: Schedule| schedule.to_string()),
            Kind::Picture => pictures.get(name).cloned(),
            Kind::Choice(names) => names.contains(&name).then(|| name.to_owned()),
            _ => None,
        };
        let shown: String = name.chars().take(200).collect();
        found.ok_or_else(|| {
            if self.kind == Kind::Picture {
                let sentence = format!("there is no picture `{shown}`; send it to /upload/image first");
                return Fault::of_input(self.name, &sentence);
            }
            let names = names_of(self.kind, self.installed);
            let known = match names.len() {
                0 => "none is installed".to_owned(),
                1..=MOST_LISTED => names.join(", "),
                n => format!("{} and {} more", names[..MOST_LISTED].join(", "), n - MOST_LISTED),
            };
            let details = format!("{}: `{shown}` is none of: {known}", self.name);
            self.fault("value_not_in_list", "the value is not in the list", details)
        })
    }

    fn check_range<T: PartialOrd + std::fmt::Display>(
        &self,
        value: &T,
        min: &T,
        max: &T,
    ) -> Result<(), Fault> {
        if value < min {
            let message = format!("{value} is smaller than {min}, the least");
            return Err(self.fault("value_smaller_than_min", message, self.name));
        }
        if value > max {
            let message = format!("{value} is bigger than {max}, the most");
            return Err(self.fault("value_bigger_than_max", message, self.name));
        }
        Ok(())
    }

    fn of_wrong_type(&self) -> Fault {
        let message = format!("the value cannot be read as {}", self.type_name());
        let shown: String = self.value.to_string().chars().take(100).collect();
        self.fault("invalid_input_type", message, format!("{}, {shown}", self.name))
    }

    fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Link(flow) => flow.as_str(),
            Kind::Integer { .. } => "INT",
            Kind::Number { .. } => "FLOAT",
            Kind::Text { .. } => "STRING",
            _ => "COMBO",
        }
    }

    fn fault(&self, kind: &'static str, message: impl Into<String>, details: impl Into<String>) -> Fault {
        let is_long = names_of(self.kind, self.installed).len() > MOST_LISTED;
        let config = if is_long { Value::Null } else { config(self.kind, self.installed) };
        let extra = json!({ "input_name": self.name, "input_config": config, "received_value": self.value });
        Fault::new(kind, message, details, extra)
    }
}

/// As Python's `int` reads it: a fraction is cut off.
fn to_integer(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number
            .as_u64()
            .map(i128::from)
            .or_else(|| number.as_i64().map(i128::from))
            .or_else(|| number.as_f64().filter(|number| number.is_finite()).map(|number| number as i128)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(is_set) => Some(i128::from(*is_set)),
        _ => None,
    }
}

/// As Python's `float` reads it, but for what is no finite number.
fn to_number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(is_set) => Some(f64::from(u8::from(*is_set))),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

fn to_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is_set) => Some(is_set.to_string()),
        _ => None,
    }
}
