//! A visitor's history, by words.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{QueryOrder, QuerySelect};
use types::error::PublicError;
use types::history::{HistoryPage, HistoryQuery};

use super::Store;
use super::entities::picture;
use crate::{Result, Visitor};

/// Pictures a page if the query does not say.
const DEFAULT_PAGE: u32 = 24;

/// Most pictures a page.
const MAX_PAGE: u32 = 100;

impl Store {
    /// A page of a visitor's pictures, newest first.
    pub(crate) async fn history(&self, owner: &Visitor, query: &HistoryQuery) -> Result<HistoryPage> {
        let limit = check_limit(query.limit)?;
        let before = query.cursor.as_deref().map(check_cursor).transpose()?;
        let Some(words) = match_expression(&query.search) else {
            // There is something to search for, and no word in it.
            return Ok(HistoryPage::default());
        };

        let mut matching = picture::Entity::find().filter(picture::Column::Owner.eq(owner.owner_id()));
        if query.favourites {
            matching = matching.filter(picture::Column::Favourite.eq(true));
        }
        if !words.is_empty() {
            matching = matching.filter(Expr::cust_with_values(
                r#""pictures"."seq" IN (SELECT rowid FROM pictures_search WHERE pictures_search MATCH ?)"#,
                [words],
            ));
        }
        let n_matches = matching.clone().count(&self.db).await?;
        if let Some(before) = before {
            matching = matching.filter(picture::Column::Seq.lt(before));
        }
        // One more than is shown says whether there is a next page.
        let mut rows =
            matching.order_by_desc(picture::Column::Seq).limit(u64::from(limit) + 1).all(&self.db).await?;
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| has_more).map(|row| row.seq.to_string());
        Ok(HistoryPage { pictures: rows.iter().map(picture::Model::info).collect(), next, n_matches })
    }
}

fn check_limit(limit: u32) -> Result<u32> {
    match limit {
        0 => Ok(DEFAULT_PAGE),
        1..=MAX_PAGE => Ok(limit),
        _ => Err(PublicError::invalid_field(
            "limit",
            format!("limit {limit} is out of range; allowed are 1 to {MAX_PAGE}, or 0 for the usual {DEFAULT_PAGE}"),
        )
        .into()),
    }
}

fn check_cursor(cursor: &str) -> Result<i64> {
    cursor.parse().ok().filter(|seq| *seq > 0).ok_or_else(|| {
        PublicError::invalid_field(
            "cursor",
            format!("cursor `{cursor}` is not one that a page of the history ended with; leave it out for the first page"),
        )
        .into()
    })
}

/// The visitor's words as an FTS5 expression: each in quotation marks, so that nothing in it counts as
/// syntax, and each at least the beginning of a word in the prompt.
///
/// Empty for an empty search, which every picture matches; `None` if there is no letter and no digit in it,
/// which no picture matches.
fn match_expression(search: &str) -> Option<String> {
    let words: Vec<_> = search
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| format!("\"{}\"*", word.replace(['"', '\0'], " ").trim()))
        .collect();
    if words.is_empty() && !search.trim().is_empty() { None } else { Some(words.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_quoted_and_matches_as_a_beginning() {
        assert_eq!(match_expression(" red  sail ").unwrap(), r#""red"* "sail"*"#);
    }

    #[test]
    fn what_fts5_takes_for_syntax_is_only_text() {
        assert_eq!(match_expression(r#"boat" OR NEAR(x)"#).unwrap(), r#""boat"* "OR"* "NEAR(x)"*"#);
    }

    #[test]
    fn an_empty_search_matches_all_and_one_without_words_matches_nothing() {
        assert_eq!(match_expression("  ").unwrap(), "");
        assert_eq!(match_expression(r#"-- "*" !"#), None);
    }
}
