import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { finished } from "../support/api.ts";
import { generate, openCreatePage, openSettings } from "../support/create-page.ts";
import type { Darkroom } from "../support/darkroom.ts";
import { expect, test } from "../support/test.ts";

const DEMO = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../models/demo");

/** Installs the demo model a second time, with a name, sizes and usual settings of its own. */
async function installSecondModel(site: Darkroom): Promise<void> {
  const folder = path.join(site.data, "models", "second");
  await cp(DEMO, folder, { recursive: true });
  const card = JSON.parse(await readFile(path.join(folder, "darkroom.json"), "utf8"));
  Object.assign(card, { title: "Second", sizes: [[128, 128], [192, 128], [128, 192]] });
  card.defaults = { ...card.defaults, steps: 6, guidance_scale: 2 };
  await writeFile(path.join(folder, "darkroom.json"), JSON.stringify(card));
  // The models folder has to be there when the program starts.
  const port = site.port;
  await site.stop();
  await site.startAgain(port);
}

test("a model is chosen, the form says its numbers, and it paints the picture", async ({ page, site }) => {
  await installSecondModel(site);
  await openCreatePage(page);
  await openSettings(page);
  await page.getByLabel("Model", { exact: true }).selectOption("second");
  await expect(page.locator("#shape-square-note")).toHaveText("128 × 128");
  await expect(page.locator("#quality-standard-note")).toHaveText("6 steps");
  await expect(page.getByLabel("Guidance scale (CFG)")).toHaveAttribute("placeholder", "2");

  await page.locator("#prompt").fill("a red boat");
  const job = await finished(page.request, await generate(page));
  expect(job.status).toBe("done");
  expect(job.request).toMatchObject({ model: "second", width: 128, height: 128, steps: 6, guidance_scale: 2 });
  await expect(page.locator("#setting-model")).toHaveText("second");

  // The next picture of that job's settings is the same model's.
  await page.getByRole("link", { name: "Change settings" }).click();
  await expect(page.getByLabel("Model", { exact: true })).toHaveValue("second");
});

test("samplers and noise schedules are lists with a sentence each, and the chosen ones are used", async ({ page }) => {
  await openCreatePage(page);
  await openSettings(page);
  const samplers = await page.locator("#sampler option").allTextContents();
  const schedules = await page.locator("#schedule option").allTextContents();
  expect(samplers.length).toBeGreaterThan(16);
  expect(schedules.length).toBeGreaterThan(6);
  for (const text of [...samplers.slice(1), ...schedules.slice(1)]) expect(text).toMatch(/^\s*[^:]+: .+\.\s*$/);
  await page.getByLabel("Sampler").selectOption("euler");
  await page.getByLabel("Noise schedule").selectOption("normal");
  await page.locator("#prompt").fill("a red boat");
  const job = await finished(page.request, await generate(page));
  expect(job.request).toMatchObject({ sampler: "euler", schedule: "normal" });
});
