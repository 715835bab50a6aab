//! A graph against what its nodes take: every input that an output depends on, and that nothing depends on itself.
//!
//! The walk keeps its own stack, so that no depth of a graph is too much.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use super::faults::{Fault, NodeFaults};
use super::graph::Graph;
use super::values::{Given, Installed, check};

/// Most nodes of a circle that are told.
const MOST_TOLD: usize = 10;

/// Most outputs that are told to depend on a node. There may be nearly as many as there are nodes, for each of them.
const MOST_DEPENDENTS: usize = 20;

/// A graph of which is known what is wrong with it.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The graph.
    pub graph: &'a Graph,
    given: Vec<HashMap<&'static str, Given>>,
    faults: BTreeMap<usize, Vec<Fault>>,
    /// Which nodes are known to depend on themselves.
    on_circle: Vec<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Unseen,
    /// On the stack.
    Open,
    Closed,
}

/// Checks everything that the graph's outputs depend on.
pub fn validate<'a>(graph: &'a Graph, installed: &Installed) -> Checked<'a> {
    let mut checked = Checked {
        graph,
        given: vec![HashMap::new(); graph.len()],
        faults: BTreeMap::new(),
        on_circle: vec![false; graph.len()],
    };
    let mut states = vec![State::Unseen; graph.len()];
    for output in graph.outputs() {
        checked.check_from(output, &mut states, installed);
    }
    checked
}

impl Checked<'_> {
    fn check_from(&mut self, output: usize, states: &mut [State], installed: &Installed) {
        if states[output] != State::Unseen {
            return;
        }
        states[output] = State::Open;
        // Each node on the way, with how many of its inputs were looked at.
        let mut way = vec![(output, 0)];
        while let Some((place, n_seen)) = way.last_mut() {
            let (place, node) = (*place, self.graph.node(*place));
            let Some(input) = node.class.inputs.get(*n_seen) else {
                states[place] = State::Closed;
                way.pop();
                continue;
            };
            *n_seen += 1;
            match check(self.graph, node, input, installed) {
                Err(fault) => self.add(place, fault),
                Ok(given) => {
                    if let Given::Link { node: linked, .. } = given {
                        match states[linked] {
                            State::Unseen => {
                                states[linked] = State::Open;
                                way.push((linked, 0));
                            }
                            State::Open => self.add_circle(&way, linked),
                            State::Closed => {}
                        }
                    }
                    self.given[place].insert(input.name, given);
                }
            }
        }
    }

    /// Every node from `linked` on depends on itself. Each is told one circle that it is on: there may be one for every
    /// link, through all the nodes.
    fn add_circle(&mut self, way: &[(usize, usize)], linked: usize) {
        let start = way.iter().position(|(place, _)| *place == linked).unwrap_or(0);
        let circle: Vec<usize> = way[start..].iter().map(|(place, _)| *place).collect();
        let names: Vec<&str> = circle.iter().map(|&place| self.graph.node(place).id.as_str()).collect();
        let told = &names[..names.len().min(MOST_TOLD)];
        let rest = if names.len() > MOST_TOLD { " -> …" } else { "" };
        let details = format!("{}{rest} -> {}", told.join(" -> "), names[0]);
        let is_new = |place: &usize| !self.on_circle[*place];
        let faults: Vec<_> = circle
            .into_iter()
            .filter(is_new)
            .map(|place| {
                let extra = json!({ "node_id": self.graph.node(place).id, "cycle_nodes": told });
                let message = "the node depends on itself";
                (place, Fault::new("dependency_cycle", message, details.as_str(), extra))
            })
            .collect();
        for (place, fault) in faults {
            self.on_circle[place] = true;
            self.add(place, fault);
        }
    }

    /// Notes something that is wrong with a node.
    pub fn add(&mut self, place: usize, fault: Fault) {
        let faults = self.faults.entry(place).or_default();
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }

    /// All that an output depends on, itself first.
    fn needed(&self, output: usize) -> Vec<usize> {
        let mut seen = vec![false; self.graph.len()];
        seen[output] = true;
        let mut needed = vec![output];
        let mut next = 0;
        while let Some(&place) = needed.get(next) {
            next += 1;
            for given in self.given[place].values() {
                if let Given::Link { node, .. } = *given
                    && !seen[node]
                {
                    seen[node] = true;
                    needed.push(node);
                }
            }
        }
        needed
    }

    /// Whether nothing is wrong with anything that an output depends on.
    pub fn is_sound(&self, output: usize) -> bool {
        self.faults.is_empty() || !self.needed(output).iter().any(|place| self.faults.contains_key(place))
    }

    /// What is wrong, by the nodes' names.
    pub fn node_faults(&self) -> Vec<(String, NodeFaults)> {
        let mut dependents: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for output in self.graph.outputs() {
            for place in self.needed(output) {
                if self.faults.contains_key(&place) {
                    let dependents = dependents.entry(place).or_default();
                    if dependents.len() < MOST_DEPENDENTS {
                        dependents.push(self.graph.node(output).id.clone());
                    }
                }
            }
        }
        let of_node = |(&place, errors): (&usize, &Vec<Fault>)| {
            let node = self.graph.node(place);
            let faults = NodeFaults {
                errors: errors.clone(),
                dependent_outputs: dependents.remove(&place).unwrap_or_default(),
                class_type: node.class.name.to_owned(),
            };
            (node.id.clone(), faults)
        };
        self.faults.iter().map(of_node).collect()
    }

    /// The class of a node.
    pub fn class(&self, place: usize) -> &'static str {
        self.graph.node(place).class.name
    }

    /// What an input of a sound node is linked to: the node's place, and which of its outputs.
    pub fn link(&self, place: usize, input: &str) -> (usize, usize) {
        match self.given[place].get(input) {
            Some(Given::Link { node, slot }) => (*node, *slot),
            // A sound node has all its inputs.
            _ => unreachable!("{} of node {place} is linked", input),
        }
    }

    /// A whole number of a sound node.
    pub fn integer(&self, place: usize, input: &str) -> i128 {
        match self.given[place].get(input) {
            Some(Given::Integer(value)) => *value,
            _ => unreachable!("{} of node {place} is a whole number", input),
        }
    }

    /// A number of a sound node.
    pub fn number(&self, place: usize, input: &str) -> f64 {
        match self.given[place].get(input) {
            Some(Given::Number(value)) => *value,
            _ => unreachable!("{} of node {place} is a number", input),
        }
    }

    /// A text of a sound node.
    pub fn text(&self, place: usize, input: &str) -> &str {
        match self.given[place].get(input) {
            Some(Given::Text(text)) => text,
            _ => unreachable!("{} of node {place} is a text", input),
        }
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
