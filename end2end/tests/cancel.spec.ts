import { createJob, finished, LONG, QUICK, readJob, shareJob } from "../support/api.ts";
import { isAlive } from "../support/create-page.ts";
import { readEvents } from "../support/events.ts";
import { expect, test } from "../support/test.ts";

test("cancel stops a running job within a step, and the next job begins", async ({ page, site }) => {
  const job = await createJob(page.request, { prompt: "a red boat on a calm sea", ...LONG });
  const next = await createJob(page.request, { prompt: "a blue house in a meadow", ...QUICK });
  await shareJob(page.request, job.id);
  await page.goto(`/j/${job.id}`);
  await isAlive(page);

  const names: string[] = [];
  let nAtAnswer = Number.POSITIVE_INFINITY;
  let hasPressed = false;
  const pressCancel = async () => {
    const answered = page.waitForResponse((answer) => answer.url().endsWith("/cancel"));
    await page.getByRole("button", { name: /cancel/i }).click();
    await answered;
    nAtAnswer = names.length;
  };
  let pressed: Promise<void> | undefined;
  for await (const event of readEvents(`${site.url}/api/v1/jobs/${job.id}/events`)) {
    names.push(event.name);
    if (event.name === "progress" && event.data.step >= 5 && !hasPressed) {
      hasPressed = true;
      pressed = pressCancel();
    }
  }
  await pressed;

  expect(names.at(-1)).toBe("cancelled");
  // The step that was under way when the answer went out, and no other.
  const after = names.slice(nAtAnswer).filter((name) => name === "progress");
  expect(after.length).toBeLessThanOrEqual(1);
  await expect(page.getByText(/cancelled/i).first()).toBeVisible();
  await expect(page.getByRole("button", { name: /cancel/i })).toHaveCount(0);
  expect((await finished(page.request, next.id)).status).toBe("done");
});

test("a job that waits its turn is cancelled before it begins", async ({ page }) => {
  const running = await createJob(page.request, { prompt: "a red boat on a calm sea", ...LONG });
  const waiting = await createJob(page.request, { prompt: "a blue house in a meadow", ...LONG });
  await page.goto(`/j/${waiting.id}`);
  await isAlive(page);

  await page.getByRole("button", { name: /cancel/i }).click();

  await expect(page.getByText(/cancelled/i).first()).toBeVisible();
  expect((await readJob(page.request, waiting.id)).status).toBe("cancelled");
  expect((await readJob(page.request, running.id)).status).toMatch(/queued|running/);
});
