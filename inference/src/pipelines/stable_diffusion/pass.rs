//! One walk from noise to pictures.

use candle_core::Tensor;
use types::sampler::{Sampler, Schedule};

use super::StableDiffusion;
use super::beginning::{Beginning, Beside, Origin};
use super::parts::Parts;
use super::preview::LatentToRgb;
use super::request::{Hires, OnStep, Painted, PictureRequest, Seeds, StepReport};
use super::text::Conditions;
use crate::denoiser::{Denoiser, denoiser};
use crate::error::{Error, Result};
use crate::guidance::{Guidance, Guided, GuidedByPicture};
use crate::inpainting::Inpainting;
use crate::models::unet::{Condition, Unet};
use crate::noise::NoiseGenerator;
use crate::samplers::{StepDone, sample};
use crate::schedule::NoiseSchedule;

/// One walk from noise to pictures: their size, its steps and what the U-Net is told.
pub(super) struct Pass<'a> {
    pub(super) model: &'a StableDiffusion,
    pub(super) request: &'a PictureRequest,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) schedule: NoiseSchedule,
}

impl<'a> Pass<'a> {
    /// The pass that makes what the request asks for, but for its larger pass.
    ///
    /// # Errors
    /// [`Error::Schedule`] if there are no such steps; [`Error::Request`] if a start picture is needed or of no use.
    pub(super) fn first(model: &'a StableDiffusion, request: &'a PictureRequest) -> Result<Self> {
        let PictureRequest { width, height, steps, .. } = *request;
        let strength = if model.info.form.edits() {
            if request.start.is_none() {
                return Err(Error::Request(
                    "this model changes a picture by an instruction, so it needs a start picture".to_owned(),
                ));
            }
            1.0
        } else {
            request.start.as_ref().map_or(1.0, |start| start.strength)
        };
        Self::new(model, request, (width, height), steps, strength)
    }

    /// The larger pass over the finished picture.
    ///
    /// # Errors
    /// [`Error::Schedule`], [`Error::Size`]; [`Error::Request`] if the model cannot do that.
    pub(super) fn larger(
        model: &'a StableDiffusion,
        request: &'a PictureRequest,
        hires: Hires,
    ) -> Result<Self> {
        if model.info.form.edits() {
            let sentence = "a model that changes a picture by an instruction has no second pass";
            return Err(Error::Request(sentence.to_owned()));
        }
        model.constraints().check(hires.width, hires.height)?;
        Self::new(model, request, (hires.width, hires.height), hires.steps, hires.strength)
    }

    fn new(
        model: &'a StableDiffusion,
        request: &'a PictureRequest,
        (width, height): (usize, usize),
        steps: usize,
        strength: f64,
    ) -> Result<Self> {
        let (sampler, spacing): (Sampler, Schedule) = (request.sampler, request.schedule);
        let config = &model.scheduler;
        let schedule = if strength < 1.0 {
            NoiseSchedule::with_strength(config, sampler, spacing, steps, strength)?
        } else {
            NoiseSchedule::new(config, sampler, spacing, steps)?
        };
        Ok(Self { model, request, width, height, schedule })
    }

    pub(super) fn n_steps(&self) -> usize {
        self.schedule.steps.len()
    }

    /// Walks with as many pictures as there are seeds, all in one batch, and decodes them one after the other.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; whatever candle says.
    pub(super) fn run(
        &self,
        seeds: &[Seeds],
        origin: Option<&Origin<'_>>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Painted>> {
        let Self { model, request, width, height, .. } = *self;
        let Parts { unet_config, .. } = &model.parts;
        let conditions =
            Conditions::new(&*model.parts.prompts()?, unet_config, request, (width, height), &model.device)?
                .repeated(seeds.len())?;
        let mut noise = NoiseGenerator::batch(request.noise, seeds.iter().map(|seeds| seeds.seed).collect());
        let beginning = Beginning::new(self, seeds, origin, &mut noise)?;
        let latents = {
            let unet = model.parts.unet()?;
            let denoiser = self.denoiser(&unet, &conditions, &beginning)?;
            let begun = beginning.latent.clone();
            let report = &mut |done: StepDone<'_>| progress.step(done.clean);
            sample(request.sampler, &*denoiser, begun, &self.schedule.steps, &mut noise, report)?
        };
        progress.pass_is_done(self.n_steps());
        let latents = match &beginning.known {
            Some(known) => known.put_back(&latents)?,
            None => latents,
        };
        let decode = |i: usize| {
            let decoded = model.decode(&latents.narrow(0, i, 1)?, StableDiffusion::portion(width, height))?;
            let picture = match &beginning.original {
                Some(original) => original.mask.compose(&decoded.picture, &original.picture),
                None => decoded.picture,
            };
            Ok(Painted {
                picture,
                was_decoded_in_f32: decoded.was_in_f32,
                was_encoded_in_f32: beginning.was_encoded_in_f32,
            })
        };
        (0..seeds.len()).map(decode).collect()
    }

    /// The U-Net with everything round it.
    fn denoiser<'b>(
        &self,
        unet: &'b Unet,
        conditions: &Conditions,
        beginning: &'b Beginning,
    ) -> Result<Box<dyn Denoiser + 'b>> {
        let Self { model, request, .. } = *self;
        let Conditions { positive, negative } = conditions;
        let plain = |x: &Tensor, timestep: f64, condition: &Condition| unet.forward(x, timestep, condition);
        let prediction = model.scheduler.prediction_type;
        let scale = if unet.config().guidance_channels.is_some() { 1.0 } else { request.guidance_scale };
        let guidance = Guidance { scale, rescale: request.guidance_rescale };
        let denoiser: Box<dyn Denoiser + 'b> = match &beginning.beside {
            Beside::Nothing => denoiser(prediction, Guided::new(plain, positive, negative, guidance)?),
            Beside::Inputs(inputs) => {
                let network = move |x: &Tensor, timestep: f64, condition: &Condition| {
                    // With guidance `x` has each picture twice.
                    let inputs = Tensor::cat(&vec![inputs; x.dim(0)? / inputs.dim(0)?], 0)?;
                    plain(&Tensor::cat(&[x, &inputs], 1)?, timestep, condition)
                };
                denoiser(prediction, Guided::new(network, positive, negative, guidance)?)
            }
            Beside::Picture(picture) => {
                let to_picture = request.picture_guidance_scale;
                denoiser(
                    prediction,
                    GuidedByPicture::new(plain, positive, negative, picture, scale, to_picture)?,
                )
            }
        };
        Ok(match &beginning.known {
            Some(known) => Box::new(Inpainting::new(denoiser, known.clone())),
            None => denoiser,
        })
    }
}

/// Counts the steps of all passes together.
pub(super) struct Progress<'a> {
    n_done: usize,
    n_before: usize,
    n_steps: usize,
    preview: Option<&'a LatentToRgb>,
    on_step: OnStep<'a>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(n_steps: usize, preview: Option<&'a LatentToRgb>, on_step: OnStep<'a>) -> Self {
        Self { n_done: 0, n_before: 0, n_steps, preview, on_step }
    }

    fn step(&mut self, clean: &Tensor) -> std::ops::ControlFlow<()> {
        self.n_done += 1;
        let Self { n_done: step, n_steps, preview, .. } = *self;
        (self.on_step)(StepReport { step, n_steps, clean, preview })
    }

    /// Whatever a sampler counted as steps: the next pass begins after this one.
    fn pass_is_done(&mut self, n_steps: usize) {
        self.n_before += n_steps;
        self.n_done = self.n_before;
    }
}
