use std::collections::HashSet;

use super::*;

fn list(name: &str, entries: &[&str]) -> Wildcard {
    Wildcard { name: name.into(), entries: entries.iter().map(|entry| (*entry).to_owned()).collect() }
}

fn expand_with(files: &[Wildcard], text: &str, seed: u64) -> Result<String, WildcardError> {
    let lists = WordLists { files, vocabulary: None };
    Expander::new(lists, seed, WildcardStream::Prompt).expand(text)
}

/// Everything that a text may become.
fn all(files: &[Wildcard], text: &str) -> HashSet<String> {
    (0..500).map(|seed| expand_with(files, text, seed).unwrap()).collect()
}

fn set(texts: &[&str]) -> HashSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn the_same_seed_gives_the_same_words_and_another_seed_may_give_others() {
    let text = "a __colour__ {boat|car} at __time__";
    let first = expand_with(&[], text, 7).unwrap();
    assert_eq!(expand_with(&[], text, 7).unwrap(), first);
    assert!(!first.contains(['_', '{', '|']), "{first}");
    assert!(all(&[], text).len() > 50);
}

/// Whoever repeats a request by its seed counts on it, whatever the version.
#[test]
fn what_a_seed_names_stays() {
    let files = [list("colour", &["red", "green", "blue", "pink"])];
    let prompt = "a __colour__ {boat|2::car|cat} with {2$$ and $$a cloud|__colour__ flags|{one|two} dogs}";
    assert_eq!(expand_with(&files, prompt, 7).unwrap(), "a blue car with green flags and a cloud");
}

#[test]
fn every_entry_of_a_list_comes_up() {
    let files = [list("size", &["small", "large"])];
    assert_eq!(all(&files, "a __size__ boat"), set(&["a small boat", "a large boat"]));
}

#[test]
fn a_list_of_the_site_goes_before_one_that_every_site_has() {
    assert_eq!(all(&[list("colour", &["mauve"])], "__colour__"), set(&["mauve"]));
}

#[test]
fn a_model_that_knows_only_some_words_gets_those() {
    let vocabulary = Vocabulary { subjects: vec!["teapot".into()], ..Vocabulary::default() };
    let lists = WordLists { files: &[], vocabulary: Some(&vocabulary) };
    let expand = |text| Expander::new(lists, 7, WildcardStream::Prompt).expand(text).unwrap();
    assert_eq!(expand("a __subject__"), "a teapot");
    assert!(!expand("__season__").is_empty(), "it has none of this kind, so the site's list stands");
    let infos = lists.infos();
    let subject = infos.iter().find(|info| info.name == "subject").unwrap();
    assert_eq!((subject.n_entries, &subject.examples[..]), (1, &["teapot".to_owned()][..]));
}

#[test]
fn entries_may_hold_wildcards_and_choices() {
    let files = [list("pet", &["__animals/cat__", "{old|young} dog"]), list("animals/cat", &["tabby"])];
    assert_eq!(all(&files, "my __pet__"), set(&["my tabby", "my old dog", "my young dog"]));
}

#[test]
fn choices_lie_in_each_other_and_keep_their_spaces() {
    assert_eq!(
        all(&[], "a {very |}{{dark|light} red|blue} boat"),
        set(&[
            "a very dark red boat",
            "a very light red boat",
            "a very blue boat",
            "a dark red boat",
            "a light red boat",
            "a blue boat",
        ])
    );
}

#[test]
fn a_weight_makes_an_option_likely_or_impossible() {
    assert_eq!(all(&[], "{0::never|always}"), set(&["always"]));
    let n_rare = (0..2_000).filter(|seed| expand_with(&[], "{1::rare|9::usual}", *seed).unwrap() == "rare");
    assert!((120..280).contains(&n_rare.count()));
}

#[test]
fn several_are_chosen_and_none_twice() {
    assert_eq!(all(&[], "{2$$a|b|c}"), set(&["a, b", "a, c", "b, a", "b, c", "c, a", "c, b"]));
    assert_eq!(all(&[], "{1-2$$ and $$a|b}"), set(&["a", "b", "a and b", "b and a"]));
    assert_eq!(all(&[], "{0-1$$a|b}"), set(&["", "a", "b"]));
    assert_eq!(all(&[], "{9$$-$$a|b}"), set(&["a-b", "b-a"]), "no more than there are");
    let files = [list("herb", &["mint", "sage"])];
    assert_eq!(all(&files, "{2$$__herb__}"), set(&["mint, sage", "sage, mint"]));
}

#[test]
fn several_of_a_list_are_those_that_are_chosen_of_its_entries_side_by_side() {
    let files = [list("herb", &["mint", "sage", "dill", "basil", "thyme"])];
    for seed in 0..200 {
        let of_list = expand_with(&files, "{1-5$$__herb__} {5$$__herb__}", seed).unwrap();
        let side_by_side =
            expand_with(&[], "{1-5$$mint|sage|dill|basil|thyme} {5$$mint|sage|dill|basil|thyme}", seed);
        assert_eq!(Ok(of_list), side_by_side, "seed {seed}");
    }
}

#[test]
fn a_list_that_is_longer_than_any_prompt_is_refused_long_before_its_end() {
    let entries = (0..500_000).map(|number: u32| number.to_string()).collect();
    let files = [Wildcard { name: "big".into(), entries }];
    assert_eq!(expand_with(&files, "{9999999$$__big__}", 7), Err(WildcardError::TooLong));
    assert_eq!(expand_with(&files, "{9999999$$$$__big__}", 7), Err(WildcardError::TooLong));
    let few = expand_with(&files, "{100$$ $$__big__}", 7).unwrap();
    assert_eq!(few.split(' ').collect::<HashSet<_>>().len(), 100, "{few}");
}

#[test]
fn what_is_no_wildcard_and_no_choice_is_text() {
    for text in [
        "{masterpiece}, {{best quality}}",
        "a_b __ c__d, ^__^ T__T, o__o",
        "(word:1.2) [a|b] <lora:ink:1>",
        "{a|b",
        "a|b}",
        "snake_case",
        "____",
        "größer 水墨 _",
    ] {
        assert_eq!(expand_with(&[], text, 7).unwrap(), text);
    }
    assert_eq!(all(&[], "{{red|blue} boat}"), set(&["{red boat}", "{blue boat}"]));
}

#[test]
fn an_unknown_wildcard_is_named() {
    let unknown = |text| expand_with(&[list("pet", &["__fish__"])], text, 7).unwrap_err();
    assert_eq!(unknown("a __fish__"), WildcardError::Unknown("fish".into()));
    assert_eq!(unknown("a __pet__"), WildcardError::Unknown("fish".into()));
    assert_eq!(unknown("a {2$$__fish__}"), WildcardError::Unknown("fish".into()));
}

#[test]
fn a_name_counts_in_any_case_but_first_as_it_is_written() {
    let files = [list("Pet", &["dog"]), list("pet", &["cat"])];
    assert_eq!(expand_with(&files, "__pet__ __Pet__ __PET__", 7).unwrap(), "cat dog dog");
    assert!(expand_with(&[], "__Colour__", 7).is_ok());
}

#[test]
fn what_has_no_end_is_refused() {
    let endless = [list("a", &["__b__"]), list("b", &["x __a__"])];
    assert_eq!(expand_with(&endless, "__a__", 7), Err(WildcardError::TooDeep));
    let nested = |depth| format!("{}x{}", "{0::a|".repeat(depth), "}".repeat(depth));
    assert_eq!(expand_with(&[], &nested(16), 7).as_deref(), Ok("x"));
    assert_eq!(expand_with(&[], &nested(17), 7), Err(WildcardError::TooDeep));
    let doubling: Vec<Wildcard> = (0..12)
        .map(|level| {
            let next = format!("l{}", level + 1);
            list(&format!("l{level}"), &[&format!("__{next}__ __{next}__")])
        })
        .chain([list("l12", &["{|}"])])
        .collect();
    assert_eq!(expand_with(&doubling, "__l0__", 7), Err(WildcardError::TooMany));
    let long = [list("long", &["x".repeat(300).as_str()])];
    assert_eq!(expand_with(&long, &"__long__".repeat(7), 7), Err(WildcardError::TooLong));
    assert!(expand_with(&long, &"__long__".repeat(6), 7).is_ok());
    assert_eq!(expand_with(&long, &"__long__".repeat(100), 7), Err(WildcardError::TooLong));
}

#[test]
fn the_lists_of_the_site_are_shown_first_and_none_twice() {
    let files = [list("size", &["1", "2", "3", "4", "5", "6"]), list("colour", &["mauve"])];
    let infos = WordLists { files: &files, vocabulary: None }.infos();
    let size = WildcardInfo {
        name: "size".into(),
        n_entries: 6,
        examples: ["1", "2", "3", "4", "5"].map(str::to_owned).into(),
        built_in: false,
    };
    assert_eq!(infos[0], size);
    let of_colour: Vec<_> = infos.iter().filter(|info| info.name == "colour").collect();
    assert_eq!(of_colour.len(), 1);
    assert!(!of_colour[0].built_in && infos.iter().any(|info| info.name == "season" && info.built_in));
}

#[test]
fn a_list_without_entries_stands_for_nothing() {
    assert_eq!(expand_with(&[list("empty", &[])], "a __empty__boat {2$$__empty__}", 7).unwrap(), "a boat ");
}

#[test]
fn a_name_is_letters_and_digits_with_single_marks_between() {
    for name in ["colour", "animals/cat", "hair-color_2", "v1.5", "größe", "x"] {
        assert!(is_wildcard_name(name), "{name}");
    }
    for name in ["", "_a", "a_", "a__b", "../a", "a/../b", "/etc/passwd", "a//b", "a b", "a,b", "^", "a\\b"] {
        assert!(!is_wildcard_name(name), "{name}");
    }
}
