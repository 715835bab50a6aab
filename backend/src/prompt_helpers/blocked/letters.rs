//! The letter that a character stands for.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// An upright line: an `i` or an `l`, nobody knows which. A letter to Unicode, so that it stands inside words.
pub(super) const UPRIGHT: char = 'ǀ';

/// The letters of a text in lower case, without accents, each look-alike as the Latin letter that it looks like, and
/// without what cannot be seen. Whatever else stands in it stays.
///
/// A capital `I` becomes [`UPRIGHT`] unless it stands among capitals, and so do an `l` that does, and whatever else looks
/// like a line.
///
/// # Source
/// Unicode's compatibility decomposition (NFKD), and the look-alikes of its Technical Standard #39. Of Latin letters
/// themselves none is replaced: `rn` looks like `m`, and is in too many words.
pub(super) fn plain(text: &str) -> String {
    let seen: Vec<char> = text.nfkd().filter(|&c| !is_invisible(c) && !is_mark(c)).collect();
    let mut letters = String::with_capacity(text.len());
    for run in seen.chunk_by(|one, two| one.is_alphabetic() == two.is_alphabetic()) {
        let n_capitals = run.iter().filter(|c| c.is_uppercase()).count();
        let is_capitals = n_capitals > 1 && run.iter().all(|&c| !c.is_lowercase() || c == 'l');
        for &c in run {
            if (c == 'I' && !is_capitals) || (c == 'l' && is_capitals) {
                letters.push(UPRIGHT);
            } else if c.is_ascii() {
                letters.push(c.to_ascii_lowercase());
            } else if let Some(latin) = looks_like(c) {
                letters.push_str(&latin);
            } else if !(is_combining_mark(c) && letters.ends_with(is_latin)) {
                // On a Latin letter the vowels and tones of other scripts are no more than dirt.
                letters.extend(c.to_lowercase());
            }
        }
    }
    letters
}

/// The letters of a line that a letter of a text may be: one that is no upright line is itself.
pub(super) fn meant_by(letter: &char) -> &[char] {
    match letter {
        &UPRIGHT => &['i', 'l', '1', UPRIGHT],
        'i' => &['i', UPRIGHT],
        'l' => &['l', UPRIGHT],
        '1' => &['1', UPRIGHT],
        other => std::slice::from_ref(other),
    }
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == UPRIGHT
}

/// The letter that a digit or sign is written for: `kn3e` is `knee`.
pub(super) fn letter_for(c: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' | '|' => UPRIGHT,
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
        // What looks like a capital I looks like an l.
        is_latin.then(|| letters.replace('l', UPRIGHT.encode_utf8(&mut [0; 4])).to_ascii_lowercase())
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
        assert_eq!(plain("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"), "abezhǀkmnoptyx");
    }

    #[test]
    fn latin_letters_are_never_taken_for_others() {
        assert_eq!(plain("modern corn, 10 lilies"), "modern corn, 10 lilies");
        assert_eq!(plain("CHILD'S PLAY"), "child's play");
    }

    #[test]
    fn a_capital_i_among_small_letters_and_an_l_among_capitals_may_be_either() {
        for (written, expected) in
            [("kilI", "kilǀ"), ("kiII", "kiǀǀ"), ("Ill", "ǀll"), ("KlLL", "kǀll"), ("NAZl", "nazǀ")]
        {
            assert_eq!(plain(written), expected);
        }
        assert_eq!(plain("Al and Bill"), "al and bill");
    }

    #[test]
    fn marks_of_other_scripts_hide_no_latin_letter() {
        assert_eq!(plain("kn\u{064B}i\u{0E34}fe\u{093F}"), "knife");
    }

    #[test]
    fn vowels_of_other_scripts_stay() {
        for text in ["हिन्दी", "ภาษา", "नदी"] {
            assert_eq!(plain(text).chars().count(), text.chars().count(), "{text}");
        }
    }
}
