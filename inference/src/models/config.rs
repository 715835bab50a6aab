//! The JSON settings of one part of a model.
//!
//! Exporters write more settings than a network has forms here. Those that change nothing are passed over;
//! one that would change the arithmetic is refused by name, so that no model loads and paints wrongly.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model_files::ModelFiles;

/// A config file, read key by key.
#[derive(Debug, Clone)]
pub struct Config {
    file: String,
    values: Map<String, Value>,
}

impl Config {
    /// Reads a config file.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::BrokenFile`].
    pub fn read(files: &ModelFiles, file: &str) -> Result<Self> {
        Ok(Self { file: file.to_owned(), values: files.json(file)? })
    }

    /// A table inside this one; an empty one if it is not there.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is something else.
    pub fn table(&self, key: &str) -> Result<Self> {
        let values = match self.get(key) {
            Some(value) => value.as_object().cloned().ok_or_else(|| self.unsupported(key, "a table"))?,
            None => Map::new(),
        };
        Ok(Self { file: self.file.clone(), values })
    }

    /// The value, if it is there and not null.
    fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// An [`Error::Unsupported`] about this key.
    pub fn unsupported(&self, key: &str, allowed: impl Into<String>) -> Error {
        let value = self.values.get(key).map_or_else(|| "missing".to_owned(), ToString::to_string);
        Error::Unsupported {
            file: self.file.clone(),
            setting: key.to_owned(),
            value,
            allowed: allowed.into(),
        }
    }

    /// Refuses everything but `allowed` for each key; a missing key and null count as the first allowed.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub fn only(&self, key: &str, allowed: &[Value]) -> Result<()> {
        let alike = |value: &Value, other: &Value| match (value.as_f64(), other.as_f64()) {
            (Some(one), Some(two)) => one.total_cmp(&two).is_eq(),
            _ => value == other,
        };
        match self.get(key) {
            Some(value) if !allowed.iter().any(|other| alike(value, other)) => {
                let list: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                Err(self.unsupported(key, list.join(" or ")))
            }
            _ => Ok(()),
        }
    }

    /// A whole number of at least 1.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is something else, or missing where there is no `default`.
    pub fn count(&self, key: &str, default: Option<usize>) -> Result<usize> {
        let value = match self.get(key) {
            Some(value) => value.as_u64().map(|n| n as usize),
            None => default,
        };
        value.filter(|&n| n > 0).ok_or_else(|| self.unsupported(key, "a whole number above 0"))
    }

    /// Whether the key is there and not null.
    pub fn is_set(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A whole number of at least 1, if it is there.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is something else.
    pub fn optional_count(&self, key: &str) -> Result<Option<usize>> {
        if self.get(key).is_none() { Ok(None) } else { self.count(key, None).map(Some) }
    }

    /// A number.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is something else.
    pub fn number(&self, key: &str, default: f64) -> Result<f64> {
        match self.get(key) {
            Some(value) => value.as_f64().ok_or_else(|| self.unsupported(key, "a number")),
            None => Ok(default),
        }
    }

    /// A list of `n` numbers, if it is there.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is something else.
    pub fn optional_numbers(&self, key: &str, n: usize) -> Result<Option<Vec<f64>>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let list: Option<Vec<f64>> =
            value.as_array().and_then(|list| list.iter().map(Value::as_f64).collect());
        match list.filter(|list| list.len() == n) {
            Some(list) => Ok(Some(list)),
            None => Err(self.unsupported(key, format!("a list of {n} numbers"))),
        }
    }

    /// True or false.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is something else.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key) {
            Some(value) => value.as_bool().ok_or_else(|| self.unsupported(key, "true or false")),
            None => Ok(default),
        }
    }

    /// One number for each of `n` levels, written as a list or as one number for all.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is neither.
    pub fn count_per_level(&self, key: &str, n: usize, default: Option<usize>) -> Result<Vec<usize>> {
        if self.get(key).is_some_and(Value::is_array) {
            let list = self.counts(key)?;
            if list.len() != n {
                return Err(self.unsupported(key, format!("one number or a list of {n}")));
            }
            return Ok(list);
        }
        Ok(vec![self.count(key, default)?; n])
    }

    /// A list of whole numbers of at least 1, itself not empty.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is something else, or missing.
    pub fn counts(&self, key: &str) -> Result<Vec<usize>> {
        let list = self.get(key).and_then(Value::as_array).and_then(|list| {
            list.iter().map(|value| value.as_u64().filter(|&n| n > 0).map(|n| n as usize)).collect()
        });
        list.filter(|list: &Vec<usize>| !list.is_empty())
            .ok_or_else(|| self.unsupported(key, "a list of whole numbers above 0"))
    }

    /// A list of `n` names, each one of `allowed`; returned as positions in `allowed`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is something else, or missing.
    pub fn choices(&self, key: &str, n: usize, allowed: &[&str]) -> Result<Vec<usize>> {
        let list = self.get(key).and_then(Value::as_array).and_then(|list| {
            let position = |value: &Value| allowed.iter().position(|name| value.as_str() == Some(name));
            list.iter().map(position).collect::<Option<Vec<usize>>>()
        });
        list.filter(|list| list.len() == n)
            .ok_or_else(|| self.unsupported(key, format!("a list of {n} of {}", allowed.join(" and "))))
    }

    /// A name out of `allowed`; returned as its position. A missing key counts as the first.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is something else.
    pub fn choice(&self, key: &str, allowed: &[&str]) -> Result<usize> {
        let Some(value) = self.get(key) else { return Ok(0) };
        allowed
            .iter()
            .position(|name| value.as_str() == Some(name))
            .ok_or_else(|| self.unsupported(key, allowed.join(" or ")))
    }

    /// Refuses channels that the groups of a normalisation do not divide.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub fn groups_divide(&self, key: &str, n_groups: usize, channels: &[usize]) -> Result<()> {
        match channels.iter().find(|channels| !channels.is_multiple_of(n_groups)) {
            Some(odd) => Err(self.unsupported(key, format!("a number that divides {odd} channels"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::*;

    fn config() -> Config {
        let read = |file: &str| {
            let text = br#"{"width": 64, "heads": [2, 4], "act": "mish", "extra": null, "scale": 1}"#;
            (file == "unet/config.json").then_some(Cow::Borrowed(&text[..]))
        };
        Config::read(&ModelFiles::embedded("demo", read), "unet/config.json").unwrap()
    }

    #[test]
    fn one_number_stands_for_every_level_and_a_list_for_itself() {
        assert_eq!(config().count_per_level("width", 2, None).unwrap(), [64, 64]);
        assert_eq!(config().count_per_level("heads", 2, None).unwrap(), [2, 4]);
        assert!(config().count_per_level("heads", 3, None).is_err());
        assert_eq!(config().count_per_level("layers", 3, Some(1)).unwrap(), [1, 1, 1]);
    }

    #[test]
    fn a_table_inside_is_read_like_the_file_and_one_that_is_missing_is_empty() {
        let read = |_: &str| Some(Cow::Borrowed(&br#"{"vision": {"width": 8}, "text": 3}"#[..]));
        let config = Config::read(&ModelFiles::embedded("demo", read), "config.json").unwrap();
        assert_eq!(config.table("vision").unwrap().count("width", None).unwrap(), 8);
        assert_eq!(config.table("sound").unwrap().count("width", Some(4)).unwrap(), 4);
        assert_eq!(
            config.table("text").unwrap_err().to_string(),
            "`text` in `config.json` is `3`, and only a table is supported"
        );
    }

    #[test]
    fn a_setting_that_would_change_the_arithmetic_is_refused_by_name() {
        assert!(config().only("extra", &[Value::Null]).is_ok());
        assert!(config().only("scale", &[json!(1.0)]).is_ok());
        assert_eq!(
            config().only("act", &[json!("silu")]).unwrap_err().to_string(),
            "`act` in `unet/config.json` is `\"mish\"`, and only \"silu\" is supported"
        );
        assert_eq!(
            config().count("depth", None).unwrap_err().to_string(),
            "`depth` in `unet/config.json` is `missing`, and only a whole number above 0 is supported"
        );
    }
}
