//! The reference of the API, drawn from its `OpenAPI` document.
//!
//! The document is our own, so what it lacks is left out and nothing is asked of it twice.

use leptos::prelude::*;
use serde_json::{Map, Value};

/// What an operation's request or answer is described by.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// All endpoints by group, and all types.
pub fn view(document: &'static Value) -> AnyView {
    let groups = list(document, "/tags").iter().map(|tag| group(document, tag)).collect_view();
    let types = entries(document, "/components/schemas").map(|(name, schema)| described_type(name, schema));
    view! {
        {groups}
        <h2 id="types">"Types"</h2>
        {types.collect_view()}
    }
    .into_any()
}

/// The endpoints that carry a tag.
fn group(document: &'static Value, tag: &'static Value) -> AnyView {
    let name = text(tag, "/name");
    let operations = entries(document, "/paths").flat_map(move |(path, item)| {
        METHODS.into_iter().filter_map(move |method| Some((path, method, item.get(method)?)))
    });
    let operations = operations.filter(move |(_, _, operation)| {
        list(operation, "/tags").iter().any(|tag| tag.as_str() == Some(name))
    });
    view! {
        <section class="endpoints">
            <h3>{capitalised(name)}</h3>
            <p>{text(tag, "/description")}</p>
            {operations.map(|(path, method, operation)| endpoint(path, method, operation)).collect_view()}
        </section>
    }
    .into_any()
}

fn endpoint(path: &'static str, method: &'static str, operation: &'static Value) -> AnyView {
    let parameters = list(operation, "/parameters");
    let bodies = entries(operation, "/requestBody/content");
    let answers = entries(operation, "/responses");
    let has_parameters = !parameters.is_empty();
    view! {
        <details class="endpoint">
            <summary>
                <code>{method.to_uppercase()} " " {path}</code>
                " "
                <span>{text(operation, "/summary")}</span>
            </summary>
            {paragraphs(text(operation, "/description"))}
            {has_parameters
                .then(|| {
                    let rows = parameters.iter().map(|parameter| {
                        let schema = parameter.get("schema").unwrap_or(&Value::Null);
                        let place = text(parameter, "/in");
                        row(text(parameter, "/name"), kind(schema), &format!("{} ({place})", text(parameter, "/description")))
                    });
                    rows_of("Parameters", ["Parameter", "Type", "What it is"], rows.collect())
                })}
            {bodies
                .map(|(media_type, content)| {
                    let schema = content.get("schema").unwrap_or(&Value::Null);
                    view! { <p>"Body: " <code>{media_type}</code> ", " {kind(schema)}</p> }
                })
                .collect_view()}
            <ul class="answers">
                {answers
                    .map(|(status, answer)| {
                        let contents = entries(answer, "/content").map(|(media_type, content)| {
                            let schema = content.get("schema").unwrap_or(&Value::Null);
                            // A file's bytes say nothing of what is in it.
                            let kind = media_type.contains("json").then(|| kind(schema));
                            view! { " " <code>{media_type}</code> " " {kind} }
                        });
                        let status = if status == "default" { "otherwise" } else { status };
                        view! { <li><code>{status}</code> " " {text(answer, "/description")} {contents.collect_view()}</li> }
                    })
                    .collect_view()}
            </ul>
        </details>
    }
    .into_any()
}

fn described_type(name: &'static str, schema: &'static Value) -> AnyView {
    let variants = list(schema, "/oneOf");
    let rows = fields(schema);
    let one_of = variants.iter().map(|variant| {
        let rows = fields(variant);
        view! {
            <li>
                {paragraphs(text(variant, "/description"))}
                {if rows.is_empty() { kind(variant) } else { rows_of(name, ["Field", "Type", "What it is"], rows) }}
            </li>
        }
    });
    let one_of = (!variants.is_empty()).then(|| view! { <p>"One of:"</p><ul>{one_of.collect_view()}</ul> });
    let itself = (rows.is_empty() && variants.is_empty()).then(|| view! { <p>{kind(schema)}</p> });
    view! {
        <details class="endpoint" id=anchor(name)>
            <summary><code>{name}</code></summary>
            {paragraphs(text(schema, "/description"))}
            {itself}
            {(!rows.is_empty()).then(|| rows_of(name, ["Field", "Type", "What it is"], rows))}
            {one_of}
        </details>
    }
    .into_any()
}

/// A row for each field of an object, those of its parts too.
fn fields(schema: &'static Value) -> Vec<AnyView> {
    let own = entries(schema, "/properties")
        .map(|(name, field)| row(name, kind(field), text(field, "/description")));
    let parts = list(schema, "/allOf").iter().flat_map(fields);
    own.chain(parts).collect()
}

fn row(name: &'static str, kind: AnyView, description: &str) -> AnyView {
    view! {
        <tr>
            <th scope="row"><code>{name}</code></th>
            <td>{kind}</td>
            <td>{marked(description)}</td>
        </tr>
    }
    .into_any()
}

fn rows_of(name: &'static str, head: [&'static str; 3], rows: Vec<AnyView>) -> AnyView {
    view! {
        <div class="table" tabindex="0" role="region" aria-label=name>
            <table>
                <thead>
                    <tr>{head.map(|title| view! { <th scope="col">{title}</th> }).into_iter().collect_view()}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// What a value may be, in words, with a link where it is a type of its own.
fn kind(schema: &'static Value) -> AnyView {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return view! { <a href=format!("#{}", anchor(name))>{name}</a> }.into_any();
    }
    let choices = ["/oneOf", "/anyOf", "/allOf"].into_iter().flat_map(|at| list(schema, at));
    let choices: Vec<&Value> = choices.filter(|choice| text(choice, "/type") != "null").collect();
    if !choices.is_empty() {
        return choices.into_iter().map(kind).collect_view().into_any();
    }
    if let Some(items) = schema.get("items") {
        return view! { "list of " {kind(items)} }.into_any();
    }
    words(schema).into_any()
}

/// The same of a plain value.
fn words(schema: &Value) -> String {
    let named = list(schema, "/enum");
    if !named.is_empty() {
        return named.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    }
    let types = match schema.get("type") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(several)) => {
            let several = several.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            several.collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".to_owned(),
    };
    let types = match (types.as_str(), text(schema, "/format")) {
        ("string", format @ ("uuid" | "date-time" | "binary")) => format.to_owned(),
        ("integer", _) => "whole number".to_owned(),
        _ => types,
    };
    let bound = |name: &str| schema.get(name).filter(|bound| bound.is_number()).map(ToString::to_string);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!("{types}, {least} to {most}"),
        (Some(least), None) if least != "0" => format!("{types}, {least} and more"),
        (None, Some(most)) => format!("{types}, up to {most}"),
        _ => types,
    }
}

/// A description's paragraphs.
fn paragraphs(description: &'static str) -> AnyView {
    let paragraphs = description.split("\n\n").filter(|text| !text.is_empty());
    paragraphs.map(|text| view! { <p>{marked(text)}</p> }).collect_view().into_any()
}

/// A description with its code in code's type. Links between the sources' items lead nowhere here, so only their text
/// is kept.
fn marked(description: &str) -> AnyView {
    let plain = without_links(description);
    let parts = plain.split('`').enumerate().map(|(place, part)| {
        let part = part.to_owned();
        if place % 2 == 1 { view! { <code>{part}</code> }.into_any() } else { part.into_any() }
    });
    parts.collect_view().into_any()
}

/// `[text](target)` and `[text]` as their text.
fn without_links(description: &str) -> String {
    let (mut plain, mut rest) = (String::new(), description);
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        let Some((text, after)) = after.split_once(']') else {
            plain.push('[');
            rest = after;
            continue;
        };
        plain.push_str(text);
        rest = after
            .strip_prefix('(')
            .and_then(|target| target.split_once(')'))
            .map_or(after, |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

fn anchor(name: &str) -> String {
    format!("type-{name}")
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let object = value.pointer(pointer).and_then(Value::as_object);
    object.into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_told_in_words() {
        assert_eq!(
            words(&json!({"type": ["integer", "null"], "minimum": 1, "maximum": 150})),
            "whole number, 1 to 150"
        );
        assert_eq!(words(&json!({"type": "string", "enum": ["euler", "ddim"]})), "euler, ddim");
        assert_eq!(words(&json!({"type": "string", "format": "uuid"})), "uuid");
        assert_eq!(words(&json!({"type": "integer", "minimum": 0})), "whole number");
    }

    #[test]
    fn links_between_the_sources_are_left_as_their_text() {
        let description =
            "in any spelling that [`Sampler`](crate::sampler::Sampler) parses; see [`Self::seed_of`]";
        assert_eq!(without_links(description), "in any spelling that `Sampler` parses; see `Self::seed_of`");
        assert_eq!(without_links("an [open end"), "an [open end");
    }
}
