import { expect, type Locator, type Page } from "@playwright/test";

/** Opens the fold of the start picture, if it is closed. */
export async function openStart(page: Page): Promise<void> {
  const fold = page.locator("#start-picture");
  if ((await fold.getAttribute("open")) === null) await fold.locator("> summary").click();
}

/** Chooses a file to start from and waits until it lies on the server and is shown. */
export async function chooseStart(page: Page, file: Buffer): Promise<void> {
  await openStart(page);
  await page.locator("#start_file").setInputFiles({ name: "start.png", mimeType: "image/png", buffer: file });
  await expect(page.getByRole("img", { name: "Start picture" })).toBeVisible();
}

/** Opens the mask's fold and waits for the canvas to be painted on. */
export async function openMask(page: Page): Promise<Locator> {
  await page.locator("#mask > summary").click();
  const canvas = page.locator("canvas.mask.painting");
  await expect(canvas).toBeVisible();
  // It has as many dots as the screen once it knows its size.
  await expect.poll(() => canvas.evaluate((canvas: HTMLCanvasElement) => canvas.width === Math.round(canvas.getBoundingClientRect().width * devicePixelRatio))).toBe(true);
  return canvas;
}

/** Draws a line with the mouse between two places, given as parts of the picture's width and height. */
export async function paintLine(
  page: Page,
  canvas: Locator,
  [fromX, fromY]: [number, number],
  [toX, toY]: [number, number],
): Promise<void> {
  await canvas.scrollIntoViewIfNeeded();
  const box = (await canvas.boundingBox())!;
  await page.mouse.move(box.x + fromX * box.width, box.y + fromY * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + toX * box.width, box.y + toY * box.height, { steps: 8 });
  await page.mouse.up();
}
