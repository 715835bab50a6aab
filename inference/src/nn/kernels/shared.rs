//! One slice that several threads write into, each its own part.

use std::marker::PhantomData;

/// A mutable slice whose parts are handed out by index.
pub(super) struct Shared<'a> {
    start: *mut f32,
    length: usize,
    owner: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is a `&mut [f32]` in parts, and `f32` may be sent and written from any thread; that no two
// threads hold the same part is what `part` asks of its callers.
unsafe impl Sync for Shared<'_> {}
// SAFETY: as above.
unsafe impl Send for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(super) fn new(slice: &'a mut [f32]) -> Self {
        Self { start: slice.as_mut_ptr(), length: slice.len(), owner: PhantomData }
    }

    /// The part from `start` on.
    ///
    /// # Safety
    /// No two parts that are alive at the same time may overlap.
    #[expect(clippy::mut_from_ref, reason = "that is what this type is for; the caller keeps parts apart")]
    pub(super) unsafe fn part(&self, start: usize, length: usize) -> &mut [f32] {
        assert!(start + length <= self.length, "a part lies inside its slice");
        // SAFETY: it lies inside the slice, which is borrowed for 'a, and the caller keeps parts apart.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), length) }
    }
}
