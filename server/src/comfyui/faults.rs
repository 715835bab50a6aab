//! What is wrong with a workflow, in ComfyUI's shapes.

use std::any::Any;

use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use types::error::{ErrorCode, PublicError};

use crate::error::{Advice, ApiError};

/// One thing that is wrong: with a workflow as a whole, or with one of its nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fault {
    /// Which kind, by ComfyUI's name.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What kind, for people.
    pub message: String,
    /// What exactly.
    pub details: String,
    /// The same for programs. In a box, as an object is larger in builds in which some crate has it keep its order.
    pub extra_info: Box<Map<String, Value>>,
}

impl Fault {
    /// A fault with an object of details.
    pub fn new(
        kind: &'static str,
        message: impl Into<String>,
        details: impl Into<String>,
        extra: Value,
    ) -> Self {
        let extra_info = if let Value::Object(extra) = extra { extra } else { Map::new() };
        Self { kind, message: message.into(), details: details.into(), extra_info: Box::new(extra_info) }
    }

    /// A fault of the workflow as a whole.
    pub fn of_prompt(message: impl Into<String>) -> Self {
        Self::new("invalid_prompt", message, "", json!({}))
    }

    /// An input with a value that Darkroom cannot work with, and one sentence why.
    pub fn of_input(input: &str, sentence: &str) -> Self {
        Self::new(
            "custom_validation_failed",
            "the value cannot be used",
            format!("{input} - {sentence}"),
            json!({ "input_name": input }),
        )
    }
}

/// What is wrong with one node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeFaults {
    /// Each thing.
    pub errors: Vec<Fault>,
    /// The outputs that cannot be made for it, by their nodes' names.
    pub dependent_outputs: Vec<String>,
    /// The node's class.
    pub class_type: String,
}

/// A workflow that is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The answer's status.
    pub status: StatusCode,
    /// What is wrong on the whole.
    pub error: Box<Fault>,
    /// What is wrong with which node.
    pub node_errors: Vec<(String, NodeFaults)>,
    /// What can be done about it.
    pub advice: Advice,
}

impl Refusal {
    /// A workflow without a fault of one node.
    pub fn of(error: Fault) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: Box::new(error),
            node_errors: Vec::new(),
            advice: Advice::default(),
        }
    }

    /// A workflow none of whose outputs can be made.
    pub fn of_nodes(node_errors: Vec<(String, NodeFaults)>) -> Self {
        let faults = node_errors.iter().flat_map(|(_, node)| &node.errors);
        let lines: Vec<_> =
            faults.take(MOST_LINES).map(|fault| format!("{}: {}", fault.message, fault.details)).collect();
        let error = Fault::new(
            "prompt_outputs_failed_validation",
            "none of the prompt's outputs can be made",
            lines.join("\n"),
            json!({}),
        );
        Self { node_errors, ..Self::of(error) }
    }
}

/// Most faults that are told in the text of the whole.
const MOST_LINES: usize = 20;

/// Faults of nodes as an object by the nodes' names.
pub fn by_node(node_errors: &[(String, NodeFaults)]) -> Value {
    node_errors.iter().map(|(node, faults)| (node.clone(), json!(faults))).collect::<Map<_, _>>().into()
}

/// What has nothing to do with a node: a full disk, a server that stops, a body that is no JSON.
impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let advice = Advice::of(&error.public);
        let PublicError { code, message, .. } = error.public;
        let fault = Fault::new(code.as_str(), message, "", json!({}));
        Self { status: error.status, advice, ..Self::of(fault) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "node_errors": by_node(&self.node_errors) });
        (self.status, self.advice.headers(), Json(body)).into_response()
    }
}

/// An error of what stands around the handlers, in their shape.
pub fn refused(error: ApiError) -> Response {
    Refusal::from(error).into_response()
}

/// An address that is there, with another method.
pub async fn wrong_method(method: Method) -> Refusal {
    let sentence = format!(
        "method {method} is not possible at this address; the answer's header `allow` says which are"
    );
    ApiError::unreadable(StatusCode::METHOD_NOT_ALLOWED, sentence).into()
}

/// A handler panicked; the panic itself was written to stderr where it happened.
pub fn panicked(_: Box<dyn Any + Send>) -> Response {
    let message = "something went wrong on the server; its log has the details";
    Refusal::from(ApiError::from(PublicError::new(ErrorCode::Internal, message))).into_response()
}
