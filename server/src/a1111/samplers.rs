//! Samplers and schedules as that web UI names and pairs them.

use types::sampler::{Sampler, Schedule, parse_pair};

/// Its first schedule, which stands for whatever suits the sampler.
pub const AUTOMATIC: &str = "Automatic";

/// What it calls a sampler besides its name: the alias of its own list.
pub fn alias(sampler: Sampler) -> Option<&'static str> {
    match sampler {
        Sampler::Lms => Some("k_lms"),
        Sampler::Euler => Some("k_euler"),
        Sampler::EulerAncestral => Some("k_euler_a"),
        Sampler::Heun => Some("k_heun"),
        Sampler::Dpm2 => Some("k_dpm_2"),
        Sampler::Dpm2Ancestral => Some("k_dpm_2_a"),
        Sampler::DpmPlusPlus2SAncestral => Some("k_dpmpp_2s_a"),
        Sampler::DpmPlusPlus2M => Some("k_dpmpp_2m"),
        Sampler::DpmPlusPlusSde => Some("k_dpmpp_sde"),
        Sampler::DpmPlusPlus2MSde => Some("k_dpmpp_2m_sde"),
        Sampler::DpmPlusPlus3MSde => Some("k_dpmpp_3m_sde"),
        Sampler::Lcm => Some("k_lcm"),
        Sampler::Ddim | Sampler::Ddpm | Sampler::Pndm | Sampler::UniPc | Sampler::Tcd => None,
    }
}

/// The schedule that it gives a sampler of its own accord.
///
/// # Source
/// The samplers' `scheduler` in its `modules/sd_samplers_kdiffusion.py`.
pub fn automatic(sampler: Sampler) -> Schedule {
    match sampler {
        Sampler::DpmPlusPlus2M
        | Sampler::DpmPlusPlusSde
        | Sampler::DpmPlusPlus2SAncestral
        | Sampler::Dpm2
        | Sampler::Dpm2Ancestral => Schedule::Karras,
        Sampler::DpmPlusPlus2MSde | Sampler::DpmPlusPlus3MSde => Schedule::Exponential,
        Sampler::Ddim
        | Sampler::Ddpm
        | Sampler::Pndm
        | Sampler::Lms
        | Sampler::Euler
        | Sampler::EulerAncestral
        | Sampler::Heun
        | Sampler::UniPc
        | Sampler::Lcm
        | Sampler::Tcd => Schedule::Normal,
    }
}

/// What to ask for as the schedule, where a request there names these two. None leaves it to the sampler's name, which may
/// carry one, or to the model.
pub fn schedule(sampler: Option<&str>, scheduler: Option<&str>) -> Option<String> {
    if let Some(named) = scheduler.filter(|name| !name.eq_ignore_ascii_case(AUTOMATIC)) {
        return Some(named.to_owned());
    }
    match parse_pair(sampler?) {
        Ok((sampler, None)) => Some(automatic(sampler).to_string()),
        Ok((_, Some(_))) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatic_is_what_suits_the_sampler() {
        for scheduler in [None, Some("automatic"), Some("Automatic")] {
            assert_eq!(schedule(Some("DPM++ 2M"), scheduler).as_deref(), Some("karras"));
            assert_eq!(schedule(Some("DPM++ 3M SDE"), scheduler).as_deref(), Some("exponential"));
            assert_eq!(schedule(Some("Euler a"), scheduler).as_deref(), Some("normal"));
            assert_eq!(schedule(Some("DPM++ SDE Karras"), scheduler), None, "its name says it");
            assert_eq!(schedule(None, scheduler), None, "the model says it");
        }
        assert_eq!(schedule(Some("Euler a"), Some("SGM Uniform")).as_deref(), Some("SGM Uniform"));
    }

    #[test]
    fn every_alias_stands_for_its_sampler() {
        for sampler in Sampler::ALL {
            if let Some(alias) = alias(sampler) {
                assert_eq!(alias.parse(), Ok(sampler), "{alias}");
            }
        }
    }
}
