//! The letter that a character stands for.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// The letters of a text in lower case, without accents, each look-alike as the Latin letter that it looks like, and
/// without what cannot be seen. Whatever else stands in it stays.
///
/// A capital `I` behind a small letter becomes `1`, and so does whatever looks like one, since it may be meant for an `l`
/// as well.
///
/// # Source
/// Unicode's compatibility decomposition (NFKD), and the look-alikes of its Technical Standard #39. Of Latin letters
/// themselves none is replaced: `rn` looks like `m`, and is in too many words.
pub(super) fn plain(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    let mut is_after_small = false;
    for c in text.nfkd().filter(|&c| !is_invisible(c) && !is_mark(c)) {
        if c == 'I' && is_after_small {
            letters.push('1');
        } else if c.is_ascii() {
            letters.push(c.to_ascii_lowercase());
        } else if let Some(latin) = looks_like(c) {
            letters.push_str(&latin);
        } else {
            letters.extend(c.to_lowercase());
        }
        is_after_small = c.is_lowercase();
    }
    letters
}

/// The digits and signs of a word as the letters that they are written for: `kn1f3` is `knife`. `one` is the letter that
/// a `1` stands for.
pub(super) fn without_digits(word: &str, one: char) -> String {
    word.chars().map(|c| letter_for(c, one).unwrap_or(c)).collect()
}

/// Whether it is a sign, rather than a digit, that is written for a letter.
pub(super) fn is_sign_for_letter(c: char) -> bool {
    !c.is_alphanumeric() && letter_for(c, 'i').is_some()
}

fn letter_for(c: char, one: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        _ => return None,
    })
}

/// The Latin letters or digits that it looks like, in lower case, if it is none itself.
fn looks_like(c: char) -> Option<String> {
    if let Some(letter) = enclosed(c).or_else(|| small_capital(c)) {
        return Some(letter.to_string());
    }
    let latin = |seen: String| {
        let letters: String = skeleton(&seen).filter(|&c| !is_mark(c)).collect();
        let is_latin = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_alphanumeric());
        // An upright line is all that is left of a capital I.
        let letters = if letters == "l" && c.is_uppercase() { "1".to_owned() } else { letters };
        is_latin.then(|| letters.to_ascii_lowercase())
    };
    // Of some, the capital alone looks like a Latin one: Cyrillic н, which is written for h.
    latin(c.to_string()).or_else(|| latin(c.to_uppercase().collect()))
}

/// White letters on a disc or square, and those that flags are made of: what NFKD passes over.
fn enclosed(c: char) -> Option<char> {
    const FIRSTS: [u32; 3] = [0x1F150, 0x1F170, 0x1F1E6];
    FIRSTS.iter().find_map(|first| {
        let place = u32::from(c).checked_sub(*first).filter(|&place| place < 26)?;
        char::from_u32(u32::from('a') + place)
    })
}

/// Small letters in the form of capitals, which phoneticians use.
fn small_capital(c: char) -> Option<char> {
    const CAPITALS: [(char, char); 21] = [
        ('ᴀ', 'a'),
        ('ʙ', 'b'),
        ('ᴄ', 'c'),
        ('ᴅ', 'd'),
        ('ᴇ', 'e'),
        ('ꜰ', 'f'),
        ('ɢ', 'g'),
        ('ʜ', 'h'),
        ('ɪ', 'i'),
        ('ᴊ', 'j'),
        ('ᴋ', 'k'),
        ('ʟ', 'l'),
        ('ᴍ', 'm'),
        ('ɴ', 'n'),
        ('ᴏ', 'o'),
        ('ᴘ', 'p'),
        ('ʀ', 'r'),
        ('ꜱ', 's'),
        ('ᴛ', 't'),
        ('ᴜ', 'u'),
        ('ᴠ', 'v'),
    ];
    CAPITALS.iter().find(|(capital, _)| *capital == c).map(|(_, letter)| *letter)
}

/// Accents and the like over, under and through Latin, Greek and Cyrillic letters. In other scripts marks are vowels, and
/// stay.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036F | 0x0483..=0x0489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF
        | 0xFE20..=0xFE2F)
}

/// What is not drawn: zero-width characters, those that turn the direction of writing, joiners, tags, variation selectors and
/// blank letters.
///
/// # Source
/// `Default_Ignorable_Code_Point` of Unicode's character database.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c), 0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
        | 0xFFF0..=0xFFF8 | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_a_word_is_drawn_its_letters_are_the_same() {
        for written in [
            "KNIFE",
            "knífè",
            "k\u{0336}n\u{0336}i\u{0336}f\u{0336}e\u{0336}",
            "ｋｎｉｆｅ",
            "𝓴𝓷𝓲𝓯𝓮",
            "ⓚⓝⓘⓕⓔ",
            "🅺🅽🅸🅵🅴",
            "🇰🇳🇮🇫🇪",
            "k\u{200B}n\u{200D}i\u{2060}f\u{FEFF}e",
            "\u{202E}knife\u{202C}",
            "kn\u{AD}ife",
            "kn\u{0456}f\u{0435}",
            "\u{043A}nif\u{0435}",
            "\u{03BA}nife",
            "ᴋɴɪꜰᴇ",
        ] {
            assert_eq!(plain(written), "knife", "{written:?}");
        }
    }

    #[test]
    fn cyrillic_and_greek_capitals_are_read_as_the_latin_ones_they_look_like() {
        assert_eq!(plain("АВЕКМНОРСТХ"), "abekmhopctx");
        assert_eq!(plain("авекмнорстх"), "abekmhopctx");
        assert_eq!(plain("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"), "abezh1kmnoptyx");
    }

    #[test]
    fn latin_letters_are_never_taken_for_others() {
        assert_eq!(plain("modern corn, 10 lilies"), "modern corn, 10 lilies");
        assert_eq!(plain("Ilse"), "ilse");
        assert_eq!(plain("kilI"), "kil1", "a capital I behind a small letter may be an l");
    }

    #[test]
    fn vowels_of_other_scripts_stay() {
        for text in ["हिन्दी", "ภาษา", "नदी"] {
            assert_eq!(plain(text).chars().count(), text.chars().count(), "{text}");
        }
    }

    #[test]
    fn digits_and_signs_are_read_as_letters() {
        assert_eq!(without_digits("kn1f3", 'i'), "knife");
        assert_eq!(without_digits("g@11ery", 'l'), "gallery");
        assert!(is_sign_for_letter('$') && !is_sign_for_letter('5') && !is_sign_for_letter('-'));
    }
}
