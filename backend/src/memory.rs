//! How much memory a picture takes, before anything is loaded.

use candle_core::Device;
use inference::pipelines::stable_diffusion::Residence;
use inference::precision::Precision;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};
use types::error::PublicError;
use types::model::ModelInfo;
use types::request::GenerationRequest;

/// The VAE decoder's widest layers hold some 500 numbers for each pixel, in f32.
const DECODER_BYTES_PER_PIXEL: u64 = 2_048;
/// Where candle computes rather than this program's own kernels, norms and convolutions hold five maps of 256 channels
/// beside each other, some of them in f32 whatever the precision.
const DECODER_BYTES_PER_PIXEL_WITH_CANDLE: u64 = 5_632;
/// Larger pictures go through the decoder in tiles.
const MOST_DECODED_PIXELS: u64 = 1536 * 1536;
/// One look of the U-Net at one picture holds some twenty maps of 320 channels at an eighth of each side.
const UNET_BYTES_PER_PIXEL: u64 = 400;
/// The same where candle computes.
const UNET_BYTES_PER_PIXEL_WITH_CANDLE: u64 = 1_100;
/// Between what there is and what pictures may take of it: the system, the driver and everything else want some, too.
const SHARE_FOR_PICTURES: f64 = 0.9;

/// Memory to compute in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    bytes: u64,
    place: Place,
}

/// Whose memory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Machine,
    Card,
}

impl Memory {
    /// A machine with so much of it.
    #[cfg(test)]
    pub(crate) fn of_machine_with(bytes: u64) -> Self {
        Self { bytes, place: Place::Machine }
    }

    /// What a device computes in, if that can be told. Of a graphics card it is what is free now.
    pub(crate) fn of(device: &Device) -> Option<Self> {
        let (bytes, place) = match device {
            Device::Cpu => (of_machine(), Place::Machine),
            _ => (inference::device_memory::of_card(device), Place::Card),
        };
        bytes.filter(|&bytes| bytes > 0).map(|bytes| Self { bytes, place })
    }

    /// What is left of it beside something that takes so much.
    pub(crate) fn beside(self, bytes: u64) -> Self {
        Self { bytes: self.bytes.saturating_sub(bytes), ..self }
    }

    /// Bytes of a graphics card.
    pub(crate) fn of_card(self) -> Option<u64> {
        (self.place == Place::Card).then_some(self.bytes)
    }

    /// Bytes that models and pictures may take together.
    fn for_pictures(self) -> u64 {
        (self.bytes as f64 * SHARE_FOR_PICTURES) as u64
    }

    /// Bytes that loaded models may take where nobody said how many. On the processor the rest of the machine is not
    /// there for pictures alone.
    pub(crate) fn for_models(self) -> u64 {
        match self.place {
            Place::Machine => self.bytes / 2,
            Place::Card => self.for_pictures(),
        }
    }

    fn sentence(self) -> String {
        let bytes = gigabytes(self.bytes);
        match self.place {
            Place::Machine => format!("this machine has {bytes}"),
            Place::Card => format!("the graphics card has {bytes}"),
        }
    }
}

/// Numbers in a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) all: u64,
    /// In the largest of the parts that compute one after the other: the text encoders together, the U-Net, the VAE.
    pub(crate) largest_part: u64,
}

impl Parameters {
    /// Bytes of what is in memory at once, as the model computes with it.
    fn n_bytes(self, residence: Residence, precision: Precision) -> u64 {
        let n = match residence {
            Residence::Whole => self.all,
            Residence::PartByPart => self.largest_part,
        };
        n.saturating_mul(precision.n_bytes())
    }
}

/// How a picture is to fit into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) residence: Residence,
    /// Bytes of the model while it computes.
    pub(crate) model: u64,
    /// Bytes that other models may keep meanwhile; no limit where the memory is not known.
    pub(crate) others: u64,
}

/// Plans the whole model if it fits beside the picture, else the model part by part; refuses what does not fit either
/// way, and names the nearest size that does.
///
/// # Errors
/// Said of the field `width`, or `hires_scale` if it makes the size; or of `model` if its weights alone are too large.
pub(crate) fn plan(
    model: &ModelInfo,
    parameters: Parameters,
    precision: Precision,
    request: &GenerationRequest,
    n_together: u32,
    memory: Option<Memory>,
) -> Result<Plan, PublicError> {
    let n_bytes = |residence| parameters.n_bytes(residence, precision);
    let Some(memory) = memory else {
        let residence = Residence::Whole;
        return Ok(Plan { residence, model: n_bytes(residence), others: u64::MAX });
    };
    let size = request.picture_size();
    let budget = memory.for_pictures();
    let work = Work {
        has_kernels: memory.place == Place::Machine && precision == Precision::F32,
        // With guidance: text and no text; of a model that changes a picture by an instruction, without that, too.
        n_looks: if model.edits { 3 } else { 2 },
        n_together,
    };
    let picture = work.n_bytes(size);
    for residence in [Residence::Whole, Residence::PartByPart] {
        let model = n_bytes(residence);
        if let Some(others) = budget.checked_sub(model.saturating_add(picture)) {
            return Ok(Plan { residence, model, others });
        }
    }
    let (width, height) = size;
    let least = n_bytes(Residence::PartByPart);
    let needed = gigabytes(least.saturating_add(picture));
    let (name, has) = (&model.name, memory.sentence());
    let fits = budget.checked_sub(least).and_then(|left| nearest(model, size, work, left));
    Err(match fits {
        Some((less_width, less_height)) => PublicError::invalid_field(
            if request.hires.is_some() { "hires_scale" } else { "width" },
            format!(
                "a picture of {width}x{height} needs about {needed} of memory with model `{name}`, and {has}; \
                 {less_width}x{less_height} fits"
            ),
        ),
        None => PublicError::invalid_field(
            "model",
            format!("model `{name}` needs about {needed} of memory, and {has}"),
        ),
    })
}

/// Bytes that the making of one picture takes besides the weights, on the processor in f32.
pub(crate) fn of_picture(size: (u32, u32)) -> u64 {
    of_pictures(size, 1)
}

/// The same of so many pictures together.
pub(crate) fn of_pictures(size: (u32, u32), n_together: u32) -> u64 {
    Work { has_kernels: true, n_looks: 2, n_together }.n_bytes(size)
}

/// How pictures are made.
#[derive(Debug, Clone, Copy)]
struct Work {
    /// Whether this program's own kernels compute.
    has_kernels: bool,
    /// How often the U-Net looks at each picture in a step.
    n_looks: u64,
    n_together: u32,
}

impl Work {
    /// Bytes that it takes besides the weights: the U-Net's or the decoder's, whichever is more, since one comes after
    /// the other. The U-Net has all pictures before it, the decoder one.
    fn n_bytes(self, (width, height): (u32, u32)) -> u64 {
        let (decoder, unet) = if self.has_kernels {
            (DECODER_BYTES_PER_PIXEL, UNET_BYTES_PER_PIXEL)
        } else {
            (DECODER_BYTES_PER_PIXEL_WITH_CANDLE, UNET_BYTES_PER_PIXEL_WITH_CANDLE)
        };
        let pixels = u64::from(width) * u64::from(height);
        let looked_at = pixels * self.n_looks * u64::from(self.n_together);
        (pixels.min(MOST_DECODED_PIXELS) * decoder).max(looked_at * unet)
    }
}

/// Bytes of memory that this program may take of the machine: all it has, or what its container is given; `None` where
/// it cannot be told.
pub(crate) fn of_machine() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    let all = Some(system.total_memory()).filter(|&bytes| bytes > 0)?;
    Some(of_container(&mut system).map_or(all, |most| most.min(all)))
}

fn of_container(system: &mut System) -> Option<u64> {
    let this = sysinfo::get_current_pid().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[this]),
        false,
        ProcessRefreshKind::nothing(),
    );
    let limits = system.process(this)?.cgroup_limits()?;
    Some(limits.total_memory).filter(|&bytes| bytes > 0)
}

/// The largest size of the same shape, as nearly as the model's steps allow, that takes no more than `bytes`.
fn nearest(model: &ModelInfo, (width, height): (u32, u32), work: Work, bytes: u64) -> Option<(u32, u32)> {
    let multiple = model.limits.multiple.max(1);
    let longer = width.max(height);
    (1..longer / multiple).rev().find_map(|n| {
        let scale = f64::from(n * multiple) / f64::from(longer);
        let scaled = |side: u32| {
            let steps = (f64::from(side) * scale / f64::from(multiple)).round() as u32;
            steps.max(1) * multiple
        };
        let size = (scaled(width), scaled(height));
        let is_allowed = model.limits.allows_side(size.0) && model.limits.allows_side(size.1);
        (is_allowed && work.n_bytes(size) <= bytes).then_some(size)
    })
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One billion weights, of which 600 million are the U-Net's.
    const PARAMETERS: Parameters = Parameters { all: 1_000_000_000, largest_part: 600_000_000 };

    /// Makes any multiple of 64 up to 4096.
    fn model() -> ModelInfo {
        let mut model = crate::engine::fake::fake_model();
        model.name = "large".to_owned();
        (model.limits.multiple, model.limits.min_side, model.limits.max_side) = (64, 64, 4096);
        model
    }

    fn request((width, height): (u32, u32)) -> GenerationRequest {
        let json = format!(
            r#"{{"prompt": "a boat", "negative_prompt": "", "model": "large", "steps": 4, "guidance_scale": 4,
            "sampler": "euler", "schedule": "normal", "seed": 7, "width": {width}, "height": {height}, "count": 1}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn planned(precision: Precision, size: (u32, u32), gigabytes: f64) -> Result<Plan, PublicError> {
        let memory = Memory::of_machine_with((gigabytes * 1e9) as u64);
        plan(&model(), PARAMETERS, precision, &request(size), 1, Some(memory))
    }

    #[test]
    fn a_model_that_fits_stays_whole_and_leaves_the_rest_to_others() {
        let plan = planned(Precision::F32, (1024, 1024), 8.0).unwrap();
        let others = 7_200_000_000 - 4_000_000_000 - of_picture((1024, 1024));
        assert_eq!(plan, Plan { residence: Residence::Whole, model: 4_000_000_000, others });
        let half = planned(Precision::F16, (512, 512), 5.0).unwrap();
        assert_eq!((half.residence, half.model), (Residence::Whole, 2_000_000_000));
    }

    #[test]
    fn a_model_that_fits_but_not_at_once_is_used_part_by_part() {
        let plan = planned(Precision::F32, (1024, 1024), 6.0).unwrap();
        assert_eq!((plan.residence, plan.model), (Residence::PartByPart, 2_400_000_000));
        assert_eq!(planned(Precision::F32, (512, 512), 6.0).unwrap().residence, Residence::Whole);
    }

    #[test]
    fn half_precision_halves_the_weights_and_not_the_picture() {
        let others = |precision| planned(precision, (512, 512), 8.0).unwrap().others;
        let picture = of_picture((512, 512));
        assert_eq!(others(Precision::F32), 7_200_000_000 - 4_000_000_000 - picture);
        let with_candle = 512 * 512 * DECODER_BYTES_PER_PIXEL_WITH_CANDLE;
        assert_eq!(others(Precision::F16), 7_200_000_000 - 2_000_000_000 - with_candle);
    }

    #[test]
    fn a_model_that_changes_pictures_looks_at_them_three_times() {
        let edits = ModelInfo { edits: true, ..model() };
        let memory = Some(Memory::of_machine_with(80_000_000_000));
        let others = |model: &ModelInfo| {
            plan(model, PARAMETERS, Precision::F32, &request((4096, 4096)), 1, memory).unwrap().others
        };
        assert_eq!(others(&model()) - others(&edits), 4096 * 4096 * UNET_BYTES_PER_PIXEL);
    }

    #[test]
    fn where_memory_is_not_known_everything_fits() {
        let plan = plan(&model(), PARAMETERS, Precision::F32, &request((4096, 4096)), 1, None).unwrap();
        let residence = Residence::Whole;
        assert_eq!(plan, Plan { residence, model: 4_000_000_000, others: u64::MAX });
    }

    #[test]
    fn a_picture_that_is_too_large_is_refused_with_the_nearest_size_that_fits() {
        let error = planned(Precision::F32, (1024, 512), 3.6).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("width"));
        assert_eq!(
            error.message,
            "a picture of 1024x512 needs about 3.5 GB of memory with model `large`, and this machine has 3.6 GB; \
             896x448 fits"
        );
        assert!(planned(Precision::F32, (896, 448), 3.6).is_ok());
    }

    #[test]
    fn weights_that_are_too_large_alone_are_refused_as_the_model() {
        let error = planned(Precision::F32, (512, 512), 2.5).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("model"));
        assert_eq!(error.message, "model `large` needs about 2.9 GB of memory, and this machine has 2.5 GB");
    }

    #[test]
    fn a_graphics_card_is_called_one() {
        let card = Memory { bytes: 2_500_000_000, place: Place::Card };
        let error =
            plan(&model(), PARAMETERS, Precision::F32, &request((512, 512)), 1, Some(card)).unwrap_err();
        assert!(error.message.ends_with("and the graphics card has 2.5 GB"), "{}", error.message);
        assert_eq!(card.for_models(), 2_250_000_000);
    }

    #[test]
    fn beyond_some_size_tiles_keep_the_decoder_from_growing() {
        assert_eq!(of_picture((1536, 1536)), 1536 * 1536 * DECODER_BYTES_PER_PIXEL);
        assert_eq!(of_picture((2048, 1536)), of_picture((1536, 1536)));
        assert!(of_picture((4096, 4096)) > of_picture((1536, 1536)));
    }

    #[test]
    fn pictures_together_need_more_for_the_unet_and_not_for_the_decoder() {
        let size = (512, 512);
        assert_eq!(of_pictures(size, 2), of_picture(size));
        assert_eq!(of_pictures(size, 8), 2 * 8 * 512 * 512 * UNET_BYTES_PER_PIXEL);
    }

    #[test]
    fn this_machine_has_some_memory() {
        let memory = Memory::of(&Device::Cpu).unwrap();
        assert!(memory.bytes > 100_000_000);
        assert_eq!((memory.place, memory.for_models()), (Place::Machine, memory.bytes / 2));
    }
}
