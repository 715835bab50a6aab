//! What the site means by preview, standard and premium.

use serde::{Deserialize, Serialize};

use crate::aspect_ratio::nearest_size;
use crate::model::{ModelInfo, Quality, Shape};
use crate::request::{SIZE_MULTIPLE, STEPS};

/// What one quality stands for. Whatever is left out is as it is without any: the usual model, and so many of its own
/// steps as [`Quality::steps`] says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Preset {
    /// Name of an installed model. Steps and size then hold for it alone.
    pub model: Option<String>,
    /// Width in pixels, together with a height.
    pub width: Option<u32>,
    /// Height in pixels, together with a width. Where a request names a shape, a picture of that shape has as many pixels.
    pub height: Option<u32>,
    /// Sampling steps.
    pub steps: Option<u32>,
}

/// What the site means by each quality.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Presets {
    /// A quick look.
    pub preview: Preset,
    /// What a request gets that names no quality.
    pub standard: Preset,
    /// The best there is.
    pub premium: Preset,
}

/// A preset as it holds now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresetInfo {
    /// Its name in requests.
    pub name: Quality,
    /// The model that paints where a request names none.
    pub model: String,
    /// Steps with that model.
    pub steps: u32,
    /// Width in pixels where a request names neither size nor shape.
    pub width: u32,
    /// Height in pixels where a request names neither size nor shape.
    pub height: u32,
    /// Why it cannot be used, if it cannot.
    pub problem: Option<String>,
}

impl Preset {
    /// Whether it is of use with any model at all.
    ///
    /// # Errors
    /// One sentence on what is not.
    pub fn check(&self) -> Result<(), String> {
        if let Some(steps) = self.steps.filter(|steps| !STEPS.contains(steps)) {
            let (first, last) = (STEPS.start(), STEPS.end());
            return Err(format!("steps {steps} is out of range; allowed are {first} to {last}"));
        }
        for (name, side) in [("width", self.width), ("height", self.height)] {
            if let Some(side) = side.filter(|side| *side == 0 || !side.is_multiple_of(SIZE_MULTIPLE)) {
                return Err(format!(
                    "{name} {side} is not possible; allowed are multiples of {SIZE_MULTIPLE}"
                ));
            }
        }
        match (self.width, self.height) {
            (Some(_), None) => Err("a width goes together with a height".to_owned()),
            (None, Some(_)) => Err("a height goes together with a width".to_owned()),
            _ => Ok(()),
        }
    }

    /// Whether its steps and its size hold for this model.
    pub fn is_for(&self, model: &ModelInfo) -> bool {
        self.model.as_ref().is_none_or(|name| *name == model.name)
    }

    /// Its size with this model, where it has one: as it was written, or the nearest that the model can make.
    pub fn size(&self, model: &ModelInfo) -> Option<(u32, u32)> {
        let (width, height) = self.width.zip(self.height).filter(|_| self.is_for(model))?;
        if model.limits.allows_side(width) && model.limits.allows_side(height) {
            return Some((width, height));
        }
        Some(nearest_size(&model.limits, f64::from(width) / f64::from(height), (width, height)))
    }
}

impl Presets {
    /// What one quality stands for.
    pub fn of(&self, quality: Quality) -> &Preset {
        match quality {
            Quality::Preview => &self.preview,
            Quality::Standard => &self.standard,
            Quality::Premium => &self.premium,
        }
    }

    /// Whether one of them names a model.
    pub fn name_a_model(&self) -> bool {
        Quality::ALL.iter().any(|quality| self.of(*quality).model.is_some())
    }

    /// Whether one of them names a size.
    pub fn name_a_size(&self) -> bool {
        Quality::ALL.iter().any(|quality| self.of(*quality).width.is_some())
    }

    /// Steps of a quality with this model.
    pub fn steps(&self, quality: Quality, model: &ModelInfo) -> u32 {
        let preset = self.of(quality);
        let own = preset.steps.filter(|_| preset.is_for(model));
        own.unwrap_or_else(|| quality.steps(model.defaults.steps))
    }

    /// The model that a quality names, or else the default one, which is the first.
    ///
    /// # Errors
    /// One sentence: the model that it names is not installed, or none is.
    pub fn model<'a>(&self, quality: Quality, models: &'a [ModelInfo]) -> Result<&'a ModelInfo, String> {
        let nothing = || "no picture model is installed".to_owned();
        let Some(name) = &self.of(quality).model else { return models.first().ok_or_else(nothing) };
        models.iter().find(|model| model.name == *name).ok_or_else(|| {
            let installed: Vec<_> = models.iter().map(|model| model.name.as_str()).collect();
            format!(
                "quality `{}` is set to model `{name}`, which is not installed; installed are {}",
                quality.as_str(),
                installed.join(", ")
            )
        })
    }

    /// What each of them means with these models.
    pub fn describe(&self, models: &[ModelInfo]) -> Vec<PresetInfo> {
        let describe = |quality: Quality| {
            let preset = self.of(quality);
            let nothing = |problem: String| PresetInfo {
                name: quality,
                model: preset.model.clone().unwrap_or_default(),
                steps: preset.steps.unwrap_or_default(),
                width: preset.width.unwrap_or_default(),
                height: preset.height.unwrap_or_default(),
                problem: Some(problem),
            };
            let model = match self.model(quality, models) {
                Ok(model) => model,
                Err(problem) => return nothing(problem),
            };
            let (width, height) = preset.size(model).unwrap_or_else(|| model.size_of(Shape::default()));
            PresetInfo {
                name: quality,
                model: model.name.clone(),
                steps: self.steps(quality, model),
                width,
                height,
                problem: model
                    .problem
                    .as_ref()
                    .map(|problem| format!("model `{}` cannot be used: {problem}", model.name)),
            }
        };
        Quality::ALL.map(describe).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::demo_model;

    fn preset(model: Option<&str>, size: Option<(u32, u32)>, steps: Option<u32>) -> Preset {
        let (width, height) = size.unzip();
        Preset { model: model.map(str::to_owned), width, height, steps }
    }

    #[test]
    fn a_preset_of_another_model_leaves_steps_and_size_to_the_model() {
        let other = preset(Some("large"), Some((512, 512)), Some(40));
        let presets = Presets { premium: other.clone(), ..Presets::default() };
        assert_eq!(presets.steps(Quality::Premium, &demo_model()), 40, "twice its own 20");
        let presets = Presets { preview: other.clone(), ..presets };
        assert_eq!(presets.steps(Quality::Preview, &demo_model()), 10);
        assert_eq!(other.size(&demo_model()), None);
        let same = preset(Some("demo"), Some((512, 256)), Some(7));
        let presets = Presets { preview: same.clone(), ..presets };
        assert_eq!(
            (presets.steps(Quality::Preview, &demo_model()), same.size(&demo_model())),
            (7, Some((512, 256)))
        );
    }

    #[test]
    fn a_size_that_the_model_cannot_make_is_brought_to_the_nearest() {
        for (asked, size) in [((2_048, 2_048), (512, 512)), ((8, 8), (128, 128)), ((200, 200), (192, 192))] {
            assert_eq!(preset(None, Some(asked), None).size(&demo_model()), Some(size), "{asked:?}");
        }
    }

    #[test]
    fn what_each_means_is_told_with_what_stands_in_its_way() {
        let presets = Presets { preview: preset(Some("gone"), None, Some(3)), ..Presets::default() };
        let [preview, standard, _] = &presets.describe(&[demo_model()])[..] else {
            panic!("there are three")
        };
        assert_eq!(
            preview.problem.as_deref(),
            Some("quality `preview` is set to model `gone`, which is not installed; installed are demo")
        );
        assert_eq!((preview.model.as_str(), preview.steps), ("gone", 3));
        assert_eq!((standard.model.as_str(), standard.steps, &standard.problem), ("demo", 20, &None));
        let broken = ModelInfo { problem: Some("file `x` is missing".into()), ..demo_model() };
        let of_broken = &presets.describe(&[broken])[1];
        assert_eq!(of_broken.problem.as_deref(), Some("model `demo` cannot be used: file `x` is missing"));
        assert_eq!(presets.describe(&[])[1].problem.as_deref(), Some("no picture model is installed"));
    }
}
