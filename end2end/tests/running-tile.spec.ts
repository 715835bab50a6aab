import { createJob, LONG } from "../support/api.ts";
import { openCreatePage } from "../support/create-page.ts";
import { expect, test } from "../support/test.ts";

test("a running job goes on in its tile on the first page, and the next one takes its turn", async ({ page }) => {
  const job = await createJob(page.request, { prompt: "a red boat", ...LONG });
  const next = await createJob(page.request, { prompt: "a blue house", ...LONG });
  await openCreatePage(page);

  const tile = page.locator(`.tile-link[href$="${job.id.replaceAll("-", "")}"]`);
  await expect(tile.locator(".tile-state")).toHaveText(/step \d+ of 150/i);
  await expect(tile.locator("img.tile-preview")).toBeVisible();
  const state = await tile.locator(".tile-state").innerText();
  await expect(tile.locator(".tile-state")).not.toHaveText(state);

  await page.request.post(`/api/v1/jobs/${job.id}/cancel`);
  await expect(tile.locator(".tile-state")).toHaveText("Cancelled");
  const nextTile = page.locator(`.tile-link[href$="${next.id.replaceAll("-", "")}"]`);
  await expect(nextTile.locator(".tile-state")).toHaveText(/step \d+ of 150/i);
  await page.request.post(`/api/v1/jobs/${next.id}/cancel`);
});
