import { createJob, finished, history, QUICK } from "../support/api.ts";
import { isAlive } from "../support/create-page.ts";
import { expect, test } from "../support/test.ts";

const pictures = "main img[src*='/images/']";

test("history finds a picture by the beginning of a word of its prompt", async ({ page }) => {
  for (const prompt of ["a red boat in the harbour", "a blue house in a meadow", "a red fox at night"]) {
    await finished(page.request, (await createJob(page.request, { prompt, ...QUICK })).id);
  }
  await page.goto("/history");
  await expect(page.locator(pictures)).toHaveCount(3);
  await expect(page.locator(pictures).first()).toHaveAttribute("alt", /fox/);

  const search = page.getByRole("searchbox");
  for (const [words, n] of [["harb", 1], ["red", 2], ["RED night", 1], ["zebra", 0], ['"', 0], ["", 3]] as const) {
    await search.fill(words);
    await search.press("Enter");
    await expect(page.locator(pictures)).toHaveCount(n);
  }
});

test("history comes page by page, each picture once", async ({ page }) => {
  const jobs = [];
  for (let number = 1; number <= 5; number++) {
    jobs.push(await createJob(page.request, { prompt: `a boat, number ${number}`, ...QUICK, count: 8 }));
  }
  for (const job of jobs) await finished(page.request, job.id);
  const all = (await history(page.request)).pictures.map((picture) => picture.id);
  expect(new Set(all).size).toBe(40);

  const onPage = () =>
    page.locator(pictures).evaluateAll((images) => images.map((image) => /images\/([0-9a-f]+)/.exec(image.getAttribute("src") ?? "")?.[1]));
  await page.goto("/history");
  await expect(page.locator(pictures)).toHaveCount(24);
  const seen = await onPage();
  await page.getByRole("link", { name: "Older pictures" }).click();
  await expect(page.locator(pictures)).toHaveCount(16);
  seen.push(...(await onPage()));
  expect(seen).toEqual(all.map((id) => id.replaceAll("-", "")));
});

test("favourites are kept apart, and a deleted picture is gone", async ({ page }) => {
  for (const prompt of ["a red boat", "a blue house"]) {
    await finished(page.request, (await createJob(page.request, { prompt, ...QUICK })).id);
  }
  await page.goto("/history");
  await isAlive(page);
  await page.getByRole("button", { name: /favourite/i }).first().click();
  await page.goto("/history?favourites=true");
  await expect(page.locator(pictures)).toHaveCount(1);
  await expect(page.getByRole("img", { name: "a blue house" })).toBeVisible();

  await page.goto("/history");
  await isAlive(page);
  await page.locator("details.delete summary").first().click();
  await page.getByRole("button", { name: "Delete for good" }).first().click();
  await expect(page.locator(pictures)).toHaveCount(1);
  expect((await history(page.request)).pictures.map((picture) => picture.prompt)).toEqual(["a red boat"]);
});

test("history is used with the keyboard alone", async ({ page }) => {
  const job = await createJob(page.request, { prompt: "a red boat", ...QUICK });
  await finished(page.request, job.id);
  await page.goto("/history");

  const link = page.getByRole("link", { name: /a red boat/ }).first();
  for (let presses = 0; presses < 30 && !(await link.evaluate((node) => node === document.activeElement)); presses++) {
    await page.keyboard.press("Tab");
  }
  await expect(link).toBeFocused();
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/j/${job.id.replaceAll("-", "")}`);
});
