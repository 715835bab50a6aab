import type { Page } from "@playwright/test";
import { finished, readJob } from "../support/api.ts";
import { generate, openCreatePage } from "../support/create-page.ts";
import { brightness, type Pixels, readPixels } from "../support/pixels.ts";
import { writePng } from "../support/png.ts";
import { chooseStart, openMask, paintLine } from "../support/start-picture.ts";
import { expect, test } from "../support/test.ts";

const PROMPT = "a red sailing boat on a calm sea at sunset";
const SIDE = 256;

/** A picture of two halves, so that what was kept of it is seen. */
const START = writePng(SIDE, SIDE, (x) => (x < SIDE / 2 ? [190, 120, 60] : [60, 90, 150]));

/** Asks for the picture and reads the mask that went with it. */
async function sentMask(page: Page): Promise<Pixels> {
  await page.locator("#prompt").fill(PROMPT);
  const job = await readJob(page.request, await generate(page));
  expect(job.request.mask).toBeDefined();
  return await readPixels(page, `/api/v1/uploads/${job.request.mask!.id}`);
}

test("a mask is painted with the mouse, taken back, inverted and sent at the picture's size", async ({ page }) => {
  await openCreatePage(page);
  await chooseStart(page, START);
  const canvas = await openMask(page);
  const tools = page.getByRole("group", { name: "Tools of the mask" });
  const [undo, redo] = ["Undo", "Redo"].map((name) => tools.getByRole("button", { name }));
  await expect(undo!).toHaveAttribute("aria-disabled", "true");

  await paintLine(page, canvas, [0.25, 0.25], [0.75, 0.25]);
  await paintLine(page, canvas, [0.25, 0.75], [0.75, 0.75]);
  await undo!.click();
  await redo!.click();
  await undo!.click();
  await page.getByRole("button", { name: "Eraser" }).click();
  await paintLine(page, canvas, [0.5, 0.15], [0.5, 0.35]);

  const mask = await sentMask(page);
  expect([mask.width, mask.height]).toEqual([SIDE, SIDE]);
  const at = (x: number, y: number) => brightness(mask, Math.round(x * SIDE), Math.round(y * SIDE));
  expect(at(0.25, 0.25)).toBe(255);
  expect(at(0.75, 0.25)).toBe(255);
  expect(at(0.5, 0.25), "what the eraser went over").toBe(0);
  expect(at(0.5, 0.75), "what was taken back").toBe(0);
  expect(at(0.02, 0.02)).toBe(0);
});

test("an inverted mask paints everything but what was painted over", async ({ page }) => {
  await openCreatePage(page);
  await chooseStart(page, START);
  const canvas = await openMask(page);
  await paintLine(page, canvas, [0.25, 0.5], [0.75, 0.5]);
  await page.getByRole("button", { name: "Invert" }).click();
  const mask = await sentMask(page);
  expect(brightness(mask, SIDE / 2, SIDE / 2)).toBe(0);
  for (const [x, y] of [[0, 0], [SIDE - 1, 0], [0, SIDE - 1], [SIDE - 1, SIDE - 1]] as const) {
    expect(brightness(mask, x, y)).toBe(255);
  }
});

test("a mask is painted with the keyboard alone", async ({ page }) => {
  await openCreatePage(page);
  await chooseStart(page, START);
  const canvas = await openMask(page);
  await canvas.focus();
  // The brush begins in the middle.
  await page.keyboard.press("Space");
  for (let presses = 0; presses < 40; presses++) await page.keyboard.press("ArrowLeft");
  for (let presses = 0; presses < 40; presses++) await page.keyboard.press("ArrowUp");
  await page.keyboard.press("]");
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+Shift+Z");

  const mask = await sentMask(page);
  expect(brightness(mask, SIDE / 2, SIDE / 2)).toBe(255);
  expect(brightness(mask, 2, 2)).toBe(255);
  expect(brightness(mask, SIDE - 2, SIDE - 2)).toBe(0);
});

test("a mask comes from a file, and one of another size is refused at once", async ({ page }) => {
  await openCreatePage(page);
  await chooseStart(page, START);
  await openMask(page);
  const choose = (side: number) =>
    page.locator("#mask_file").setInputFiles({
      name: "mask.png",
      mimeType: "image/png",
      buffer: writePng(side, side, (x) => (x < side / 2 ? [255, 255, 255] : [0, 0, 0])),
    });
  await choose(64);
  await expect(page.getByText("The mask has 64 × 64 pixels and the picture 256 × 256")).toBeVisible();
  await choose(SIDE);
  await expect(page.getByText("What is painted over is made anew")).toBeVisible();

  const mask = await sentMask(page);
  expect(brightness(mask, 10, 10)).toBe(255);
  expect(brightness(mask, SIDE - 10, 10)).toBe(0);
});

test("what lies outside of the mask stays", async ({ page }) => {
  await openCreatePage(page);
  await chooseStart(page, START);
  const canvas = await openMask(page);
  await paintLine(page, canvas, [0.8, 0.3], [0.8, 0.7]);
  await page.getByLabel("Feather", { exact: true }).fill("0");
  await page.locator("#prompt").fill(PROMPT);
  const job = await finished(page.request, await generate(page));
  expect(job.request.mask).toMatchObject({ feather: 0 });

  const made = await readPixels(page, `/images/${job.pictures[0]!.id}.png`);
  for (const y of [16, SIDE / 2, SIDE - 16]) {
    expect(Math.abs(brightness(made, 16, y) - (190 + 120 + 60) / 3)).toBeLessThan(12);
  }
});

test("nothing painted is no mask", async ({ page }) => {
  await openCreatePage(page);
  await chooseStart(page, START);
  const canvas = await openMask(page);
  await paintLine(page, canvas, [0.25, 0.5], [0.75, 0.5]);
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.getByText("Nothing is painted yet")).toBeVisible();
  await page.locator("#prompt").fill(PROMPT);
  const job = await readJob(page.request, await generate(page));
  expect(job.request.start).toBeDefined();
  expect(job.request.mask).toBeUndefined();
});
