import { AxeBuilder } from "@axe-core/playwright";
import { Darkroom } from "../support/darkroom.ts";
import { expect, test } from "../support/test.ts";

test("a site with a password lets in whoever knows it, and leads them where they wanted to go", async ({ page, misdeeds }) => {
  const site = await Darkroom.start(["--password", "correct horse"]);
  misdeeds.expected.push(/401/);
  await page.goto(`${site.url}/history`);
  await expect(page).toHaveURL(`${site.url}/enter?to=%2Fhistory`);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.getByLabel("Password").fill("wrong horse");
  await page.getByRole("button", { name: "Enter" }).click();
  await expect(page.getByRole("alert")).toHaveText("This is not the password.");
  await page.getByLabel("Password").fill("correct horse");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${site.url}/history`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await site.stop();
  await site.remove();
});
