//! The machine, as ComfyUI tells it.

use axum::Json;
use axum::extract::State;
use backend::{MachineFacts, Services};
use serde_json::{Value, json};

use super::faults::Refusal;
use crate::error::ApiError;

/// The version of ComfyUI whose API this is, as far as it goes. Programs ask for it to know what they may send.
const VERSION: &str = "0.3.0";

/// `GET /system_stats`: memory in bytes, and what computes.
pub async fn show(State(services): State<Services>) -> Result<Json<Value>, Refusal> {
    let MachineFacts { device, memory_bytes, free_bytes, device_bytes, device_free_bytes } =
        services.machine_facts().await.map_err(ApiError::from)?;
    Ok(Json(json!({
        "system": {
            "os": std::env::consts::OS,
            "ram_total": memory_bytes,
            "ram_free": free_bytes,
            "comfyui_version": VERSION,
            "python_version": "",
            "pytorch_version": "",
            "embedded_python": false,
            "argv": [],
            "darkroom_version": env!("CARGO_PKG_VERSION"),
        },
        "devices": [{
            "name": device.as_str(),
            "type": device.as_str(),
            "index": 0,
            "vram_total": device_bytes,
            "vram_free": device_free_bytes,
            "torch_vram_total": device_bytes,
            "torch_vram_free": device_free_bytes,
        }],
    })))
}
