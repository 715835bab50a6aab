//! The U-Net.

use candle_core::Device;
use inference::models::unet::{Condition, Unet};

use crate::compare::{PART_TOLERANCE, relative_error};
use crate::kinds;

#[test]
fn the_unet_computes_the_same_at_every_size() {
    for kind in kinds::all() {
        let unet = Unet::load(&kind.files, "unet", &Device::Cpu).unwrap();
        for (i, &timestep) in kind.card.unet.iter().enumerate() {
            let x = &kind.tensors[&format!("unet.{i}.x")];
            let found = unet.forward(x, timestep, &Condition::text(kind.tensors["text"].clone())).unwrap();
            let error = relative_error(&found, &kind.tensors[&format!("unet.{i}.y")]);
            println!("{}: U-Net {:?} {error:.1e}", kind.name, x.dims());
            assert!(error <= PART_TOLERANCE, "{}: {:?} {error:.1e}", kind.name, x.dims());
        }
    }
}

/// The difference is what guidance is made of, and it is smaller than either prediction.
#[test]
fn the_difference_that_the_text_makes_is_the_same() {
    for kind in kinds::all() {
        let unet = Unet::load(&kind.files, "unet", &Device::Cpu).unwrap();
        let text = |i: usize| Condition::text(kind.tensors["text"].narrow(0, i, 1).unwrap());
        let (text, other) = (text(0), text(1));
        let x = &kind.tensors["unet.0.x"].get(0).unwrap().unsqueeze(0).unwrap();
        let timestep = kind.card.unet[0];
        let found =
            (unet.forward(x, timestep, &other).unwrap() - unet.forward(x, timestep, &text).unwrap()).unwrap();
        let error = relative_error(&found, &kind.tensors["unet.difference"]);
        println!("{}: difference by text {error:.1e}", kind.name);
        assert!(error <= PART_TOLERANCE, "{}: {error:.1e}", kind.name);
    }
}
