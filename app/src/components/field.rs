//! One field of a form: label, control, sentence, and what is wrong; and the slider beside a number.

use leptos::prelude::*;

/// What a control says of its texts to a screen reader.
#[derive(Debug, Clone)]
pub struct Described {
    /// The ids of the texts that describe it.
    pub by: String,
    /// Whether what is in it was refused.
    pub invalid: Option<&'static str>,
}

/// A field with this name. `control` is given what it has to say of its texts.
pub fn field(
    name: &str,
    label: &str,
    note: String,
    error: Option<String>,
    control: impl FnOnce(Described) -> AnyView,
) -> AnyView {
    let by = if error.is_some() { format!("{name}-error {name}-note") } else { format!("{name}-note") };
    let control = control(Described { by, invalid: error.is_some().then_some("true") });
    let error = error.map(|error| view! { <p class="field-error" id=format!("{name}-error")>{error}</p> });
    view! {
        <div class=format!("field field-{name}")>
            <label for=name.to_owned()>{label.to_owned()}</label>
            {control}
            {error}
            <p class="note" id=format!("{name}-note")>
                {note}
            </p>
        </div>
    }
    .into_any()
}

/// A number, or what was typed instead of one. A field of the browser's own kind for numbers would send nothing at
/// all in that case, so nobody would learn of the mistake.
pub fn number_input(
    name: &str,
    value: String,
    placeholder: String,
    is_whole: bool,
    described: Described,
) -> impl IntoView + use<> {
    view! {
        <input
            type="text"
            id=name.to_owned()
            name=name.to_owned()
            inputmode=if is_whole { "numeric" } else { "decimal" }
            autocomplete="off"
            value=value
            placeholder=placeholder
            aria-describedby=described.by
            aria-invalid=described.invalid
        />
    }
}

/// From where to where a slider goes.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// Its left end.
    pub min: f64,
    /// Its right end.
    pub max: f64,
    /// Between two places of it.
    pub step: f64,
    /// Where it stands while the field is empty.
    pub usual: f64,
}

/// The slider of the field with this id, which holds `value`: quicker for a hand, while the field takes any number.
///
/// The field is what is sent. The slider has no name, and it is out of the way of a keyboard and a screen reader, who
/// have the field. Without a script the style sheet hides it.
pub fn slider(field: &str, range: Range, value: &str) -> AnyView {
    let at = value.trim().parse().unwrap_or(range.usual);
    view! {
        <input
            type="range"
            class="slider"
            data-slider=field.to_owned()
            data-usual=range.usual.to_string()
            min=range.min.to_string()
            max=range.max.to_string()
            step=range.step.to_string()
            value=at.to_string()
            autocomplete="off"
            tabindex="-1"
            aria-hidden="true"
        />
    }
    .into_any()
}
