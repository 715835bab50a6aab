import type { Page } from "@playwright/test";
import { createJob, finished, readJob } from "../support/api.ts";
import { generate, isAlive, openCreatePage } from "../support/create-page.ts";
import { difference, readPixels } from "../support/pixels.ts";
import { writePng } from "../support/png.ts";
import { chooseStart, openStart } from "../support/start-picture.ts";
import { expect, test } from "../support/test.ts";

const PROMPT = "a red sailing boat on a calm sea at sunset";

/** A picture that the model itself made, so that it knows its kind, and its address. */
async function painted(page: Page, seed: number): Promise<{ path: string; file: Buffer }> {
  const job = await createJob(page.request, { prompt: PROMPT, seed });
  const path = `/images/${(await finished(page.request, job.id)).pictures[0]!.id}.png`;
  return { path, file: await (await page.request.get(path)).body() };
}

test("a picture is made from an uploaded one, and keeps to it", async ({ page }) => {
  const [start, other] = [await painted(page, 7), await painted(page, 8)];
  await openCreatePage(page);
  await chooseStart(page, start.file);
  await expect(page.getByText("256 × 256 pixels")).toBeVisible();
  await expect(page.getByRole("radio", { name: /Landscape/ })).toBeDisabled();
  await page.getByLabel("Strength", { exact: true }).fill("0.3");
  await page.locator("#prompt").fill(PROMPT);
  const id = await generate(page);

  const job = await finished(page.request, id);
  expect(job.status).toBe("done");
  expect(job.request.start).toMatchObject({ kind: "upload", strength: 0.3 });
  expect([job.request.width, job.request.height]).toEqual([256, 256]);
  await expect(page.getByRole("img", { name: "Start picture" })).toBeVisible();
  await expect(page.locator(".settings")).toContainText("0.3");

  const before = await readPixels(page, start.path);
  const made = await readPixels(page, `/images/${job.pictures[0]!.id}.png`);
  const fresh = await readPixels(page, other.path);
  expect(difference(made, before)).toBeLessThan(difference(fresh, before) / 2);
});

test("a finished picture is used as the start of the next, with its settings", async ({ page }) => {
  const first = await createJob(page.request, { prompt: PROMPT, seed: 7, guidance_scale: 2.5 });
  const { pictures } = await finished(page.request, first.id);
  await page.goto(`/j/${first.id}`);
  await isAlive(page);
  await page.getByRole("link", { name: /as start/ }).click();
  await isAlive(page);
  await expect(page.getByRole("img", { name: "Start picture" })).toBeVisible();
  await expect(page.locator("#prompt")).toHaveValue(PROMPT);
  await expect(page.getByLabel("Guidance scale (CFG)")).toHaveValue("2.5");

  const job = await readJob(page.request, await generate(page));
  expect(job.request.start).toMatchObject({ kind: "picture", strength: 0.75 });
  expect(job.request.start!.id.replaceAll("-", "")).toBe(pictures[0]!.id.replaceAll("-", ""));

  // Again and Variations start from it as well.
  await finished(page.request, job.id);
  await page.getByRole("button", { name: "Variations" }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/j/") && !url.pathname.endsWith(job.id.replaceAll("-", "")));
  const more = await readJob(page.request, page.url().split("/").at(-1)!);
  expect(more.request.start).toEqual(job.request.start);
  expect(more.request["count"]).toBe(4);
});

test("a picture is dropped on the page, exchanged and removed", async ({ page }) => {
  await openCreatePage(page);
  await openStart(page);
  const [small, large] = [writePng(64, 64, () => [200, 60, 30]), writePng(128, 64, () => [30, 60, 200])];
  const dropped = await page.evaluateHandle((bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
    return data;
  }, [...small]);
  await page.locator(".start").dispatchEvent("drop", { dataTransfer: dropped });
  await expect(page.getByText("64 × 64 pixels", { exact: true })).toBeVisible();

  await page.getByLabel("Strength", { exact: true }).fill("0.4");
  await page.locator("#start_file").setInputFiles({ name: "large.png", mimeType: "image/png", buffer: large });
  await expect(page.getByText("128 × 64 pixels", { exact: true })).toBeVisible();
  await expect(page.getByLabel("Strength", { exact: true })).toHaveValue("0.4");

  await page.getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("img", { name: "Start picture" })).toBeHidden();
  await expect(page.locator("#start_file")).toBeFocused();
  await expect(page.getByRole("radio", { name: /Landscape/ })).toBeEnabled();
  await page.locator("#prompt").fill(PROMPT);
  const job = await readJob(page.request, await generate(page));
  expect(job.request.start).toBeUndefined();
});

test("the frame round a picture is drawn as it is typed, and painted on", async ({ page }) => {
  await openCreatePage(page);
  await chooseStart(page, (await painted(page, 7)).file);
  await page.locator("#outpaint > summary").click();
  await page.getByLabel("Left", { exact: true }).fill("64");
  await page.getByLabel("Right", { exact: true }).fill("64");
  await expect(page.getByText("256 × 256 becomes 384 × 256")).toBeVisible();
  await page.locator("#prompt").fill(PROMPT);
  const job = await finished(page.request, await generate(page));
  expect(job.request.outpaint).toEqual({ left: 64, top: 0, right: 64, bottom: 0 });
  expect([job.pictures[0]!.width, job.pictures[0]!.height]).toEqual([384, 256]);
});

test("a file that is no picture is refused in a sentence, and the page goes on", async ({ page, misdeeds }) => {
  misdeeds.expected.push(/status of 4\d\d/);
  await openCreatePage(page);
  await openStart(page);
  const file = { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("no picture at all") };
  await page.locator("#start_file").setInputFiles(file);
  const fault = page.locator("#start-error");
  await expect(fault).toHaveText(/\.$/);
  await page.locator("#start_file").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: file.buffer });
  await expect(fault).toHaveText(/no picture/);

  await chooseStart(page, writePng(64, 64, () => [200, 60, 30]));
  await expect(fault).toBeHidden();
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("a picture is sent with the form, and kept when the form comes back", async ({ page, misdeeds }) => {
    misdeeds.expected.push(/status of 422/);
    await page.goto("/");
    await page.locator("#start-picture > summary").click();
    const buffer = writePng(256, 256, (x) => [x, 60, 30]);
    await page.locator("#start_file").setInputFiles({ name: "start.png", mimeType: "image/png", buffer });
    await page.getByLabel("Strength", { exact: true }).fill("7");
    await page.locator("#prompt").fill(PROMPT);
    await page.getByRole("button", { name: "Generate" }).click();
    await expect(page.getByText(/strength 7/i).first()).toBeVisible();
    await expect(page.getByRole("img", { name: "Start picture" })).toBeVisible();

    await page.getByLabel("Strength", { exact: true }).fill("0.5");
    await page.getByRole("button", { name: "Generate" }).click();
    await page.waitForURL(/\/j\/[0-9a-f]{32}$/);
    const job = await readJob(page.request, page.url().split("/").at(-1)!);
    expect(job.request.start).toMatchObject({ kind: "upload", strength: 0.5 });
  });
});
