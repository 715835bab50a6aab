import { openCreatePage } from "../support/create-page.ts";
import { expect, test } from "../support/test.ts";
import { watch } from "../support/watch.ts";

const random = /^random prompt$/i;
const extend = /^extend prompt$/i;
const stop = /^stop$/i;
const another = /^another ending$/i;
const undo = /^undo$/i;

test("a random prompt appears word by word, over time", async ({ page }) => {
  await openCreatePage(page);
  const box = page.locator("#prompt");
  const looks = await watch(page, "#prompt", "value");

  await page.getByRole("button", { name: random }).click();
  // Not by the Stop button's coming and going: on a quick machine it is there for less than one look.
  await expect.poll(async () => (await looks.soFar()).length).toBeGreaterThanOrEqual(3);
  await expect(page.getByRole("button", { name: stop })).toBeHidden();

  const seen = await looks.soFar();
  for (const [index, text] of seen.entries()) expect(text.startsWith(seen[index - 1] ?? "")).toBe(true);
  expect(await box.inputValue()).toBe(seen.at(-1));
  expect((await box.inputValue()).split(" ").length).toBeGreaterThan(3);
});

test("a prompt that is stopped keeps what is there", async ({ page }) => {
  await openCreatePage(page);
  const box = page.locator("#prompt");
  // Pressed by the page itself as soon as there is a word, for GPT-2 is quicker than any test.
  await box.evaluate((node) => {
    const press = () => {
      const typed = (node as HTMLTextAreaElement).value;
      const stop = [...document.querySelectorAll("button")].find((button) => /^stop$/i.test(button.innerText.trim()));
      if (typed.trim().length > 3 && stop) {
        (window as unknown as { stoppedAt: string }).stoppedAt = typed;
        stop.click();
      } else {
        requestAnimationFrame(press);
      }
    };
    press();
  });

  await page.getByRole("button", { name: random }).click();
  await page.waitForFunction(() => "stoppedAt" in window);
  const stoppedAt = await page.evaluate(() => (window as unknown as { stoppedAt: string }).stoppedAt);
  await expect(page.getByRole("button", { name: stop })).toBeHidden();

  const looks = await watch(page, "#prompt", "value");
  // A whole prompt from the same server has been written meanwhile; nothing of it may come into this box.
  await (await page.request.get("/api/v1/prompts/stream?start=&seed=1")).text();
  expect(await looks.soFar()).toEqual([stoppedAt]);
});

test("what is in the box is continued, gets another ending, and comes back by undo", async ({ page }) => {
  await openCreatePage(page);
  const box = page.locator("#prompt");
  const start = "a lighthouse";
  await box.fill(start);

  const write = async (button: RegExp) => {
    await page.getByRole("button", { name: button }).click();
    await expect(page.getByRole("status").filter({ hasText: "Written: " })).toHaveCount(1);
    await expect(box).not.toHaveValue(start);
    return await box.inputValue();
  };
  const first = await write(extend);
  expect(first.startsWith(start)).toBe(true);

  await expect(async () => {
    const second = await write(another);
    expect(second.startsWith(start)).toBe(true);
    expect(second).not.toBe(first);
  }).toPass();

  await page.getByRole("button", { name: undo }).click();
  await expect(box).toHaveValue(first);
});
