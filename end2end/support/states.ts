import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, type Page } from "@playwright/test";
import { createJob, finished, LONG, QUICK } from "./api.ts";
import { isAlive, openCreatePage, openSettings } from "./create-page.ts";
import type { Darkroom } from "./darkroom.ts";
import { writePng } from "./png.ts";
import { chooseStart, openMask, openStart, paintLine } from "./start-picture.ts";

/** A page in one of its states. */
export interface State {
  name: string;
  /** Brings the page there and waits until it looks the part. */
  open: (page: Page, site: Darkroom) => Promise<void>;
  /** What the browser logs as an error in this state, and rightly so. */
  expectedErrors?: RegExp;
}

const PROMPT = "a red sailing boat on a calm sea at sunset";
const OTHERS = [
  "a blue house in a meadow at noon",
  "a green tree on a snowy mountain at night",
  "a yellow hot-air balloon over a desert at dawn",
  "a purple fish in the sea",
  "a white lighthouse on a cliff in the rain",
];

/** A landscape of two bands, to start from. */
const LANDSCAPE = writePng(384, 256, (x, y) => (y < 150 ? [120 + y / 3, 150, 190 - x / 6] : [70 + x / 5, 110, 60]));

/** Every page in every state. */
export const STATES: State[] = [
  { name: "create", open: (page) => openCreatePage(page) },
  {
    name: "create-settings",
    open: async (page) => {
      await openCreatePage(page);
      await openSettings(page);
    },
  },
  {
    name: "create-finer-settings",
    open: async (page) => {
      await openCreatePage(page);
      await page.locator("#finer-settings > summary").click();
      await expect(page.getByLabel("Clip skip")).toBeVisible();
    },
  },
  {
    name: "create-start",
    open: async (page) => {
      await openCreatePage(page);
      await openStart(page);
      await expect(page.locator("#start_file")).toBeVisible();
    },
  },
  {
    name: "create-start-refused",
    expectedErrors: /status of 4\d\d/,
    open: async (page) => {
      await openCreatePage(page);
      await openStart(page);
      const file = { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("no picture at all") };
      await page.locator("#start_file").setInputFiles(file);
      await expect(page.locator("#start-error")).toBeVisible();
    },
  },
  {
    name: "create-start-chosen",
    open: async (page) => {
      await openCreatePage(page);
      await chooseStart(page, LANDSCAPE);
      await page.locator("#outpaint > summary").click();
      await page.getByLabel("Left", { exact: true }).fill("128");
      await page.getByLabel("Bottom", { exact: true }).fill("64");
      await expect(page.getByText("384 × 256 becomes 512 × 320")).toBeVisible();
    },
  },
  {
    name: "create-mask",
    open: async (page) => {
      await openCreatePage(page);
      await chooseStart(page, LANDSCAPE);
      const canvas = await openMask(page);
      await paintLine(page, canvas, [0.3, 0.3], [0.7, 0.4]);
      await paintLine(page, canvas, [0.7, 0.4], [0.4, 0.6]);
      await expect(page.getByText("What is painted over is made anew")).toBeVisible();
    },
  },
  {
    name: "create-words",
    open: async (page) => {
      await openCreatePage(page);
      await page.locator(".prompt-help summary").click();
      await expect(page.locator(".prompt-help[open]")).toBeVisible();
    },
  },
  {
    name: "create-refused",
    expectedErrors: /status of 422/,
    open: async (page) => {
      await page.goto("/");
      await page.locator("#prompt").fill("a boat ".repeat(300));
      await page.getByRole("button", { name: "Generate" }).click();
      await expect(page.getByText(/at most 2000 are allowed/).first()).toBeVisible();
    },
  },
  {
    name: "create-with-jobs",
    open: async (page) => {
      for (const prompt of OTHERS.slice(0, 3)) {
        await finished(page.request, (await createJob(page.request, { prompt })).id);
      }
      await createJob(page.request, { prompt: PROMPT, ...LONG });
      await openCreatePage(page);
      await expect(page.getByText(OTHERS[0]!).or(page.getByRole("img", { name: OTHERS[0]! })).first()).toBeVisible();
    },
  },
  {
    name: "job-queued",
    open: async (page) => {
      await createJob(page.request, { prompt: OTHERS[0]!, ...LONG });
      const waiting = await createJob(page.request, { prompt: PROMPT, ...LONG });
      await page.goto(`/j/${waiting.id}`);
      await isAlive(page);
      await expect(page.getByText(/queue|waiting|ahead/i).first()).toBeVisible();
    },
  },
  {
    name: "job-running",
    open: async (page) => {
      const job = await createJob(page.request, { prompt: PROMPT, ...LONG });
      await page.goto(`/j/${job.id}`);
      await isAlive(page);
      await expect(page.locator("img[src^='data:image/']").first()).toBeVisible();
    },
  },
  {
    name: "job-loading",
    open: async (page) => {
      // A demo model is loaded before anybody sees it, so the page is told of a larger one.
      await tell(page, "loading", { model: "stable-diffusion-xl-base-1.0", fraction: 0.43 });
      const job = await createJob(page.request, { prompt: PROMPT, ...LONG });
      await page.goto(`/j/${job.id}`);
      await isAlive(page);
      await expect(page.getByText("Loading stable-diffusion-xl-base-1.0: 43 %")).toBeVisible();
    },
  },
  {
    name: "job-note",
    open: async (page) => {
      // No demo model leaves the range of f16.
      await tell(page, "note", { note: "decoded_in_f32" });
      const job = await createJob(page.request, { prompt: PROMPT, ...LONG, count: 1 });
      await page.goto(`/j/${job.id}`);
      await isAlive(page);
      await expect(page.getByText("The VAE left the range of f16 and was used in f32.")).toBeVisible();
    },
  },
  { name: "job-done", open: (page) => openDoneJob(page) },
  {
    name: "job-done-folds",
    open: async (page) => {
      await openDoneJob(page);
      await page.locator("summary", { hasText: "Copy as code" }).click();
      await expect(page.locator("#as-curl")).toBeVisible();
      await page.locator(".delete summary").first().click();
      await expect(page.getByRole("button", { name: "Delete for good" }).first()).toBeVisible();
    },
  },
  {
    name: "job-from-a-picture",
    open: async (page) => {
      const upload = async (file: Buffer) => {
        const answer = await page.request.post("/api/v1/uploads", {
          data: file,
          headers: { "content-type": "image/png" },
        });
        expect(answer.status(), await answer.text()).toBe(201);
        return ((await answer.json()) as { id: string }).id;
      };
      const start = await upload(LANDSCAPE);
      const mask = await upload(writePng(384, 256, (x) => (x > 200 ? [255, 255, 255] : [0, 0, 0])));
      const job = await createJob(page.request, {
        prompt: PROMPT,
        seed: 7,
        start,
        mask,
        strength: 0.6,
        mask_feather: 8,
        outpaint_left: 64,
      });
      await finished(page.request, job.id);
      await page.goto(`/j/${job.id}`);
      await isAlive(page);
      await expect(page.getByRole("img", { name: "Mask" })).toBeVisible();
    },
  },
  {
    name: "job-done-several",
    open: async (page) => {
      const job = await createJob(page.request, { prompt: PROMPT, seed: 7, count: 4 });
      await finished(page.request, job.id);
      await page.goto(`/j/${job.id}`);
      await isAlive(page);
      await expect(page.getByRole("img", { name: PROMPT })).toHaveCount(4);
    },
  },
  {
    name: "job-failed",
    open: async (page, site) => {
      await breakPicturesFolder(site);
      const job = await createJob(page.request, { prompt: PROMPT, ...QUICK });
      expect((await finished(page.request, job.id)).status).toBe("failed");
      await page.goto(`/j/${job.id}`);
      await expect(page.getByText("That did not work").first()).toBeVisible();
    },
  },
  {
    name: "job-cancelled",
    open: async (page) => {
      const job = await createJob(page.request, { prompt: PROMPT, ...LONG });
      await page.request.post(`/api/v1/jobs/${job.id}/cancel`);
      await page.goto(`/j/${job.id}`);
      await expect(page.getByText(/cancelled/i).first()).toBeVisible();
    },
  },
  { name: "history-empty", open: async (page) => void (await page.goto("/history")) },
  {
    name: "history",
    open: async (page) => {
      for (const prompt of [...OTHERS, PROMPT]) {
        await finished(page.request, (await createJob(page.request, { prompt, count: 2 })).id);
      }
      await page.goto("/history");
      await expect(page.locator("img[src*='/images/']")).toHaveCount(2 * OTHERS.length + 2);
    },
  },
  {
    name: "history-selected",
    open: async (page) => {
      const job = await createJob(page.request, { prompt: PROMPT, ...QUICK, count: 3 });
      await finished(page.request, job.id);
      await page.goto("/history");
      await isAlive(page);
      for (const pick of (await page.locator(".pick").all()).slice(0, 2)) await pick.check();
      await page.locator("summary", { hasText: "Delete selected…" }).click();
      await expect(page.getByRole("button", { name: "Delete them for good" })).toBeVisible();
    },
  },
  {
    name: "history-nothing-found",
    open: async (page) => {
      await finished(page.request, (await createJob(page.request, { prompt: PROMPT, ...QUICK })).id);
      await page.goto("/history?search=zebra");
      await expect(page.locator("img[src*='/images/']")).toHaveCount(0);
    },
  },
  { name: "models", open: async (page) => void (await page.goto("/models")) },
  { name: "api", open: async (page) => void (await page.goto("/api")) },
  {
    name: "not-found",
    expectedErrors: /status of 404/,
    open: async (page) => void (await page.goto("/nowhere")),
  },
];

/** Has the page hear of this event of its job, and of no other. */
async function tell(page: Page, name: string, data: Record<string, unknown>): Promise<void> {
  await page.addInitScript(
    ([name, data]) => {
      window.EventSource = class extends EventTarget {
        constructor() {
          super();
          const event = new MessageEvent(name, { data: JSON.stringify(data), lastEventId: "1" });
          // Once the page listens.
          setTimeout(() => this.dispatchEvent(event));
        }
        close() {}
      } as unknown as typeof EventSource;
    },
    [name, { type: name, ...data }] as const,
  );
}

/** The page of a job with one picture, alive. */
async function openDoneJob(page: Page): Promise<void> {
  const job = await createJob(page.request, { prompt: PROMPT, seed: 7 });
  await finished(page.request, job.id);
  await page.goto(`/j/${job.id}`);
  await isAlive(page);
  await expect(page.getByRole("img", { name: PROMPT }).first()).toBeVisible();
}

/** Puts a file where the program keeps its pictures, so that the next one cannot be stored. */
async function breakPicturesFolder(site: Darkroom): Promise<void> {
  const folder = path.join(site.data, "pictures");
  await rename(folder, `${folder}.away`).catch(() => undefined);
  await writeFile(folder, "in the way");
}
