//! What suits a model that says nothing of it itself.

use inference::model_files::ModelFiles;
use inference::models::unet::UnetConfig;
use inference::schedule::SchedulerConfig;
use serde_json::Value;
use types::model::ModelDefaults;
use types::sampler::{Sampler, Schedule};

/// What suits most models of the Stable Diffusion family.
pub(super) const USUAL: ModelDefaults = ModelDefaults {
    steps: 25,
    guidance_scale: 7.0,
    sampler: Sampler::DpmPlusPlus2M,
    schedule: Schedule::Karras,
};

/// Told from the configs: models that were distilled to few steps paint badly with the usual ones.
pub(super) fn of(files: &ModelFiles) -> ModelDefaults {
    let scheduler: Value = files.json(SchedulerConfig::FILE).unwrap_or_default();
    let is = |key: &str, value: &str| scheduler[key].as_str() == Some(value);
    let follows_guidance = UnetConfig::read(files, "unet").is_ok_and(|unet| unet.guidance_channels.is_some());
    let few_steps = |sampler: Sampler, guidance_scale: f64| ModelDefaults {
        steps: 4,
        guidance_scale,
        sampler,
        schedule: Schedule::Normal,
    };
    if is("_class_name", "LCMScheduler") || follows_guidance {
        // A network that was distilled to follow the guidance scale is told it, and no negative prompt.
        few_steps(Sampler::Lcm, if follows_guidance { 8.0 } else { 1.0 })
    } else if is("_class_name", "TCDScheduler") {
        few_steps(Sampler::Tcd, 0.0)
    } else if is("_class_name", "EulerAncestralDiscreteScheduler") && is("timestep_spacing", "trailing") {
        // SD-Turbo and SDXL-Turbo.
        few_steps(Sampler::EulerAncestral, 0.0)
    } else {
        USUAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults(scheduler: &str, unet: &str) -> ModelDefaults {
        let folder = tempfile::tempdir().unwrap();
        for (part, file, text) in
            [("scheduler", "scheduler_config.json", scheduler), ("unet", "config.json", unet)]
        {
            std::fs::create_dir_all(folder.path().join(part)).unwrap();
            std::fs::write(folder.path().join(part).join(file), text).unwrap();
        }
        of(&ModelFiles::folder(folder.path()))
    }

    const PLAIN: &str = r#"{"block_out_channels": [32], "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"]}"#;

    #[test]
    fn distilled_models_get_few_steps_and_their_own_sampler() {
        for (scheduler, sampler, guidance_scale) in [
            (r#"{"_class_name": "LCMScheduler"}"#, Sampler::Lcm, 1.0),
            (r#"{"_class_name": "TCDScheduler"}"#, Sampler::Tcd, 0.0),
            (
                r#"{"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"}"#,
                Sampler::EulerAncestral,
                0.0,
            ),
        ] {
            let found = defaults(scheduler, PLAIN);
            assert_eq!((found.steps, found.sampler), (4, sampler), "{scheduler}");
            assert!((found.guidance_scale - guidance_scale).abs() < 1e-9, "{scheduler}");
        }
    }

    #[test]
    fn a_network_that_follows_the_guidance_scale_is_told_one() {
        let unet = PLAIN.replace('{', r#"{"time_cond_proj_dim": 256, "#);
        let found = defaults(r#"{"_class_name": "DDIMScheduler"}"#, &unet);
        assert_eq!((found.steps, found.sampler), (4, Sampler::Lcm));
        assert!(found.guidance_scale > 1.0);
    }

    #[test]
    fn any_other_model_gets_the_usual() {
        for scheduler in [
            r#"{"_class_name": "PNDMScheduler"}"#,
            r#"{"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "leading"}"#,
            "no JSON",
        ] {
            assert_eq!(defaults(scheduler, PLAIN), USUAL, "{scheduler}");
        }
    }
}
