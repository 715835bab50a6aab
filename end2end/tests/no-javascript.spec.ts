import { history, LONG } from "../support/api.ts";
import { setSettings } from "../support/create-page.ts";
import { readPng } from "../support/png.ts";
import { expect, test } from "../support/test.ts";

test.use({ javaScriptEnabled: false });

const PROMPT = "a red sailing boat on a calm sea";

test("without JavaScript, a picture is asked for, appears on its page and is downloaded", async ({ page }) => {
  await page.goto("/");
  await page.locator("#prompt").fill(PROMPT);
  await page.getByRole("button", { name: "Generate" }).click();
  await page.waitForURL(/\/j\/[0-9a-f]{32}$/);

  // The page loads itself anew until the picture is there.
  const picture = page.getByRole("img", { name: PROMPT }).first();
  await expect(picture).toBeVisible();
  const link = page.getByRole("link", { name: /PNG/ }).first();
  const png = readPng(await (await page.request.get((await link.getAttribute("href"))!)).body());
  expect(png.text.get("parameters")).toContain(PROMPT);
});

test("without JavaScript, GPT-2 writes a prompt into the box", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: /random prompt/i }).click();
  await expect(page.locator("#prompt")).not.toHaveValue("");
  expect((await page.locator("#prompt").inputValue()).split(" ").length).toBeGreaterThan(3);
});

test("without JavaScript, a job is cancelled", async ({ page }) => {
  await page.goto("/");
  await page.locator("#prompt").fill(PROMPT);
  await setSettings(page, { Steps: String(LONG.steps), Pictures: String(LONG.count) });
  await page.getByRole("button", { name: "Generate" }).click();
  await page.waitForURL(/\/j\/[0-9a-f]{32}$/);

  await page.getByRole("button", { name: /cancel/i }).click();
  await expect(page.getByText(/cancelled/i).first()).toBeVisible();
});

test("without JavaScript, a refused request comes back with what was typed and what is wrong", async ({
  page,
  misdeeds,
}) => {
  misdeeds.expected.push(/status of 422/);
  await page.goto("/");
  await page.locator("#prompt").fill("a\u0007boat");
  await page.getByRole("button", { name: "Generate" }).click();
  await expect(page.getByText(/control character U\+0007/).first()).toBeVisible();
});

test("without JavaScript, history is searched, and pictures are kept and deleted", async ({ page }) => {
  for (const prompt of ["a red boat", "a blue house"]) {
    const answer = await page.request.post("/generate-image", { data: { prompt, steps: 1 } });
    expect(answer.status()).toBe(200);
  }
  const pictures = page.locator("main img[src*='/images/']");
  await page.goto("/history");
  await expect(pictures).toHaveCount(2);

  await page.getByRole("searchbox").fill("hou");
  await page.getByRole("searchbox").press("Enter");
  await expect(pictures).toHaveCount(1);
  await page.getByRole("button", { name: /favourite/i }).first().click();
  await page.goto("/history?favourites=true");
  await expect(page.getByRole("img", { name: "a blue house" })).toHaveCount(1);
  await expect(pictures).toHaveCount(1);

  await page.getByLabel("Delete…").click();
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expect(pictures).toHaveCount(0);
  expect((await history(page.request)).pictures.map((picture) => picture.prompt)).toEqual(["a red boat"]);
});
