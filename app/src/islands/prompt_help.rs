//! The words and examples of a small model, at hand.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::writer::Writer;
use crate::format::query_value;

/// Words of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordGroup {
    /// What they are words for.
    pub name: String,
    /// The words.
    pub words: Vec<String>,
}

/// Words to press and prompts to take over. Without a script the words are text and the prompts are links.
pub fn prompt_help(
    writer: Writer,
    groups: Vec<WordGroup>,
    examples: Vec<String>,
    is_alive: RwSignal<bool>,
) -> impl IntoView + use<> {
    let groups = groups
        .into_iter()
        .map(|group| {
            let words = group.words.into_iter().map(|word| {
                let inserted = word.clone();
                view! {
                    <li>
                        <button
                            type="button"
                            class="word"
                            disabled=move || !is_alive.get()
                            on:click=move |_| writer.insert(&inserted)
                        >
                            {word}
                        </button>
                    </li>
                }
            });
            view! {
                <div class="word-group">
                    <h2>{group.name}</h2>
                    <ul class="words">{words.collect_view()}</ul>
                </div>
            }
        })
        .collect_view();
    let examples = examples
        .into_iter()
        .map(|example| {
            let (href, taken) = (format!("/?prompt={}", query_value(&example)), example.clone());
            let take = move |event: leptos::ev::MouseEvent| {
                event.prevent_default();
                writer.replace(&taken);
            };
            view! {
                <li>
                    <a href=href on:click=take>
                        {example}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="word-groups">{groups}</div>
        <h2>"Prompts to begin with"</h2>
        <ul class="examples">{examples}</ul>
    }
}
