//! Requests, counted and timed, beside what `backend` counts.
//!
//! # Invariants
//! No label grows without bound, and none tells of a visitor: a route is one of the router's templates and never the
//! path that was asked for, a method is one of the known ones, a status is a number.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Seconds of a request: from a page of the site to an answer that waits for its picture.
const REQUESTS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// The record of one server. Cheap to clone; clones count together.
#[derive(Clone, Default)]
pub struct HttpMeasures(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<Answered, Counter>,
    duration: Family<Asked, Histogram>,
    streams: Family<Stream, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stream {
    route: String,
}

impl Default for Inner {
    fn default() -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        registry.register("darkroom_http_requests", "Requests that were answered", Family::clone(&requests));
        let timed: fn() -> Histogram = || Histogram::new(REQUESTS);
        let duration = Family::new_with_constructor(timed);
        registry.register_with_unit(
            "darkroom_http_request",
            "From a request to the beginning of its answer",
            Unit::Seconds,
            Family::clone(&duration),
        );
        let streams = Family::default();
        registry.register(
            "darkroom_open_streams",
            "Clients that follow server-sent events or a WebSocket now",
            Family::clone(&streams),
        );
        Self { registry, requests, duration, streams }
    }
}

impl HttpMeasures {
    /// Adds what was counted to a text in Prometheus' format.
    pub fn add_to(&self, mut text: String) -> String {
        // Writing to a `String` cannot fail.
        let _ = prometheus_text::encode(&mut text, &self.0.registry);
        text
    }

    /// A client follows a stream for as long as this is kept.
    pub fn follow(&self, route: &str) -> Following {
        let streams = self.0.streams.get_or_create_owned(&Stream { route: route.to_owned() });
        streams.inc();
        Following(streams)
    }
}

/// A client that follows a stream.
pub struct Following(Gauge);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Middleware that counts a request and times it, up to the beginning of its answer. A stream of events counts as
/// followed until its last byte was sent or its reader is gone.
pub async fn measure(State(measures): State<HttpMeasures>, request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let method = name_of(request.method());
    let route = request.extensions().get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    // Files of the site, and addresses that lead nowhere.
    let route = route.unwrap_or_else(|| "other".to_owned());
    let answer = next.run(request).await;
    let Inner { requests, duration, .. } = &*measures.0;
    let asked = Asked { method, route: route.clone() };
    duration.get_or_create(&asked).observe(begin.elapsed().as_secs_f64());
    let answered = Answered { method, route: route.clone(), status: answer.status().as_u16() };
    requests.get_or_create(&answered).inc();
    if is_event_stream(&answer) { until_sent(answer, measures.follow(&route)) } else { answer }
}

fn is_event_stream(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// The same answer, whose body holds on to `following`.
fn until_sent(answer: Response, following: Following) -> Response {
    answer.map(|body| {
        let chunks = body.into_data_stream().map(move |chunk| {
            let _ = &following;
            chunk
        });
        Body::from_stream(chunks)
    })
}

/// A method's name. Anybody can make up another one, so those that HTTP does not know share one.
fn name_of(method: &Method) -> &'static str {
    let known = [
        (Method::GET, "GET"),
        (Method::HEAD, "HEAD"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::OPTIONS, "OPTIONS"),
    ];
    known.into_iter().find(|(known, _)| known == method).map_or("other", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_somebody_made_up_has_no_label_of_its_own() {
        assert_eq!(name_of(&Method::GET), "GET");
        assert_eq!(name_of(&Method::from_bytes(b"QUETZAL").unwrap()), "other");
    }

    #[test]
    fn a_client_counts_as_long_as_it_follows() {
        let measures = HttpMeasures::default();
        let told = || measures.add_to(String::new());
        let following = measures.follow("/ws");
        assert!(told().contains("darkroom_open_streams{route=\"/ws\"} 1\n"), "{}", told());
        drop(following);
        assert!(told().contains("darkroom_open_streams{route=\"/ws\"} 0\n"), "{}", told());
    }
}
