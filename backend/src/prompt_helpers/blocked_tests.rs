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
fn every_upright_line_may_be_an_i_or_an_l_of_its_own() {
    for text in [
        "a ch11d",
        "a chi1d",
        "a ch1ld",
        "a ch!|d",
        "a c h 1 1 d",
        "a c h ! | d",
        "a c-h-1-1-d",
        "a chIId",
        "a CHlLD",
        "a ch\u{0456}\u{04CF}d",
    ] {
        assert_eq!(against("child", text), Some(1), "{text:?}");
    }
    for text in ["k11l", "k1|1", "ki11", "k!!l", "kiII", "kil|", "k1!!", "k.1.1.l"] {
        assert_eq!(against("kill", text), Some(1), "{text:?}");
    }
    assert_eq!(against("Illinois", "illin0is"), Some(1), "in the file as well");
}

#[test]
fn words_that_differ_in_such_a_letter_are_told_from_each_other() {
    for (line, other) in [
        ("fail", "fall"),
        ("hail", "hall"),
        ("tail", "tall"),
        ("bail", "ball"),
        ("slit", "silt"),
        ("lil", "ill"),
        ("child", "chill"),
        ("bowl", "bow!"),
        ("anal", "Ana!"),
        ("io", "10"),
        ("ass", "455"),
        ("ass", "boat,455"),
        ("ass", "4 5 5"),
        ("seal", "sea!"),
        ("cat", "C++"),
        ("si", "$1"),
    ] {
        assert_eq!(against(line, &format!("the {other} here")), None, "{line} {other}");
        assert_eq!(against(line, &format!("the {line} here")), Some(1), "{line}");
    }
}

#[test]
fn a_sign_that_may_be_a_letter_may_be_none_as_well() {
    for text in
        ["!kn1fe", "kn1fe!", "boat|kn1fe", "$kn1fe$", "big!knife+sword", "k!n!i!f!e", "k + n + i + f + e"]
    {
        assert_eq!(against("knife", text), Some(1), "{text:?}");
    }
    for text in ["a$$", "@s$", "a55", "big a$$."] {
        assert_eq!(against("ass", text), Some(1), "{text:?}");
    }
}

#[test]
fn a_word_in_pieces_is_found_beside_another_without_a_space() {
    for text in [
        "big,kni-fe",
        "big.kni.fe.red",
        "big/kn🔪ife",
        r"big,kn\ife",
        "big,(kni:1.2)fe",
        "((kni))[fe]",
        "big,k.n.i.f.e",
    ] {
        assert_eq!(against("knife", text), Some(1), "{text:?}");
    }
    assert_eq!(against("kitchen knife", "a big,kit-chen:kni-fe"), Some(1));
    assert_eq!(against("agent 007", "[agent :007]"), Some(1), "a number in brackets that are no weight");
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
    assert_eq!(against("k*lls", "k111s"), Some(1));
}

#[test]
fn a_pattern_is_found_where_letters_stand_apart() {
    for (line, text) in [
        ("knife*", "a k n i f e"),
        ("knife*", "k n i f e s"),
        ("*knife", "a p e n k n i f e"),
        ("kni*e", "a k n 1 f 3"),
        ("kitchen kni*", "k i t c h e n k n i f e"),
        ("/gun(s|ner)/", "a g u n n e r"),
        ("/\\bki(ll|lt)\\b/", "to k 1 | l t"),
    ] {
        assert_eq!(against(line, text), Some(1), "{line}: {text}");
    }
    for (line, text) in [("ab*", "a b c d"), ("/gun(s|ner)/", "a g u n"), ("knife*", "k n i v e s")] {
        assert_eq!(against(line, text), None, "{line}: {text}");
    }
}

#[test]
fn a_regular_expression_looks_at_the_text_as_it_stands_and_at_its_letters() {
    let line = "/kni(fe|ves)/";
    for text in ["a knife", "KNIVES", "penknifes", "kn\u{0456}ves", "kn1f3"] {
        assert_eq!(against(line, text), Some(1), "{text:?}");
    }
    assert_eq!(against(line, "a knit"), None);
    assert_eq!(against("/ch(ild|ill)/", "a ch11d"), Some(1));
    assert_eq!(against("/^chord$/", "ch11d"), None);
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
    let words = "ilil zz\n".repeat(9) + &"lli".repeat(30) + "q\na a a a b";
    let file = "kn*fe*\n".repeat(500) + "/(a+)+b/\n" + &words;
    let (blocked, _) = BlockedWords::parse(file.as_bytes());
    let begin = std::time::Instant::now();
    let lines = ["1!".repeat(999) + "x", "x|".repeat(1_000), "I ! ".repeat(500), "a-".repeat(1_000)];
    let others = ["a".repeat(2_000), "\u{FDFA}".repeat(2_000), "a ".repeat(1_000)];
    for text in lines.into_iter().chain(others) {
        assert_eq!(blocked.line_against(&text), None);
    }
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}
