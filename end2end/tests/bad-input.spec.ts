import type { APIResponse } from "@playwright/test";
import { finished, history } from "../support/api.ts";
import { openCreatePage, openSettings } from "../support/create-page.ts";
import { expect, test } from "../support/test.ts";

interface Refusal {
  code: string;
  field?: string;
  detail: string;
}

/** An answer that says in one sentence what is wrong, in JSON, with a status that says whose fault it was. */
async function refusal(answer: APIResponse, status: number): Promise<Refusal> {
  expect(answer.status(), await answer.text()).toBe(status);
  expect(answer.headers()["content-type"]).toContain("application/problem+json");
  const refusal = (await answer.json()) as Refusal;
  expect(refusal.detail).not.toContain("\n");
  expect(refusal.detail.length).toBeGreaterThan(10);
  return refusal;
}

const NO_UUID = "00000000000000000000000000000000";

const REFUSED: [what: string, asked: Record<string, unknown>, field: string, allowed: RegExp][] = [
  ["an empty prompt", { prompt: "  " }, "prompt", /1 to 2000 characters/],
  ["a prompt of 2,001 characters", { prompt: "a".repeat(2001) }, "prompt", /at most 2000/],
  ["a control character", { prompt: "a\u0007boat" }, "prompt", /U\+0007/],
  ["a width that is no multiple of 8", { prompt: "a boat", width: 250 }, "width", /multiples of/],
  ["a height out of range", { prompt: "a boat", height: 100_000 }, "height", /multiples of/],
  ["no steps", { prompt: "a boat", steps: 0 }, "steps", /1 to 150/],
  ["151 steps", { prompt: "a boat", steps: 151 }, "steps", /1 to 150/],
  ["an unknown model", { prompt: "a boat", model: "sdxl" }, "model", /installed are demo/],
  ["an unknown sampler", { prompt: "a boat", sampler: "restart" }, "sampler", /known are .*euler/],
  ["too many pictures", { prompt: "a boat", count: 9 }, "count", /1.* to 8/],
];

for (const [what, asked, field, allowed] of REFUSED) {
  test(`over HTTP, ${what} is refused with the field and what is allowed`, async ({ request }) => {
    for (const path of ["/api/v1/jobs", "/generate-image"]) {
      const { code, field: named, detail } = await refusal(await request.post(path, { data: asked }), 422);
      expect(code).toBe("invalid_field");
      expect(named).toBe(field);
      expect(detail).toMatch(allowed);
    }
    expect((await history(request)).n_matches).toBe(0);
  });
}

test("over HTTP, what is not JSON and what has unknown fields is refused", async ({ request }) => {
  const headers = { "content-type": "application/json" };
  const broken = await refusal(await request.post("/api/v1/jobs", { headers, data: Buffer.from("{prompt") }), 400);
  expect(broken.code).toBe("invalid_request");
  const unknown = await request.post("/api/v1/jobs", { data: { prompt: "a boat", stepps: 3 } });
  expect((await refusal(unknown, unknown.status())).detail).toContain("stepps");
  expect(unknown.status()).toBeGreaterThanOrEqual(400);
  expect(unknown.status()).toBeLessThan(500);
});

test("over HTTP, jobs and pictures that are not there are not found", async ({ request }) => {
  for (const path of [`/api/v1/jobs/${NO_UUID}`, "/api/v1/jobs/nonsense", `/images/${NO_UUID}.png`]) {
    expect((await refusal(await request.get(path), 404)).code).toBe("not_found");
  }
});

test("on the page, a refused prompt is kept, with the message beside it", async ({ page, misdeeds }) => {
  misdeeds.expected.push(/status of 422/);
  await page.goto("/");
  const typed = "a boat ".repeat(300).trim();
  await page.locator("#prompt").fill(typed);
  await page.getByRole("button", { name: "Generate" }).click();

  await expect(page.getByText(/at most 2000 are allowed/).first()).toBeVisible();
  await expect(page.locator("#prompt")).toHaveValue(typed);
  await expect(page.locator("#prompt")).toHaveAttribute("aria-invalid", "true");
  await expect(page.locator("#prompt")).toHaveAccessibleDescription(/at most 2000 are allowed/);

  await page.locator("#prompt").fill("a red boat on a calm sea");
  await page.getByRole("button", { name: "Generate" }).click();
  await page.waitForURL(/\/j\/[0-9a-f]{32}$/);
  expect((await finished(page.request, page.url().split("/").at(-1)!)).status).toBe("done");
});

const MISTYPED: [field: string, typed: string, allowed: RegExp][] = [
  ["negative_prompt", "rain ".repeat(500).trim(), /at most 2000 are allowed/],
  ["steps", "151", /1 to 150/],
  ["guidance_scale", "31", /0 to 30/],
  ["seed", "-7", /0 to 9007199254740991/],
  ["count", "9", /1 to 8/],
  ["width", "250", /multiples of/],
  ["height", "100000", /multiples of/],
];

for (const [field, typed, allowed] of MISTYPED) {
  test(`on the page, a refused ${field} is kept, with the message beside it`, async ({ page, misdeeds }) => {
    misdeeds.expected.push(/status of 422/);
    await openCreatePage(page);
    await page.locator("#prompt").fill("a red boat on a calm sea");
    await openSettings(page);
    await page.locator(`#${field}`).fill(typed);
    await page.getByRole("button", { name: "Generate" }).click();

    const control = page.locator(`#${field}`);
    await expect(control).toHaveAccessibleDescription(allowed);
    await expect(control).toHaveAttribute("aria-invalid", "true");
    await expect(control).toBeVisible();
    await expect(control).toHaveValue(typed);
    await expect(page.locator("#prompt")).toHaveValue("a red boat on a calm sea");
    expect((await history(page.request)).n_matches).toBe(0);
  });
}

test("a page that is not there says so and leads on", async ({ page, misdeeds }) => {
  misdeeds.expected.push(/status of 404/);
  for (const path of ["/nowhere", "/j/nonsense", `/j/${NO_UUID}`]) {
    const answer = await page.goto(path);
    expect(answer?.status()).toBe(404);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByRole("link", { name: "Make a picture" })).toBeVisible();
  }
});
