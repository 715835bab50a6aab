//! A call of the API as it is typed into a terminal.

use leptos::prelude::*;
use types::request::{GenerationRequest, RawRequest};

use super::settings_list::copy_button;
use crate::islands::small_deeds::EXAMPLE_ORIGIN;
use crate::request_query::finer_from_job;

/// Code to be copied. Where it says this site's address, a script puts in the one that the visitor uses.
pub fn code_block(id: &'static str, name: &'static str, code: String) -> AnyView {
    view! {
        <div class="code">
            <pre tabindex="0" role="region" aria-label=name><code id=id data-own-address="">{code}</code></pre>
            {copy_button(id.to_owned(), name)}
        </div>
    }
    .into_any()
}

/// The call that asks for the same pictures.
pub fn as_curl(request: &GenerationRequest) -> String {
    let raw = RawRequest {
        prompt: request.prompt.clone(),
        negative_prompt: Some(request.negative_prompt.clone()).filter(|text| !text.is_empty()),
        model: Some(request.model.clone()),
        steps: Some(i64::from(request.steps)),
        guidance_scale: Some(request.guidance_scale),
        sampler: Some(request.sampler.to_string()),
        schedule: Some(request.schedule.to_string()),
        seed: i64::try_from(request.seed).ok(),
        width: Some(i64::from(request.width)),
        height: Some(i64::from(request.height)),
        count: Some(i64::from(request.count)),
        ..finer_from_job(request)
    };
    let body = serde_json::to_string_pretty(&raw).unwrap_or_default();
    // Within single quotes a shell takes everything literally but the quote itself.
    let body = body.replace('\'', r"'\''");
    format!("curl {EXAMPLE_ORIGIN}/api/v1/jobs \\\n  -H 'content-type: application/json' \\\n  -d '{body}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_the_prompt_does_not_end_the_shells_argument() {
        let json = r#"{"prompt": "a sailor's boat", "negative_prompt": "", "model": "demo", "steps": 20,
            "guidance_scale": 4, "sampler": "euler", "schedule": "normal", "seed": 7, "width": 256, "height": 256,
            "count": 1, "clip_skip": 2}"#;
        let request: GenerationRequest = serde_json::from_str(json).unwrap();
        let curl = as_curl(&request);
        assert!(curl.contains(r#""prompt": "a sailor'\''s boat""#), "{curl}");
        assert!(curl.contains(r#""clip_skip": 2"#), "{curl}");
        assert!(!curl.contains("negative_prompt"));
    }
}
