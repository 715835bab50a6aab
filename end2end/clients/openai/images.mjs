// OpenAI's package for JavaScript against a running Darkroom, whose address is the first argument.

import assert from "node:assert/strict";

import OpenAI, { BadRequestError, NotFoundError, toFile } from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "any" });
const prompt = "a red sailing boat on a calm sea at sunset";
// Few steps: it is the calls that are tried here, not the picture.
const quick = { prompt, steps: 4, seed: 7 };

const isPng = (file) => file.subarray(1, 4).toString() === "PNG";
const decode = (image) => Buffer.from(image.b64_json, "base64");

const models = await client.models.list();
assert.equal(models.data[0].id, "demo");

const made = await client.images.generate({ ...quick, response_format: "b64_json" });
const boat = decode(made.data[0]);
assert.ok(isPng(boat));
assert.deepEqual(await client.images.generate({ ...quick, model: "gpt-image-1" }).then((answer) => decode(answer.data[0])), boat);

const linked = await client.images.generate(quick);
const file = Buffer.from(await (await fetch(linked.data[0].url)).arrayBuffer());
assert.deepEqual(file, boat, "the address leads to the same picture");

const image = await toFile(boat, "boat.png", { type: "image/png" });
const edited = await client.images.edit({ ...quick, image: [image], strength: 0.5, response_format: "b64_json" });
assert.ok(isPng(decode(edited.data[0])));
assert.notDeepEqual(decode(edited.data[0]), boat);

const events = [];
// What was made before comes at once, without partial images.
const anew = { ...quick, steps: 20, cache: false };
const stream = await client.images.generate({ ...anew, stream: true, partial_images: 2 });
for await (const event of stream) {
  events.push(event);
}
assert.equal(events.at(-1).type, "image_generation.completed");
assert.ok(events.at(-1).usage.total_tokens > 0);
const partials = events.slice(0, -1);
assert.ok(partials.length >= 1 && partials.length <= 2, `${partials.length} partial images`);
for (const [index, event] of partials.entries()) {
  assert.equal(event.type, "image_generation.partial_image");
  assert.equal(event.partial_image_index, index);
  assert.ok(isPng(decode(event)));
}

const refused = await client.images.generate({ ...quick, n: 9 }).catch((error) => error);
assert.ok(refused instanceof BadRequestError);
assert.deepEqual([refused.param, refused.code], ["n", "invalid_value"]);
assert.ok(refused.message.includes("n 9 is out of range; allowed are 1 to 8"), refused.message);
const unknown = await client.models.retrieve("gpt-4o").catch((error) => error);
assert.ok(unknown instanceof NotFoundError);
assert.equal(unknown.code, "model_not_found");

console.log("every call was answered as it should be");
