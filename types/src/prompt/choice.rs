//! Choices in braces: `{red|blue}`.

/// One choice, taken apart and not yet made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice<'a> {
    /// What can be chosen, with the weight of each; they are as they were written.
    pub(super) options: Vec<(f64, &'a str)>,
    /// How many are chosen; `None` is one, which is put in as it was written.
    pub(super) several: Option<Several<'a>>,
}

/// How many options are chosen, and what stands between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Several<'a> {
    /// Fewest.
    pub(super) least: usize,
    /// Most; left open it is all of them.
    pub(super) most: Option<usize>,
    /// What stands between two of them.
    pub(super) separator: &'a str,
}

/// The choice that a text begins with, and what stands behind it.
///
/// Braces are a choice if they have a partner, and hold a bar or a number to choose. Any others are text.
pub(super) fn choice_at_start(text: &str) -> Option<(Choice<'_>, &str)> {
    let inside = text.strip_prefix('{')?;
    let (end, bars) = partner_and_bars(inside)?;
    let (inside, after) = (&inside[..end], &inside[end + 1..]);
    let several = several_at_start(inside);
    if bars.is_empty() && several.is_none() {
        return None;
    }
    let head = several.as_ref().map_or(0, |(_, length)| *length);
    let starts = std::iter::once(head).chain(bars.iter().map(|bar| bar + 1));
    let ends = bars.iter().copied().chain([inside.len()]);
    let options = starts.zip(ends).map(|(start, end)| weight_at_start(&inside[start..end])).collect();
    Some((Choice { options, several: several.map(|(several, _)| several) }, after))
}

/// Where the brace ends that was opened before `inside`, and the bars that are its own.
fn partner_and_bars(inside: &str) -> Option<(usize, Vec<usize>)> {
    let (mut depth, mut bars) = (0_usize, Vec::new());
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some((at, bars)),
            b'}' => depth -= 1,
            b'|' if depth == 0 => bars.push(at),
            _ => {}
        }
    }
    None
}

/// `2$$`, `1-3$$`, `-3$$`, `1-$$` at the beginning, each with a separator if one more `$$` follows, and its length.
fn several_at_start(inside: &str) -> Option<(Several<'_>, usize)> {
    let (numbers, rest) = inside.split_once("$$")?;
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let (least, most) = match numbers.split_once('-') {
        None => (number(numbers)?, Some(number(numbers)?)),
        Some((least, most)) => {
            let or_open =
                |text: &str| if text.trim().is_empty() { Some(None) } else { number(text).map(Some) };
            (or_open(least)?.unwrap_or(1), or_open(most)?)
        }
    };
    let separator = rest.split_once("$$").map(|(separator, _)| separator);
    let separator = separator.filter(|separator| !separator.contains(['{', '}', '|']));
    let length = numbers.len() + 2 + separator.map_or(0, |separator| separator.len() + 2);
    Some((Several { least, most, separator: separator.unwrap_or(", ") }, length))
}

/// `0.5::` at the beginning of an option, and what is left of it.
fn weight_at_start(option: &str) -> (f64, &str) {
    let weighed = option.split_once("::").and_then(|(weight, option)| {
        let weight: f64 = weight.trim().parse().ok()?;
        (weight.is_finite() && weight >= 0.0).then_some((weight, option))
    });
    weighed.unwrap_or((1.0, option))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Vec<(f64, &str)> {
        choice_at_start(text).unwrap_or_else(|| panic!("{text} is a choice")).0.options
    }

    fn several(text: &str) -> (usize, Option<usize>, &str) {
        let several = choice_at_start(text).and_then(|(choice, _)| choice.several);
        let Several { least, most, separator } = several.unwrap_or_else(|| panic!("{text} chooses several"));
        (least, most, separator)
    }

    #[test]
    fn bars_divide_a_choice_and_inner_ones_belong_to_inner_braces() {
        assert_eq!(options("{red|blue}"), [(1.0, "red"), (1.0, "blue")]);
        assert_eq!(options("{{a|b} c|}"), [(1.0, "{a|b} c"), (1.0, "")]);
        assert_eq!(choice_at_start("{a|b} boat").unwrap().1, " boat");
    }

    #[test]
    fn an_option_may_have_a_weight() {
        assert_eq!(options("{0.5::red|2::blue|grey}"), [(0.5, "red"), (2.0, "blue"), (1.0, "grey")]);
        for text in ["{-1::a|b}", "{nan::a|b}", "{inf::a|b}", "{x::a|b}"] {
            let inside = text.trim_matches(['{', '}']).split('|').next().unwrap();
            assert_eq!(options(text)[0], (1.0, inside), "no weight, so it is text");
        }
    }

    #[test]
    fn several_may_be_chosen_with_words_between_them() {
        assert_eq!(several("{2$$a|b|c}"), (2, Some(2), ", "));
        assert_eq!(several("{1-3$$a|b|c}"), (1, Some(3), ", "));
        assert_eq!(several("{-2$$a|b}"), (1, Some(2), ", "));
        assert_eq!(several("{2-$$a|b}"), (2, None, ", "));
        assert_eq!(several("{2$$ and $$a|b}"), (2, Some(2), " and "));
        assert_eq!(options("{2$$ and $$a|b}"), [(1.0, "a"), (1.0, "b")]);
        assert_eq!(several("{2$$__flower__}"), (2, Some(2), ", "));
    }

    #[test]
    fn braces_without_a_bar_or_without_a_partner_are_text() {
        for text in ["{masterpiece}", "{{best}}", "{a|b", "{", "{}", "a|b", "{x$$y}", "{ {a|b} }"] {
            assert_eq!(choice_at_start(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_to_choose_that_is_cut_off_by_a_bar_does_no_harm() {
        assert_eq!(options("{a|2$$b}"), [(1.0, "a"), (1.0, "2$$b")]);
        assert_eq!(options("{1|2$$b$$c}"), [(1.0, "1"), (1.0, "2$$b$$c")]);
    }
}
