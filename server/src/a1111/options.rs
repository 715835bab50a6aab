//! What visitors set for their later calls.
//!
//! There it is one file for the whole program. Here everybody has their own, in memory: it is gone when the program
//! stops, and when a hundred others set theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use backend::{Services, Visitor};
use serde_json::{Map, Value, json};
use types::request::CLIP_SKIP;

use super::fields::Fields;
use super::refusal::Refusal;
use super::{asked, models};

/// Longest options of one visitor, as JSON. All that there are there take a quarter of it.
const MAX_BYTES: usize = 64 << 10;
/// Visitors whose options are kept.
const MAX_VISITORS: usize = 100;

/// The options that visitors set. Cheap to clone.
#[derive(Clone, Default)]
pub struct Options(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// With the number of the call that set them last. As JSON, which takes a tenth of the memory that many small values do.
    of_visitors: HashMap<Visitor, (u64, String)>,
    n_calls: u64,
}

impl Kept {
    fn of(&self, visitor: &Visitor) -> Map<String, Value> {
        let text = self.of_visitors.get(visitor).map(|(_, text)| text.as_str());
        // It was written here.
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// What the visitor set, with these, as JSON.
    fn with(&self, visitor: &Visitor, values: &Map<String, Value>) -> Result<String, Refusal> {
        let mut all = self.of(visitor);
        all.extend(values.clone());
        let text = Value::Object(all).to_string();
        let n_bytes = text.len();
        if n_bytes > MAX_BYTES {
            let sentence = format!("the options have {n_bytes} bytes; at most {MAX_BYTES} are allowed");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, sentence));
        }
        Ok(text)
    }
}

impl Options {
    /// What this visitor set.
    pub fn of(&self, visitor: &Visitor) -> Map<String, Value> {
        self.lock().of(visitor)
    }

    /// Keeps some more, or others, of this visitor.
    ///
    /// # Errors
    /// They become too long.
    pub fn set(&self, visitor: &Visitor, values: &Map<String, Value>) -> Result<(), Refusal> {
        // Of two calls at once, neither may lose what the other set.
        let mut kept = self.lock();
        let text = kept.with(visitor, values)?;
        kept.n_calls += 1;
        let n_calls = kept.n_calls;
        kept.of_visitors.insert(visitor.clone(), (n_calls, text));
        if kept.of_visitors.len() > MAX_VISITORS {
            let oldest = kept.of_visitors.iter().min_by_key(|(_, (set, _))| *set);
            if let Some(oldest) = oldest.map(|(visitor, _)| visitor.clone()) {
                kept.of_visitors.remove(&oldest);
            }
        }
        Ok(())
    }

    /// Whether these could be kept as well.
    ///
    /// # Errors
    /// They would become too long.
    pub fn check(&self, visitor: &Visitor, values: &Map<String, Value>) -> Result<(), Refusal> {
        self.lock().with(visitor, values).map(drop)
    }

    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `GET /sdapi/v1/options`: what the visitor set, and the usual values of what has an effect here.
pub async fn show(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    Extension(options): Extension<Options>,
) -> Json<Map<String, Value>> {
    let usual = json!({
        "sd_model_checkpoint": services.models().first().map(|model| model.name.clone()),
        "CLIP_stop_at_last_layers": 1,
        "randn_source": "CPU",
        "samples_format": "png",
        "sd_checkpoint_hash": null,
        "sd_vae": "Automatic",
    });
    let mut all = match usual {
        Value::Object(usual) => usual,
        _ => Map::new(),
    };
    all.extend(options.of(&visitor));
    Json(all)
}

/// `POST /sdapi/v1/options`: keeps what is sent for this visitor.
pub async fn set(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    Extension(options): Extension<Options>,
    fields: Fields,
) -> Result<Json<Value>, Refusal> {
    let mut values = fields.values().clone();
    if let Some(name) = fields.word("sd_model_checkpoint")? {
        let installed = services.models();
        let Some(model) = models::find(&installed, name) else {
            let known: Vec<_> = installed.iter().map(|model| model.name.as_str()).collect();
            let sentence = format!("model `{name}` is not installed; installed are {}", known.join(", "));
            return Err(Refusal::new(StatusCode::NOT_FOUND, sentence));
        };
        values.insert("sd_model_checkpoint".to_owned(), json!(model.name));
    }
    if let Some(layer) = fields.whole("CLIP_stop_at_last_layers")?
        && !u32::try_from(layer).is_ok_and(|layer| CLIP_SKIP.contains(&layer))
    {
        let (least, most) = CLIP_SKIP.into_inner();
        let sentence =
            format!("CLIP_stop_at_last_layers {layer} is out of range; allowed are {least} to {most}");
        return Err(fields.refusal("CLIP_stop_at_last_layers", sentence));
    }
    asked::noise(&fields)?;
    options.set(&visitor, &values)?;
    Ok(Json(Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(values: Value) -> Map<String, Value> {
        match values {
            Value::Object(values) => values,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn everybody_has_options_of_their_own_and_later_ones_replace_earlier_ones() {
        let (options, anna, bob) =
            (Options::default(), Visitor::from_token("anna"), Visitor::from_token("bob"));
        options.set(&anna, &values(json!({ "a": 1, "b": 2 }))).unwrap();
        options.set(&anna, &values(json!({ "b": 3 }))).unwrap();
        assert_eq!(options.of(&anna), values(json!({ "a": 1, "b": 3 })));
        assert_eq!(options.of(&bob), Map::new());
    }

    #[test]
    fn calls_at_once_lose_nothing_of_each_other() {
        const N_CALLS: usize = 50;
        let (options, anna) = (Options::default(), Visitor::from_token("anna"));
        std::thread::scope(|scope| {
            for thread in ["a", "b", "c", "d"] {
                let (options, anna) = (&options, &anna);
                scope.spawn(move || {
                    for i in 0..N_CALLS {
                        options.set(anna, &values(json!({ format!("{thread}{i}"): i }))).unwrap();
                    }
                });
            }
        });
        assert_eq!(options.of(&anna).len(), 4 * N_CALLS);
    }

    #[test]
    fn options_take_no_more_memory_than_is_set_aside() {
        let options = Options::default();
        let visitor = |i: usize| Visitor::from_token(&i.to_string());
        for i in 0..=MAX_VISITORS {
            options.set(&visitor(i), &values(json!({ "i": i }))).unwrap();
        }
        assert_eq!(options.of(&visitor(0)), Map::new(), "whoever set theirs first is forgotten first");
        assert_eq!(options.of(&visitor(1)), values(json!({ "i": 1 })));
        let refusal =
            options.set(&visitor(1), &values(json!({ "long": "x".repeat(MAX_BYTES) }))).unwrap_err();
        assert_eq!(refusal.message(), "the options have 65553 bytes; at most 65536 are allowed");
        assert_eq!(options.of(&visitor(1)), values(json!({ "i": 1 })));
    }
}
