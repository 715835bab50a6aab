//! Loaded models within a budget of memory.

use std::sync::Arc;

/// So many at most, however little memory they take: each holds files open.
const MOST: usize = 16;

/// Loaded models. When the next one would not fit into the budget, those that were not used for longest go first; one
/// that alone exceeds the budget is kept alone.
///
/// What is taken out goes on living for whoever still computes with it, so a swap never fails a running job.
#[derive(Debug)]
pub(super) struct Residents<K, T> {
    budget_bytes: u64,
    /// The one that was not used for longest first.
    kept: Vec<Resident<K, T>>,
}

#[derive(Debug)]
struct Resident<K, T> {
    key: K,
    n_bytes: u64,
    model: Arc<T>,
}

impl<K: PartialEq, T> Residents<K, T> {
    pub(super) fn new(budget_bytes: u64) -> Self {
        Self { budget_bytes, kept: Vec::new() }
    }

    /// The model, if it is loaded; it then counts as just used.
    pub(super) fn get(&mut self, key: &K) -> Option<Arc<T>> {
        let at = self.kept.iter().position(|resident| resident.key == *key)?;
        let resident = self.kept.remove(at);
        let model = Arc::clone(&resident.model);
        self.kept.push(resident);
        Some(model)
    }

    /// Takes out what has to go before the model of that key, of `n_bytes`, is loaded or used: others may keep what the
    /// budget leaves, and `others_bytes` at most.
    pub(super) fn make_room(&mut self, key: &K, n_bytes: u64, others_bytes: u64) {
        let others_bytes = others_bytes.min(self.budget_bytes.saturating_sub(n_bytes));
        while self.n_bytes_beside(key) > others_bytes {
            let oldest = self.kept.iter().position(|resident| resident.key != *key);
            let Some(oldest) = oldest else { return };
            self.kept.remove(oldest);
        }
    }

    /// Keeps a model that was just loaded.
    pub(super) fn keep(&mut self, key: K, n_bytes: u64, model: T) -> Arc<T> {
        let model = Arc::new(model);
        if self.kept.len() >= MOST {
            self.kept.remove(0);
        }
        self.kept.push(Resident { key, n_bytes, model: Arc::clone(&model) });
        model
    }

    /// Takes out those whose key says so.
    pub(super) fn forget(&mut self, is_out: impl Fn(&K) -> bool) {
        self.kept.retain(|resident| !is_out(&resident.key));
    }

    /// What is kept, and how many bytes each takes.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&K, u64)> {
        self.kept.iter().map(|resident| (&resident.key, resident.n_bytes))
    }

    fn n_bytes_beside(&self, key: &K) -> u64 {
        self.kept.iter().filter(|resident| resident.key != *key).map(|resident| resident.n_bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Residents<&'static str, &'static str> {
        let mut residents = Residents::new(10);
        for name in ["a", "b", "c"] {
            residents.make_room(&name, 3, u64::MAX);
            residents.keep(name, 3, name);
        }
        residents
    }

    #[test]
    fn models_stay_while_they_fit() {
        let mut residents = three();
        assert!(["a", "b", "c"].iter().all(|name| residents.get(name).is_some()));
    }

    #[test]
    fn the_one_that_was_not_used_for_longest_makes_room() {
        let mut residents = three();
        residents.get(&"a");
        residents.make_room(&"d", 3, u64::MAX);
        residents.keep("d", 3, "d");
        assert!(residents.get(&"b").is_none());
        assert!(["a", "c", "d"].iter().all(|name| residents.get(name).is_some()));
    }

    #[test]
    fn a_model_that_alone_exceeds_the_budget_is_kept_alone() {
        let mut residents = three();
        residents.make_room(&"huge", 100, u64::MAX);
        residents.keep("huge", 100, "huge");
        assert!(residents.get(&"huge").is_some());
        assert!(["a", "b", "c"].iter().all(|name| residents.get(name).is_none()));
    }

    #[test]
    fn a_large_picture_makes_others_go_and_not_the_model_that_paints_it() {
        let mut residents = three();
        residents.make_room(&"a", 3, 4);
        assert!(residents.get(&"b").is_none());
        assert!(["a", "c"].iter().all(|name| residents.get(name).is_some()));
        residents.make_room(&"a", 3, 0);
        assert!(residents.get(&"a").is_some() && residents.get(&"c").is_none());
    }

    #[test]
    fn models_that_take_no_memory_are_not_kept_without_end() {
        let mut residents = Residents::new(10);
        for number in 0..2 * MOST {
            residents.keep(number, 0, number);
        }
        assert_eq!(residents.kept().count(), MOST);
        assert!(residents.get(&0).is_none() && residents.get(&(2 * MOST - 1)).is_some());
    }

    #[test]
    fn a_model_in_use_outlives_its_place() {
        let mut residents = three();
        let running = residents.get(&"a").unwrap();
        residents.make_room(&"d", 10, u64::MAX);
        assert!(residents.get(&"a").is_none());
        assert_eq!(*running, "a");
    }

    #[test]
    fn what_was_changed_on_the_disk_is_forgotten() {
        let mut residents = three();
        residents.forget(|key| *key == "b");
        assert!(residents.get(&"b").is_none());
        assert!(residents.get(&"c").is_some());
    }
}
