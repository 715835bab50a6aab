import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { finished } from "../support/api.ts";
import { generate, isAlive, openCreatePage, openSettings } from "../support/create-page.ts";
import { expect, test } from "../support/test.ts";

test("a style of the site is picked, says what it adds, and the picture keeps the whole prompt", async ({ page, site }) => {
  await writeFile(path.join(site.data, "styles.csv"), 'name,prompt,negative_prompt\nCard,"a poster of {prompt}",rain\n');
  await openCreatePage(page);
  await openSettings(page);
  const card = page.getByRole("checkbox", { name: "Card" });
  await expect(card).toHaveAccessibleDescription("Adds: a poster of …. Keeps away: rain");
  await card.check();
  await page.getByLabel("Steps", { exact: true }).fill("2");
  await page.locator("#prompt").fill("a red sailing boat");

  const job = await finished(page.request, await generate(page));
  expect(job.request["prompt"]).toBe("a poster of a red sailing boat");
  expect(job.request["negative_prompt"]).toBe("rain");
  await expect(page.locator("#job-prompt")).toHaveText("a poster of a red sailing boat");
  await expect(page.locator("#asked-prompt")).toHaveText("a red sailing boat");

  await page.getByRole("link", { name: "Change settings" }).click();
  await isAlive(page);
  await expect(page.locator("#prompt")).toHaveValue("a poster of a red sailing boat");
  await expect(card).not.toBeChecked();
});

test("a wildcard stands for a line of a file, and one that is not there is refused beside the prompt", async ({
  page,
  site,
  misdeeds,
}) => {
  misdeeds.expected.push(/status of 422/);
  await mkdir(path.join(site.data, "wildcards"), { recursive: true });
  await writeFile(path.join(site.data, "wildcards", "vessel.txt"), "# one alone\nsailing boat\n");
  await openCreatePage(page);
  await page.locator("#prompt").fill("a __ship__ at sunset");
  await page.getByRole("button", { name: "Generate" }).click();
  await expect(page.getByText(/names the wildcard `__ship__`, which is unknown; known are vessel, /).first()).toBeVisible();
  await expect(page.locator("#prompt")).toHaveValue("a __ship__ at sunset");

  await isAlive(page);
  await page.locator("#prompt").fill("a {red|red} __vessel__ at sunset");
  await openSettings(page);
  await page.getByLabel("Steps", { exact: true }).fill("2");
  const job = await finished(page.request, await generate(page));
  expect(job.request["prompt"]).toBe("a red sailing boat at sunset");
});

test("a finer aspect ratio is chosen in the fold", async ({ page }) => {
  await openCreatePage(page);
  await openSettings(page);
  const ratio = page.getByLabel("Aspect ratio");
  await expect(ratio).toHaveValue("");
  await ratio.selectOption("16:9");
  await page.getByLabel("Steps", { exact: true }).fill("2");
  await page.locator("#prompt").fill("a red sailing boat");
  const job = await finished(page.request, await generate(page));
  const [width, height] = [Number(job.request["width"]), Number(job.request["height"])];
  expect(Math.abs(width / height - 16 / 9)).toBeLessThan(0.1);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("a style and an extended prompt are asked for by the form alone", async ({ page }) => {
    await page.goto("/");
    await page.locator("#prompt").fill("a red");
    await openSettings(page);
    await page.getByRole("checkbox", { name: "Watercolour" }).check();
    await page.getByRole("checkbox", { name: "Extend my prompt before painting" }).check();
    await page.getByLabel("Steps", { exact: true }).fill("2");
    const job = await finished(page.request, await generate(page));
    expect(job.request["asked_prompt"]).toBe("a red");
    expect(job.request["prompt"]).toMatch(/^a red \w.*, watercolour$/);
  });
});
