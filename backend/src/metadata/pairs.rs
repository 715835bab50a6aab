//! Settings as names with values, of which a reader takes what it knows. The rest is told as not carried over.

use serde_json::{Map, Value};

use super::found::Found;
use super::values;

/// Names with values, in the order of the file.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Pairs(Vec<(String, Value)>);

impl From<Vec<(String, Value)>> for Pairs {
    fn from(pairs: Vec<(String, Value)>) -> Self {
        Self(pairs)
    }
}

impl From<Map<String, Value>> for Pairs {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl Pairs {
    /// How many are left.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is a pair of that name, in any case of its letters.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Takes a value out. What says nothing counts as not there.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let (_, value) = self.0.remove(at);
        (!values::is_nothing(&value)).then_some(value)
    }

    /// Takes a text out.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        values::text(&self.take(name)?)
    }

    /// Takes a whole number out. What is none is left in `found`.
    pub(super) fn whole(&mut self, name: &str, found: &mut Found) -> Option<i64> {
        self.read(name, found, "a whole number", |value| {
            values::whole(value).and_then(|n| i64::try_from(n).ok())
        })
    }

    /// Takes a seed out, which may be larger than other numbers.
    pub(super) fn seed(&mut self, name: &str, found: &mut Found) -> Option<i128> {
        self.read(name, found, "a whole number", values::whole)
    }

    /// Takes a number out. What is none is left in `found`.
    pub(super) fn number(&mut self, name: &str, found: &mut Found) -> Option<f64> {
        self.read(name, found, "a number", values::number)
    }

    /// Takes `WIDTHxHEIGHT` out.
    pub(super) fn size(&mut self, name: &str, found: &mut Found) -> Option<(i64, i64)> {
        self.read(name, found, "a size such as `512x768`", |value| {
            let text = values::text(value)?;
            let (width, height) = text.split_once(['x', '×'])?;
            Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
        })
    }

    fn read<T>(
        &mut self,
        name: &str,
        found: &mut Found,
        kind: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(name)?;
        let number = read(&value);
        if number.is_none() {
            found.leave(name, values::said(&value), format!("it is not {kind}"));
        }
        number
    }

    /// Leaves in `found` what nobody took, but for what is in `unsaid`: that describes the file rather than the picture.
    ///
    /// Settings whose names begin with one of `groups` belong together, and are told as one.
    pub(super) fn leave_rest(self, found: &mut Found, unsaid: &[&str], groups: &[(&str, &str)]) {
        let is_unsaid = |name: &str| unsaid.iter().any(|known| known.eq_ignore_ascii_case(name));
        let mut told: Vec<&str> = Vec::new();
        for (name, value) in self.0 {
            if is_unsaid(&name) || values::is_nothing(&value) {
                continue;
            }
            let group = groups.iter().find(|(prefix, _)| starts_with(&name, prefix));
            match group {
                Some((prefix, _)) if told.contains(prefix) => {}
                Some(&(prefix, reason)) => {
                    told.push(prefix);
                    found.leave(&name, values::said(&value), reason);
                }
                None => found.leave(&name, values::said(&value), "there is no such setting here"),
            }
        }
    }
}

/// Whether a name begins so, in any case of its letters.
fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use types::metadata::Program;

    use super::*;

    fn pairs(fields: Value) -> Pairs {
        let Value::Object(fields) = fields else { panic!("the test gives an object") };
        Pairs::from(fields)
    }

    #[test]
    fn what_is_no_number_is_left_with_a_sentence() {
        let mut found = Found::new(Program::SwarmUi);
        let mut pairs = pairs(json!({"steps": "many", "width": "512", "size": "512x768", "other": "wide"}));
        assert_eq!(pairs.whole("Steps", &mut found), None);
        assert_eq!(pairs.whole("width", &mut found), Some(512));
        assert_eq!(pairs.size("size", &mut found), Some((512, 768)));
        assert_eq!(pairs.size("other", &mut found), None);
        let reasons: Vec<_> = found.not_carried.iter().map(|left| left.reason.as_str()).collect();
        assert_eq!(reasons, ["it is not a whole number", "it is not a size such as `512x768`"]);
    }

    #[test]
    fn what_nobody_took_is_left_and_a_group_is_left_once() {
        let mut found = Found::new(Program::Automatic1111);
        let pairs = pairs(json!({
            "ADetailer model": "face", "ADetailer version": "1", "Version": "v1", "Tiling": "True", "Off": false,
        }));
        pairs.leave_rest(&mut found, &["version"], &[("ADetailer", "it is not here")]);
        let left: Vec<_> = found
            .not_carried
            .iter()
            .map(|left| format!("{}={}: {}", left.name, left.value, left.reason))
            .collect();
        assert_eq!(
            left,
            ["ADetailer model=face: it is not here", "Tiling=True: there is no such setting here"]
        );
    }
}
