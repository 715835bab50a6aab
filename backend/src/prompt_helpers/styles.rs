//! The file of styles, in the format of the AUTOMATIC1111 web UI: a table with the columns `name`, `prompt` and
//! `negative_prompt`.
//!
//! # Source
//! `StyleDatabase` in `modules/styles.py` of AUTOMATIC1111/stable-diffusion-webui 1.10: the mark at the beginning that
//! tells UTF-8, the older column `text` for `prompt`, and a later line that goes before an earlier one of its name.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use types::prompt::Style;
use types::request::check_prompt;

use super::{MOST_BYTES, STYLES};

/// Reads the file. Lines that are of no use are said in the log and passed over; a file that is not there has none.
pub(super) fn read(path: &Path) -> Vec<Style> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            tracing::warn!(file = STYLES, %error, "the file of styles cannot be read");
            return Vec::new();
        }
    };
    if bytes.len() as u64 > MOST_BYTES {
        tracing::warn!(
            file = STYLES,
            n_bytes = bytes.len(),
            "the file of styles is left out, since it has more than {MOST_BYTES} bytes"
        );
        return Vec::new();
    }
    let (styles, faults) = parse(&bytes);
    for Fault { line, reason } in faults {
        tracing::warn!(file = STYLES, line, "a style is left out: {reason}");
    }
    styles
}

/// What is wrong with one line.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: u64,
    reason: String,
}

/// Where the columns stand.
struct Columns {
    name: usize,
    prompt: Option<usize>,
    negative_prompt: Option<usize>,
    n: usize,
}

impl Columns {
    fn read(header: &ByteRecord) -> Option<Self> {
        let place = |name: &str| header.iter().position(|column| column.trim_ascii() == name.as_bytes());
        let name = place("name")?;
        let prompt = place("prompt").or_else(|| place("text"));
        Some(Self { name, prompt, negative_prompt: place("negative_prompt"), n: header.len() })
    }
}

fn parse(bytes: &[u8]) -> (Vec<Style>, Vec<Fault>) {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (mut styles, mut faults) = (Vec::new(), Vec::new());
    // Without a limit to the number of fields, so that each line has its own word said of it.
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    let mut records = reader.byte_records().map_while(Result::ok);
    let Some(header) = records.next() else { return (styles, faults) };
    let Some(columns) = Columns::read(&header) else {
        let reason = "the first line has to be `name,prompt,negative_prompt`, so none of the file is read";
        faults.push(Fault { line: 1, reason: reason.to_owned() });
        return (styles, faults);
    };
    let mut records: Vec<ByteRecord> = records.collect();
    // A quotation mark that is never closed takes all the rest of the file into its line.
    if bytes.split(|byte| *byte == b'"').count().is_multiple_of(2)
        && let Some(unclosed) = records.pop()
    {
        let reason = "a quotation mark in it is never closed, and what follows is taken for part of it";
        faults.push(Fault { line: line_of(&unclosed), reason: reason.to_owned() });
    }
    for record in records {
        match read_style(&record, &columns) {
            Ok(style) => add(&mut styles, style),
            Err(reason) => faults.push(Fault { line: line_of(&record), reason }),
        }
    }
    (styles, faults)
}

fn line_of(record: &ByteRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

fn read_style(record: &ByteRecord, columns: &Columns) -> Result<Style, String> {
    if record.len() > columns.n {
        return Err(format!(
            "it has {} fields where the first line has {}; a text with commas stands in quotation marks",
            record.len(),
            columns.n
        ));
    }
    let text = |column: Option<usize>| {
        let bytes = column.and_then(|column| record.get(column)).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| "it is not written in UTF-8".to_owned())
    };
    let name = text(Some(columns.name))?.trim();
    if name.is_empty() {
        return Err("it has no name".to_owned());
    }
    if name.chars().any(char::is_control) {
        return Err("its name has a control character".to_owned());
    }
    let checked = |field, column| check_prompt(field, text(column)?).map_err(|error| error.message);
    Ok(Style {
        name: name.to_owned(),
        prompt: checked("prompt", columns.prompt)?,
        negative_prompt: checked("negative_prompt", columns.negative_prompt)?,
        built_in: false,
    })
}

/// A later line goes before an earlier one of its name. One without words, as people use them for headings, adds nothing.
fn add(styles: &mut Vec<Style>, style: Style) {
    if let Some(before) = styles.iter_mut().find(|before| before.name == style.name) {
        *before = style;
    } else if !style.prompt.is_empty() || !style.negative_prompt.is_empty() {
        styles.push(style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let (styles, faults) = parse(text.as_bytes());
        assert_eq!(faults, []);
        styles.into_iter().map(|style| style.name).collect()
    }

    fn faults(text: &[u8]) -> (usize, Vec<(u64, String)>) {
        let (styles, faults) = parse(text);
        (styles.len(), faults.into_iter().map(|Fault { line, reason }| (line, reason)).collect())
    }

    #[test]
    fn a_file_of_the_web_ui_is_read() {
        let text = "\u{feff}name,prompt,negative_prompt\r\n\
                    Cinematic,\"cinematic still {prompt} . shallow depth of field, \"\"35mm\"\"\",\"anime, cartoon\"\r\n\
                    Ink,ink drawing,\r\n\
                    --- mine ---,,\r\n\
                    No rain,,rain\r\n";
        let (styles, faults) = parse(text.as_bytes());
        assert_eq!(faults, []);
        assert_eq!(
            styles[0],
            Style {
                name: "Cinematic".into(),
                prompt: "cinematic still {prompt} . shallow depth of field, \"35mm\"".into(),
                negative_prompt: "anime, cartoon".into(),
                built_in: false,
            }
        );
        let rest: Vec<_> =
            styles[1..].iter().map(|style| (&style.prompt[..], &style.negative_prompt[..])).collect();
        assert_eq!(rest, [("ink drawing", ""), ("", "rain")]);
    }

    #[test]
    fn columns_are_told_by_their_names_and_a_later_line_goes_before_an_earlier_one() {
        assert_eq!(names("negative_prompt,name,prompt\nrain,Sun,sunny\n"), ["Sun"]);
        let (styles, _) = parse(b"name,text\nInk,ink drawing\nOil,oil\nInk,\"ink, wash\"\n");
        let read: Vec<_> = styles.iter().map(|style| (&style.name[..], &style.prompt[..])).collect();
        assert_eq!(read, [("Ink", "ink, wash"), ("Oil", "oil")]);
        assert_eq!(names("name,prompt,negative_prompt\n"), Vec::<String>::new());
        assert_eq!(names(""), Vec::<String>::new());
    }

    #[test]
    fn a_prompt_of_several_lines_is_one_line() {
        let (styles, _) = parse(b"name,prompt,negative_prompt\nInk,\"ink\ndrawing\",\nOil,oil,\n");
        assert_eq!(styles[0].prompt, "ink drawing");
        assert_eq!(styles.len(), 2);
    }

    #[test]
    fn a_broken_line_is_passed_over_and_named() {
        let head = "name,prompt,negative_prompt\nInk,ink,\n".as_bytes();
        for (line, reason) in [
            (
                &b"Oil,oil, thick, old,\n"[..],
                "it has 5 fields where the first line has 3; a text with commas stands in quotation marks",
            ),
            (b",oil,\n", "it has no name"),
            (b"Oil,\xFF,\n", "it is not written in UTF-8"),
            (
                b"Oil,a\x07b,\n",
                "the prompt has the control character U+0007 at position 2; only text is allowed",
            ),
            (b"O\x07il,oil,\n", "its name has a control character"),
        ] {
            let (n_styles, said) = faults(&[head, line, b"Pen,pen,\n"].concat());
            assert_eq!((n_styles, said), (2, vec![(3, reason.to_owned())]));
        }
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_costs_the_lines_after_it_alone() {
        let (n_styles, said) = faults(b"name,prompt,negative_prompt\nInk,ink,\nOil,\"oil,\nPen,pen,\n");
        let reason = "a quotation mark in it is never closed, and what follows is taken for part of it";
        assert_eq!((n_styles, said), (1, vec![(3, reason.to_owned())]));
    }

    #[test]
    fn a_table_without_names_says_what_the_first_line_has_to_be() {
        let reason = "the first line has to be `name,prompt,negative_prompt`, so none of the file is read";
        assert_eq!(faults(b"Ink,ink drawing,\n"), (0, vec![(1, reason.to_owned())]));
    }
}
