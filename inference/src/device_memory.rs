//! How much memory a graphics card has.

use candle_core::Device;

/// Bytes that a program may take of a graphics card: on NVIDIA's what is free now, on Apple's what the system
/// recommends as the most. `None` for the processor, whose memory is the machine's, and where the driver does not tell.
pub fn of_card(device: &Device) -> Option<u64> {
    match device {
        Device::Cpu => None,
        #[cfg(feature = "cuda")]
        Device::Cuda(card) => {
            let (free, _) = card.cuda_stream().context().mem_get_info().ok()?;
            Some(free as u64)
        }
        #[cfg(feature = "metal")]
        Device::Metal(card) => Some(card.metal_device().recommended_max_working_set_size() as u64),
        #[allow(unreachable_patterns, reason = "which kinds are left depends on what it is built for")]
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_no_card() {
        assert_eq!(of_card(&Device::Cpu), None);
    }
}
