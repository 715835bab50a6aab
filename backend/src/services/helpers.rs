//! What helps with a prompt: styles, lists of words, and a model that goes on with it; and what the qualities mean.

use futures::TryStreamExt;
use types::error::PublicError;
use types::preset::{PresetInfo, Presets};
use types::prompt::{Style, WildcardInfo, WordLists};
use types::request::{RawRequest, RequestContext};

use super::{Services, choose_seed};
use crate::shared::Shared;
use crate::{Result, Visitor};

impl Services {
    /// The styles that a request may name: the site's own, then those that come with the program.
    pub fn styles(&self) -> Vec<Style> {
        Style::all(&self.0.shared.helpers.styles())
    }

    /// The lists that `__name__` in a prompt may name, the site's own first. Where the model that is used when none is
    /// named knows only some words, those are counted.
    pub fn wildcards(&self) -> Vec<WildcardInfo> {
        let (models, files) = (self.models(), self.0.shared.helpers.wildcards());
        let vocabulary = models.first().and_then(|model| model.vocabulary.as_ref());
        WordLists { files: &files, vocabulary }.infos()
    }

    /// What the site means by each quality.
    pub fn presets(&self) -> &Presets {
        &self.0.shared.presets
    }

    /// What each quality means with the models that are installed now. One that cannot be used says why.
    pub fn presets_now(&self) -> Vec<PresetInfo> {
        self.presets().describe(&self.models())
    }

    /// Has a whole prompt written, or the beginning in `start` continued: the beginning and what came after it.
    ///
    /// # Errors
    /// As those of [`Services::write_prompt`]; whatever goes wrong while it is written.
    pub async fn write_whole_prompt(&self, visitor: &Visitor, start: String, seed: u64) -> Result<String> {
        let pieces: Vec<String> =
            self.write_prompt(visitor, start.clone(), Some(seed))?.try_collect().await?;
        // GPT-2 begins its words with a space.
        Ok((start + &pieces.concat()).trim().to_owned())
    }

    /// What a model writes to go on with the prompt, where the request asks for that, and the request with the seed that
    /// both are made from. A request that is refused anyway is refused before anything is written.
    pub(super) async fn extend(
        &self,
        owner: &Visitor,
        raw: RawRequest,
        context: &RequestContext<'_>,
    ) -> Result<(RawRequest, Option<String>)> {
        if !raw.extend {
            return Ok((raw, None));
        }
        let Shared { engine, .. } = &*self.0.shared;
        if engine.prompt_models().is_empty() {
            let sentence = "no model that writes prompts is installed; leave `extend` out";
            return Err(PublicError::invalid_field("extend", sentence).into());
        }
        let trial = RequestContext { continuation: Some(""), ..context.clone() };
        let checked = raw.clone().check(&trial, choose_seed)?;
        self.0.shared.refuse_blocked(&checked).await?;
        engine.fits(&checked)?;
        let start = raw.to_extend(context, &checked)?;
        let pieces: Vec<String> = self.write_prompt(owner, start, Some(checked.seed))?.try_collect().await?;
        // No seed is above 2⁵³.
        let raw = RawRequest { seed: i64::try_from(checked.seed).ok(), ..raw };
        Ok((raw, Some(pieces.concat())))
    }
}
