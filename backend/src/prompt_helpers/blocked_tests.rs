use super::*;

/// The line that stands against a text.
fn against(file: &str, text: &str) -> Option<u64> {
    let (blocked, faults) = BlockedWords::parse(file.as_bytes());
    assert_eq!(faults, []);
    blocked.line_against(text)
}

#[test]
fn a_word_is_found_by_itself_and_not_inside_another() {
    for text in ["a knife", "Knife!", "(knife:1.2), sharp", "a red,knife,blue", "[knife]"] {
        assert_eq!(against("sword\nknife", text), Some(2), "{text}");
    }
    for text in ["a penknife", "knives", "knifes", "a kitchen", ""] {
        assert_eq!(against("sword\nknife", text), None, "{text}");
    }
}

#[test]
fn a_word_is_found_however_it_is_hidden() {
    for text in [
        "a KNIFE",
        "a knífé",
        "a ｋｎｉｆｅ",
        "a kn\u{0456}f\u{0435}",
        "a k\u{200B}nife",
        "a \u{202E}knife",
        "a kn1f3",
        "a kn!fe",
        "a k.n.i.f.e",
        "a kni-fe",
        "a kni_fe",
        "a k n i f e",
        "a k  n - i . f e",
        "a k n 1 f 3",
        "kni(fe:1.1)",
        "a 🇰🇳🇮🇫🇪",
    ] {
        assert_eq!(against("knife", text), Some(1), "{text:?}");
    }
}

#[test]
fn a_line_is_read_as_prompts_are() {
    assert_eq!(against("KNÍFE", "a knife"), Some(1));
    assert_eq!(against("нож", "большой НОЖ"), Some(1));
    assert_eq!(against("agent 007", "a picture of Agent 007"), Some(1));
    for text in ["an x-ray", "an x ray", "an xray"] {
        assert_eq!(against("x-ray", text), Some(1), "{text}");
    }
}

#[test]
fn several_words_are_found_one_behind_the_other() {
    assert_eq!(against("kitchen knife", "a sharp kitchen knife"), Some(1));
    assert_eq!(against("kitchen knife", "a kitchen, knife"), Some(1));
    for text in ["a knife in a kitchen", "a kitchen with a knife", "kitchen"] {
        assert_eq!(against("kitchen knife", text), None, "{text}");
    }
}

#[test]
fn a_star_stands_for_letters_of_the_same_word() {
    for (line, found, passed) in [
        ("knife*", "knifes", "penknife"),
        ("*knife", "penknife", "knifes"),
        ("*knife*", "penknifes", "kni fe"),
        ("k*ves", "knives", "k and ves"),
        ("kitchen kni*", "a kitchen knife", "a kitchen"),
    ] {
        assert_eq!(against(line, found), Some(1), "{line}");
        assert_eq!(against(line, passed), None, "{line}");
    }
    assert_eq!(against("kniv*", "KN1V3S"), Some(1));
}

#[test]
fn a_regular_expression_looks_at_the_text_as_it_stands_and_at_its_letters() {
    let line = "/kni(fe|ves)/";
    for text in ["a knife", "KNIVES", "penknifes", "kn\u{0456}ves", "kn1f3"] {
        assert_eq!(against(line, text), Some(1), "{text:?}");
    }
    assert_eq!(against(line, "a knit"), None);
    assert_eq!(against("/\\d{4}-\\d{4}/", "call 1234-5678"), Some(1), "signs are there in the text itself");
}

#[test]
fn words_of_languages_without_spaces_are_found_inside_a_text() {
    assert_eq!(against("小刀", "一把锋利的小刀在桌上"), Some(1));
    assert_eq!(against("小刀", "小さい刀"), None);
    assert_eq!(against("ナイフ", "赤いﾅｲﾌ"), Some(1), "half the width is the same");
}

#[test]
fn short_words_are_not_found_among_letters_that_stand_apart() {
    assert_eq!(against("bc", "a b c d"), None);
    assert_eq!(against("bcd", "a b c d"), Some(1));
}

#[test]
fn a_file_without_lines_blocks_nothing() {
    let (blocked, faults) = BlockedWords::parse(b"# nothing\n");
    assert!(blocked.is_empty() && faults.is_empty());
    assert_eq!(blocked.line_against("a knife"), None);
}

#[test]
fn the_longest_prompt_of_the_worst_letters_takes_no_time_to_speak_of() {
    let file = "kn*fe*\n".repeat(500) + "/(a+)+b/\n";
    let (blocked, _) = BlockedWords::parse(file.as_bytes());
    let begin = std::time::Instant::now();
    for text in ["a".repeat(2_000), "\u{FDFA}".repeat(2_000), "a ".repeat(1_000)] {
        assert_eq!(blocked.line_against(&text), None);
    }
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}
