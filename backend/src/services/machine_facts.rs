//! The machine as it is just now.

use std::sync::Arc;

use sysinfo::System;

use super::Services;
use crate::machine::DeviceKind;
use crate::{Error, Result};

/// What computes, and memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineFacts {
    /// What computes.
    pub device: DeviceKind,
    /// What the machine has.
    pub memory_bytes: u64,
    /// What of it nobody uses.
    pub free_bytes: u64,
    /// What the device has: the machine's, if that is the processor.
    pub device_bytes: u64,
    /// What of it nobody uses.
    pub device_free_bytes: u64,
}

impl Services {
    /// What computes, and how much memory there is.
    ///
    /// # Errors
    /// Looking it up ended early.
    pub async fn machine_facts(&self) -> Result<MachineFacts> {
        let engine = Arc::clone(&self.0.shared.engine);
        let look = move || {
            let mut system = System::new();
            system.refresh_memory();
            let (memory_bytes, free_bytes) = (system.total_memory(), system.available_memory());
            let of_device = engine.device_memory().unwrap_or((memory_bytes, free_bytes));
            MachineFacts {
                device: engine.device(),
                memory_bytes,
                free_bytes,
                device_bytes: of_device.0,
                device_free_bytes: of_device.1,
            }
        };
        // Files of the system are read for it.
        tokio::task::spawn_blocking(look)
            .await
            .map_err(|panic| Error::Broken(format!("looking at the machine ended early: {panic}")))
    }

    /// The names of the textual inversions that prompts may use, sorted.
    pub fn embeddings(&self) -> Vec<String> {
        self.0.shared.engine.embeddings()
    }
}
