import { AxeBuilder } from "@axe-core/playwright";
import { createJob, LONG } from "../support/api.ts";
import { expect, test } from "../support/test.ts";

const PROMPT = "a red sailing boat on a calm sea";

/** A job's name as addresses and the log have it: JSON has hyphens in it. */
const named = (id: string) => id.replaceAll("-", "");

test("the operator's page is whole, narrow and wide, and shows prompts to those who ask", async ({ page, site }) => {
  const first = await createJob(page.request, { prompt: PROMPT, ...LONG });
  const second = await createJob(page.request, { prompt: `${PROMPT} at sunset`, ...LONG });
  await expect.poll(() => site.operatorUrl).toBeDefined();

  // A page that loads itself anew is nothing for a screen reader; the form turns that off.
  await page.goto(`${site.operatorUrl}/?refresh=off`);
  await expect(page.getByRole("heading", { name: "Operator" })).toBeVisible();
  await expect(page.getByText(named(first.id))).toBeVisible();
  await expect(page.getByText(named(second.id))).toBeVisible();
  await expect(page.getByText(PROMPT)).toHaveCount(0);
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id} at ${width} px: ${nodes[0]?.html}`)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }

  await page.getByLabel("Show prompts").check();
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText(`${PROMPT} at sunset`)).toBeVisible();
});
