//! What is installed, in the shapes that clients of that web UI know.

use axum::Json;
use axum::extract::State;
use backend::{MemoryUse, Services};
use serde_json::{Map, Value, json};
use types::prompt::Style;
use types::sampler::{Sampler, Schedule};

use super::refusal::Refusal;
use super::samplers::{AUTOMATIC, alias, automatic};

/// `GET /sdapi/v1/sd-models`: the picture models that can be used, the default one first.
pub async fn models(State(services): State<Services>) -> Json<Value> {
    let models = services.models().into_iter().filter(|model| model.problem.is_none()).map(|model| {
        json!({
            "title": model.name,
            "model_name": model.name,
            "hash": null,
            "sha256": null,
            "filename": model.name,
            "config": null,
        })
    });
    Json(models.collect())
}

/// `GET /sdapi/v1/loras`: those that can be used.
pub async fn loras(State(services): State<Services>) -> Json<Value> {
    let loras = services.loras().into_iter().filter(|lora| lora.problem.is_none()).map(|lora| {
        json!({ "name": lora.name, "alias": lora.name, "path": format!("{}.safetensors", lora.name), "metadata": {} })
    });
    Json(loras.collect())
}

/// `GET /sdapi/v1/samplers`.
pub async fn samplers() -> Json<Value> {
    let samplers = Sampler::ALL.into_iter().map(|sampler| {
        let scheduler = automatic(sampler);
        let options = if scheduler == Schedule::Normal {
            json!({})
        } else {
            json!({ "scheduler": scheduler.as_str() })
        };
        let aliases: Vec<_> = alias(sampler).into_iter().collect();
        json!({ "name": sampler.label(), "aliases": aliases, "options": options })
    });
    Json(samplers.collect())
}

/// `GET /sdapi/v1/schedulers`.
pub async fn schedulers() -> Json<Value> {
    let named = |name: &str, label: &str, rho: f64| json!({ "name": name, "label": label, "aliases": null, "default_rho": rho, "need_inner_model": false });
    let first = named("automatic", AUTOMATIC, -1.0);
    let others = Schedule::ALL.into_iter().map(|schedule| {
        // The one that has a curve to bend.
        let rho = if schedule == Schedule::Karras { 7.0 } else { -1.0 };
        named(schedule.as_str(), schedule.label(), rho)
    });
    Json(std::iter::once(first).chain(others).collect())
}

/// `GET /sdapi/v1/upscalers`: how a second pass enlarges.
pub async fn upscalers() -> Json<Value> {
    let named = |name: &str| json!({ "name": name, "model_name": null, "model_path": null, "model_url": null, "scale": 4 });
    Json(json!([named("None"), named("Lanczos")]))
}

/// `GET /sdapi/v1/embeddings`: the textual inversions that prompts may name. Their sizes are read when a model is loaded, so
/// they are not told.
pub async fn embeddings(State(services): State<Services>) -> Json<Value> {
    let unknown = json!({
        "step": null, "sd_checkpoint": null, "sd_checkpoint_name": null, "shape": null, "vectors": null,
    });
    let loaded: Map<String, Value> =
        services.embeddings().into_iter().map(|name| (name, unknown.clone())).collect();
    Json(json!({ "loaded": loaded, "skipped": {} }))
}

/// `GET /sdapi/v1/prompt-styles`: the site's own, then those that come with the program.
pub async fn prompt_styles(State(services): State<Services>) -> Json<Value> {
    let style = |Style { name, prompt, negative_prompt, .. }| json!({ "name": name, "prompt": prompt, "negative_prompt": negative_prompt });
    Json(services.styles().into_iter().map(style).collect())
}

/// `GET /sdapi/v1/scripts`: there are none.
pub async fn scripts() -> Json<Value> {
    Json(json!({ "txt2img": [], "img2img": [] }))
}

/// `GET /sdapi/v1/cmd-flags`: those that are always as if set.
pub async fn flags() -> Json<Value> {
    Json(
        json!({ "api": true, "listen": false, "share": false, "ckpt": null, "lowvram": false, "medvram": false }),
    )
}

/// `GET /sdapi/v1/memory`: bytes of the machine's memory, and that of this program.
pub async fn memory(State(services): State<Services>) -> Result<Json<Value>, Refusal> {
    let MemoryUse { used, total } = services.memory_use().await?;
    Ok(Json(json!({
        "ram": { "free": total.saturating_sub(used), "used": used, "total": total },
        "cuda": { "error": "not measured" },
    })))
}

/// Lists of what there is nothing of.
pub async fn nothing() -> Json<Value> {
    Json(json!([]))
}

/// `POST /sdapi/v1/refresh-…`: folders are looked through at every call, so there is nothing to do.
pub async fn refreshed() -> Json<Value> {
    Json(Value::Null)
}
