import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { createJob, finished, history, QUICK } from "../support/api.ts";
import { isAlive } from "../support/create-page.ts";
import { expect, test } from "../support/test.ts";

const PROMPTS = ["a red boat", "a blue house", "a black cat"];

/** Three pictures in the history. */
async function openHistory(page: Page): Promise<void> {
  for (const prompt of PROMPTS) {
    await finished(page.request, (await createJob(page.request, { prompt, ...QUICK })).id);
  }
  await page.goto("/history");
}

/** Saves the selected pictures and looks into the file. */
async function saveSelected(page: Page): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download zip" }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^darkroom-\d{8}\.zip$/);
  const zip = (await readFile(await download.path())).toString("latin1");
  expect(zip.startsWith("PK\u0003\u0004")).toBe(true);
  return zip;
}

async function deleteSelected(page: Page): Promise<void> {
  await page.getByText("Delete selected…").click();
  await page.getByRole("button", { name: "Delete them for good" }).click();
}

test("pictures are selected with the keyboard, saved as a zip file and deleted", async ({ page }) => {
  await openHistory(page);
  await isAlive(page);
  await expect(page.getByRole("button", { name: "Download zip" })).toBeHidden();

  await page.getByRole("link", { name: "a black cat", exact: true }).focus();
  await page.keyboard.press("x");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("x");
  await expect(page.getByRole("checkbox", { name: /^Select “a (black cat|blue house)”/, checked: true })).toHaveCount(2);

  const zip = await saveSelected(page);
  expect(zip).toContain("a-black-cat");
  expect(zip).toContain("a-blue-house");
  expect(zip).not.toContain("a-red-boat");

  await deleteSelected(page);
  await expect(page.locator("main img[src*='/images/']")).toHaveCount(1);
  expect((await history(page.request)).pictures.map((picture) => picture.prompt)).toEqual(["a red boat"]);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("pictures are selected, saved as a zip file and deleted", async ({ page }) => {
    await openHistory(page);
    await page.getByRole("checkbox", { name: /^Select “a blue house”/ }).check();
    expect(await saveSelected(page)).toContain("a-blue-house");
    await deleteSelected(page);
    await expect(page.locator("main img[src*='/images/']")).toHaveCount(2);
  });
});
