//! A graph of nodes, each with inputs that are values, or lead to another node.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::values;

/// Most nodes that are looked at on one way through a graph. A way may be a circle.
pub(super) const LONGEST_WAY: usize = 500;

/// Most links that are followed in a graph, on all ways together. The largest graphs have a tenth of it.
const MOST_LINKS: usize = 100_000;

/// Longest name of a node or of what it does, in bytes, and most inputs of a node: what is looked at along every link has
/// to be little.
const LONGEST_NAME: usize = 1_000;
const MOST_INPUTS: usize = 1_000;

/// Nodes by their names.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) nodes: BTreeMap<String, Node>,
    /// How many links may still be followed.
    n_left: Cell<usize>,
}

/// A node.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// What it does: `KSampler`.
    pub(super) class: String,
    pub(super) inputs: Map<String, Value>,
}

/// Where an input comes from.
#[derive(Clone, Copy)]
pub(super) struct Link<'a> {
    pub(super) id: &'a str,
    pub(super) node: &'a Node,
    /// Which of the node's outputs it is.
    pub(super) slot: u64,
}

/// The graph that was run: `{"3": {"class_type": "KSampler", "inputs": {"seed": 7, "model": ["4", 0]}}}`.
pub(super) fn from_prompt(json: &str) -> Result<Graph, String> {
    let Value::Object(nodes) = values::parse_json(json).map_err(|fault| format!("is not JSON: {fault}"))?
    else {
        return Err("is no JSON object".to_owned());
    };
    let node = |(id, node): (String, Value)| {
        let Value::Object(mut node) = node else { return None };
        let class = node.get("class_type")?.as_str()?.to_owned();
        let inputs = match node.remove("inputs") {
            Some(Value::Object(inputs)) => inputs,
            _ => Map::new(),
        };
        Some((id, Node { class, inputs }))
    };
    Graph::new(nodes.into_iter().filter_map(node))
}

impl Graph {
    /// A graph of these nodes. Monstrous ones are left out.
    pub(super) fn new(nodes: impl Iterator<Item = (String, Node)>) -> Result<Self, String> {
        let is_usual = |(id, node): &(String, Node)| {
            id.len().max(node.class.len()) <= LONGEST_NAME && node.inputs.len() <= MOST_INPUTS
        };
        let nodes: BTreeMap<_, _> = nodes.filter(is_usual).collect();
        if nodes.is_empty() {
            return Err("has no nodes".to_owned());
        }
        Ok(Self { nodes, n_left: Cell::new(MOST_LINKS) })
    }

    /// Says so if there were more links to follow than a graph has that does not lead in circles. What was read on the way
    /// is not the whole then.
    pub(super) fn check_end(&self) -> Result<(), String> {
        if self.n_left.get() == 0 {
            return Err(format!("leads in circles: {MOST_LINKS} links were followed, and there was no end"));
        }
        Ok(())
    }

    /// Where a value leads, if it leads somewhere: `["4", 0]`.
    pub(super) fn link(&self, value: &Value) -> Option<Link<'_>> {
        let [id, slot] = value.as_array()?.as_slice() else { return None };
        self.n_left.set(self.n_left.get().checked_sub(1)?);
        let (id, node) = match id {
            Value::String(id) => self.nodes.get_key_value(id)?,
            Value::Number(id) => self.nodes.get_key_value(&id.to_string())?,
            _ => return None,
        };
        Some(Link { id, node, slot: slot.as_u64()? })
    }

    /// Where a node's input leads.
    pub(super) fn input<'a>(&'a self, node: &Node, name: &str) -> Option<Link<'a>> {
        self.link(node.inputs.get(name)?)
    }

    /// Where the first of these inputs leads that leads somewhere.
    pub(super) fn first_input<'a>(&'a self, node: &Node, names: &[&str]) -> Option<Link<'a>> {
        names.iter().find_map(|name| self.input(node, name))
    }

    /// All nodes that lead to this one at once.
    pub(super) fn sources<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = Link<'a>> {
        node.inputs.values().filter_map(|value| self.link(value))
    }

    /// The value of an input: as it stands there, or as a node holds it that does nothing else.
    pub(super) fn value<'a>(&'a self, node: &'a Node, name: &str) -> Option<&'a Value> {
        let mut value = node.inputs.get(name)?;
        for _ in 0..LONGEST_WAY {
            let Some(Link { node, .. }) = self.link(value) else {
                return (!value.is_array()).then_some(value);
            };
            value = [name].iter().chain(&HOLDERS).find_map(|name| node.inputs.get(*name)).or_else(|| {
                // A node with a single value can only mean that.
                let mut all = node.inputs.values();
                all.next().filter(|_| all.next().is_none())
            })?;
        }
        None
    }

    /// A whole number.
    pub(super) fn whole(&self, node: &Node, name: &str) -> Option<i64> {
        i64::try_from(self.seed(node, name)?).ok()
    }

    /// A whole number of any size.
    pub(super) fn seed(&self, node: &Node, name: &str) -> Option<i128> {
        values::whole(self.value(node, name)?)
    }

    /// A number.
    pub(super) fn number(&self, node: &Node, name: &str) -> Option<f64> {
        values::number(self.value(node, name)?)
    }

    /// A name or any other text that stands there as it is.
    pub(super) fn text(&self, node: &Node, name: &str) -> Option<String> {
        let value = self.value(node, name)?;
        let is_short = value.as_str().is_none_or(|text| text.len() <= LONGEST_NAME);
        if is_short { values::text(value) } else { None }
    }
}

/// Inputs under which nodes hold the one value that they pass on.
const HOLDERS: [&str; 12] = [
    "value",
    "seed",
    "noise_seed",
    "int",
    "float",
    "number",
    "string",
    "text",
    "Value",
    "Number",
    "INT",
    "FLOAT",
];
