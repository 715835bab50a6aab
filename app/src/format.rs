//! Numbers and times as people read them.

use std::fmt::Write;

use time::OffsetDateTime;

use crate::direction::with_marks_seen;

/// How long something still takes: "about 3 s left".
pub fn remaining(ms: u64) -> String {
    format!("{} left", about(ms))
}

/// A time: "about 3 s". Rounded, as nobody believes the rest.
fn about(ms: u64) -> String {
    let seconds = ms.div_ceil(1000);
    match seconds {
        0 | 1 => "about a second".to_owned(),
        2..=20 => format!("about {seconds} s"),
        21..=89 => format!("about {} s", seconds.div_ceil(5) * 5),
        90..=3599 => format!("about {} min", (seconds + 30) / 60),
        _ => format!("about {} h", (seconds + 1800) / 3600),
    }
}

/// A place in the queue, and how long it takes until it is reached, as far as that can be told.
pub fn queue_place(n_ahead: u64, wait_ms: Option<u64>) -> String {
    let place = match n_ahead {
        0 => "Next in the queue".to_owned(),
        1 => "In the queue, after 1 other job".to_owned(),
        _ => format!("In the queue, after {n_ahead} other jobs"),
    };
    match wait_ms {
        Some(ms) if n_ahead > 0 => format!("{place}, {}", about(ms)),
        _ => place,
    }
}

/// A number and its noun: "1 picture", "3 pictures".
pub fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {many}", thousands(n)) }
}

/// Digits in groups of three.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A large number in two or three digits: "14.2 million".
pub fn rounded(n: u64) -> String {
    let n_float = n as f64;
    match n {
        0..10_000 => thousands(n),
        10_000..1_000_000 => format!("{:.0} thousand", n_float / 1e3),
        1_000_000..1_000_000_000 => format!("{} million", short(n_float / 1e6)),
        _ => format!("{} billion", short(n_float / 1e9)),
    }
}

/// How long ago something was, in one unit, rounded down: "12 s", "3 min". Nothing lies ahead.
pub fn age(time: time::Duration) -> String {
    let seconds = time.whole_seconds().max(0);
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min", seconds / 60),
        3600..=86_399 => format!("{} h", seconds / 3600),
        _ => counted((seconds / 86_400).unsigned_abs(), "day", "days"),
    }
}

/// A short time that was measured: "25 ms", "1.4 s".
pub fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{} s", short(seconds)) }
}

/// Memory, in units of 1024.
pub fn bytes(n: u64) -> String {
    const MIB: f64 = 1024.0 * 1024.0;
    let mib = n as f64 / MIB;
    if mib < 1024.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

/// A day and a time of day, in UTC: the server does not know where its visitors are.
pub fn moment(at: OffsetDateTime) -> String {
    let month = &at.month().to_string()[..3];
    format!("{} {month} {}, {:02}:{:02} UTC", at.day(), at.year(), at.hour(), at.minute())
}

/// A moment as `<time datetime>` wants it.
pub fn machine_moment(at: OffsetDateTime) -> String {
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

/// First letter in upper case and a full stop at the end: errors are lower case inside the program. A file's
/// name at the beginning stays as it is. What it repeats of a visitor's words turns nothing around.
pub fn sentence(text: &str) -> String {
    let text = with_marks_seen(text.trim());
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let is_word = text.split(' ').next().is_some_and(|word| word.chars().all(char::is_alphabetic));
    let mut sentence: String =
        if is_word { first.to_uppercase().chain(chars).collect() } else { text.clone() };
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

/// At most `n_chars` characters of a text, cut with an ellipsis.
pub fn shortened(text: &str, n_chars: usize) -> String {
    if text.chars().count() <= n_chars {
        return text.to_owned();
    }
    let kept: String = text.chars().take(n_chars.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A text as part of a URL's query: everything but letters, digits and `-._~` is percent-encoded.
pub fn query_value(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A text as HTML. Leptos escapes texts by itself, but not within `<textarea>` and `<title>`.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One decimal under 100, none above, and no ".0".
fn short(value: f64) -> String {
    let text = if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_time_gets_coarser_the_longer_it_is() {
        assert_eq!(remaining(0), "about a second left");
        assert_eq!(remaining(1_400), "about 2 s left");
        assert_eq!(remaining(42_000), "about 45 s left");
        assert_eq!(remaining(100_000), "about 2 min left");
        assert_eq!(remaining(7_200_000), "about 2 h left");
    }

    #[test]
    fn the_next_job_is_told_so() {
        assert_eq!(queue_place(0, None), "Next in the queue");
        assert_eq!(queue_place(0, Some(0)), "Next in the queue");
        assert_eq!(queue_place(2, None), "In the queue, after 2 other jobs");
        assert_eq!(queue_place(2, Some(31_000)), "In the queue, after 2 other jobs, about 35 s");
    }

    #[test]
    fn large_numbers_are_grouped_or_rounded() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(123), "123");
        assert_eq!(rounded(14_230_000), "14.2 million");
        assert_eq!(rounded(860_000_000), "860 million");
        assert_eq!(rounded(2_000_000), "2 million");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
    }

    #[test]
    fn an_age_has_one_unit() {
        let said = |seconds| age(time::Duration::seconds(seconds));
        assert_eq!([-5, 59, 60, 7_199].map(said), ["0 s", "59 s", "1 min", "1 h"]);
        assert_eq!([86_400, 200_000].map(said), ["1 day", "2 days"]);
    }

    #[test]
    fn a_short_time_is_said_in_what_suits_it() {
        assert_eq!([0.025, 1.44, 120.0].map(seconds), ["25 ms", "1.4 s", "120 s"]);
    }

    #[test]
    fn an_error_becomes_a_sentence() {
        assert_eq!(sentence("the prompt is empty"), "The prompt is empty.");
        assert_eq!(sentence("Done!"), "Done!");
        assert_eq!(sentence(""), "");
        assert_eq!(sentence("unet/model.safetensors is missing"), "unet/model.safetensors is missing.");
        assert_eq!(sentence("model `\u{202E}x` is unknown"), "Model `\u{FFFD}x` is unknown.");
    }

    #[test]
    fn a_long_text_is_cut_with_an_ellipsis() {
        assert_eq!(shortened("a red boat", 20), "a red boat");
        assert_eq!(shortened("a red boat", 7), "a red…");
    }

    #[test]
    fn a_query_value_survives_a_url() {
        assert_eq!(query_value("a red boat & sea"), "a%20red%20boat%20%26%20sea");
        assert_eq!(query_value("é~"), "%C3%A9~");
    }

    #[test]
    fn a_prompt_cannot_end_its_box() {
        assert_eq!(escaped("</textarea> & co"), "&lt;/textarea&gt; &amp; co");
    }

    #[test]
    fn a_moment_reads_like_a_date() {
        let at = time::macros::datetime!(2026-11-20 22:05 UTC);
        assert_eq!(moment(at), "20 Nov 2026, 22:05 UTC");
        assert_eq!(machine_moment(at), "2026-11-20T22:05:00Z");
    }
}
