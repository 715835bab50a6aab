//! Our generator draws what torch's CPU generator draws, bit for bit.

use candle_core::Device;
use inference::noise::TorchCpuGenerator;
use serde::Deserialize;

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
