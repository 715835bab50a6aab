//! For how long pictures are kept: the table `[retention]`, and the flags that go before it.

use std::time::Duration;

use backend::Retention;
use clap::Args;
use clap::builder::FalseyValueParser;
use serde::Deserialize;

/// Flags and environment variables.
#[derive(Args, Default)]
#[command(next_help_heading = "Keeping house")]
pub struct Flags {
    /// Delete pictures that are older than so many days [default: none is too old]
    #[arg(long = "retention-max-age-days", global = true, env = "DARKROOM_RETENTION_MAX_AGE_DAYS",
        value_name = "DAYS", value_parser = parse_days)]
    max_age: Option<Duration>,
    /// Keep so many of the newest pictures [default: all]
    #[arg(long = "retention-max-pictures", global = true, env = "DARKROOM_RETENTION_MAX_PICTURES",
        value_name = "N", value_parser = parse_pictures)]
    max_pictures: Option<u64>,
    /// Keep so many of each visitor's newest pictures [default: all]
    #[arg(long = "retention-max-pictures-per-visitor", global = true,
        env = "DARKROOM_RETENTION_MAX_PICTURES_PER_VISITOR", value_name = "N", value_parser = parse_pictures)]
    max_pictures_per_visitor: Option<u64>,
    /// Keep as many of the newest pictures as take so much room [default: all]
    #[arg(long = "retention-max-gigabytes", global = true, env = "DARKROOM_RETENTION_MAX_GIGABYTES",
        value_name = "GB", value_parser = parse_gigabytes)]
    max_bytes: Option<u64>,
    /// Delete favourites as any other picture; as a rule they are kept, and take half of the bytes at most
    #[arg(long = "retention-delete-favourites", global = true, env = "DARKROOM_RETENTION_DELETE_FAVOURITES",
        value_parser = FalseyValueParser::new())]
    delete_favourites: bool,
}

/// What the file may hold.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    max_age_days: Option<f64>,
    max_pictures: Option<i64>,
    max_pictures_per_visitor: Option<i64>,
    max_gigabytes: Option<f64>,
    keep_favourites: Option<bool>,
}

/// Flags and environment before the file, the file before the defaults.
///
/// # Errors
/// The name of a setting in the file whose value is not allowed, and what is.
pub fn settle(flags: &Flags, table: &Table) -> Result<Retention, (&'static str, String)> {
    let said = |name: &'static str| move |sentence: String| (name, sentence);
    let pictures =
        |n: Option<i64>, name| n.map(|n| parse_pictures(&n.to_string())).transpose().map_err(said(name));
    let max_age = table.max_age_days.map(|days| parse_days(&days.to_string())).transpose();
    let max_bytes = table.max_gigabytes.map(|size| parse_gigabytes(&size.to_string())).transpose();
    let per_visitor = pictures(table.max_pictures_per_visitor, "max_pictures_per_visitor")?;
    Ok(Retention {
        max_age: flags.max_age.or(max_age.map_err(said("max_age_days"))?),
        max_pictures: flags.max_pictures.or(pictures(table.max_pictures, "max_pictures")?),
        max_pictures_per_visitor: flags.max_pictures_per_visitor.or(per_visitor),
        max_bytes: flags.max_bytes.or(max_bytes.map_err(said("max_gigabytes"))?),
        keep_favourites: !flags.delete_favourites && table.keep_favourites.unwrap_or(true),
    })
}

/// Days as a time: a hundredth is a quarter of an hour.
fn parse_days(text: &str) -> Result<Duration, String> {
    let days: Option<f64> = text.parse().ok().filter(|days| (0.01..=36_500.0).contains(days));
    days.map(|days| Duration::from_secs_f64(days * 86_400.0))
        .ok_or_else(|| format!("`{text}` is no such number of days; allowed are 0.01 to 36500"))
}

fn parse_pictures(text: &str) -> Result<u64, String> {
    /// More than any disk holds.
    const MOST: u64 = 1_000_000_000;
    let n: Option<u64> = text.parse().ok().filter(|n| (1..=MOST).contains(n));
    n.ok_or_else(|| format!("`{text}` is no such number of pictures; allowed are 1 to {MOST}"))
}

/// As bytes.
fn parse_gigabytes(text: &str) -> Result<u64, String> {
    let gigabytes: Option<f64> = text.parse().ok().filter(|size| (0.001..=1_000_000.0).contains(size));
    gigabytes
        .map(|gigabytes| (gigabytes * 1e9) as u64)
        .ok_or_else(|| format!("`{text}` is no such number of gigabytes; allowed are 0.001 to 1000000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(flags: &Flags, table: &str) -> Result<Retention, (&'static str, String)> {
        settle(flags, &toml::from_str(table).unwrap())
    }

    #[test]
    fn pictures_are_kept_for_good_unless_something_else_is_said() {
        let usual = settled(&Flags::default(), "").unwrap();
        assert_eq!(usual, Retention::default());
        assert!(usual.keep_favourites);
    }

    #[test]
    fn flags_go_before_the_file() {
        let flags = Flags { max_pictures: Some(7), ..Flags::default() };
        let table = "max_pictures = 9\nmax_age_days = 0.5\nmax_gigabytes = 1.5\nkeep_favourites = false";
        assert_eq!(
            settled(&flags, table).unwrap(),
            Retention {
                max_age: Some(Duration::from_hours(12)),
                max_pictures: Some(7),
                max_pictures_per_visitor: None,
                max_bytes: Some(1_500_000_000),
                keep_favourites: false,
            }
        );
        let flags = Flags { delete_favourites: true, ..Flags::default() };
        assert!(!settled(&flags, "keep_favourites = true").unwrap().keep_favourites);
    }

    #[test]
    fn what_is_not_allowed_is_refused_with_its_name_and_what_is() {
        let refused = |table| settled(&Flags::default(), table).unwrap_err();
        assert_eq!(
            refused("max_age_days = 0"),
            ("max_age_days", "`0` is no such number of days; allowed are 0.01 to 36500".to_owned())
        );
        assert_eq!(
            refused("max_pictures_per_visitor = 0"),
            (
                "max_pictures_per_visitor",
                "`0` is no such number of pictures; allowed are 1 to 1000000000".to_owned()
            )
        );
        assert_eq!(
            refused("max_pictures = -1"),
            ("max_pictures", "`-1` is no such number of pictures; allowed are 1 to 1000000000".to_owned())
        );
        assert_eq!(
            refused("max_gigabytes = 2e6"),
            (
                "max_gigabytes",
                "`2000000` is no such number of gigabytes; allowed are 0.001 to 1000000".to_owned()
            )
        );
        assert!(toml::from_str::<Table>("days = 3").is_err());
    }
}
