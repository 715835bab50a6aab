//! Our generator draws what torch's CPU generator draws, bit for bit, and what is made of it is what others make.

use candle_core::{Device, Tensor};
use inference::noise::{NoiseGenerator, TorchCpuGenerator, variation};
use serde::Deserialize;
use types::noise::NoiseSource;

use crate::reference::reference;

#[derive(Deserialize)]
struct Case {
    seed: String,
    draws: Vec<Draw>,
}

#[derive(Deserialize)]
struct Draw {
    size: usize,
    first: Vec<u32>,
    last: Vec<u32>,
    fnv1a: String,
}

#[test]
fn every_draw_has_the_bits_that_torch_draws() {
    for Case { seed, draws } in reference::<Vec<Case>>("noise.json") {
        let mut generator = TorchCpuGenerator::new(seed.parse().unwrap());
        for Draw { size, first, last, fnv1a } in draws {
            let noise = generator.randn(size, &Device::Cpu).unwrap();
            let bits: Vec<u32> = noise.to_vec1::<f32>().unwrap().iter().map(|x| x.to_bits()).collect();
            assert_eq!(bits[..first.len()], first, "seed {seed}, size {size}: first numbers");
            assert_eq!(bits[size - last.len()..], last, "seed {seed}, size {size}: last numbers");
            assert_eq!(hash(&bits), fnv1a, "seed {seed}, size {size}: some number in between");
        }
    }
}

fn hash(bits: &[u32]) -> String {
    let hash =
        bits.iter().flat_map(|number| number.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{hash:016x}")
}

/// A tree over noise levels, and what it gave for stretches of them.
#[derive(Deserialize)]
struct Tree {
    seed: String,
    low: f64,
    high: f64,
    shape: [usize; 4],
    noises: Vec<Stretch>,
}

#[derive(Deserialize)]
struct Stretch {
    from: f64,
    to: f64,
    noise: Vec<f64>,
}

#[test]
fn a_brownian_tree_gives_the_noise_that_torchsde_gives() {
    let mut worst = 0.0f64;
    for tree in reference::<Vec<Tree>>("brownian.json") {
        let [batch, channels, height, width] = tree.shape;
        let shape = (batch, channels, height, width);
        let generator = NoiseGenerator::new(NoiseSource::Cpu, tree.seed.parse().unwrap());
        let made = generator.brownian_tree(shape, &Device::Cpu, tree.low, tree.high).unwrap();
        for Stretch { from, to, noise } in &tree.noises {
            let distance = greatest_distance(&made.noise(*from, *to).unwrap(), noise);
            assert!(distance < 1e-5, "seed {}, {from} to {to}: {distance:.1e}", tree.seed);
            worst = worst.max(distance);
        }
    }
    println!("Brownian tree: greatest difference {worst:.1e}");
}

#[derive(Deserialize)]
struct Variation {
    seed: u64,
    other: u64,
    strength: f64,
    noise: Vec<f64>,
}

#[test]
fn a_variation_is_the_arc_that_the_web_ui_of_automatic1111_walks() {
    for case in reference::<Vec<Variation>>("variation.json") {
        let draw =
            |seed| NoiseGenerator::new(NoiseSource::Cpu, seed).randn((1, 4, 6, 3), &Device::Cpu).unwrap();
        let found = variation(&draw(case.seed), &draw(case.other), case.strength).unwrap();
        let distance = greatest_distance(&found, &case.noise);
        assert!(distance < 5e-6, "{} {} {}: {distance:.1e}", case.seed, case.other, case.strength);
    }
}

fn greatest_distance(found: &Tensor, expected: &[f64]) -> f64 {
    let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max)
}
