use super::*;

/// A request as the first version kept it.
const OLD: &str = r#"{"prompt":"a red boat","negative_prompt":"rain","model":"demo","steps":20,"guidance_scale":4.0,
    "sampler":"dpmpp_2m","schedule":"karras","seed":7,"width":256,"height":192,"count":3}"#;

#[test]
fn a_request_that_was_kept_before_there_were_finer_settings_is_read_and_means_the_same() {
    let request: GenerationRequest = serde_json::from_str(OLD).unwrap();
    assert_eq!(
        (request.clip_skip, request.noise, request.weighting),
        (1, NoiseSource::Cpu, Weighting::A1111)
    );
    assert_eq!((&request.start, &request.mask, request.outpaint, request.hires), (&None, &None, None, None));
    assert_eq!((request.variation, request.guidance_rescale), (None, 0.0));
    assert_eq!(request.mask_fill, MaskFill::Original);
    assert_eq!((request.picture_guidance_scale, request.strength()), (None, None));
    assert!(request.loras.is_empty() && request.grid.is_none());
    assert_eq!((&request.asked_prompt, &request.asked_negative_prompt), (&None, &None));
    assert_eq!(
        (request.picture_size(), request.start_size(), request.n_steps()),
        ((256, 192), (256, 192), 20)
    );
    assert_eq!([0, 1, 2].map(|index| request.seed_of(index)), [7, 8, 9]);
}

#[test]
fn a_request_with_everything_comes_back_from_json_as_it_was() {
    let request = GenerationRequest {
        asked_prompt: Some("a __colour__ boat".into()),
        asked_negative_prompt: Some("{rain|snow}".into()),
        start: Some(Start {
            source: PictureSource::Upload("0123456789abcdef0123456789abcdef".parse().unwrap()),
            strength: 0.5,
        }),
        mask: Some(Mask { source: PictureSource::File("mask.png".into()), feather: 8 }),
        mask_fill: MaskFill::Noise,
        outpaint: Some(Margins { left: 64, ..Margins::default() }),
        hires: Some(Hires { scale: 1.5, width: 384, height: 288, steps: 10, strength: 0.7 }),
        variation: Some(Variation { seed: 3, strength: 0.2 }),
        loras: vec![LoraUse { name: "ink".into(), weight: 0.8 }],
        noise: NoiseSource::Cuda,
        weighting: Weighting::Compel,
        clip_skip: 2,
        guidance_rescale: 0.7,
        picture_guidance_scale: Some(2.0),
        grid: Some(Grid {
            columns: GridAxis::Sampler(vec![crate::sampler::Sampler::Euler]),
            rows: Some(GridAxis::PromptPart(vec!["red".into(), "blue".into()])),
            sheets: None,
        }),
        ..serde_json::from_str(OLD).unwrap()
    };
    let json = serde_json::to_string(&request).unwrap();
    assert!(
        json.contains(
            r#""start":{"kind":"upload","id":"01234567-89ab-cdef-0123-456789abcdef","strength":0.5}"#
        ),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<GenerationRequest>(&json).unwrap(), request);
}
