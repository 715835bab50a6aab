//! JavaScript for Node.js, without any package.

use std::fmt::Write;

use types::request::{GenerationRequest, RawRequest};

use super::quoting::{fields_but, object};
use super::{counted_field, files_note, n_calls};
use crate::islands::small_deeds::EXAMPLE_ORIGIN;

/// Sends pictures first. Their names are of use to whoever sent them alone, so the cookie goes along.
const UPLOAD: &str = r#"
let cookie = "";
async function upload(name) {
  const body = new FormData();
  body.append("file", new Blob([await readFile(name)]), name);
  const answer = await fetch(`${darkroom}/api/v1/uploads`, { method: "POST", headers: { cookie }, body });
  if (!answer.ok) throw new Error(await answer.text());
  cookie = answer.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
  return (await answer.json()).id;
}
"#;

/// The module that asks for the same pictures.
pub fn code(request: &GenerationRequest) -> String {
    let raw = RawRequest::exact(request);
    let has_files = request.start.is_some();
    let mut code = String::from("// node picture.mjs\n");
    code += &files_note(request, "//");
    let reads = if has_files { "readFile, writeFile" } else { "writeFile" };
    // Writing to a `String` cannot fail.
    let _ = write!(
        code,
        "import {{ {reads} }} from \"node:fs/promises\";\n\nconst darkroom = \"{EXAMPLE_ORIGIN}\";\n"
    );
    if has_files {
        code += UPLOAD;
    }
    let fields = fields_but(&raw, &["count", "start", "mask"]);
    let _ = write!(code, "\nconst request = {};\n", object(&fields, 0));
    if has_files {
        code += "request.start = await upload(\"start.png\");\n";
    }
    if request.mask.is_some() {
        code += "request.mask = await upload(\"mask.png\");\n";
    }
    let headers = if has_files {
        "{ \"content-type\": \"application/json\", cookie }"
    } else {
        "{ \"content-type\": \"application/json\" }"
    };
    let call = |body: &str, file: &str| {
        format!(
            "const answer = await fetch(`${{darkroom}}/generate-image`, {{\n  method: \"POST\",\n  headers: {headers},\n  \
             body: JSON.stringify({body}),\n}});\nif (!answer.ok) throw new Error(await answer.text());\n\
             await writeFile({file}, Buffer.from(await answer.arrayBuffer()));"
        )
    };
    let n_calls = n_calls(request);
    if n_calls > 1 {
        let field = counted_field(request);
        let body = format!("{{ ...request, {field}: request.{field} + index }}");
        let call = call(&body, "`picture-${index}.png`").replace('\n', "\n  ");
        let _ = write!(code, "for (let index = 0; index < {n_calls}; index++) {{\n  {call}\n}}");
    } else {
        code += &call("request", "\"picture.png\"");
    }
    code
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;

    #[test]
    fn one_picture_is_one_call() {
        assert_eq!(
            code(&request("")),
            r#"// node picture.mjs
import { writeFile } from "node:fs/promises";

const darkroom = "http://127.0.0.1:3000";

const request = {
    "guidance_scale": 4.5,
    "height": 192,
    "model": "demo",
    "negative_prompt": "fog",
    "prompt": "a \"sailor's\" $boat `at` \\sea, 夕",
    "sampler": "dpmpp_2m",
    "schedule": "karras",
    "seed": 7,
    "steps": 20,
    "width": 256
};
const answer = await fetch(`${darkroom}/generate-image`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(request),
});
if (!answer.ok) throw new Error(await answer.text());
await writeFile("picture.png", Buffer.from(await answer.arrayBuffer()));"#
        );
    }

    #[test]
    fn several_pictures_have_seeds_one_after_the_other() {
        let several = code(&GenerationRequest { count: 3, ..request("") });
        assert!(several.contains("index < 3"), "{several}");
        assert!(several.contains("{ ...request, seed: request.seed + index }"), "{several}");
        let varied = r#", "variation": {"seed": 9, "strength": 0.1}"#;
        let varied = code(&GenerationRequest { count: 2, ..request(varied) });
        assert!(varied.contains("variation_seed: request.variation_seed + index"), "{varied}");
    }
}
