//! From an output of a workflow back to the one request that stands for it.
//!
//! ```text
//! SaveImage <- VAEDecode <- KSampler <- EmptyLatentImage
//!                           KSampler <- VAEEncode, VAEEncodeForInpaint, SetLatentNoiseMask <- LoadImage
//!                           KSampler <- LatentUpscale, LatentUpscaleBy <- KSampler <- EmptyLatentImage
//! ```
//!
//! What ComfyUI can do beyond that has no counterpart in a request, and is refused at the input that asks for it.

use backend::Channel;
use serde::{Deserialize, Serialize};
use types::request::RawRequest;

use super::enlarging;
use super::faults::Fault;
use super::pass::Pass;
use super::validate::Checked;

/// What an output asks for.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The request, but for its mask; its start picture is as it was sent.
    pub request: RawRequest,
    /// The mask over the start picture.
    pub mask: Option<MaskOf>,
    /// Which nodes do what.
    pub plan: Plan,
    blame: Blame,
}

/// Where a mask comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskOf {
    /// The picture, as a request names it.
    pub name: String,
    /// Which channel of it.
    pub channel: Channel,
    /// As [`backend::MaskUse::grow`].
    pub grow: Option<u32>,
}

/// Which nodes do what, by their names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Loads the model.
    pub loader: String,
    /// Walk the steps: one, or two if the second enlarges.
    pub samplers: Vec<String>,
    /// Decodes the latent.
    pub decoder: String,
}

/// Something that is wrong with the node at a place.
pub type NodeFault = (usize, Fault);

/// Which input of which node a field of the request comes from.
#[derive(Debug, Clone, Default)]
pub struct Blame(Vec<(&'static str, usize, &'static str)>);

impl Blame {
    /// Notes it.
    pub fn put(&mut self, field: &'static str, place: usize, input: &'static str) {
        self.0.push((field, place, input));
    }
}

impl Recipe {
    /// Whether both ask for the same picture.
    pub fn is_same(&self, other: &Self) -> bool {
        self.request == other.request && self.mask == other.mask
    }

    /// The input that a field of the request comes from: the node's place, and the input's name.
    pub fn origin(&self, field: &str) -> Option<(usize, &'static str)> {
        self.blame.0.iter().find(|(name, ..)| *name == field).map(|(_, place, input)| (*place, *input))
    }
}

/// A sentence on an input of the node at a place.
pub fn fail(place: usize, input: &str, sentence: &str) -> NodeFault {
    (place, Fault::of_input(input, sentence))
}

/// A link that comes from a node of another class than is possible.
pub fn wrong_source(
    checked: &Checked<'_>,
    place: usize,
    input: &str,
    found: usize,
    allowed: &str,
) -> NodeFault {
    let sentence = format!("this comes from {}; possible is {allowed}", checked.class(found));
    fail(place, input, &sentence)
}

/// Walks back from a sound output.
///
/// # Errors
/// The first input for which there is no counterpart.
pub fn recipe(checked: &Checked<'_>, output: usize) -> Result<Recipe, NodeFault> {
    let (decoder, _) = checked.link(output, "images");
    if checked.class(decoder) != "VAEDecode" {
        return Err(wrong_source(checked, output, "images", decoder, "VAEDecode"));
    }
    let (last, _) = checked.link(decoder, "samples");
    if !is_sampler(checked, last) {
        return Err(wrong_source(checked, decoder, "samples", last, "KSampler or KSamplerAdvanced"));
    }
    let mut made = Making { checked, request: RawRequest::default(), mask: None, blame: Blame::default() };
    let (latent, _) = checked.link(last, "latent_image");
    let last_pass = Pass::read(checked, last)?;
    let (first_pass, samplers) = if enlarging::is_one(checked, latent) {
        let (first, _) = checked.link(latent, "samples");
        if !is_sampler(checked, first) {
            return Err(wrong_source(checked, latent, "samples", first, "KSampler or KSamplerAdvanced"));
        }
        let first_pass = Pass::read(checked, first)?;
        last_pass.check_same(checked, &first_pass)?;
        (first_pass, vec![first, last])
    } else {
        (last_pass.clone(), vec![last])
    };
    made.set_pass(&first_pass)?;
    made.set_origin(&first_pass)?;
    if samplers.len() > 1 {
        enlarging::set(checked, latent, &last_pass, &mut made.request, &mut made.blame)?;
    }
    let vaes = [Some(decoder), made.encoder(&first_pass)];
    for place in vaes.into_iter().flatten() {
        first_pass.check_checkpoint(checked, place, "vae")?;
    }
    let id = |place: usize| checked.graph.node(place).id.clone();
    let plan = Plan {
        loader: id(first_pass.loader),
        samplers: samplers.into_iter().map(id).collect(),
        decoder: id(decoder),
    };
    Ok(Recipe { request: made.request, mask: made.mask, plan, blame: made.blame })
}

fn is_sampler(checked: &Checked<'_>, place: usize) -> bool {
    matches!(checked.class(place), "KSampler" | "KSamplerAdvanced")
}

/// A recipe on its way.
struct Making<'a> {
    checked: &'a Checked<'a>,
    request: RawRequest,
    mask: Option<MaskOf>,
    blame: Blame,
}

impl Making<'_> {
    /// What the sampler says.
    fn set_pass(&mut self, pass: &Pass) -> Result<(), NodeFault> {
        let Self { checked, request, blame, .. } = self;
        pass.set(checked, request, blame)
    }

    /// What the sampler begins with: nothing, or a picture.
    fn set_origin(&mut self, pass: &Pass) -> Result<(), NodeFault> {
        let checked = self.checked;
        let (latent, _) = checked.link(pass.place, "latent_image");
        let share = pass.share()?;
        self.request.steps = Some(i64::from(share.steps));
        match checked.class(latent) {
            "EmptyLatentImage" => {
                if !share.is_all() {
                    let sentence = "only a part of the steps needs a picture to begin with; with an \
                                    EmptyLatentImage all are walked";
                    return Err(fail(pass.place, pass.share_input(), sentence));
                }
                for (field, input) in [("width", "width"), ("height", "height"), ("count", "batch_size")] {
                    self.blame.put(field, latent, input);
                }
                let integer = |input| i64::try_from(checked.integer(latent, input)).ok();
                self.request.width = integer("width");
                self.request.height = integer("height");
                self.request.count = integer("batch_size");
            }
            "VAEEncode" => self.set_start(latent)?,
            "VAEEncodeForInpaint" => {
                self.set_start(latent)?;
                let grow = u32::try_from(checked.integer(latent, "grow_mask_by")).ok();
                self.set_mask(latent, grow);
            }
            "SetLatentNoiseMask" => {
                let (mut under, _) = checked.link(latent, "samples");
                // The last mask that is set is the one that counts.
                while checked.class(under) == "SetLatentNoiseMask" {
                    under = checked.link(under, "samples").0;
                }
                if checked.class(under) != "VAEEncode" {
                    return Err(wrong_source(checked, latent, "samples", under, "VAEEncode"));
                }
                self.set_start(under)?;
                self.set_mask(latent, None);
            }
            _ => {
                let allowed = "EmptyLatentImage, VAEEncode, VAEEncodeForInpaint or SetLatentNoiseMask";
                return Err(wrong_source(checked, pass.place, "latent_image", latent, allowed));
            }
        }
        if self.request.start.is_some() {
            self.request.strength = Some(share.strength);
            self.blame.put("strength", pass.place, pass.share_input());
        }
        Ok(())
    }

    fn set_start(&mut self, encoder: usize) -> Result<(), NodeFault> {
        let (image, _) = self.checked.link(encoder, "pixels");
        if self.checked.class(image) != "LoadImage" {
            return Err(wrong_source(self.checked, encoder, "pixels", image, "LoadImage"));
        }
        self.request.start = Some(self.checked.text(image, "image").to_owned());
        self.blame.put("start", image, "image");
        Ok(())
    }

    /// The mask that is linked to a node.
    fn set_mask(&mut self, place: usize, grow: Option<u32>) {
        let (source, _) = self.checked.link(place, "mask");
        let channel = if self.checked.class(source) == "LoadImage" {
            Channel::Transparency
        } else {
            match self.checked.text(source, "channel") {
                "red" => Channel::Red,
                "green" => Channel::Green,
                "blue" => Channel::Blue,
                _ => Channel::Transparency,
            }
        };
        let name = self.checked.text(source, "image").to_owned();
        self.mask = Some(MaskOf { name, channel, grow });
        // No edge is softened that is not soft already.
        self.request.mask_feather = Some(0);
        self.blame.put("mask", source, "image");
    }

    /// The node that encodes the picture that is begun with.
    fn encoder(&self, pass: &Pass) -> Option<usize> {
        let (mut place, _) = self.checked.link(pass.place, "latent_image");
        while self.checked.class(place) == "SetLatentNoiseMask" {
            place = self.checked.link(place, "samples").0;
        }
        matches!(self.checked.class(place), "VAEEncode" | "VAEEncodeForInpaint").then_some(place)
    }
}

#[cfg(test)]
#[path = "recipe_tests.rs"]
mod tests;
