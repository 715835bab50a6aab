//! One walk from noise to a picture.

use candle_core::Tensor;
use types::sampler::{Sampler, Schedule};

use super::StableDiffusion;
use super::beginning::{Beginning, Beside};
use super::preview::LatentToRgb;
use super::request::{Hires, OnStep, Painted, PictureRequest, Start, StepReport};
use super::text::Conditions;
use crate::denoiser::{Denoiser, denoiser};
use crate::error::{Error, Result};
use crate::guidance::{Guidance, Guided, GuidedByPicture};
use crate::inpainting::Inpainting;
use crate::models::unet::Condition;
use crate::noise::NoiseGenerator;
use crate::samplers::sample;
use crate::schedule::NoiseSchedule;

/// One walk from noise to a picture: its size, its steps and what the U-Net is told.
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

    /// Walks, and decodes what comes of it.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; whatever candle says.
    pub(super) fn run(&self, start: Option<&Start>, progress: &mut Progress<'_>) -> Result<Painted> {
        let Self { model, request, width, height, .. } = *self;
        let (unet, size) = (model.unet.config(), (width, height));
        let conditions = Conditions::new(&model.prompts, unet, request, size, &model.device)?;
        let mut noise = NoiseGenerator::new(request.noise, request.seed);
        let beginning = Beginning::new(self, start, &mut noise)?;
        let denoiser = self.denoiser(&conditions, &beginning)?;
        let latent = sample(
            request.sampler,
            &*denoiser,
            beginning.latent.clone(),
            &self.schedule.steps,
            &mut noise,
            &mut |done| progress.step(done.clean),
        )?;
        progress.pass_is_done(self.n_steps());
        let painted = model.decode(&latent, StableDiffusion::portion(width, height))?;
        Ok(match &beginning.original {
            Some(original) => {
                Painted { picture: original.mask.compose(&painted.picture, &original.picture), ..painted }
            }
            None => painted,
        })
    }

    /// The U-Net with everything round it.
    fn denoiser<'b>(
        &'b self,
        conditions: &Conditions,
        beginning: &'b Beginning,
    ) -> Result<Box<dyn Denoiser + 'b>> {
        let Self { model, request, .. } = *self;
        let Conditions { positive, negative } = conditions;
        let plain =
            |x: &Tensor, timestep: f64, condition: &Condition| model.unet.forward(x, timestep, condition);
        let prediction = model.scheduler.prediction_type;
        let scale =
            if model.unet.config().guidance_channels.is_some() { 1.0 } else { request.guidance_scale };
        let guidance = Guidance { scale, rescale: request.guidance_rescale };
        let denoiser: Box<dyn Denoiser + 'b> = match &beginning.beside {
            Beside::Nothing => denoiser(prediction, Guided::new(plain, positive, negative, guidance)?),
            Beside::Inputs(inputs) => {
                let network = move |x: &Tensor, timestep: f64, condition: &Condition| {
                    let inputs = Tensor::cat(&vec![inputs; x.dim(0)?], 0)?;
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
