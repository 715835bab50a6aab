//! Server-sent events, as the browser gets them.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Event, EventSource, MessageEvent};

/// What comes out of a [`Feed`].
pub enum Heard {
    /// The connection is there: for the first time, or again.
    Open,
    /// An event that was asked for.
    Event {
        /// Its name.
        name: String,
        /// Its text, mostly JSON.
        data: String,
        /// Its number as the server counts, to resume after it.
        id: String,
    },
    /// The connection broke. The browser opens it again by itself if `will_retry`; otherwise it has given up,
    /// as it does when the server answers with an error.
    Broken {
        /// Whether the browser opens it again.
        will_retry: bool,
    },
}

type Handler<E> = Closure<dyn FnMut(E)>;

/// An open stream of events. Dropping it closes the connection.
pub struct Feed {
    source: EventSource,
    // The browser calls into these for as long as the connection is open.
    _on_event: Handler<MessageEvent>,
    _on_open: Handler<Event>,
    _on_error: Handler<Event>,
}

impl Feed {
    /// Opens `url` and listens for the events with these names.
    ///
    /// Returns nothing if the browser refuses the address.
    pub fn open(url: &str, names: &[&str], on_heard: impl Fn(Heard) + Clone + 'static) -> Option<Self> {
        let source = EventSource::new(url).ok()?;

        let heard = on_heard.clone();
        let on_event: Handler<MessageEvent> = Closure::new(move |event: MessageEvent| {
            heard(Heard::Event {
                name: event.type_(),
                data: event.data().as_string().unwrap_or_default(),
                id: event.last_event_id(),
            });
        });
        for name in names {
            source.add_event_listener_with_callback(name, on_event.as_ref().unchecked_ref()).ok()?;
        }

        let heard = on_heard.clone();
        let on_open: Handler<Event> = Closure::new(move |_| heard(Heard::Open));
        source.set_onopen(Some(on_open.as_ref().unchecked_ref()));

        let broken_source = source.clone();
        let on_error: Handler<Event> = Closure::new(move |_| {
            on_heard(Heard::Broken { will_retry: broken_source.ready_state() != EventSource::CLOSED });
        });
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));

        Some(Self { source, _on_event: on_event, _on_open: on_open, _on_error: on_error })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.source.set_onopen(None);
        self.source.set_onerror(None);
        self.source.close();
    }
}
