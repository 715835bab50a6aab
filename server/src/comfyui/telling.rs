//! A job's events as ComfyUI tells them on its socket.

use axum::extract::ws::{Message, Utf8Bytes};
use serde_json::{Value, json};
use types::error::ErrorCode;
use types::event::JobEvent;
use types::job::{JobInfo, Progress};
use types::picture::{PictureId, PictureInfo};

use super::file_names::image;
use super::workflow::{Fate, Kept, Part, Saved};
use crate::base64_picture;

/// A message of text: a name and data.
pub fn text(name: &str, data: &Value) -> Message {
    Message::Text(Utf8Bytes::from(json!({ "type": name, "data": data }).to_string()))
}

/// How many workflows are not at their end; with the name of the program at its first call.
pub fn status(n_open: u64, client_id: Option<&str>) -> Message {
    let mut data = json!({ "status": { "exec_info": { "queue_remaining": n_open } } });
    if let Some(client_id) = client_id {
        data["sid"] = json!(client_id);
    }
    text("status", &data)
}

/// What a file is that is sent, by ComfyUI's number.
#[derive(Debug, Clone, Copy)]
pub enum FileKind {
    /// As previews are.
    Jpeg = 1,
    /// As finished pictures are.
    Png = 2,
}

/// A picture as a message: two numbers of 32 bits, for a picture and for what its file is, and the file.
pub fn file(kind: FileKind, bytes: &[u8]) -> Message {
    let mut frame = Vec::with_capacity(8 + bytes.len());
    frame.extend(1_u32.to_be_bytes());
    frame.extend((kind as u32).to_be_bytes());
    frame.extend_from_slice(bytes);
    Message::Binary(frame.into())
}

/// A picture on its way.
fn preview(data_url: &str) -> Option<Message> {
    Some(file(FileKind::Jpeg, &base64_picture::decode("preview", data_url).ok()?))
}

/// What a program is told.
#[derive(Debug)]
pub enum Told {
    /// This.
    Message(Message),
    /// The file of this picture.
    Picture(PictureId),
}

impl From<Message> for Told {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

/// What was going on with which node when a job ended early.
pub fn node_data(part: &Part, prompt: &Value) -> Value {
    let node = part.plan.samplers.first().unwrap_or(&part.plan.loader);
    let class = prompt.get(node).and_then(|node| node.get("class_type"));
    json!({ "node_id": node, "node_type": class, "executed": [] })
}

/// The same of a job that failed.
pub fn error_data(part: &Part, prompt: &Value, sentence: &str, code: &str) -> Value {
    let mut data = node_data(part, prompt);
    data["exception_message"] = json!(sentence);
    data["exception_type"] = json!(code);
    data["traceback"] = json!([]);
    data["current_inputs"] = json!({});
    data["current_outputs"] = json!([]);
    data
}

/// Tells one job of a workflow.
pub struct Teller<'a> {
    kept: &'a Kept,
    part: &'a Part,
    /// Steps of the first pass.
    first_steps: u32,
    /// Whether previews are wanted.
    previews: bool,
    node: Option<String>,
    pictures: Vec<PictureInfo>,
    /// What kind of mistake the job ended with.
    pub error_code: Option<ErrorCode>,
}

impl<'a> Teller<'a> {
    /// Of a part of a workflow, whose job stands as `job` says.
    pub fn new(kept: &'a Kept, part: &'a Part, job: &JobInfo) -> Self {
        let request = &job.request;
        let first_steps = if request.hires.is_some() { request.steps } else { request.n_steps() };
        let wanted = kept.document.extra_data.get("preview_method").and_then(Value::as_str);
        let previews = wanted.is_some_and(|method| ["auto", "latent2rgb", "taesd"].contains(&method));
        Self { kept, part, first_steps, previews, node: None, pictures: Vec::new(), error_code: None }
    }

    /// What an event is told as.
    pub fn tell(&mut self, event: JobEvent) -> Vec<Told> {
        let mut told = Vec::new();
        match event {
            JobEvent::Queued { .. } | JobEvent::Note { .. } => {}
            JobEvent::Loading { .. } => self.enter(&self.part.plan.loader.clone(), &mut told),
            JobEvent::Progress { progress, preview: shown } => {
                self.step(progress, &mut told);
                told.extend(shown.filter(|_| self.previews).as_deref().and_then(preview).map(Told::from));
            }
            JobEvent::Picture { picture } => {
                self.enter(&self.part.plan.decoder.clone(), &mut told);
                self.pictures.push(picture);
            }
            JobEvent::Done => {
                for saved in &self.part.outputs {
                    self.enter(&saved.node, &mut told);
                    self.hand_over(saved, &mut told);
                }
            }
            JobEvent::Failed { message } => {
                let code = self.error_code.map_or("internal", ErrorCode::as_str);
                let data = error_data(self.part, &self.kept.document.prompt, &message, code);
                told.push(self.stamped("execution_error", data).into());
            }
            JobEvent::Cancelled => {
                let data = node_data(self.part, &self.kept.document.prompt);
                told.push(self.stamped("execution_interrupted", data).into());
            }
        }
        told
    }

    /// An output gets the pictures.
    fn hand_over(&self, saved: &Saved, told: &mut Vec<Told>) {
        if saved.fate == Fate::Sent {
            told.extend(self.pictures.iter().map(|picture| Told::Picture(picture.id)));
            return;
        }
        let images: Vec<_> = self.pictures.iter().map(|picture| image(saved, picture)).collect();
        let data = json!({
            "node": saved.node, "display_node": saved.node,
            "output": { "images": images }, "prompt_id": self.kept.prompt_id(),
        });
        told.push(text("executed", &data).into());
    }

    fn step(&mut self, progress: Progress, told: &mut Vec<Told>) {
        let Progress { picture, n_together, n_pictures, step, n_steps, .. } = progress;
        let samplers = &self.part.plan.samplers;
        let is_larger_pass = step > self.first_steps && samplers.len() > 1;
        let node = if is_larger_pass { &samplers[1] } else { &samplers[0] };
        let node = node.clone();
        self.enter(&node, told);
        if step == 0 {
            return;
        }
        let (value, max) = if samplers.len() > 1 {
            let before = if is_larger_pass { self.first_steps } else { 0 };
            let of_pass = if is_larger_pass { n_steps.saturating_sub(before) } else { self.first_steps };
            (step - before, of_pass)
        } else {
            // All pictures of a job are one node's work.
            let before = picture.saturating_sub(1) * n_steps;
            let max = n_pictures.max(1) * n_steps;
            ((before + step * n_together).min(max), max)
        };
        let data = json!({ "value": value, "max": max, "prompt_id": self.kept.prompt_id(), "node": node });
        told.push(text("progress", &data).into());
    }

    /// The work is at that node now.
    fn enter(&mut self, node: &str, told: &mut Vec<Told>) {
        if self.node.as_deref() == Some(node) {
            return;
        }
        self.node = Some(node.to_owned());
        let data = json!({ "node": node, "display_node": node, "prompt_id": self.kept.prompt_id() });
        told.push(text("executing", &data).into());
    }

    fn stamped(&self, name: &str, mut data: Value) -> Message {
        stamp(self.kept, &mut data);
        text(name, &data)
    }
}

/// The workflow's name and the time, as some messages have them.
pub fn stamp(kept: &Kept, data: &mut Value) {
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    data["prompt_id"] = json!(kept.prompt_id());
    data["timestamp"] = json!(now as i64);
}
