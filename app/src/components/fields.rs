//! The fields of the form's folds, filled in as they were typed.

use leptos::prelude::*;

use super::field::{Described, Range, field, number_input, slider};
use crate::format::sentence;
use crate::state::FormState;

/// Makes the fields of a form.
pub struct Fields<'a> {
    /// What was typed, and what is wrong with it.
    pub form: &'a FormState,
}

/// One entry of a list.
#[derive(Default)]
pub struct Choice {
    /// What is sent; empty leaves it to the model.
    pub value: String,
    /// What is shown.
    pub label: String,
    /// The heading it stands under, if the list has headings.
    pub group: &'static str,
    /// Whether it is the one.
    pub is_chosen: bool,
    /// Whether it cannot be chosen.
    pub is_disabled: bool,
    /// For a script that changes its label.
    pub id: Option<String>,
    /// What the form says with this model, for a script.
    pub numbers: Option<String>,
}

impl Fields<'_> {
    /// What is wrong with a field.
    pub fn error_of(&self, field: &str) -> Option<String> {
        let error = self.form.error.as_ref().filter(|error| error.field.as_deref() == Some(field))?;
        Some(sentence(&error.message))
    }

    /// Label, control, sentence, and what is wrong.
    pub fn field(
        &self,
        name: &'static str,
        label: &'static str,
        note: impl Into<String>,
        control: impl FnOnce(Described) -> AnyView,
    ) -> AnyView {
        field(name, label, note.into(), self.error_of(name), control)
    }

    /// What stands in a number field: what was typed, or else `number`.
    pub fn typed(&self, name: &str, number: Option<String>) -> String {
        self.form.typed.get(name).map(str::to_owned).or(number).unwrap_or_default()
    }

    /// A whole number.
    pub fn whole(
        &self,
        name: &'static str,
        label: &'static str,
        note: impl Into<String>,
        number: Option<i64>,
        placeholder: impl Into<String>,
    ) -> AnyView {
        let value = self.typed(name, number.map(|number| number.to_string()));
        let placeholder = placeholder.into();
        self.field(name, label, note, move |described| {
            number_input(name, value, placeholder, true, described).into_any()
        })
    }

    /// A number with a decimal point.
    pub fn decimal(
        &self,
        name: &'static str,
        label: &'static str,
        note: impl Into<String>,
        number: Option<f64>,
        placeholder: impl Into<String>,
    ) -> AnyView {
        let value = self.typed(name, number.map(|number| number.to_string()));
        let placeholder = placeholder.into();
        self.field(name, label, note, move |described| {
            number_input(name, value, placeholder, false, described).into_any()
        })
    }

    /// A number with a decimal point and a slider beside it. Empty stands for the slider's usual place.
    pub fn sliding(
        &self,
        name: &'static str,
        label: &'static str,
        note: impl Into<String>,
        number: Option<f64>,
        range: Range,
    ) -> AnyView {
        let value = self.typed(name, number.map(|number| number.to_string()));
        let slide = slider(name, range, &value);
        let control = self.field(name, label, note, move |described| {
            let input = number_input(name, value, range.usual.to_string(), false, described);
            view! { {slide} {input} }.into_any()
        });
        view! { <div class="with-slider">{control}</div> }.into_any()
    }

    /// A list of which one is chosen.
    pub fn select(
        &self,
        name: &'static str,
        label: &'static str,
        note: impl Into<String>,
        choices: Vec<Choice>,
    ) -> AnyView {
        self.field(name, label, note, move |described| {
            view! {
                <select id=name name=name aria-describedby=described.by aria-invalid=described.invalid>
                    {groups(choices)}
                </select>
            }
            .into_any()
        })
    }
}

/// The entries in their order, those of one heading together.
fn groups(choices: Vec<Choice>) -> AnyView {
    let mut groups: Vec<(&str, Vec<AnyView>)> = Vec::new();
    for choice in choices {
        let group = choice.group;
        let option = option(choice);
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, options)) => options.push(option),
            None => groups.push((group, vec![option])),
        }
    }
    let groups = groups.into_iter().map(|(name, options)| match name {
        "" => options.into_any(),
        _ => view! { <optgroup label=name>{options}</optgroup> }.into_any(),
    });
    groups.collect_view().into_any()
}

fn option(choice: Choice) -> AnyView {
    view! {
        <option
            value=choice.value
            id=choice.id
            data-numbers=choice.numbers
            selected=choice.is_chosen
            disabled=choice.is_disabled
        >
            {choice.label}
        </option>
    }
    .into_any()
}
