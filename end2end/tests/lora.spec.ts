import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createJob, finished } from "../support/api.ts";
import { generate, isAlive, openCreatePage, openSettings } from "../support/create-page.ts";
import type { Darkroom } from "../support/darkroom.ts";
import { writeLora } from "../support/lora.ts";
import { difference, readPixels } from "../support/pixels.ts";
import { expect, test } from "../support/test.ts";

const PROMPT = "a red sailing boat on a calm sea at sunset";
const SEED = 7;

/** Puts a LoRA for the demo model into the models folder, which has to be there when the program starts. */
async function installLora(site: Darkroom): Promise<void> {
  const folder = path.join(site.data, "models", "loras");
  await mkdir(folder, { recursive: true });
  const layer = { name: "mid_block.attentions.0.transformer_blocks.0.attn2.to_v", n_out: 192, n_in: 192 };
  const other = { ...layer, name: "up_blocks.0.attentions.0.transformer_blocks.0.attn1.to_v" };
  await writeFile(path.join(folder, "strokes.safetensors"), writeLora([layer, other], 0.5));
  const port = site.port;
  await site.stop();
  await site.startAgain(port);
}

test("a LoRA is picked with its weight, changes the picture and comes back with the settings", async ({
  page,
  site,
}) => {
  await installLora(site);
  const plain = await finished(page.request, (await createJob(page.request, { prompt: PROMPT, seed: SEED })).id);
  await openCreatePage(page);
  await openSettings(page);
  const mark = page.getByRole("checkbox", { name: /strokes/ });
  await expect(page.getByRole("group", { name: "LoRAs" })).toBeVisible();
  await expect(mark).not.toBeChecked();
  await page.getByRole("slider", { name: "Weight of strokes" }).fill("0.6");
  await expect(mark).toBeChecked();
  await page.getByLabel("Seed", { exact: true }).fill(String(SEED));
  await page.locator("#prompt").fill(PROMPT);

  const job = await finished(page.request, await generate(page));
  expect(job.error).toBeUndefined();
  expect(job.request["loras"]).toEqual([{ name: "strokes", weight: 0.6 }]);
  await expect(page.locator("#setting-loras")).toHaveText("strokes:0.6");
  const [with_it, without] = [job, plain].map((job) => `/images/${job.pictures[0]!.id}.png`);
  expect(difference(await readPixels(page, with_it!), await readPixels(page, without!))).toBeGreaterThan(0.5);

  await page.getByRole("link", { name: "Change settings" }).click();
  await isAlive(page);
  await expect(mark).toBeChecked();
  await expect(mark).toHaveValue("strokes:0.6");
});

test("where no LoRA is installed, the form says nothing of them", async ({ page }) => {
  await openCreatePage(page);
  await openSettings(page);
  await expect(page.getByLabel("Negative prompt")).toBeVisible();
  await expect(page.getByRole("group", { name: "LoRAs" })).toHaveCount(0);
});
