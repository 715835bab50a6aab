import type { APIRequestContext } from "@playwright/test";
import { createJob, finished, history, LONG, shareJob } from "../support/api.ts";
import { readEvents } from "../support/events.ts";
import { expect, test } from "../support/test.ts";

/** Waits until a job has done some steps, as somebody who looks on sees it. */
async function runs(request: APIRequestContext, url: string, id: string): Promise<void> {
  await shareJob(request, id);
  for await (const event of readEvents(`${url}/api/v1/jobs/${id}/events`)) {
    if (event.name === "progress" && event.data.step >= 3) return;
  }
  throw new Error("the job ended before it could be interrupted");
}

test("a job that a crash interrupted is finished after the restart, once", async ({ page, site }) => {
  const job = await createJob(page.request, { prompt: "a red boat on a calm sea", steps: 150 });
  await runs(page.request, site.url, job.id);
  await site.kill();

  await site.startAgain(site.port);

  expect((await finished(page.request, job.id)).status).toBe("done");
  const made = await history(page.request);
  expect(made.pictures.map((picture) => picture.job_id)).toEqual([job.id]);
  expect(made.n_matches).toBe(1);
  await page.goto("/history");
  await expect(page.locator("img[src*='/images/']")).toHaveCount(1);
});

test("a page that stays open over a crash shows the picture in the end", async ({ page, site, misdeeds }) => {
  misdeeds.expected.push(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/);
  const job = await createJob(page.request, { prompt: "a red boat on a calm sea", steps: 150 });
  await page.goto(`/j/${job.id}`);
  await runs(page.request, site.url, job.id);
  await site.kill();

  await site.startAgain(site.port);

  await expect(page.locator(`img[src^='/images/']`).first()).toBeVisible();
});

test("what was finished and what was queued before a crash is there after it", async ({ page, site }) => {
  const before = await createJob(page.request, { prompt: "a blue house in a meadow", steps: 1 });
  await finished(page.request, before.id);
  const running = await createJob(page.request, { prompt: "a red boat on a calm sea", ...LONG });
  const queued = await createJob(page.request, { prompt: "a green tree on a hill", steps: 1 });
  await runs(page.request, site.url, running.id);
  await site.kill();

  await site.startAgain(site.port);
  await page.request.post(`/api/v1/jobs/${running.id}/cancel`);

  expect((await finished(page.request, queued.id)).status).toBe("done");
  expect((await finished(page.request, before.id)).pictures).toHaveLength(1);
});

test("a stop in good order puts the running job back, and the next start finishes it", async ({ page, site }) => {
  const job = await createJob(page.request, { prompt: "a red boat on a calm sea", steps: 150 });
  await runs(page.request, site.url, job.id);

  expect(await site.stop()).toBe(0);
  await site.startAgain(site.port);

  expect((await finished(page.request, job.id)).status).toBe("done");
  expect((await history(page.request)).n_matches).toBe(1);
});
