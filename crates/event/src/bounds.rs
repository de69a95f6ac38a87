//! The ranges of numbers and texts on the wire, as functions for `deserialize_with`.
//!
//! A bound that is checked where the field is read is reported with the path of the field.

use serde::{Deserialize as _, Deserializer, de::Error};

/// A finite number of at least zero.
pub(crate) fn non_negative<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let read = f64::deserialize(from)?;
    check_non_negative(read).map_err(D::Error::custom)
}

/// [`non_negative`] or null.
pub(crate) fn optional_non_negative<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let read = Option::deserialize(from)?;
    read.map(check_non_negative).transpose().map_err(D::Error::custom)
}

/// A number from 0 to 100, or null.
pub(crate) fn optional_percent<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let read = Option::<f64>::deserialize(from)?;
    match read {
        Some(percent) if !(0.0..=100.0).contains(&percent) => {
            Err(D::Error::custom(format!("must be from 0 to 100, found {percent}")))
        }
        _ => Ok(read),
    }
}

/// A whole number from `MIN` to `MAX`.
pub(crate) fn within<'de, const MIN: u64, const MAX: u64, T, D>(from: D) -> Result<T, D::Error>
where
    T: TryFrom<u64>,
    D: Deserializer<'de>,
{
    let read = i64::deserialize(from)?;
    let number = u64::try_from(read).ok().filter(|number| (MIN..=MAX).contains(number));
    let number = number.and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| D::Error::custom(format!("must be from {MIN} to {MAX}, found {read}")))
}

/// Text that is not empty.
pub(crate) fn not_empty<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let read = String::deserialize(from)?;
    match read.is_empty() {
        true => Err(D::Error::custom("must not be empty")),
        false => Ok(read),
    }
}

/// Text of at most `MAX` characters, or null.
pub(crate) fn at_most<'de, const MAX: usize, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let read = Option::<String>::deserialize(from)?;
    match &read {
        Some(text) if text.chars().count() > MAX => {
            Err(D::Error::custom(format!("must have at most {MAX} characters")))
        }
        _ => Ok(read),
    }
}

fn check_non_negative(number: f64) -> Result<f64, String> {
    match number.is_finite() && number >= 0.0 {
        true => Ok(number),
        false => Err(format!("must be at least 0, found {number}")),
    }
}
