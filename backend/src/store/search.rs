//! A visitor's history, by words.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{QueryOrder, QuerySelect};
use types::history::{HistoryPage, HistoryQuery};

use super::entities::picture;
use super::{Store, page};
use crate::{Result, Visitor};

impl Store {
    /// A page of a visitor's pictures, newest first.
    pub(crate) async fn history(&self, owner: &Visitor, query: &HistoryQuery) -> Result<HistoryPage> {
        let limit = page::check_limit(query.limit)?;
        let before = query.cursor.as_deref().map(page::check_cursor).transpose()?;
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
        let next = page::cut(&mut rows, limit, |row| row.seq);
        Ok(HistoryPage { pictures: rows.iter().map(picture::Model::info).collect(), next, n_matches })
    }
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
