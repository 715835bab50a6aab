// A program that knows ComfyUI through @stable-canvas/comfyui-client: asks for a picture, hears how it comes along, and
// asks for something that there is not. Prints one JSON object with what it lived through.
//
// Usage: node --experimental-websocket text_to_image.mjs HOST:PORT PICTURE.png

import { writeFile } from "node:fs/promises";
import { Client, Workflow } from "@stable-canvas/comfyui-client";

const [apiHost, pictureFile] = process.argv.slice(2);
const client = new Client({ api_host: apiHost, WebSocket, fetch });

function workflow(seed, samplerName) {
  const made = new Workflow();
  const { CheckpointLoaderSimple, CLIPTextEncode, EmptyLatentImage, KSampler, SaveImage, VAEDecode } = made.classes;
  const [model, clip, vae] = CheckpointLoaderSimple({ ckpt_name: "demo.safetensors" });
  const [positive] = CLIPTextEncode({ text: "a red sailing boat on a calm sea at sunset", clip });
  const [negative] = CLIPTextEncode({ text: "", clip });
  const [latent_image] = EmptyLatentImage({ width: 128, height: 128, batch_size: 1 });
  const [samples] = KSampler({
    model, positive, negative, latent_image, seed, steps: 4, cfg: 4, sampler_name: samplerName, scheduler: "karras", denoise: 1,
  });
  SaveImage({ images: VAEDecode({ samples, vae })[0], filename_prefix: "from-node" });
  return made.workflow();
}

try {
  const models = await client.getSDModels();
  await client.connect();
  const progress = [];
  const made = await client.enqueue(workflow(7, "dpmpp_2m").prompt, {
    progress: ({ value, max }) => progress.push(`${value}/${max}`),
    disable_random_seed: true,
  });
  const [image] = made.images;
  const answer = await fetch(image.data);
  await writeFile(pictureFile, Buffer.from(await answer.arrayBuffer()));
  const polled = await client.enqueue_polling(workflow(8, "euler").prompt, { polling_ms: 100 });
  const refused = await client.enqueue(workflow(9, "restart").prompt).then(
    () => "nothing",
    (error) => String(error.message ?? error),
  );
  const { Running, Pending } = await client.getQueue();
  const history = await client.getHistory();
  console.log(JSON.stringify({
    models,
    progress,
    n_polled: polled.images.length,
    refused,
    n_waiting: Running.length + Pending.length,
    n_past: history.History.length,
  }));
} finally {
  client.close();
}
