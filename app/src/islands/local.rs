//! What lives in the browser alone.

use leptos::prelude::*;

/// A place for something of the browser's: a connection, a clock.
///
/// Such a thing is bound to its thread. The browser has one; on the server a page may be dropped by another thread
/// than the one that rendered it, so there the place stays empty and is bound to none.
pub struct Local<T: 'static>(StoredValue<Option<StoredValue<T, LocalStorage>>>);

impl<T: 'static> Clone for Local<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for Local<T> {}

impl<T: 'static> Local<T> {
    /// An empty place.
    pub fn new() -> Self {
        Self(StoredValue::new(None))
    }

    /// Puts something in, or nothing; what was there before is dropped.
    pub fn set(self, thing: Option<T>) {
        let before =
            self.0.try_update_value(|place| std::mem::replace(place, thing.map(StoredValue::new_local)));
        if let Some(before) = before.flatten() {
            before.dispose();
        }
    }
}

impl<T: 'static> Default for Local<T> {
    fn default() -> Self {
        Self::new()
    }
}
