import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Page } from "@playwright/test";
import { type Asked, createJob, finished, type Job, QUICK } from "../support/api.ts";
import { isAlive } from "../support/create-page.ts";
import { PROGRAM } from "../support/darkroom.ts";
import { difference, readPixels } from "../support/pixels.ts";
import { writePng } from "../support/png.ts";
import { expect, test as base } from "../support/test.ts";

const run = promisify(execFile);

/** Python with the clients' packages; `cargo xtask test --only browser` installs it. */
const PYTHON = path.resolve(
  path.dirname(fileURLToPath(import.meta.url)),
  "../../target/clients-venv/bin/python",
);

/** A prompt with everything that might end a text in some language. */
const PROMPT = `a "sailor's" boat, $HOME \`date\` \\n at sea, 夕 'café' !! %s {x}`;

/** A test in an empty folder, in which `darkroom` is the program under test. */
const test = base.extend<{ folder: string }>({
  folder: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), "darkroom-"));
    await symlink(PROGRAM, path.join(folder, "darkroom"));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
});

/** What runs the code of each block on a job's page, by the block's id. */
const LANGUAGES: Record<string, (folder: string, code: string) => Promise<unknown>> = {
  "as-curl": (folder, code) => shell(folder, code),
  "as-openai": (folder, code) => python(folder, code),
  "as-webuiapi": (folder, code) => python(folder, code),
  "as-javascript": async (folder, code) => {
    await writeFile(path.join(folder, "picture.mjs"), code);
    await run(process.execPath, ["picture.mjs"], { cwd: folder });
  },
  "as-darkroom": (folder, code) => shell(folder, code),
};

async function shell(folder: string, code: string): Promise<void> {
  const PATH = `${folder}:${process.env["PATH"]}`;
  await run("bash", ["-e", "-c", code], { cwd: folder, env: { ...process.env, PATH } });
}

async function python(folder: string, code: string): Promise<void> {
  if (!existsSync(PYTHON)) throw new Error(`${PYTHON} is missing; cargo xtask test --only browser makes it`);
  await writeFile(path.join(folder, "picture.py"), code);
  await run(PYTHON, ["picture.py"], { cwd: folder });
}

async function painted(page: Page, asked: Asked): Promise<Job> {
  const job = await finished(page.request, (await createJob(page.request, asked)).id);
  expect(job.status, job.error).toBe("done");
  return job;
}

/** Copies a block off a job's page, as somebody would. */
async function copied(page: Page, job: Job, id: string): Promise<string> {
  await page.goto(`/j/${job.id}`);
  await isAlive(page);
  await page.locator("summary", { hasText: "Copy as code" }).click();
  const block = page.locator(`#${id}`);
  if (!(await block.isVisible())) await page.locator(`details.snippet:has(#${id}) > summary`).click();
  await expect(block).toBeVisible();
  return (await block.textContent())!;
}

async function expectSamePicture(page: Page, file: string, job: Job, index: number): Promise<void> {
  const url = `data:image/png;base64,${(await readFile(file)).toString("base64")}`;
  const made = await readPixels(page, url);
  const expected = await readPixels(page, `/images/${job.pictures[index]!.id}.png`);
  expect([made.width, made.height]).toEqual([expected.width, expected.height]);
  expect(difference(made, expected), path.basename(file)).toBe(0);
}

for (const [id, runs] of Object.entries(LANGUAGES)) {
  test(`${id}: the code makes the very picture`, async ({ page, folder }) => {
    const asked = {
      ...QUICK,
      prompt: PROMPT,
      negative_prompt: `"fog" and 'rain'`,
      steps: 2,
      seed: 7,
      guidance_scale: 3.5,
      sampler: "heun",
      schedule: "exponential",
      noise: "cuda",
      clip_skip: 2,
      variation_seed: 9,
      variation_strength: 0.25,
      hires_scale: 1.5,
      hires_steps: 2,
      hires_strength: 0.5,
      // The API of the AUTOMATIC1111 web UI has no words for these.
      ...(id === "as-webuiapi" ? {} : { guidance_rescale: 0.4, weighting: "compel" }),
    };
    const job = await painted(page, asked);
    await runs(folder, await copied(page, job, id));
    await expectSamePicture(page, path.join(folder, "picture.png"), job, 0);
  });

  test(`${id}: the code makes every picture of several`, async ({ page, folder }) => {
    const job = await painted(page, { ...QUICK, prompt: "a red boat", seed: 7, count: 2 });
    await runs(folder, await copied(page, job, id));
    for (const index of [0, 1]) {
      const file = path.join(folder, id === "as-darkroom" ? `picture-${index + 1}.png` : `picture-${index}.png`);
      await expectSamePicture(page, file, job, index);
    }
  });

  test(`${id}: the code starts from a picture that lies beside it`, async ({ page, folder }) => {
    const first = await painted(page, { ...QUICK, prompt: "a red boat", seed: 7 });
    const start = await (await page.request.get(`/images/${first.pictures[0]!.id}.png`)).body();
    await writeFile(path.join(folder, "start.png"), start);
    const job = await painted(page, {
      prompt: "a blue boat",
      steps: 4,
      seed: 8,
      start: first.pictures[0]!.id,
      strength: 0.5,
    });
    await runs(folder, await copied(page, job, id));
    await expectSamePicture(page, path.join(folder, "picture.png"), job, 0);
  });
}

for (const [id, runs] of Object.entries(LANGUAGES)) {
  test(`${id}: the code lays a mask over a picture, both of which lie beside it`, async ({ page, folder }) => {
    const first = await painted(page, { ...QUICK, prompt: "a red boat", seed: 7 });
    const start = await (await page.request.get(`/images/${first.pictures[0]!.id}.png`)).body();
    const { width, height } = first.pictures[0]!;
    const mask = writePng(width, height, (x) => (x < width / 2 ? [0, 0, 0] : [255, 255, 255]));
    await writeFile(path.join(folder, "start.png"), start);
    await writeFile(path.join(folder, "mask.png"), mask);
    const answer = await page.request.post("/api/v1/uploads", { data: mask, headers: { "content-type": "image/png" } });
    const job = await painted(page, {
      prompt: "a blue boat",
      steps: 4,
      seed: 8,
      start: first.pictures[0]!.id,
      strength: 0.75,
      mask: ((await answer.json()) as { id: string }).id,
      mask_feather: 2,
      mask_fill: "noise",
    });
    await runs(folder, await copied(page, job, id));
    await expectSamePicture(page, path.join(folder, "picture.png"), job, 0);
  });
}

test("the code is there without JavaScript", async ({ browser, page, site, misdeeds }) => {
  const job = await painted(page, { ...QUICK, prompt: "a red boat", seed: 7 });
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: site.url });
  misdeeds.watch(context);
  await context.addCookies(await page.context().cookies());
  const plain = await context.newPage();
  await plain.goto(`/j/${job.id}`);
  await plain.locator("summary", { hasText: "Copy as code" }).click();
  await expect(plain.locator("#as-curl")).toBeVisible();
  await plain.locator("summary", { hasText: "JavaScript" }).click();
  await expect(plain.locator("#as-javascript")).toContainText("generate-image");
  await context.close();
});
