//! What the prompt's buttons do: the box, GPT-2's stream into it, and the way back.

use std::collections::VecDeque;

use gloo_timers::callback::Interval;
use leptos::html::Textarea;
use leptos::prelude::*;
use serde::Deserialize;
use types::request::check_prompt;

use super::local::Local;
use crate::format::{query_value, sentence};
use crate::live::{Feed, Heard};
use crate::prompt_text::{Written, with_word};

/// Texts that Undo can go back to.
const MOST_UNDONE: usize = 50;
/// Between two pieces, however fast they come: so that the eye can follow, and a hand can stop it.
const PACE_MS: u32 = 30;

/// The prompt's box and what is going on in it. All parts are handles, so it is passed by copy.
#[derive(Clone, Copy)]
pub struct Writer {
    /// The box itself. Its text belongs to the visitor: it is read from the page, never bound.
    pub area: NodeRef<Textarea>,
    /// What is in the box.
    pub text: RwSignal<String>,
    /// Whether GPT-2 is typing.
    pub is_writing: RwSignal<bool>,
    /// What a screen reader is told.
    pub said: RwSignal<String>,
    /// What is wrong with the prompt, or why none could be written.
    pub error: RwSignal<Option<String>>,
    /// What stood in the box before each change by a button.
    pub before: RwSignal<Vec<String>>,
    /// What GPT-2 wrote last; nothing before it wrote at all.
    pub written: RwSignal<Option<Written>>,
    feed: Local<Feed>,
    /// Pieces that came and are not typed yet; nothing in the place of a piece is the end.
    waiting: StoredValue<VecDeque<Option<String>>>,
    typist: Local<Interval>,
}

#[derive(Deserialize)]
struct Piece {
    text: String,
}

impl Writer {
    /// A writer on a box with this text, and what is wrong with it.
    pub fn new(text: String, error: Option<String>) -> Self {
        Self {
            area: NodeRef::new(),
            text: RwSignal::new(text),
            is_writing: RwSignal::new(false),
            said: RwSignal::new(String::new()),
            error: RwSignal::new(error),
            before: RwSignal::new(Vec::new()),
            written: RwSignal::new(None),
            feed: Local::new(),
            waiting: StoredValue::new(VecDeque::new()),
            typist: Local::new(),
        }
    }

    /// Takes over what is in the box: at the beginning, and whenever the visitor typed.
    pub fn read_box(self) {
        if let Some(area) = self.area.get_untracked() {
            self.text.set(area.value());
        }
    }

    /// The visitor typed: what they do goes before what GPT-2 does.
    pub fn typed(self) {
        self.read_box();
        if self.is_writing.get_untracked() {
            self.stop();
        }
    }

    /// Writes a prompt that begins with the visitor's own words.
    pub fn write_random(self) {
        let in_box = self.text.get_untracked();
        let beginning = self
            .written
            .with_untracked(|written| written.clone().unwrap_or_default().next_beginning(&in_box).to_owned());
        self.write(&beginning);
    }

    /// Whether a random prompt begins with words of the visitor's own.
    pub fn goes_on(self) -> bool {
        self.text.with(|text| match &*self.written.read() {
            Some(written) => !written.next_beginning(text).trim().is_empty(),
            None => !text.trim().is_empty(),
        })
    }

    /// Keeps the beginning and writes something else after it.
    pub fn write_another_ending(self) {
        let in_box = self.text.get_untracked();
        let caret = self.chars_before_caret();
        let beginning = self
            .written
            .with_untracked(|written| written.clone().unwrap_or_default().kept_beginning(&in_box, caret));
        self.write(&beginning);
    }

    /// Ends the writing and keeps what is there.
    pub fn stop(self) {
        self.close();
        let text = self.text.get_untracked();
        self.written.set(Some(Written { beginning: text.clone(), text }));
        self.said.set("Stopped. What is there is kept.".to_owned());
    }

    /// Goes back to what stood in the box before the last button.
    pub fn undo(self) {
        self.close();
        let last = self.before.try_update(Vec::pop).flatten();
        if let Some(text) = last {
            self.fill(&text);
            self.said.set("Undone".to_owned());
        }
    }

    /// Puts a word in at the caret.
    pub fn insert(self, word: &str) {
        let text = with_word(&self.text.get_untracked(), word, self.chars_before_caret());
        self.replace(&text);
    }

    /// Puts another text into the box.
    pub fn replace(self, text: &str) {
        self.close();
        self.remember();
        self.fill(text);
    }

    fn write(self, beginning: &str) {
        self.close();
        // An `EventSource` cannot read the sentence with which the server refuses.
        if let Err(error) = check_prompt("prompt", beginning) {
            self.fail(&error.message);
            return;
        }
        self.error.set(None);
        self.remember();
        // The space comes with the next word.
        let beginning = beginning.trim_end().to_owned();
        self.fill(&beginning);
        self.is_writing.set(true);
        self.said.set("Writing a prompt".to_owned());
        let url = format!("/api/v1/prompts/stream?start={}", query_value(&beginning));
        let feed = Feed::open(&url, &["text", "done", "failed"], move |heard| self.hear(heard));
        if feed.is_none() {
            self.fail("the browser could not open the stream");
            return;
        }
        self.feed.set(feed);
        self.typist.set(Some(Interval::new(PACE_MS, move || self.type_next(&beginning))));
    }

    fn hear(self, heard: Heard) {
        match heard {
            Heard::Event { name, data, .. } => match name.as_str() {
                "text" => {
                    if let Ok(piece) = serde_json::from_str::<Piece>(&data) {
                        self.waiting.update_value(|waiting| waiting.push_back(Some(piece.text)));
                    }
                }
                "done" => {
                    self.feed.set(None);
                    self.waiting.update_value(|waiting| waiting.push_back(None));
                }
                _ => {
                    let failure = serde_json::from_str::<Failure>(&data);
                    self.fail(failure.as_ref().map_or("the server could not go on", |it| &it.message));
                }
            },
            Heard::Open => {}
            // The browser would ask again and get another prompt, from the beginning.
            Heard::Broken { .. } => {
                self.fail("the connection broke, and what came so far is kept; press again to write another");
            }
        }
    }

    fn type_next(self, beginning: &str) {
        let next = self.waiting.try_update_value(VecDeque::pop_front).flatten();
        let Some(piece) = next else { return };
        let text = self.text.get_untracked();
        if let Some(piece) = piece {
            // GPT-2 begins its words with a space.
            self.fill((text + &piece).trim_start());
        } else {
            self.close();
            self.said.set(format!("Written: {text}"));
            self.written.set(Some(Written { beginning: beginning.to_owned(), text }));
        }
    }

    fn fail(self, message: &str) {
        self.close();
        self.said.set(String::new());
        self.error.set(Some(sentence(message)));
    }

    fn close(self) {
        self.is_writing.set(false);
        self.feed.set(None);
        self.typist.set(None);
        self.waiting.set_value(VecDeque::new());
    }

    fn remember(self) {
        let text = self.text.get_untracked();
        self.before.update(|before| {
            if before.last() != Some(&text) {
                before.push(text);
            }
            if before.len() > MOST_UNDONE {
                before.remove(0);
            }
        });
    }

    fn fill(self, text: &str) {
        if let Some(area) = self.area.get_untracked() {
            area.set_value(text);
        }
        self.text.set(text.to_owned());
    }

    /// The browser counts UTF-16 units.
    fn chars_before_caret(self) -> usize {
        let in_box = self.text.get_untracked();
        let caret = self.area.get_untracked().and_then(|area| area.selection_start().ok().flatten());
        let Some(caret) = caret else { return in_box.chars().count() };
        let mut n_units = 0;
        in_box
            .chars()
            .take_while(|c| {
                n_units += c.len_utf16();
                n_units <= caret as usize
            })
            .count()
    }
}

#[derive(Deserialize)]
struct Failure {
    message: String,
}
