//! Samplers and noise schedules: which there are, and what people call them.
//!
//! # Layout
//! * this file: the two enums, and what is said about each
//! * [`names`]: every spelling that people write, and what it stands for

pub mod names;
#[cfg(feature = "openapi")]
mod schema;

use std::fmt;
use std::str::FromStr;

pub use names::{UnknownName, parse_pair};
use serde::{Deserialize, Serialize};

/// How the noise levels are walked down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Sampler {
    /// Denoising diffusion implicit models, deterministic (eta 0).
    Ddim,
    /// Denoising diffusion probabilistic models: the posterior of each step, with fresh noise.
    Ddpm,
    /// Pseudo numerical methods, as PLMS: linear multistep of order 4 over predictions.
    Pndm,
    /// Linear multistep of order 4 over the probability-flow equation.
    Lms,
    /// Euler's method over the probability-flow equation.
    Euler,
    /// Euler's method with fresh noise after every step.
    EulerAncestral,
    /// Heun's method: second order, two model calls a step.
    Heun,
    /// DPM-Solver-2: second order by a midpoint, two model calls a step.
    Dpm2,
    /// DPM-Solver-2 with fresh noise after every step.
    Dpm2Ancestral,
    /// DPM-Solver++ (2S) with fresh noise after every step: two model calls a step.
    DpmPlusPlus2SAncestral,
    /// DPM-Solver++ (2M): second order, one model call a step.
    DpmPlusPlus2M,
    /// DPM-Solver++ as a stochastic equation: second order, two model calls a step.
    DpmPlusPlusSde,
    /// DPM-Solver++ (2M) as a stochastic equation: second order, one model call a step.
    DpmPlusPlus2MSde,
    /// DPM-Solver++ (3M) as a stochastic equation: third order, one model call a step.
    DpmPlusPlus3MSde,
    /// Unified predictor and corrector: second order, one model call a step.
    UniPc,
    /// Latent consistency models: for networks distilled to few steps.
    Lcm,
    /// Trajectory consistency distillation: for networks distilled to few steps.
    Tcd,
}

/// How the noise levels are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Schedule {
    /// Evenly spaced training timesteps, as the model's own scheduler spaces them.
    Normal,
    /// Karras et al. 2022: more steps where there is little noise.
    Karras,
    /// Each level the same share of the one before.
    Exponential,
    /// Evenly spaced training timesteps that leave out the lowest, as Stability's generative models do.
    SgmUniform,
    /// Every so many of the training levels, counted from the highest.
    Simple,
    /// Lee et al. 2024: steps at quantiles of a beta distribution, dense at both ends.
    Beta,
    /// Sabour et al. 2024: levels that were found by optimisation, for few steps.
    AlignYourSteps,
}

impl Sampler {
    /// All of them, in the order they are offered: the most useful first.
    pub const ALL: [Self; 17] = [
        Self::DpmPlusPlus2M,
        Self::Euler,
        Self::EulerAncestral,
        Self::DpmPlusPlus2MSde,
        Self::DpmPlusPlusSde,
        Self::UniPc,
        Self::Ddim,
        Self::Heun,
        Self::DpmPlusPlus3MSde,
        Self::DpmPlusPlus2SAncestral,
        Self::Lcm,
        Self::Tcd,
        Self::Dpm2,
        Self::Dpm2Ancestral,
        Self::Lms,
        Self::Pndm,
        Self::Ddpm,
    ];

    /// The name in requests and files: ComfyUI's, where it has one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ddim => "ddim",
            Self::Ddpm => "ddpm",
            Self::Pndm => "pndm",
            Self::Lms => "lms",
            Self::Euler => "euler",
            Self::EulerAncestral => "euler_ancestral",
            Self::Heun => "heun",
            Self::Dpm2 => "dpm_2",
            Self::Dpm2Ancestral => "dpm_2_ancestral",
            Self::DpmPlusPlus2SAncestral => "dpmpp_2s_ancestral",
            Self::DpmPlusPlus2M => "dpmpp_2m",
            Self::DpmPlusPlusSde => "dpmpp_sde",
            Self::DpmPlusPlus2MSde => "dpmpp_2m_sde",
            Self::DpmPlusPlus3MSde => "dpmpp_3m_sde",
            Self::UniPc => "uni_pc",
            Self::Lcm => "lcm",
            Self::Tcd => "tcd",
        }
    }

    /// The name that the AUTOMATIC1111 web UI shows, which people know it by.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ddim => "DDIM",
            Self::Ddpm => "DDPM",
            Self::Pndm => "PLMS",
            Self::Lms => "LMS",
            Self::Euler => "Euler",
            Self::EulerAncestral => "Euler a",
            Self::Heun => "Heun",
            Self::Dpm2 => "DPM2",
            Self::Dpm2Ancestral => "DPM2 a",
            Self::DpmPlusPlus2SAncestral => "DPM++ 2S a",
            Self::DpmPlusPlus2M => "DPM++ 2M",
            Self::DpmPlusPlusSde => "DPM++ SDE",
            Self::DpmPlusPlus2MSde => "DPM++ 2M SDE",
            Self::DpmPlusPlus3MSde => "DPM++ 3M SDE",
            Self::UniPc => "UniPC",
            Self::Lcm => "LCM",
            Self::Tcd => "TCD",
        }
    }

    /// One sentence on what it is good for, or two short ones.
    pub fn describe(self) -> &'static str {
        match self {
            Self::DpmPlusPlus2M => "Sharp pictures in few steps. A good default.",
            Self::Euler => "Simple and predictable; close to DPM++ 2M with more steps.",
            Self::EulerAncestral => "Adds a little fresh noise at every step: livelier, never settles.",
            Self::DpmPlusPlus2MSde => "DPM++ 2M with fresh noise: rich detail from about 25 steps on.",
            Self::DpmPlusPlusSde => "Rich detail in few steps, each of which takes twice as long.",
            Self::UniPc => "Corrects itself after every step; good with 10 steps and fewer.",
            Self::Ddim => "The classic. Same answer every time, likes 30 steps and more.",
            Self::Heun => "Euler with every step checked: more exact, and twice as slow.",
            Self::DpmPlusPlus3MSde => "Fine detail with many steps; likes 30 and more.",
            Self::DpmPlusPlus2SAncestral => "Lively and sharp; every step takes twice as long.",
            Self::Lcm => "For LCM models and LoRAs alone: 2 to 8 steps, guidance near 1.",
            Self::Tcd => "For TCD models and LoRAs alone: 4 to 8 steps, guidance near 1.",
            Self::Dpm2 => "The older DPM solver: exact, and twice as slow as Euler.",
            Self::Dpm2Ancestral => "DPM2 with fresh noise at every step; twice as slow as Euler a.",
            Self::Lms => "Remembers four steps; quick, with some noise left in few steps.",
            Self::Pndm => "What Stable Diffusion 1 came with; likes 50 steps.",
            Self::Ddpm => "The original, with fresh noise: wants hundreds of steps.",
        }
    }
}

impl Schedule {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 7] = [
        Self::Karras,
        Self::Normal,
        Self::Exponential,
        Self::SgmUniform,
        Self::Simple,
        Self::Beta,
        Self::AlignYourSteps,
    ];

    /// The name in requests and files: ComfyUI's, where it has one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Karras => "karras",
            Self::Exponential => "exponential",
            Self::SgmUniform => "sgm_uniform",
            Self::Simple => "simple",
            Self::Beta => "beta",
            Self::AlignYourSteps => "align_your_steps",
        }
    }

    /// The name that people know it by.
    pub fn label(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Karras => "Karras",
            Self::Exponential => "Exponential",
            Self::SgmUniform => "SGM Uniform",
            Self::Simple => "Simple",
            Self::Beta => "Beta",
            Self::AlignYourSteps => "Align Your Steps",
        }
    }

    /// One sentence on what it is good for.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Karras => "More steps where little noise is left: fine detail. A good default.",
            Self::Normal => "Even steps, as the model's own settings space them.",
            Self::Exponential => "Still more steps near the end than Karras: smooth, calm backgrounds.",
            Self::SgmUniform => "Even steps from full noise on; what Turbo and Lightning models expect.",
            Self::Simple => "Even steps over the training levels, in the plainest way.",
            Self::Beta => "More steps at the beginning and at the end than between.",
            Self::AlignYourSteps => "Levels found by optimisation: good pictures in 10 steps.",
        }
    }
}

impl FromStr for Sampler {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        names::sampler(name)
    }
}

impl FromStr for Schedule {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        names::schedule(name)
    }
}

impl TryFrom<String> for Sampler {
    type Error = UnknownName;
    fn try_from(name: String) -> Result<Self, UnknownName> {
        name.parse()
    }
}

impl TryFrom<String> for Schedule {
    type Error = UnknownName;
    fn try_from(name: String) -> Result<Self, UnknownName> {
        name.parse()
    }
}

impl From<Sampler> for String {
    fn from(sampler: Sampler) -> Self {
        sampler.as_str().to_owned()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.as_str().to_owned()
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_sampler_and_schedule_is_offered_once_with_a_sentence_of_its_own() {
        let samplers: HashSet<_> = Sampler::ALL.map(|sampler| (sampler.label(), sampler.describe())).into();
        assert_eq!(samplers.len(), Sampler::ALL.len());
        let schedules: HashSet<_> =
            Schedule::ALL.map(|schedule| (schedule.label(), schedule.describe())).into();
        assert_eq!(schedules.len(), Schedule::ALL.len());
        for sentence in
            Sampler::ALL.map(Sampler::describe).iter().chain(&Schedule::ALL.map(Schedule::describe))
        {
            assert!(sentence.ends_with('.') && sentence.len() <= 80, "{sentence}");
        }
    }

    #[test]
    fn stored_names_read_back() {
        for sampler in Sampler::ALL {
            let text = serde_json::to_string(&sampler).unwrap();
            assert_eq!(text, format!("\"{sampler}\""));
            assert_eq!(serde_json::from_str::<Sampler>(&text).unwrap(), sampler);
        }
        for schedule in Schedule::ALL {
            let text = serde_json::to_string(&schedule).unwrap();
            assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
        }
    }
}
