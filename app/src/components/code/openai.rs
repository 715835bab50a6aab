//! Python with OpenAI's package.

use std::fmt::Write;

use types::request::{GenerationRequest, RawRequest};

use super::quoting::{fields_but, literal, object};
use super::{files_note, n_calls};
use crate::islands::small_deeds::EXAMPLE_ORIGIN;

/// What the package has parameters for, and what is sent as a file.
const ELSEWHERE: [&str; 5] = ["prompt", "model", "count", "start", "mask"];

/// The call that asks for the same pictures. What the package has no parameter for goes as `extra_body`.
pub fn code(request: &GenerationRequest) -> String {
    let raw = RawRequest::exact(request);
    let mut code = String::from("# pip install openai\n");
    if request.mask.is_some() {
        code = String::from("# pip install openai pillow\n");
    }
    code += &files_note(request, "#");
    code += "import base64\n";
    if request.mask.is_some() {
        code += "import io\n";
    }
    code += "\nfrom openai import OpenAI\n";
    if request.mask.is_some() {
        code += "from PIL import Image, ImageOps\n";
    }
    // Writing to a `String` cannot fail.
    let _ = write!(code, "\nclient = OpenAI(base_url=\"{EXAMPLE_ORIGIN}/v1\", api_key=\"none\")\n");
    if request.mask.is_some() {
        code += "\n# There a mask is a picture that is transparent where it is to be painted anew.\n\
                 mask = Image.open(\"mask.png\").convert(\"L\")\n\
                 mask.putalpha(ImageOps.invert(mask))\n\
                 mask_file = io.BytesIO()\n\
                 mask.save(mask_file, \"PNG\")\n";
    }
    let call = if request.start.is_some() { "edit" } else { "generate" };
    let _ = write!(code, "\nresult = client.images.{call}(\n");
    if request.start.is_some() {
        code += "    image=open(\"start.png\", \"rb\"),\n";
    }
    if request.mask.is_some() {
        code += "    mask=(\"mask.png\", mask_file.getvalue(), \"image/png\"),\n";
    }
    let _ = write!(
        code,
        "    model={},\n    prompt={},\n    n={},\n    response_format=\"b64_json\",\n    extra_body={},\n)\n",
        literal(&request.model),
        literal(&request.prompt),
        n_calls(request),
        object(&fields_but(&raw, &ELSEWHERE), 4),
    );
    code += if request.count > 1 {
        "for index, picture in enumerate(result.data):\n    \
             with open(f\"picture-{index}.png\", \"wb\") as file:\n        \
                 file.write(base64.b64decode(picture.b64_json))"
    } else {
        "with open(\"picture.png\", \"wb\") as file:\n    \
             file.write(base64.b64decode(result.data[0].b64_json))"
    };
    code
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;

    #[test]
    fn a_call_has_the_packages_parameters_and_all_else_in_the_extra_body() {
        assert_eq!(
            code(&request("")),
            r#"# pip install openai
import base64

from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:3000/v1", api_key="none")

result = client.images.generate(
    model="demo",
    prompt="a \"sailor's\" $boat `at` \\sea, 夕",
    n=1,
    response_format="b64_json",
    extra_body={
        "guidance_scale": 4.5,
        "height": 192,
        "negative_prompt": "fog",
        "sampler": "dpmpp_2m",
        "schedule": "karras",
        "seed": 7,
        "steps": 20,
        "width": 256
    },
)
with open("picture.png", "wb") as file:
    file.write(base64.b64decode(result.data[0].b64_json))"#
        );
    }

    #[test]
    fn several_pictures_are_written_one_by_one() {
        let several = code(&GenerationRequest { count: 3, ..request("") });
        assert!(several.contains("n=3,"), "{several}");
        assert!(several.contains("picture-{index}.png"), "{several}");
    }
}
