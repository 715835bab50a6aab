//! How much memory the program takes.

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::Services;
use crate::memory;
use crate::{Error, Result};

/// The machine's memory, and what this program takes of it, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// What this program takes.
    pub used: u64,
    /// What it may take: all that the machine has, or what its container is given.
    pub total: u64,
}

impl Services {
    /// How much memory the program takes just now.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub async fn memory_use(&self) -> Result<MemoryUse> {
        // Files of the system are read for it.
        let measured = tokio::task::spawn_blocking(measure).await;
        measured
            .map_err(|panic| Error::Broken(format!("measuring the memory ended early: {panic}")))?
            .ok_or_else(|| Error::Broken("the system does not tell how much memory there is".to_owned()))
    }
}

/// Reads files of the system.
pub(crate) fn measure() -> Option<MemoryUse> {
    let total = memory::of_machine()?;
    let this = sysinfo::get_current_pid().ok()?;
    let mut system = System::new();
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[this]), false, what);
    Some(MemoryUse { used: system.process(this)?.memory(), total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_takes_some_memory_and_less_than_there_is() {
        let MemoryUse { used, total } = measure().unwrap();
        assert!((1_000_000..total).contains(&used), "{used} of {total}");
    }
}
