//! Server-sent events as a browser reads them.

use axum::body::Body;
use futures::StreamExt;
use http_body_util::BodyExt;
use serde_json::Value;

/// One server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: Option<u64>,
    pub name: String,
    pub data: Value,
}

/// Server-sent events as they come in.
pub struct EventReader {
    body: Body,
    text: String,
}

impl EventReader {
    pub fn new(body: Body) -> Self {
        Self { body, text: String::new() }
    }

    /// The next event; nothing at the end of the stream.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(event) = parse_event(&event) {
                    return Some(event);
                }
                continue;
            }
            let frame = self.body.frame().await?;
            // A server that is killed leaves the stream broken off, which is its end as well.
            let data = frame.ok()?.into_data().unwrap_or_default();
            self.text.push_str(std::str::from_utf8(&data).expect("events are text"));
        }
    }

    pub async fn rest(self) -> Vec<Event> {
        let events = futures::stream::unfold(self, async |mut reader| Some((reader.next().await?, reader)));
        events.collect().await
    }
}

/// Comments, which keep a connection open, are no events.
fn parse_event(text: &str) -> Option<Event> {
    let value = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim_start))
    };
    let data = value("data")?;
    assert!(!data.is_empty(), "an event without data is dropped by browsers: {text}");
    Some(Event {
        id: value("id").map(|id| id.parse().expect("ids are numbers")),
        name: value("event").unwrap_or("message").to_owned(),
        data: serde_json::from_str(data).expect("data is JSON"),
    })
}

pub fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}
