//! What one sampler of a workflow is told.

use types::request::{MAX_SEED, RawRequest, STEPS};

use super::lora_weights::{LoraWeights, walk_model};
use super::recipe::{Blame, NodeFault, fail};
use super::share::Share;
use super::text::Text;
use super::validate::Checked;

/// A sampler with all that it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// The sampler's place.
    pub place: usize,
    /// The place of the node that loads the model.
    pub loader: usize,
    checkpoint: String,
    positive: Text,
    negative: Text,
    loras: Vec<LoraWeights>,
    seed: i64,
    steps: u32,
    cfg: f64,
    sampler: String,
    schedule: String,
    walks: Walks,
}

/// Which steps are walked, as the node says it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Walks {
    /// So many as the last of more, down from this share of the noise.
    Denoise(f64),
    /// Those from this one on.
    From(u32),
}

impl Pass {
    /// Reads a sampler and all that is linked to it but for its latent.
    ///
    /// # Errors
    /// An input for which a request has no counterpart.
    pub fn read(checked: &Checked<'_>, place: usize) -> Result<Self, NodeFault> {
        let is_advanced = checked.class(place) == "KSamplerAdvanced";
        let (model, model_loras) = walk_model(checked, place);
        let [positive, negative] = ["positive", "negative"].map(|input| Text::read(checked, place, input));
        if negative.clip != positive.clip {
            let sentence = "the negative prompt has to be encoded as the positive one is, by the same LoRAs and \
                            to the same layer";
            return Err(fail(negative.place, "clip", sentence));
        }
        let seed = checked.integer(place, if is_advanced { "noise_seed" } else { "seed" });
        let read = Self {
            place,
            loader: model,
            checkpoint: checked.text(model, "ckpt_name").to_owned(),
            loras: LoraWeights::together(model_loras, &positive.clip.loras),
            positive,
            negative,
            seed: seed_with_the_same_noise(seed),
            steps: u32::try_from(checked.integer(place, "steps")).unwrap_or(u32::MAX),
            cfg: checked.number(place, "cfg"),
            sampler: checked.text(place, "sampler_name").to_owned(),
            schedule: checked.text(place, "scheduler").to_owned(),
            walks: if is_advanced {
                Walks::From(u32::try_from(checked.integer(place, "start_at_step")).unwrap_or(u32::MAX))
            } else {
                Walks::Denoise(checked.number(place, "denoise"))
            },
        };
        if read.positive.clip.checkpoint != read.checkpoint {
            return Err(read.of_other_checkpoint(
                read.positive.place,
                "clip",
                &read.positive.clip.checkpoint,
            ));
        }
        if is_advanced {
            read.check_advanced(checked)?;
        }
        Ok(read)
    }

    /// A request is walked from its noise to the end.
    fn check_advanced(&self, checked: &Checked<'_>) -> Result<(), NodeFault> {
        let place = self.place;
        for (input, only, why) in [
            ("add_noise", "enable", "a request always begins with noise of its own"),
            ("return_with_leftover_noise", "disable", "a request is always walked to its end"),
        ] {
            let given = checked.text(place, input);
            if given != only {
                return Err(fail(
                    place,
                    input,
                    &format!("`{given}` is not possible, as {why}; use `{only}`"),
                ));
            }
        }
        let end = checked.integer(place, "end_at_step");
        if end < i128::from(self.steps) {
            let sentence = format!(
                "step {end} is before the last of {} steps, and a request is always walked to its end",
                self.steps
            );
            return Err(fail(place, "end_at_step", &sentence));
        }
        Ok(())
    }

    /// The input that says which steps are walked.
    pub fn share_input(&self) -> &'static str {
        match self.walks {
            Walks::Denoise(_) => "denoise",
            Walks::From(_) => "start_at_step",
        }
    }

    /// Which steps are walked.
    ///
    /// # Errors
    /// None; too many in all.
    ///
    /// # Source
    /// `KSampler.set_steps` and `KSampler.sample` in `comfy/samplers.py` of ComfyUI: with less than all of the noise, the
    /// steps that are asked for are the last ones of so many more.
    pub fn share(&self) -> Result<Share, NodeFault> {
        let steps = self.steps;
        match self.walks {
            Walks::Denoise(denoise) if denoise > 0.9999 => Ok(Share::last(steps, steps, 1.0)),
            Walks::Denoise(denoise) => {
                if denoise <= 0.0 {
                    return Err(fail(
                        self.place,
                        "denoise",
                        "denoise 0 walks no step; allowed are numbers above 0",
                    ));
                }
                let all = (f64::from(steps) / denoise) as u32;
                if all > *STEPS.end() {
                    let sentence = format!(
                        "{steps} steps at denoise {denoise} are the last of {all}; at most {} are possible",
                        STEPS.end()
                    );
                    return Err(fail(self.place, "denoise", &sentence));
                }
                Ok(Share::last(steps, all, denoise))
            }
            Walks::From(start) if start < steps => {
                let walked = steps - start;
                Ok(Share::last(walked, steps, f64::from(walked) / f64::from(steps)))
            }
            Walks::From(start) => {
                let sentence = format!("of {steps} steps none is left from step {start} on");
                Err(fail(self.place, "start_at_step", &sentence))
            }
        }
    }

    /// Puts what the sampler is told into a request: all but its steps and its size.
    ///
    /// # Errors
    /// A LoRA whose weights a request cannot tell.
    pub fn set(
        &self,
        checked: &Checked<'_>,
        request: &mut RawRequest,
        blame: &mut Blame,
    ) -> Result<(), NodeFault> {
        let seed_input = if checked.class(self.place) == "KSamplerAdvanced" { "noise_seed" } else { "seed" };
        for (field, place, input) in [
            ("prompt", self.positive.place, "text"),
            ("negative_prompt", self.negative.place, "text"),
            ("model", self.loader, "ckpt_name"),
            ("steps", self.place, "steps"),
            ("guidance_scale", self.place, "cfg"),
            ("sampler", self.place, "sampler_name"),
            ("schedule", self.place, "scheduler"),
            ("seed", self.place, seed_input),
        ] {
            blame.put(field, place, input);
        }
        request.prompt.clone_from(&self.positive.words);
        request.negative_prompt = Some(self.negative.words.clone());
        request.model = Some(self.checkpoint.clone());
        request.guidance_scale = Some(self.cfg);
        request.sampler = Some(self.sampler.clone());
        request.schedule = Some(self.schedule.clone());
        request.seed = Some(self.seed);
        // As ComfyUI weights words.
        request.weighting = Some("compel".to_owned());
        if let Some((place, skip)) = self.positive.clip.skip {
            request.clip_skip = Some(skip);
            blame.put("clip_skip", place, "stop_at_clip_layer");
        }
        for lora in &self.loras {
            lora.set(request)?;
            blame.put("loras", lora.place, "lora_name");
        }
        Ok(())
    }

    /// The larger pass of a request differs in its steps alone.
    ///
    /// # Errors
    /// The first input that differs.
    pub fn check_same(&self, checked: &Checked<'_>, first: &Self) -> Result<(), NodeFault> {
        let seed_input = if checked.class(self.place) == "KSamplerAdvanced" { "noise_seed" } else { "seed" };
        let same_text = |one: &Text, other: &Text| (&one.words, &one.clip) == (&other.words, &other.clip);
        for (is_same, input) in [
            ((&self.checkpoint, &self.loras) == (&first.checkpoint, &first.loras), "model"),
            (same_text(&self.positive, &first.positive), "positive"),
            (same_text(&self.negative, &first.negative), "negative"),
            (self.seed == first.seed, seed_input),
            (self.cfg.total_cmp(&first.cfg).is_eq(), "cfg"),
            (self.sampler == first.sampler, "sampler_name"),
            (self.schedule == first.schedule, "scheduler"),
        ] {
            if !is_same {
                let sentence = format!(
                    "this has to be as node {} has it, as both passes are one request",
                    checked.graph.node(first.place).id
                );
                return Err(fail(self.place, input, &sentence));
            }
        }
        Ok(())
    }

    /// A model's parts are used together.
    ///
    /// # Errors
    /// What is linked to `input` of a node is of another checkpoint.
    pub fn check_checkpoint(
        &self,
        checked: &Checked<'_>,
        place: usize,
        input: &str,
    ) -> Result<(), NodeFault> {
        let (loader, _) = checked.link(place, input);
        let checkpoint = checked.text(loader, "ckpt_name");
        if checkpoint == self.checkpoint {
            return Ok(());
        }
        Err(self.of_other_checkpoint(place, input, checkpoint))
    }

    fn of_other_checkpoint(&self, place: usize, input: &str, other: &str) -> NodeFault {
        let sentence =
            format!("this is of `{other}`, and has to be of `{}`, as the model is", self.checkpoint);
        fail(place, input, &sentence)
    }
}

/// The noise of a seed follows from its lowest 32 bits; larger seeds than requests can name are cut off to them.
fn seed_with_the_same_noise(seed: i128) -> i64 {
    let seed = u64::try_from(seed).unwrap_or_default();
    (if seed > MAX_SEED { seed & u64::from(u32::MAX) } else { seed }).cast_signed()
}
