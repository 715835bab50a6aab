//! What people call samplers and schedules.
//!
//! Four vocabularies are in use, and all of them are read: the AUTOMATIC1111 web UI's (`DPM++ 2M Karras`, `k_euler_a`),
//! ComfyUI's (`dpmpp_2m_sde_gpu`, `sgm_uniform`), k-diffusion's (`sample_dpm_2_ancestral`), and diffusers' class names
//! (`DPMSolverMultistepScheduler`). Case, spaces, dashes and underscores make no difference.

use super::{Sampler, Schedule};

/// A name that stands for no sampler or no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{name}` is unknown; known are {known}")]
pub struct UnknownName {
    kind: &'static str,
    name: String,
    known: String,
}

/// Names of samplers, folded; the first of each is its own. Of diffusers' classes `DPMSolverSinglestepScheduler` stands
/// where diffusers' own table of names puts it.
const SAMPLERS: [(Sampler, &[&str]); 17] = [
    (Sampler::Ddim, &["ddim", "ddimscheduler"]),
    (Sampler::Ddpm, &["ddpm", "ddpmscheduler"]),
    (Sampler::Pndm, &["pndm", "plms", "pndmscheduler"]),
    (Sampler::Lms, &["lms", "lmsdiscretescheduler"]),
    (Sampler::Euler, &["euler", "eulerdiscretescheduler"]),
    (Sampler::EulerAncestral, &["eulera", "eulerancestral", "eulerancestraldiscretescheduler"]),
    (Sampler::Heun, &["heun", "heundiscretescheduler"]),
    (Sampler::Dpm2, &["dpm2", "kdpm2discretescheduler"]),
    (Sampler::Dpm2Ancestral, &["dpm2a", "dpm2ancestral", "kdpm2ancestraldiscretescheduler"]),
    (Sampler::DpmPlusPlus2SAncestral, &["dpmpp2sa", "dpmpp2sancestral"]),
    (Sampler::DpmPlusPlus2M, &["dpmpp2m", "dpmsolvermultistep", "dpmsolvermultistepscheduler"]),
    (
        Sampler::DpmPlusPlusSde,
        &["dpmppsde", "dpmppsdegpu", "dpmsolversdescheduler", "dpmsolversinglestepscheduler"],
    ),
    (Sampler::DpmPlusPlus2MSde, &["dpmpp2msde", "dpmpp2msdegpu"]),
    (Sampler::DpmPlusPlus3MSde, &["dpmpp3msde", "dpmpp3msdegpu"]),
    (Sampler::UniPc, &["unipc", "unipcbh2", "unipcmultistepscheduler"]),
    (Sampler::Lcm, &["lcm", "lcmscheduler"]),
    (Sampler::Tcd, &["tcd", "tcdscheduler"]),
];

/// Names of schedules, folded. `automatic`, `uniform` and `ddim_uniform` are even steps over the training timesteps,
/// which is what the model's own settings space.
const SCHEDULES: [(Schedule, &[&str]); 7] = [
    (Schedule::Normal, &["normal", "automatic", "uniform", "ddimuniform"]),
    (Schedule::Karras, &["karras", "ka"]),
    (Schedule::Exponential, &["exponential"]),
    (Schedule::SgmUniform, &["sgmuniform"]),
    (Schedule::Simple, &["simple"]),
    (Schedule::Beta, &["beta"]),
    (Schedule::AlignYourSteps, &["alignyoursteps", "ays"]),
];

/// Reads the name of a sampler that may carry its schedule, as in `DPM++ 2M Karras`.
///
/// # Errors
/// [`UnknownName`] if no part of it is a sampler.
pub fn parse_pair(name: &str) -> Result<(Sampler, Option<Schedule>), UnknownName> {
    let folded = fold(name);
    if let Some(sampler) = known_sampler(&folded) {
        return Ok((sampler, None));
    }
    SCHEDULES
        .iter()
        .flat_map(|&(schedule, names)| names.iter().map(move |suffix| (schedule, suffix)))
        .find_map(|(schedule, suffix)| Some((known_sampler(folded.strip_suffix(suffix)?)?, Some(schedule))))
        .ok_or_else(|| unknown_sampler(name))
}

/// Reads the name of a sampler alone.
pub(super) fn sampler(name: &str) -> Result<Sampler, UnknownName> {
    known_sampler(&fold(name)).ok_or_else(|| unknown_sampler(name))
}

/// Reads the name of a schedule.
pub(super) fn schedule(name: &str) -> Result<Schedule, UnknownName> {
    let folded = fold(name);
    let found = SCHEDULES.iter().find(|(_, names)| names.contains(&folded.as_str()));
    found.map(|&(schedule, _)| schedule).ok_or_else(|| UnknownName {
        kind: "schedule",
        name: name.to_owned(),
        known: Schedule::ALL.map(Schedule::as_str).join(", "),
    })
}

/// k-diffusion's functions begin with `sample_`, and its samplers elsewhere with `k_`.
fn known_sampler(folded: &str) -> Option<Sampler> {
    let find =
        |name: &str| SAMPLERS.iter().find(|(_, names)| names.contains(&name)).map(|&(sampler, _)| sampler);
    find(folded).or_else(|| find(folded.strip_prefix("sample")?)).or_else(|| find(folded.strip_prefix('k')?))
}

fn unknown_sampler(name: &str) -> UnknownName {
    UnknownName {
        kind: "sampler",
        name: name.to_owned(),
        known: Sampler::ALL.map(Sampler::as_str).join(", "),
    }
}

/// Letters and digits alone, in lower case, with `++` spelt out: so that `DPM++ 2M`, `dpmpp_2m` and
/// `DPM++2m` are one name.
fn fold(name: &str) -> String {
    name.replace("++", "pp").chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sampler_and_schedule_parses_from_its_name_and_from_its_label() {
        for sampler in Sampler::ALL {
            assert_eq!(sampler.as_str().parse(), Ok(sampler));
            assert_eq!(sampler.label().parse(), Ok(sampler));
        }
        for schedule in Schedule::ALL {
            assert_eq!(schedule.as_str().parse(), Ok(schedule));
            assert_eq!(schedule.label().parse(), Ok(schedule));
        }
    }

    #[test]
    fn the_names_of_every_vocabulary_mean_the_same_sampler() {
        use Sampler::*;
        for (sampler, web_ui, comfy_ui, k_diffusion, diffusers) in [
            (Euler, "Euler", "euler", "sample_euler", "EulerDiscreteScheduler"),
            (
                EulerAncestral,
                "k_euler_a",
                "euler_ancestral",
                "sample_euler_ancestral",
                "EulerAncestralDiscreteScheduler",
            ),
            (Heun, "Heun", "heun", "sample_heun", "HeunDiscreteScheduler"),
            (Lms, "k_lms", "lms", "sample_lms", "LMSDiscreteScheduler"),
            (Dpm2, "DPM2", "dpm_2", "sample_dpm_2", "KDPM2DiscreteScheduler"),
            (
                Dpm2Ancestral,
                "DPM2 a",
                "dpm_2_ancestral",
                "sample_dpm_2_ancestral",
                "KDPM2AncestralDiscreteScheduler",
            ),
            (DpmPlusPlus2M, "DPM++ 2M", "dpmpp_2m", "sample_dpmpp_2m", "DPMSolverMultistepScheduler"),
            (DpmPlusPlusSde, "DPM++ SDE", "dpmpp_sde_gpu", "sample_dpmpp_sde", "DPMSolverSDEScheduler"),
            (DpmPlusPlusSde, "k_dpmpp_sde", "dpmpp_sde", "sample_dpmpp_sde", "DPMSolverSinglestepScheduler"),
            (UniPc, "UniPC", "uni_pc_bh2", "uni_pc", "UniPCMultistepScheduler"),
            (Ddim, "DDIM", "ddim", "ddim", "DDIMScheduler"),
            (Ddpm, "DDPM", "ddpm", "ddpm", "DDPMScheduler"),
            (Pndm, "PLMS", "pndm", "plms", "PNDMScheduler"),
            (Lcm, "LCM", "lcm", "sample_lcm", "LCMScheduler"),
            (Tcd, "TCD", "tcd", "tcd", "TCDScheduler"),
        ] {
            for name in [web_ui, comfy_ui, k_diffusion, diffusers] {
                assert_eq!(name.parse(), Ok(sampler), "{name}");
                assert_eq!(parse_pair(name), Ok((sampler, None)), "{name}");
            }
        }
        for (sampler, names) in [
            (DpmPlusPlus2SAncestral, ["DPM++ 2S a", "dpmpp_2s_ancestral", "sample_dpmpp_2s_ancestral"]),
            (DpmPlusPlus2MSde, ["DPM++ 2M SDE", "dpmpp_2m_sde_gpu", "sample_dpmpp_2m_sde"]),
            (DpmPlusPlus3MSde, ["DPM++ 3M SDE", "dpmpp_3m_sde", "dpmpp_3m_sde_gpu"]),
        ] {
            for name in names {
                assert_eq!(name.parse(), Ok(sampler), "{name}");
            }
        }
    }

    #[test]
    fn the_names_of_every_vocabulary_mean_the_same_schedule() {
        for (schedule, names) in [
            (Schedule::Normal, ["normal", "Automatic", "Uniform", "ddim_uniform"]),
            (Schedule::Karras, ["karras", "Karras", "KARRAS", "ka"]),
            (Schedule::SgmUniform, ["sgm_uniform", "SGM Uniform", "SGMUniform", "sgm-uniform"]),
            (Schedule::AlignYourSteps, ["align_your_steps", "Align Your Steps", "AYS", "align-your-steps"]),
        ] {
            for name in names {
                assert_eq!(name.parse(), Ok(schedule), "{name}");
            }
        }
    }

    #[test]
    fn a_sampler_name_may_carry_its_schedule() {
        for (name, sampler, schedule) in [
            ("DPM++ 2M Karras", Sampler::DpmPlusPlus2M, Schedule::Karras),
            ("DPM++ SDE Karras", Sampler::DpmPlusPlusSde, Schedule::Karras),
            ("DPM++ 2M SDE Exponential", Sampler::DpmPlusPlus2MSde, Schedule::Exponential),
            ("DPM2 a Karras", Sampler::Dpm2Ancestral, Schedule::Karras),
            ("k_dpmpp_2m_ka", Sampler::DpmPlusPlus2M, Schedule::Karras),
            ("LMS Karras", Sampler::Lms, Schedule::Karras),
            ("euler_sgm_uniform", Sampler::Euler, Schedule::SgmUniform),
            ("Euler a Automatic", Sampler::EulerAncestral, Schedule::Normal),
            ("ddim_ddim_uniform", Sampler::Ddim, Schedule::Normal),
            ("UniPC Beta", Sampler::UniPc, Schedule::Beta),
        ] {
            assert_eq!(parse_pair(name), Ok((sampler, Some(schedule))), "{name}");
        }
        for sampler in Sampler::ALL {
            for schedule in Schedule::ALL {
                let name = format!("{} {}", sampler.label(), schedule.label());
                assert_eq!(parse_pair(&name), Ok((sampler, Some(schedule))), "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let known = "dpmpp_2m, euler, euler_ancestral, dpmpp_2m_sde, dpmpp_sde, uni_pc, ddim, heun, dpmpp_3m_sde, \
                     dpmpp_2s_ancestral, lcm, tcd, dpm_2, dpm_2_ancestral, lms, pndm, ddpm";
        for name in ["Restart", "DPM++ 2M Heun", "Karras", "k", ""] {
            let message = format!("sampler `{name}` is unknown; known are {known}");
            assert_eq!(name.parse::<Sampler>().unwrap_err().to_string(), message);
            assert_eq!(parse_pair(name).unwrap_err().to_string(), message);
        }
        assert_eq!(
            "kl_optimal".parse::<Schedule>().unwrap_err().to_string(),
            "schedule `kl_optimal` is unknown; known are karras, normal, exponential, sgm_uniform, simple, beta, \
             align_your_steps"
        );
    }
}
