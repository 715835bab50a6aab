//! Whole runs, from prompt to picture.

use std::ops::ControlFlow;

use candle_core::Device;
use inference::Error;
use inference::pipelines::stable_diffusion::{PictureRequest, StableDiffusion};

use crate::compare::{PICTURE_PSNR, psnr};
use crate::kinds::{self, Run};

fn request(run: &Run) -> PictureRequest {
    PictureRequest {
        negative_prompt: run.negative_prompt.clone(),
        steps: run.steps,
        guidance_scale: run.guidance_scale,
        sampler: run.sampler,
        schedule: run.schedule,
        seed: run.seed,
        ..PictureRequest::new(&run.prompt, run.width, run.height)
    }
}

#[test]
fn every_sampler_paints_the_same_picture() {
    for kind in kinds::all() {
        let model = StableDiffusion::load(&kind.files, &Device::Cpu).unwrap();
        for (i, run) in kind.card.runs.iter().enumerate() {
            let picture = model.generate(&request(run), &mut |_| ControlFlow::Continue(())).unwrap().picture;
            assert_eq!((picture.width as usize, picture.height as usize), (run.width, run.height));
            let expected = kind.tensors[&format!("run.{i}")].flatten_all().unwrap().to_vec1::<u8>().unwrap();
            let psnr = psnr(&picture.pixels, &expected);
            println!("{}: {} {} {psnr:.1} dB", kind.name, run.sampler, run.schedule);
            assert!(psnr >= PICTURE_PSNR, "{}: {} {} {psnr:.1} dB", kind.name, run.sampler, run.schedule);
        }
    }
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    let kind = kinds::all().remove(0);
    let request = request(&kind.card.runs[0]);
    let model = StableDiffusion::load(&kind.files, &Device::Cpu).unwrap();
    let first = model.generate(&request, &mut |_| ControlFlow::Continue(())).unwrap();
    let second = model.generate(&request, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(first, second);
}

#[test]
fn steps_are_reported_in_order_with_previews_of_the_latents_size() {
    let kind = kinds::all().remove(2);
    let request = PictureRequest { width: 128, height: 64, ..request(&kind.card.runs[0]) };
    let model = StableDiffusion::load(&kind.files, &Device::Cpu).unwrap();
    let mut seen = Vec::new();
    model
        .generate(&request, &mut |report| {
            let preview = report.preview(0).unwrap().unwrap();
            assert_eq!((preview.width, preview.height, preview.pixels.len()), (8, 4, 96));
            seen.push((report.step, report.n_steps));
            ControlFlow::Continue(())
        })
        .unwrap();
    let expected: Vec<_> = (1..=request.steps).map(|step| (step, request.steps)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_run_can_be_cancelled_at_every_step_even_the_last() {
    let kind = kinds::all().remove(0);
    let request = request(&kind.card.runs[0]);
    let model = StableDiffusion::load(&kind.files, &Device::Cpu).unwrap();
    for last in [1, request.steps] {
        let mut n_calls = 0;
        let result = model.generate(&request, &mut |report| {
            n_calls += 1;
            if report.step == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(result, Err(Error::Cancelled)));
        assert_eq!(n_calls, last);
    }
}

#[test]
fn a_size_that_the_model_cannot_make_is_refused_with_the_ones_it_can() {
    let kind = kinds::all().remove(0);
    let model = StableDiffusion::load(&kind.files, &Device::Cpu).unwrap();
    for (width, height) in [(30, 64), (64, 0)] {
        let request = PictureRequest { width, height, ..request(&kind.card.runs[0]) };
        let error = model.generate(&request, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "size {width}x{height} is not possible with this model: both sides have to be multiples of 4"
            )
        );
    }
}
