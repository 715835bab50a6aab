use super::tests::{asked, demo};
use super::*;
use crate::error::{ErrorCode, PublicError};
use crate::model::{ModelInfo, Vocabulary};
use crate::prompt::{Style, Wildcard};

fn style(name: &str, prompt: &str, negative_prompt: &str) -> Style {
    Style {
        name: name.into(),
        prompt: prompt.into(),
        negative_prompt: negative_prompt.into(),
        built_in: false,
    }
}

fn list(name: &str, entries: &[&str]) -> Wildcard {
    Wildcard { name: name.into(), entries: entries.iter().map(|entry| (*entry).to_owned()).collect() }
}

fn check(raw: RawRequest) -> Result<GenerationRequest, PublicError> {
    let styles = [
        style("Ink", "ink drawing of {prompt}", "colour"),
        style("Dusk", "at __hour__", ""),
        style("Lost", "__x__", ""),
    ];
    let wildcards = [list("hour", &["seven"]), list("again", &["__again__"])];
    let context = RequestContext {
        models: &[demo()],
        styles: &styles,
        wildcards: &wildcards,
        ..RequestContext::default()
    };
    raw.check(&context, || 42)
}

fn complaint(raw: RawRequest) -> (String, String) {
    let error = check(raw).expect_err("the request should be refused");
    assert_eq!(error.code, ErrorCode::InvalidField);
    (error.field.expect("the error names a field"), error.message)
}

fn styled(prompt: &str, styles: &[&str]) -> RawRequest {
    RawRequest { styles: styles.iter().map(|name| (*name).to_owned()).collect(), ..asked(prompt) }
}

#[test]
fn styles_stand_around_both_prompts_in_their_order() {
    let raw =
        RawRequest { negative_prompt: Some("rain".into()), ..styled("a boat", &["Ink", "dusk", "Ink", ""]) };
    let request = check(raw).unwrap();
    assert_eq!(request.prompt, "ink drawing of a boat, at seven");
    assert_eq!(request.negative_prompt, "rain, colour");
    assert_eq!(request.asked_prompt.as_deref(), Some("a boat"));
    assert_eq!(request.asked_negative_prompt.as_deref(), Some("rain"));
}

#[test]
fn styles_that_come_with_the_program_are_known_by_name() {
    let request = check(styled("a boat", &["Concept art", "without text"])).unwrap();
    assert!(request.prompt.starts_with("a boat, concept art, "), "{}", request.prompt);
    assert!(request.negative_prompt.ends_with("text, watermark, signature, logo, caption"));
    assert_eq!(request.asked_negative_prompt.as_deref(), Some(""));
}

#[test]
fn an_unknown_style_is_refused_with_the_known_ones() {
    let (field, message) = complaint(styled("a boat", &["Ink", "Oil"]));
    assert_eq!(field, "styles");
    assert!(
        message.starts_with(
            "style `Oil` is unknown; known are Ink, Dusk, Lost, Product photograph, Concept art, "
        ),
        "{message}"
    );
}

#[test]
fn wildcards_are_written_out_with_the_words_of_the_seed() {
    let prompt_of = |seed| {
        let raw = RawRequest { seed: Some(seed), ..asked("a __colour__ {boat|car} at __hour__") };
        check(raw).unwrap().prompt
    };
    assert_eq!(prompt_of(7), prompt_of(7));
    assert!((0..20).any(|seed| prompt_of(seed) != prompt_of(7)));
    let chosen = check(asked("a __colour__ {boat|car} at __hour__")).unwrap();
    assert_eq!((chosen.prompt, chosen.seed), (prompt_of(42), 42), "a chosen seed names the words as well");
    assert_eq!(chosen.asked_prompt.as_deref(), Some("a __colour__ {boat|car} at __hour__"));
}

#[test]
fn the_words_of_the_prompt_do_not_change_with_what_stands_beside_it() {
    let prompt = "a __colour__ {boat|car|cat|dog|owl}";
    let alone = check(asked(prompt)).unwrap();
    let negative_prompt = Some("{a|b|c|d} __place__".to_owned());
    let with_negative = check(RawRequest { negative_prompt, ..asked(prompt) }).unwrap();
    assert_eq!(with_negative.prompt, alone.prompt);
    assert!(!with_negative.negative_prompt.contains(['{', '_']), "{}", with_negative.negative_prompt);
    let with_style = check(styled(prompt, &["Ink"])).unwrap();
    assert_eq!(with_style.prompt, format!("ink drawing of {}", alone.prompt));
}

#[test]
fn a_prompt_without_any_of_it_is_left_as_it_is() {
    for prompt in ["a boat", "{masterpiece}, a_b", "(a:1.2) [b|c]"] {
        let request = check(asked(prompt)).unwrap();
        assert_eq!((request.prompt.as_str(), request.asked_prompt), (prompt, None));
        assert_eq!(request.asked_negative_prompt, None);
    }
}

#[test]
fn an_unknown_wildcard_is_refused_with_the_known_ones() {
    let (field, message) = complaint(asked("a __color_of_hair__ cat"));
    assert_eq!(field, "prompt");
    assert!(
        message.starts_with(
            "the prompt names the wildcard `__color_of_hair__`, which is unknown; known are hour, again, animal, building, "
        ),
        "{message}"
    );
    let negative_prompt = Some("__x__".to_owned());
    let (field, message) = complaint(RawRequest { negative_prompt, ..asked("a boat") });
    assert_eq!(field, "negative_prompt");
    assert!(
        message.starts_with("the negative prompt names the wildcard `__x__`, which is unknown"),
        "{message}"
    );
    let (field, message) = complaint(styled("a boat", &["Lost"]));
    assert_eq!(field, "styles");
    assert!(message.starts_with("style `Lost` names the wildcard `__x__`, which is unknown"), "{message}");
}

#[test]
fn a_site_with_many_lists_does_not_name_them_all() {
    let wildcards: Vec<Wildcard> = (0..100).map(|number| list(&format!("list{number}"), &["x"])).collect();
    let context = RequestContext { models: &[demo()], wildcards: &wildcards, ..RequestContext::default() };
    let message = asked("__x__").check(&context, || 7).unwrap_err().message;
    assert!(message.ends_with("list38, list39 and 79 more"), "{message}");
}

#[test]
fn what_has_no_end_is_refused_with_what_is_allowed() {
    assert_eq!(
        complaint(asked("a __again__ cat")),
        (
            "prompt".into(),
            "the prompt holds wildcards or choices that lie more than 16 deep in each other, as one does that leads \
             back to itself; at most 16 are allowed"
                .into()
        )
    );
    assert_eq!(
        complaint(asked("{|} {||}")).1,
        "the prompt is empty once its choices are written out; give each of them words"
    );
    assert_eq!(
        complaint(styled(&"x".repeat(1_990), &["Ink"])),
        (
            "prompt".into(),
            "the prompt has more than 2000 characters once wildcards and styles are written out; at most 2000 are \
             allowed"
                .into()
        )
    );
}

#[test]
fn a_small_model_gets_its_own_words_and_none_of_a_style_that_it_does_not_know() {
    let vocabulary = Vocabulary { subjects: vec!["teapot".into()], ..Vocabulary::default() };
    let model = ModelInfo { vocabulary: Some(vocabulary), ..demo() };
    let context = RequestContext { models: &[model], ..RequestContext::default() };
    let request = styled("a __subject__", &["Concept art", "Without flaws"]).check(&context, || 7).unwrap();
    assert_eq!((request.prompt.as_str(), request.negative_prompt.as_str()), ("a teapot", ""));
}

#[test]
fn what_a_list_brings_in_may_name_a_lora_as_any_prompt_may() {
    let lora = crate::lora::LoraInfo {
        name: "ink".into(),
        family: crate::model::Family::Other,
        n_layers: 1,
        changes_text_encoder: false,
        size_bytes: 1,
        problem: None,
    };
    let context = RequestContext { models: &[demo()], loras: &[lora], ..RequestContext::default() };
    assert!(asked("a boat {<lora:ink:1>|<lora:ink:0.5>}").check(&context, || 7).is_ok());
    let refused = asked("a boat {<lora:oil:1>|<lora:oil:0.5>}").check(&context, || 7).unwrap_err();
    assert_eq!(refused.message, "LoRA `oil` is not installed; installed are ink");
}
