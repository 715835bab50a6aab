//! The styles, each with what it adds.

use leptos::prelude::*;
use types::model::ModelInfo;
use types::prompt::{STYLE_PLACE, Style};
use types::request::name_in_list;

/// What is said of a style whose words the model does not know.
const ADDS_NOTHING: &str = "Adds nothing with this small model, which does not know its words.";

/// Names of lists that are shown.
const MOST_LISTS: usize = 30;

/// A check mark for each, as a plain form sends them, and the names of the lists of words that a prompt may name.
pub fn style_picker(
    styles: &[Style],
    lists: &[String],
    picked: &[String],
    model: Option<&ModelInfo>,
    error: Option<String>,
) -> AnyView {
    let is_picked = |style: &Style| picked.iter().any(|name| style.is_called(name));
    let mut rows: Vec<_> = styles.iter().enumerate().collect();
    // Few are seen without scrolling: those that are picked, and then those that are of use.
    rows.sort_by_key(|(_, style)| (!is_picked(style), style_note(style, model) == ADDS_NOTHING));
    let rows = rows.into_iter().map(|(number, style)| row(number, style, is_picked(style), model));
    let error = error.map(|error| view! { <p class="field-error">{error}</p> });
    view! {
        <fieldset class="field field-styles" id="styles">
            <legend>"Styles"</legend>
            <ul class="styles">{rows.collect_view()}</ul>
            {error}
            <p class="note">
                "Words that are put around your prompt when the picture is asked for. The picture keeps the whole text."
            </p>
            <p class="note">
                "In both prompts, " <code>"{red|blue}"</code> " stands for one of these words and " <code>"__colour__"</code>
                " for one of a list; the seed says which. The lists: " {listed(lists)}
            </p>
        </fieldset>
    }
    .into_any()
}

fn listed(lists: &[String]) -> String {
    let n_more = lists.len().saturating_sub(MOST_LISTS);
    let said = lists[..lists.len() - n_more].join(", ");
    if n_more > 0 { format!("{said} and {n_more} more.") } else { format!("{said}.") }
}

fn row(number: usize, style: &Style, is_picked: bool, model: Option<&ModelInfo>) -> AnyView {
    let id = format!("style-{number}");
    let note = style_note(style, model);
    view! {
        <li class="style">
            <div class="check">
                <input
                    type="checkbox"
                    id=id.clone()
                    name="styles"
                    value=name_in_list(&style.name).into_owned()
                    checked=is_picked
                    aria-describedby=style_note_id(number)
                    autocomplete="off"
                />
                <label for=id>{style.name.clone()}</label>
            </div>
            <p class="note" id=style_note_id(number)>
                {note}
            </p>
        </li>
    }
    .into_any()
}

/// The id of the note under a style.
pub fn style_note_id(number: usize) -> String {
    format!("style-{number}-note")
}

/// What a style adds with this model.
pub fn style_note(style: &Style, model: Option<&ModelInfo>) -> String {
    let style = style.clone();
    let Style { prompt, negative_prompt, .. } = match model {
        Some(model) => style.for_model(model),
        None => style,
    };
    let adds = prompt.replace(STYLE_PLACE, "…");
    let adds = adds.trim_start_matches("…, ");
    match (adds.is_empty(), negative_prompt.is_empty()) {
        (true, true) => ADDS_NOTHING.to_owned(),
        (false, true) => format!("Adds: {adds}"),
        (true, false) => format!("Keeps away: {negative_prompt}"),
        (false, false) => format!("Adds: {adds}. Keeps away: {negative_prompt}"),
    }
}

#[cfg(test)]
mod tests {
    use types::model::Vocabulary;

    use super::*;
    use crate::request_query::tests::model;

    fn style(prompt: &str, negative_prompt: &str) -> Style {
        Style {
            name: "Ink, old".into(),
            prompt: prompt.into(),
            negative_prompt: negative_prompt.into(),
            built_in: true,
        }
    }

    #[test]
    fn a_note_says_what_a_style_adds_and_what_it_keeps_away() {
        let note = |prompt, negative| style_note(&style(prompt, negative), Some(&model()));
        assert_eq!(note("{prompt}, ink, wash", ""), "Adds: ink, wash");
        assert_eq!(note("ink", "colour"), "Adds: ink. Keeps away: colour");
        assert_eq!(note("a drawing of {prompt}, ink", ""), "Adds: a drawing of …, ink");
        assert_eq!(note("", "text, logo"), "Keeps away: text, logo");
    }

    #[test]
    fn a_note_says_so_where_the_model_does_not_know_the_words() {
        let vocabulary = Vocabulary { styles: vec!["watercolour".into()], ..Vocabulary::default() };
        let small = ModelInfo { vocabulary: Some(vocabulary), ..model() };
        let note = |prompt, negative| style_note(&style(prompt, negative), Some(&small));
        assert_eq!(note("{prompt}, ink", "colour"), ADDS_NOTHING);
        assert_eq!(note("{prompt}, watercolour, ink", ""), "Adds: watercolour");
    }

    #[test]
    fn what_is_picked_stands_first_and_what_is_of_no_use_last() {
        let vocabulary = Vocabulary { styles: vec!["watercolour".into()], ..Vocabulary::default() };
        let small = ModelInfo { vocabulary: Some(vocabulary), ..model() };
        let named = |name: &str, prompt: &str| Style { name: name.into(), ..style(prompt, "") };
        let styles = [named("Ink", "ink"), named("Water", "watercolour"), named("Oil", "oil")];
        let html = style_picker(&styles, &[], &["Oil".to_owned()], Some(&small), None).to_html();
        let at = |name: &str| html.find(&format!("value=\"{name}\"")).unwrap();
        assert!(at("Oil") < at("Water") && at("Water") < at("Ink"), "{html}");
        assert!(html[at("Oil")..].contains("style-2-note"), "a note is known by its style's place among all");
    }

    #[test]
    fn a_site_with_many_lists_does_not_name_them_all() {
        assert_eq!(listed(&["size".to_owned(), "colour".to_owned()]), "size, colour.");
        let many: Vec<String> = (0..100).map(|number| format!("l{number}")).collect();
        assert!(listed(&many).ends_with(", l29 and 70 more."));
    }

    #[test]
    fn a_picked_style_is_checked_and_its_name_goes_into_a_list() {
        let styles = [style("ink", ""), Style { name: "Oil".into(), ..style("oil", "") }];
        let html = style_picker(&styles, &[], &["oil".to_owned()], None, None).to_html();
        let checkbox = |value: &str| {
            let at = html.find(&format!("value=\"{value}\"")).expect("it is there");
            let begin = html[..at].rfind('<').unwrap();
            html[begin..begin + html[begin..].find('>').unwrap()].to_owned()
        };
        assert!(checkbox("Oil").contains(" checked"));
        assert!(!checkbox("&quot;Ink, old&quot;").contains(" checked"));
    }
}
