//! Tags that ask for a LoRA.

/// A LoRA that a prompt asks for, with how much of it goes where.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraTag {
    /// Its name, as the tag writes it.
    pub name: String,
    /// Share of its changes to the text encoders; 1 is all.
    pub text_encoder: f64,
    /// Share of its changes to the U-Net; 1 is all.
    pub unet: f64,
}

/// Takes the LoRA tags out of a prompt: the text that is left, and the tags in the order they stood.
///
/// * `<lora:NAME>`: all of it.
/// * `<lora:NAME:0.8>`: 0.8 of it.
/// * `<lora:NAME:0.8:0.5>`: 0.8 in the text encoders, 0.5 in the U-Net; also written `te=0.8` and `unet=0.5`.
///
/// `<lyco:...>` means the same. A tag with something else in it stays in the text. The spaces around a tag stay
/// too; a tokenizer does not see them.
///
/// # Source
/// `re_extra_net` in `modules/extra_networks.py` and `ExtraNetworkLora.activate` in
/// `extensions-builtin/Lora/extra_networks_lora.py` of AUTOMATIC1111/stable-diffusion-webui 1.10.
pub fn lora_tags(prompt: &str) -> (String, Vec<LoraTag>) {
    let mut text = String::with_capacity(prompt.len());
    let mut tags = Vec::new();
    let mut rest = prompt;
    while let Some(start) = rest.find('<') {
        let (before, tagged) = rest.split_at(start);
        text.push_str(before);
        if let Some((tag, length)) = read_tag(tagged) {
            tags.push(tag);
            rest = &tagged[length..];
        } else {
            text.push('<');
            rest = &tagged[1..];
        }
    }
    text.push_str(rest);
    (text, tags)
}

/// Whether a tag can ask for the LoRA of that name. One with `:` or `>` in it, as a file's name may have, can be asked
/// for beside the prompt alone.
pub fn can_stand_in_tag(name: &str) -> bool {
    let (text, tags) = lora_tags(&format!("<lora:{name}:1>"));
    text.is_empty() && matches!(&tags[..], [tag] if tag.name == name)
}

/// The tag at the beginning of `text`, and its length in bytes.
fn read_tag(text: &str) -> Option<(LoraTag, usize)> {
    let length = text.find('>')? + 1;
    let inside = &text[1..length - 1];
    let fields = inside.strip_prefix("lora:").or_else(|| inside.strip_prefix("lyco:"))?;
    let mut positional = Vec::new();
    let (mut named_text_encoder, mut named_unet) = (None, None);
    for field in fields.split(':') {
        match field.split_once('=') {
            Some(("te", weight)) => named_text_encoder = Some(number(weight)?),
            Some(("unet", weight)) => named_unet = Some(number(weight)?),
            _ => positional.push(field),
        }
    }
    let mut positional = positional.into_iter();
    let name = positional.next().map(str::trim).filter(|name| !name.is_empty())?.to_owned();
    let mut weight = || positional.next().map(number);
    let first = match weight() {
        Some(weight) => weight?,
        None => 1.0,
    };
    let text_encoder = named_text_encoder.unwrap_or(first);
    let second = match weight() {
        Some(weight) => weight?,
        None => text_encoder,
    };
    if positional.next().is_some() {
        return None;
    }
    Some((LoraTag { name, text_encoder, unet: named_unet.unwrap_or(second) }, length))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str, text_encoder: f64, unet: f64) -> LoraTag {
        LoraTag { name: name.to_owned(), text_encoder, unet }
    }

    #[test]
    fn tags_are_taken_out_and_listed_in_order() {
        let (text, tags) =
            lora_tags("a boat <lora:ink-wash:0.8>, at dusk<lora:grain> <lora:old film v2:1:0.25>");
        assert_eq!(text, "a boat , at dusk ");
        assert_eq!(tags, [tag("ink-wash", 0.8, 0.8), tag("grain", 1.0, 1.0), tag("old film v2", 1.0, 0.25)]);
    }

    #[test]
    fn any_name_can_stand_in_a_tag_unless_it_has_what_divides_tags() {
        for name in ["ink", "old film, v2", "\"quoted\" it's", "größer 水墨", "a=b", "a<b", "(ink)", "[ink"]
        {
            assert!(can_stand_in_tag(name), "{name}");
            assert_eq!(lora_tags(&format!("<lora:{name}:0.5>")).1, [tag(name, 0.5, 0.5)]);
        }
        for name in ["style:v2", "style:2", "a>b", "<lora:x>", " ink", "te=1", ""] {
            assert!(!can_stand_in_tag(name), "{name}");
        }
    }

    #[test]
    fn weights_may_be_named_or_negative() {
        for (prompt, expected) in [
            ("<lora:x:te=0.5>", tag("x", 0.5, 0.5)),
            ("<lora:x:unet=0.5>", tag("x", 1.0, 0.5)),
            ("<lora:x:te=0:unet=0.7>", tag("x", 0.0, 0.7)),
            ("<lora:x:-0.5>", tag("x", -0.5, -0.5)),
            ("<lyco:x: 0.5 >", tag("x", 0.5, 0.5)),
        ] {
            assert_eq!(lora_tags(prompt), (String::new(), vec![expected]), "{prompt}");
        }
    }

    #[test]
    fn what_is_no_whole_tag_stays_in_the_text() {
        for prompt in [
            "<lora:x",
            "<lora:>",
            "<lora::0.5>",
            "<lora:x:much>",
            "<lora:x:nan>",
            "<lora:x:1:1:1:1>",
            "<hypernet:x:1>",
            "<3 boats",
            "a < b > c",
            "<|endoftext|>",
        ] {
            assert_eq!(lora_tags(prompt), (prompt.to_owned(), Vec::new()));
        }
        let (text, tags) = lora_tags("<<lora:x>");
        assert_eq!((text.as_str(), tags.len()), ("<", 1));
    }
}
