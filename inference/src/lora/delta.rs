//! What a change adds to a layer's weights.

use candle_core::{Device, Tensor};
use half::{bf16, f16};

use super::keys::Role;
use crate::error::Result;
use crate::model_files::OpenFile;
use crate::weights::{Header, Kind, Stored};

/// The change of one layer, still in its file. `a · b` stands for the product of `(outputs, rank)` and `(rank, inputs)`.
#[derive(Debug)]
pub(crate) struct Delta {
    form: Form,
    /// alpha / rank; 1 where the file names no alpha.
    scale: f64,
}

#[derive(Debug)]
enum Form {
    /// `up · down`.
    Lora(Product),
    /// `(w1_a · w1_b) ⊙ (w2_a · w2_b)`, number by number.
    Loha(Product, Product),
}

/// One product of low rank.
#[derive(Debug)]
struct Product {
    /// `(outputs, rank)`; `(rank, outputs)` where [`Product::is_core_of_loha`].
    up: Stored,
    /// `(rank, inputs)`, or with a convolution's window after it.
    down: Stored,
    /// `(rank, rank, height, width)` between the two.
    core: Option<Stored>,
    is_core_of_loha: bool,
}

impl Delta {
    /// Puts a layer's tensors together; `None` if there is an alpha alone.
    ///
    /// # Errors
    /// [`crate::Error::BrokenFile`] if one is missing or their sizes contradict each other.
    pub(crate) fn new(file: &OpenFile, header: &Header, tensors: &[(Role, String)]) -> Result<Option<Self>> {
        let find = |role: Role| {
            let name = tensors.iter().find(|(other, _)| *other == role).map(|(_, name)| name)?;
            header.tensors.get(name)
        };
        let Some((_, name)) = tensors.iter().find(|(role, _)| *role != Role::Alpha) else { return Ok(None) };
        let half = || file.broken(format!("`{name}` has no counterpart"));
        let product = |up: Role, down: Role, core: Role, is_loha: bool| {
            let (Some(up), Some(down)) = (find(up), find(down)) else { return Err(half()) };
            let core = find(core).cloned();
            let is_core_of_loha = is_loha && core.is_some();
            let product = Product { up: up.clone(), down: down.clone(), core, is_core_of_loha };
            product
                .check()
                .map_err(|reason| file.broken(format!("`{name}` and its counterpart {reason}")))?;
            Ok(product)
        };
        let form = if find(Role::Hada1A).is_some() || find(Role::Hada1B).is_some() {
            let first = product(Role::Hada1A, Role::Hada1B, Role::Hada1T, true)?;
            let second = product(Role::Hada2A, Role::Hada2B, Role::Hada2T, true)?;
            if first.sizes() != second.sizes() {
                return Err(file.broken(format!("`{name}` and its counterparts have different sizes")));
            }
            Form::Loha(first, second)
        } else {
            Form::Lora(product(Role::Up, Role::Down, Role::Mid, false)?)
        };
        let (Form::Lora(first) | Form::Loha(first, _)) = &form;
        let rank = first.rank() as f64;
        let scale = match find(Role::Alpha) {
            Some(alpha) => f64::from(read(file, alpha)?.first().copied().unwrap_or(0.0)) / rank,
            None => 1.0,
        };
        Ok(Some(Self { form, scale }))
    }

    fn first(&self) -> &Product {
        let (Form::Lora(first) | Form::Loha(first, _)) = &self.form;
        first
    }

    /// Channels that come into the layer.
    pub(crate) fn n_inputs(&self) -> usize {
        self.first().down.shape.get(1).copied().unwrap_or(0)
    }

    /// Whether it changes tensors of that shape. A convolution's window may be written out, or be one axis with the
    /// inputs.
    pub(crate) fn fits(&self, shape: &[usize]) -> bool {
        let (outputs, inputs, window) = self.first().sizes();
        shape
            .split_first()
            .is_some_and(|(&rows, rest)| rows == outputs && rest.iter().product::<usize>() == inputs * window)
    }

    /// Adds `factor` times the change to a weight's numbers.
    ///
    /// # Errors
    /// [`crate::Error::BrokenFile`] if the file cannot be read.
    pub(crate) fn add_to(&self, file: &OpenFile, factor: f64, values: &mut [f32]) -> Result<()> {
        let delta = match &self.form {
            Form::Lora(product) => product.compute(file)?,
            Form::Loha(first, second) => (first.compute(file)? * second.compute(file)?)?,
        };
        let delta = delta.flatten_all()?.to_vec1::<f32>()?;
        let scale = (self.scale * factor) as f32;
        for (value, delta) in values.iter_mut().zip(delta) {
            *value += scale * delta;
        }
        Ok(())
    }
}

impl Product {
    fn rank(&self) -> usize {
        self.down.shape[0]
    }

    /// Outputs, inputs, pixels of the window.
    fn sizes(&self) -> (usize, usize, usize) {
        let outputs = self.up.shape[usize::from(self.is_core_of_loha)];
        let window: usize = match &self.core {
            Some(core) => core.shape[2..].iter().product(),
            None => self.down.shape[2..].iter().product(),
        };
        (outputs, self.down.shape[1], window)
    }

    fn check(&self) -> Result<(), &'static str> {
        let Self { up, down, core, .. } = self;
        if up.shape.len() < 2 || down.shape.len() < 2 || up.shape[2..].iter().any(|&n| n != 1) {
            return Err("are no matrices");
        }
        let rank_of_up = up.shape[usize::from(!self.is_core_of_loha)];
        let fits = match core {
            None => rank_of_up == down.shape[0],
            Some(core) => {
                core.shape.len() == 4
                    && core.shape[0] == rank_of_up
                    && core.shape[1] == down.shape[0]
                    && down.shape[2..].iter().all(|&n| n == 1)
            }
        };
        if fits && down.shape[0] > 0 { Ok(()) } else { Err("have different ranks") }
    }

    /// `(outputs, inputs * window)`, in f32.
    fn compute(&self, file: &OpenFile) -> Result<Tensor> {
        let (outputs, inputs, window) = self.sizes();
        let up = matrix(file, &self.up)?;
        let up = if self.is_core_of_loha { up.t()?.contiguous()? } else { up };
        let down = matrix(file, &self.down)?;
        let Some(core) = &self.core else { return Ok(up.matmul(&down)?) };
        // Σ over n and m of up(i, n) · core(n, m, pixel) · down(m, j)
        let (n, m) = (core.shape[0], core.shape[1]);
        let core = Tensor::from_vec(read(file, core)?, (n, m * window), &Device::Cpu)?;
        let left = up.matmul(&core)?.reshape((outputs, m, window))?;
        let left = left.transpose(1, 2)?.contiguous()?.reshape((outputs * window, m))?;
        let delta = left.matmul(&down)?.reshape((outputs, window, inputs))?;
        Ok(delta.transpose(1, 2)?.contiguous()?.reshape((outputs, inputs * window))?)
    }
}

/// A tensor with everything after its first axis in one.
fn matrix(file: &OpenFile, stored: &Stored) -> Result<Tensor> {
    let rows = stored.shape[0];
    let columns: usize = stored.shape[1..].iter().product();
    Ok(Tensor::from_vec(read(file, stored)?, (rows, columns), &Device::Cpu)?)
}

fn read(file: &OpenFile, stored: &Stored) -> Result<Vec<f32>> {
    let bytes = file.read(stored.start, stored.length)?;
    let halves = || bytes.as_chunks().0.iter().map(|&two| u16::from_le_bytes(two));
    match stored.kind {
        Kind::F16 => Ok(halves().map(|bits| f16::from_bits(bits).to_f32()).collect()),
        Kind::BF16 => Ok(halves().map(|bits| bf16::from_bits(bits).to_f32()).collect()),
        Kind::F32 => Ok(bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()),
        Kind::I64 => Ok(bytes.as_chunks().0.iter().map(|&eight| i64::from_le_bytes(eight) as f32).collect()),
        Kind::Other => Err(file.broken("a tensor is stored in another form than F16, BF16 or F32")),
    }
}
