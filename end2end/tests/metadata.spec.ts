import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { createJob, finished, QUICK } from "../support/api.ts";
import { generate, isAlive, openCreatePage } from "../support/create-page.ts";
import { difference, readPixels } from "../support/pixels.ts";
import { writePng } from "../support/png.ts";
import { expect, test } from "../support/test.ts";

const SAMPLES = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../backend/src/tests/samples");
const KINDS: Record<string, string> = { ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp" };

interface Sent {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

async function sample(name: string): Promise<Sent> {
  return { name, mimeType: KINDS[path.extname(name)]!, buffer: await readFile(path.join(SAMPLES, name)) };
}

/** Drops a file on a part of the page, as a hand does: it is over it first. */
async function drop(page: Page, on: string, { name, mimeType, buffer }: Sent): Promise<void> {
  const dataTransfer = await page.evaluateHandle(
    ([bytes, name, type]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(bytes)], name, { type }));
      return data;
    },
    [[...buffer], name, mimeType] as const,
  );
  await page.dispatchEvent(on, "dragover", { dataTransfer });
  await page.dispatchEvent(on, "drop", { dataTransfer });
}

/** The form has what every sample asks for. */
async function expectSampleInForm(page: Page, program: string): Promise<void> {
  await expect(page.locator("#filled")).toContainText(`the settings that ${program} wrote into the picture`);
  await expect(page.locator("#prompt")).toHaveValue('a red sailing boat, "calm" sea: café at sunset');
  await expect(page.locator("#negative_prompt")).toHaveValue("fog, rain");
  for (const [field, value] of Object.entries({ steps: "12", seed: "1234567", width: "320", height: "256" })) {
    await expect(page.locator(`#${field}`)).toHaveValue(value);
  }
  await expect(page.locator("#guidance_scale")).toHaveValue("5.5");
  await expect(page.locator("#sampler")).toHaveValue("dpmpp_2m");
  await expect(page.locator("#schedule")).toHaveValue("karras");
}

for (const [file, program] of [
  ["automatic1111.png", "AUTOMATIC1111"],
  ["comfyui.png", "ComfyUI"],
  ["invokeai.png", "InvokeAI"],
  ["fooocus.jpg", "Fooocus"],
  ["swarmui.webp", "SwarmUI"],
] as const) {
  test(`a picture by ${program} that is dropped on the page fills in the form`, async ({ page }) => {
    await openCreatePage(page);
    await drop(page, "main", await sample(file));
    await expectSampleInForm(page, program);
    await expect(page.locator("#filled")).toContainText("it is not installed here; `demo` takes its place");
    await isAlive(page);
    await generate(page);
  });
}

test("a picture is chosen with the keyboard alone", async ({ page }) => {
  await openCreatePage(page);
  await page.locator("#settings_file").focus();
  const chooser = page.waitForEvent("filechooser");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles(await sample("comfyui.png"));
  await expectSampleInForm(page, "ComfyUI");
});

test("a drop on the start picture's place is a start picture", async ({ page }) => {
  await openCreatePage(page);
  await page.locator("#start-picture > summary").click();
  await drop(page, "#start-fold", await sample("comfyui.png"));
  await expect(page.getByRole("img", { name: "Start picture" })).toBeVisible();
  await expect(page).toHaveURL(/\/$/);
});

test("a picture without settings leaves what was typed, and says so", async ({ page, misdeeds }) => {
  misdeeds.expected.push(/status of 422/);
  await openCreatePage(page);
  await page.locator("#prompt").fill("typed before");
  const buffer = writePng(16, 16, () => [9, 9, 9]);
  await drop(page, "main", { name: "plain.png", mimeType: "image/png", buffer });
  await expect(page.locator("#settings_file-error")).toContainText("The picture carries no settings");
  await expect(page.locator("#prompt")).toHaveValue("typed before");
  await isAlive(page);
  await generate(page);
});

test("a picture of one's own makes itself again, pixel for pixel", async ({ page }) => {
  const asked = {
    ...QUICK,
    prompt: "a red (sailing:1.3) boat",
    steps: 3,
    seed: 7,
    count: 2,
    noise: "cuda",
    weighting: "compel",
    guidance_rescale: 0.5,
  };
  const job = await finished(page.request, (await createJob(page.request, asked)).id);
  const second = `/images/${job.pictures[1]!.id}`;
  for (const ending of ["png", "webp", "jpg"]) {
    const buffer = await (await page.request.get(`${second}.${ending}`)).body();
    await openCreatePage(page);
    await drop(page, "main", { name: `own.${ending}`, mimeType: KINDS[`.${ending}`]!, buffer });
    await expect(page.locator("#filled")).toContainText("The same seed gives the same picture.");
    await isAlive(page);
    const again = await finished(page.request, await generate(page));
    expect(again.pictures).toHaveLength(1);
    const [before, after] = [
      await readPixels(page, `${second}.png`),
      await readPixels(page, `/images/${again.pictures[0]!.id}.png`),
    ];
    expect(difference(before, after), ending).toBe(0);
  }
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("a picture is chosen and sent by a button", async ({ page }) => {
    await page.goto("/");
    await page.locator("#settings_file").setInputFiles(await sample("swarmui.webp"));
    await page.getByRole("button", { name: "Fill in the form" }).click();
    await expectSampleInForm(page, "SwarmUI");
  });
});
