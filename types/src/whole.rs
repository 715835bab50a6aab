//! Whole numbers in JSON, which knows no difference between 20 and 20.0.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// Reads a whole number, or nothing. A number with a fraction that is 0 is whole.
///
/// # Errors
/// It is something else, or does not fit.
pub fn whole<'de, D: Deserializer<'de>, T: TryFrom<i64>>(from: D) -> Result<Option<T>, D::Error> {
    let number = from.deserialize_option(Whole)?;
    let fit = |number: i64| {
        T::try_from(number).map_err(|_| D::Error::invalid_value(Unexpected::Signed(number), &Whole))
    };
    number.map(fit).transpose()
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        let fits = i64::try_from(number);
        fits.map(Some).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        // Up to here every whole number is told apart from the next.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() <= EXACT {
            return Ok(Some(number as i64));
        }
        Err(E::invalid_type(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use crate::request::RawRequest;

    #[test]
    fn a_number_is_whole_whether_or_not_a_point_is_written() {
        let read = |steps: &str| {
            let read =
                serde_json::from_str::<RawRequest>(&format!(r#"{{"prompt": "boat", "steps": {steps}}}"#));
            read.map(|raw| raw.steps).map_err(|error| error.to_string())
        };
        assert_eq!(read("20"), Ok(Some(20)));
        assert_eq!(read("20.0"), Ok(Some(20)));
        assert_eq!(read("null"), Ok(None));
        for wrong in ["20.5", "1e300", "18446744073709551615", "\"20\"", "true"] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("expected a whole number"), "{error}");
        }
    }
}
