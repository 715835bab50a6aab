import { createJob, finished, history, LONG, readJob } from "../support/api.ts";
import { becomeVisitor, expect, test } from "../support/test.ts";

test("two visitors do not see each other's history", async ({ page, browser, site, misdeeds }) => {
  const other = await browser.newContext({ baseURL: site.url });
  await becomeVisitor(other);
  misdeeds.watch(other);
  const otherPage = await other.newPage();
  const mine = await createJob(page.request, { prompt: "a red boat on a calm sea", steps: 1 });
  const theirs = await createJob(otherPage.request, { prompt: "a blue house in a meadow", steps: 1 });
  await finished(page.request, mine.id);
  await finished(otherPage.request, theirs.id);

  expect((await history(page.request)).pictures.map((picture) => picture.job_id)).toEqual([mine.id]);
  await page.goto("/history");
  await expect(page.getByRole("img", { name: /red boat/ })).toHaveCount(1);
  await expect(page.getByRole("img", { name: /blue house/ })).toHaveCount(0);

  await otherPage.goto("/history");
  await expect(otherPage.getByRole("img", { name: /blue house/ })).toHaveCount(1);
  await expect(otherPage.getByRole("img", { name: /red boat/ })).toHaveCount(0);
  await other.close();
});

test("a job is shown to others once its owner shares it, and its owner alone may cancel", async ({ page, browser, site, misdeeds }) => {
  const job = await createJob(page.request, { prompt: "a red boat on a calm sea", ...LONG });
  const other = await browser.newContext({ baseURL: site.url });
  await becomeVisitor(other);
  misdeeds.watch(other);
  const otherPage = await other.newPage();

  misdeeds.expected.push(/404/);
  await otherPage.goto(`/j/${job.id}`);
  await expect(otherPage.getByRole("heading", { name: "There is no such job" })).toBeVisible();

  await page.goto(`/j/${job.id}`);
  await page.getByRole("button", { name: "Share" }).click();
  await expect(page.getByText("Whoever has this page's address can look at it")).toBeVisible();
  await expect(page.locator("#job-address")).toHaveText(`${site.url}/j/${job.id.replaceAll("-", "")}`);
  await otherPage.goto(`/j/${job.id}`);
  await expect(otherPage.getByText("a red boat on a calm sea").first()).toBeVisible();
  await expect(otherPage.getByRole("button", { name: /share|sharing/i })).toHaveCount(0);
  await expect(otherPage.getByRole("button", { name: /cancel/i })).toHaveCount(0);
  const refused = await otherPage.request.post(`/api/v1/jobs/${job.id}/cancel`);
  expect(refused.status()).toBe(404);
  expect((await readJob(page.request, job.id)).status).toMatch(/queued|running/);

  await page.getByRole("button", { name: "Stop sharing" }).click();
  await expect(page.getByText("You alone can see this page")).toBeVisible();
  expect((await otherPage.request.get(`/api/v1/jobs/${job.id}`)).status()).toBe(404);
  await page.getByRole("button", { name: /cancel/i }).click();
  expect((await finished(page.request, job.id)).status).toBe("cancelled");
  await other.close();
});

test("a picture is changed and deleted by its owner alone", async ({ page, browser, site }) => {
  const job = await createJob(page.request, { prompt: "a red boat on a calm sea", steps: 1 });
  const [picture] = (await finished(page.request, job.id)).pictures;
  const other = await browser.newContext({ baseURL: site.url });
  await becomeVisitor(other);

  const favourite = await other.request.post(`/api/v1/images/${picture!.id}/favourite`, {
    data: { favourite: true },
  });
  expect(favourite.status()).toBe(404);
  expect((await other.request.delete(`/api/v1/images/${picture!.id}`)).status()).toBe(404);

  expect((await history(page.request)).n_matches).toBe(1);
  expect((await page.request.delete(`/api/v1/images/${picture!.id}`)).ok()).toBe(true);
  expect((await history(page.request)).n_matches).toBe(0);
  await other.close();
});
