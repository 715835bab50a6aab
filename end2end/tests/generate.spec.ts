import { readFile } from "node:fs/promises";
import { createJob, finished, history, LONG } from "../support/api.ts";
import { generate, isAlive, openCreatePage, setSettings } from "../support/create-page.ts";
import { readPixels } from "../support/pixels.ts";
import { readPng } from "../support/png.ts";
import { expect, test } from "../support/test.ts";
import { watch } from "../support/watch.ts";

const PROMPT = "a red sailing boat on a calm sea at sunset";

test("a picture develops on its job's page and shows without a reload", async ({ page }) => {
  await openCreatePage(page);
  await page.locator("#prompt").fill(PROMPT);
  // Long enough for the page to come alive beside a program that takes every core.
  await setSettings(page, { Steps: "150", Pictures: "3" });
  await generate(page);
  await page.evaluate(() => Object.assign(window, { isTheSamePage: true }));
  const looks = await watch(page, "img.preview", "src");

  const picture = page.getByRole("img", { name: PROMPT }).first();
  await expect(picture).toBeVisible();

  const previews = (await looks.soFar()).filter((src) => src.startsWith("data:image/"));
  expect(new Set(previews).size).toBeGreaterThanOrEqual(3);
  expect(await page.evaluate(() => "isTheSamePage" in window)).toBe(true);
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(256);
});

test("a picture of the usual settings shows at least three previews", async ({ page }) => {
  // It waits behind another one until its page is alive, however quick the program is.
  const before = await createJob(page.request, { prompt: "a blue house", ...LONG });
  await openCreatePage(page);
  await page.locator("#prompt").fill(PROMPT);
  await generate(page);
  await isAlive(page);
  const looks = await watch(page, "img.preview", "src");
  await page.request.post(`/api/v1/jobs/${before.id}/cancel`);

  await expect(page.locator(`img[src*='/images/'][alt='${PROMPT}']`).first()).toBeVisible();
  const previews = (await looks.soFar()).filter((src) => src.startsWith("data:image/"));
  expect(new Set(previews).size).toBeGreaterThanOrEqual(3);
});

test("a reload in the middle resumes", async ({ page }) => {
  const job = await createJob(page.request, { prompt: PROMPT, ...LONG });
  await page.goto(`/j/${job.id}`);
  const bar = page.getByRole("progressbar");
  const done = () => bar.evaluate((bar: HTMLProgressElement) => bar.value);
  // Before the first step the bar tells how much of the model is loaded.
  await expect(page.getByText(/step [1-9]\d* of 150/)).toBeVisible();
  await expect.poll(done).toBeGreaterThan(0);
  const before = await done();

  await page.reload();
  await isAlive(page);
  await expect(bar).toBeVisible();
  expect(await done()).toBeGreaterThanOrEqual(before);

  // The next picture comes to the page that was reloaded; how long the rest takes is the machine's affair.
  const pictures = page.getByRole("img", { name: PROMPT });
  const n_there = await pictures.count();
  await expect.poll(() => pictures.count()).toBeGreaterThan(n_there);
  await page.request.post(`/api/v1/jobs/${job.id}/cancel`);
  const stopped = await finished(page.request, job.id);
  expect(stopped.status).toBe("cancelled");
  await expect(pictures).toHaveCount(stopped.pictures.length);
  expect((await history(page.request)).n_matches).toBe(stopped.pictures.length);
});

test("the picture is downloaded as a valid PNG with its settings inside", async ({ page }) => {
  const job = await createJob(page.request, { prompt: PROMPT, seed: 7, steps: 4, negative_prompt: "rain" });
  await finished(page.request, job.id);
  await page.goto(`/j/${job.id}`);

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: /PNG/ }).first().click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.png$/);
  const png = readPng(await readFile(await download.path()));

  expect([png.width, png.height]).toEqual([256, 256]);
  expect(new Set(png.rows).size).toBeGreaterThan(16);
  const parameters = png.text.get("parameters") ?? "";
  expect(parameters.split("\n").slice(0, 2)).toEqual([PROMPT, "Negative prompt: rain"]);
  expect(parameters).toMatch(/\nSteps: 4, Sampler: .*, Seed: 7, Size: 256x256, Model: demo/);
});

test("the picture is to be had as JPEG and WebP as well", async ({ page }) => {
  const job = await createJob(page.request, { prompt: PROMPT, steps: 4 });
  const [picture] = (await finished(page.request, job.id)).pictures;
  for (const [ending, type, signature] of [
    ["jpg", "image/jpeg", /^\xff\xd8\xff/],
    ["webp", "image/webp", /^RIFF....WEBP/s],
  ] as const) {
    const answer = await page.request.get(`/images/${picture!.id}.${ending}`);
    expect(answer.headers()["content-type"]).toBe(type);
    expect((await answer.body()).toString("latin1", 0, 16)).toMatch(signature);
  }
});

test("a program asks for a picture with one request and gets it", async ({ request }) => {
  const ask = () => request.post("/generate-image", { data: { prompt: PROMPT, seed: 7, steps: 4 }, timeout: 240_000 });
  const first = await ask();
  expect(first.headers()["content-type"]).toBe("image/png");
  const png = readPng(await first.body());
  expect([png.width, png.height]).toEqual([256, 256]);
  expect((await (await ask()).body()).equals(await first.body())).toBe(true);
});

test("the page paints the very pixels that the same request over HTTP does", async ({ page }) => {
  await openCreatePage(page);
  await page.locator("#prompt").fill(PROMPT);
  await setSettings(page, { Steps: "3", Seed: "11", "Negative prompt": "rain", "Guidance scale (CFG)": "4" });
  await page.getByLabel("Sampler", { exact: true }).selectOption("dpmpp_2m");
  await page.getByLabel("Noise schedule", { exact: true }).selectOption("karras");
  const asked = await finished(page.request, await generate(page));
  const over_http = await createJob(page.request, {
    prompt: PROMPT,
    negative_prompt: "rain",
    steps: 3,
    seed: 11,
    guidance_scale: 4,
    sampler: "dpmpp_2m",
    schedule: "karras",
  });
  const answered = await finished(page.request, over_http.id);

  const [shown, expected] = [asked, answered].map((job) => `/images/${job.pictures[0]!.id}.png`);
  expect(await readPixels(page, shown!)).toEqual(await readPixels(page, expected!));
});
