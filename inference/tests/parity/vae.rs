//! The VAE's decoder.

use candle_core::Device;
use inference::models::vae::VaeDecoder;

use crate::compare::{PART_TOLERANCE, relative_error};
use crate::kinds;

#[test]
fn the_vae_decodes_the_same() {
    for kind in kinds::all() {
        let vae = VaeDecoder::load(&kind.files, "vae", &Device::Cpu).unwrap();
        for i in &kind.card.vae {
            let x = &kind.tensors[&format!("vae.{i}.x")];
            let error = relative_error(&vae.decode(x).unwrap(), &kind.tensors[&format!("vae.{i}.y")]);
            println!("{}: VAE {:?} {error:.1e}", kind.name, x.dims());
            assert!(error <= PART_TOLERANCE, "{}: {:?} {error:.1e}", kind.name, x.dims());
        }
    }
}
