//! A workflow as a graph of nodes whose classes are known.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::faults::{Fault, Refusal};
use super::node_classes::CLASSES;
use super::nodes::NodeClass;

/// Most nodes of a workflow.
pub const MOST_NODES: usize = 1_000;

/// Longest name of a node, in characters. Answers repeat it many times.
const MAX_ID: usize = 100;

/// A workflow. Its nodes are told by their places.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    places: HashMap<String, usize>,
}

/// A node as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub id: String,
    /// Its class.
    pub class: &'static NodeClass,
    /// Its inputs: values, and links as `[node, slot]`.
    pub inputs: Map<String, Value>,
}

impl Graph {
    /// Reads a workflow in API form: an object of nodes by name.
    ///
    /// # Errors
    /// It is no such object; it has too many nodes; a node's name is too long; a node has no class, or one that is unknown;
    /// no node is an output.
    pub fn read(prompt: &Value) -> Result<Self, Refusal> {
        let Value::Object(prompt) = prompt else {
            return Err(Refusal::of(Fault::of_prompt(
                "the prompt is no object of nodes; send a workflow in API form, as ComfyUI exports it",
            )));
        };
        if prompt.len() > MOST_NODES {
            return Err(Refusal::of(Fault::of_prompt(format!(
                "the prompt has {} nodes; at most {MOST_NODES} are allowed",
                prompt.len()
            ))));
        }
        if let Some(n_chars) = prompt.keys().map(|id| id.chars().count()).find(|&n_chars| n_chars > MAX_ID) {
            return Err(Refusal::of(Fault::of_prompt(format!(
                "a node's name has {n_chars} characters; at most {MAX_ID} are allowed"
            ))));
        }
        let nodes = prompt.iter().map(|(id, node)| Node::read(id, node));
        let nodes = nodes.collect::<Result<Vec<_>, _>>().map_err(Refusal::of)?;
        let places = nodes.iter().enumerate().map(|(place, node)| (node.id.clone(), place)).collect();
        let graph = Self { nodes, places };
        if graph.outputs().next().is_none() {
            return Err(Refusal::of(Fault::new(
                "prompt_no_outputs",
                "the prompt has no output; add a SaveImage or a PreviewImage",
                "",
                json!({}),
            )));
        }
        Ok(graph)
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node at a place.
    pub fn node(&self, place: usize) -> &Node {
        &self.nodes[place]
    }

    /// The place of the node of that name.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The places of the nodes for whose sake it is worked off.
    pub fn outputs(&self) -> impl Iterator<Item = usize> {
        self.nodes.iter().enumerate().filter(|(_, node)| node.class.is_output).map(|(place, _)| place)
    }

    /// All nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

impl Node {
    fn read(id: &str, node: &Value) -> Result<Self, Fault> {
        let class_type = node.get("class_type").and_then(Value::as_str);
        let title = node.pointer("/_meta/title").and_then(Value::as_str);
        let Some(class_type) = class_type else {
            return Err(unknown_class(id, None, title, format!("node {id} has no class_type")));
        };
        let Some(class) = NodeClass::find(class_type) else {
            let known: Vec<_> = CLASSES.iter().map(|class| class.name).collect();
            let shown: String = class_type.chars().take(100).collect();
            let message = format!("node class `{shown}` is unknown; known are {}", known.join(", "));
            return Err(unknown_class(id, Some(&shown), title, message));
        };
        let inputs = match node.get("inputs") {
            Some(Value::Object(inputs)) => inputs.clone(),
            None => Map::new(),
            Some(_) => return Err(Fault::of_prompt(format!("the inputs of node {id} are no object"))),
        };
        Ok(Self { id: id.to_owned(), class, inputs })
    }
}

fn unknown_class(id: &str, class_type: Option<&str>, title: Option<&str>, message: String) -> Fault {
    let extra = json!({ "node_id": id, "class_type": class_type, "node_title": title.or(class_type) });
    Fault::new("missing_node_type", message, format!("node {id}"), extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(prompt: &Value) -> (&'static str, String) {
        let error = Graph::read(prompt).unwrap_err().error;
        (error.kind, error.message)
    }

    #[test]
    fn a_node_without_a_class_or_of_an_unknown_one_is_named() {
        let prompt = json!({ "7": { "inputs": {} } });
        assert_eq!(refused(&prompt), ("missing_node_type", "node 7 has no class_type".to_owned()));
        let prompt = json!({ "7": { "class_type": "ControlNetApply", "_meta": { "title": "Pose" } } });
        let error = Graph::read(&prompt).unwrap_err().error;
        assert!(
            error.message.starts_with("node class `ControlNetApply` is unknown; known are CheckpointLoaderS"),
            "{}",
            error.message
        );
        assert_eq!(error.details, "node 7");
        let extra = json!({ "node_id": "7", "class_type": "ControlNetApply", "node_title": "Pose" });
        assert_eq!(Value::Object(*error.extra_info), extra);
    }

    #[test]
    fn what_is_no_workflow_is_refused_with_a_sentence() {
        for (prompt, message) in [
            (
                json!([1]),
                "the prompt is no object of nodes; send a workflow in API form, as ComfyUI exports it",
            ),
            (json!({ "1": 7 }), "node 1 has no class_type"),
            (
                json!({ "1": { "class_type": "VAEDecode", "inputs": [] } }),
                "the inputs of node 1 are no object",
            ),
            (json!({}), "the prompt has no output; add a SaveImage or a PreviewImage"),
            (
                json!({ "1": { "class_type": "LoadImage" } }),
                "the prompt has no output; add a SaveImage or a PreviewImage",
            ),
        ] {
            assert_eq!(refused(&prompt).1, message);
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_refused_with_its_length() {
        let named =
            |n_chars: usize| refused(&json!({ "ß".repeat(n_chars): { "class_type": "LoadImage" } })).1;
        assert_eq!(named(101), "a node's name has 101 characters; at most 100 are allowed");
        assert_eq!(named(100), "the prompt has no output; add a SaveImage or a PreviewImage");
    }

    #[test]
    fn too_many_nodes_are_refused_before_any_is_looked_at() {
        let prompt = (0..=MOST_NODES).map(|id| (id.to_string(), json!({}))).collect::<Map<_, _>>();
        let message = "the prompt has 1001 nodes; at most 1000 are allowed";
        assert_eq!(refused(&prompt.into()), ("invalid_prompt", message.to_owned()));
    }
}
