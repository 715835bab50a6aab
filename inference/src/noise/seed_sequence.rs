//! A seed from a seed and a place in a tree, as NumPy makes it.

/// `numpy.random.SeedSequence(entropy, spawn_key=spawn_key, pool_size=24).generate_state(1)`.
///
/// # Source
/// O'Neill 2015, "Developing a `seed_seq` alternative"; NumPy's `bit_generator.pyx`.
pub fn seed(entropy: u64, spawn_key: &[u64]) -> u32 {
    const INIT: u32 = 0x8b51_f9dd;
    const MULT: u32 = 0x58f3_8ded;
    let [first, ..] = pool(&words(entropy, spawn_key));
    let value = (first ^ INIT).wrapping_mul(INIT.wrapping_mul(MULT));
    value ^ (value >> 16)
}

const POOL_SIZE: usize = 24;

/// Entropy and place as 32-bit words; a place keeps its distance from the entropy.
fn words(entropy: u64, spawn_key: &[u64]) -> Vec<u32> {
    let mut words = as_words(entropy);
    if !spawn_key.is_empty() {
        words.resize(words.len().max(POOL_SIZE), 0);
    }
    words.extend(spawn_key.iter().flat_map(|&key| as_words(key)));
    words
}

/// The lower word first; an upper word of 0 is left out.
fn as_words(number: u64) -> Vec<u32> {
    let (low, high) = (number as u32, (number >> 32) as u32);
    if high == 0 { vec![low] } else { vec![low, high] }
}

fn pool(words: &[u32]) -> [u32; POOL_SIZE] {
    let mut hasher = Hasher::new();
    let mut pool = std::array::from_fn(|i| hasher.hash(words.get(i).copied().unwrap_or(0)));
    for source in 0..POOL_SIZE {
        for target in (0..POOL_SIZE).filter(|&target| target != source) {
            pool[target] = mix(pool[target], hasher.hash(pool[source]));
        }
    }
    for &word in words.iter().skip(POOL_SIZE) {
        for target in &mut pool {
            *target = mix(*target, hasher.hash(word));
        }
    }
    pool
}

/// Hashes each word another way than the one before.
struct Hasher(u32);

impl Hasher {
    const INIT: u32 = 0x43b0_d7e5;
    const MULT: u32 = 0x931e_8875;

    fn new() -> Self {
        Self(Self::INIT)
    }

    fn hash(&mut self, word: u32) -> u32 {
        let mut value = word ^ self.0;
        self.0 = self.0.wrapping_mul(Self::MULT);
        value = value.wrapping_mul(self.0);
        value ^ (value >> 16)
    }
}

fn mix(x: u32, y: u32) -> u32 {
    const LEFT: u32 = 0xca01_f9dd;
    const RIGHT: u32 = 0x4973_f715;
    let value = LEFT.wrapping_mul(x).wrapping_sub(RIGHT.wrapping_mul(y));
    value ^ (value >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From NumPy 2: `SeedSequence(E, spawn_key=K, pool_size=24).generate_state(1)`.
    #[test]
    fn seeds_are_those_of_numpy() {
        assert_eq!(seed(0, &[]), 0xeff4_1bd6);
        assert_eq!(seed(7, &[]), 0x520c_648f);
        assert_eq!(seed(7, &[0, 0]), 0x0f99_a34e);
        assert_eq!(seed((1 << 40) + 5, &[5, 3]), 0xd0e4_c71d);
        assert_eq!(seed(u64::MAX, &[(1 << 33) + 1, 34]), 0x91ab_5085);
    }
}
