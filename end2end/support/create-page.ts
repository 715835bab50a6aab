import { expect, type Page } from "@playwright/test";

/** The page at `/`, alive. */
export async function openCreatePage(page: Page): Promise<void> {
  await page.goto("/");
  await isAlive(page);
}

/** Waits until every island of the page is hydrated, so that a click finds somebody listening. */
export async function isAlive(page: Page): Promise<void> {
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
}

/** Opens the fold with every setting. */
export async function openSettings(page: Page): Promise<void> {
  await page.locator("summary", { hasText: "More settings" }).click();
}

/** Opens the fold with every setting and fills some in, by their labels. */
export async function setSettings(page: Page, settings: Record<string, string>): Promise<void> {
  await openSettings(page);
  for (const [label, value] of Object.entries(settings)) {
    await page.getByLabel(label, { exact: true }).fill(value);
  }
}

/** Presses Generate and waits for the job's page; returns the job's id. */
export async function generate(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Generate" }).click();
  await page.waitForURL(/\/j\/[0-9a-f]{32}$/);
  return page.url().split("/").at(-1) ?? "";
}
