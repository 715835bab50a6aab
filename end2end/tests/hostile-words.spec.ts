import type { Page } from "@playwright/test";
import { createJob, finished, LONG, QUICK, readJob, shareJob } from "../support/api.ts";
import { isAlive, setSettings } from "../support/create-page.ts";
import { becomeVisitor, expect, test } from "../support/test.ts";

/**
 * Words that would be markup, end what they stand in, or turn around what the page says after them, if they were not taken
 * for words. As elements they would be called `hacked-element`, and as scripts they would set `hacked`.
 */
const HOSTILE =
  `<script>window.hacked=1</script><img src=x onerror="window.hacked=2"><hacked-element></hacked-element></textarea></title>` +
  `--> " autofocus onfocus="window.hacked=3" x='y' javascript:window.hacked=4 \u2069\u202egnp.exe\u202c`;

/** The same as a part of an address. */
const IN_ADDRESS = encodeURIComponent(HOSTILE);

/** Opens a page; waits until it is alive, if it has anything that comes alive. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  if ((await page.locator("leptos-island").count()) > 0) await isAlive(page);
}

/** The words are words on the page: nothing of them ran, nothing of them is an element, and the page's own words stand as they do. */
async function expectTame(page: Page, place: string): Promise<void> {
  expect(await page.evaluate(() => "hacked" in window), `${place}: no script ran`).toBe(false);
  const elements = page.locator("hacked-element, img[src='x'], [onerror], [onfocus], [x=y]");
  expect(await elements.evaluateAll((all) => all.map((one) => one.outerHTML)), `${place}: no element`).toEqual([]);
  const turned = await page.evaluate(() => {
    const marks = /[\u202a-\u202e\u2066-\u2069]/;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = marks.test(document.title) ? [`the title: ${document.title}`] : [];
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const text = node.textContent ?? "";
      let block = node.parentElement;
      if (!marks.test(text) || block === null || block.closest("script") !== null) continue;
      // Within a block of its own, or one that is isolated, a text turns around itself alone.
      const isWithin = (style: CSSStyleDeclaration) =>
        ["inline", "contents"].includes(style.display) && !style.unicodeBidi.includes("isolate");
      while (block.parentElement !== null && isWithin(getComputedStyle(block))) block = block.parentElement;
      const own = text.trimStart().startsWith("<script>window.hacked") ? "" : text;
      const beside = own + (block.textContent ?? "").replace(text, "");
      if (/\p{L}/u.test(beside)) found.push(block.outerHTML.slice(0, 300));
    }
    return found;
  });
  expect(turned, `${place}: nothing of the page is turned around`).toEqual([]);
}

test("hostile words are words on every page", async ({ page, browser, site, misdeeds }) => {
  misdeeds.expected.push(/status of 4(04|22)/);
  const said: string[] = [];
  page.context().on("console", (message) => {
    // Chromium gives advice on forms as "verbose"; errors are looked at after every test.
    const type: string = message.type();
    if (type !== "error" && type !== "verbose") said.push(`${type}: ${message.text()}`);
  });
  const asked = { prompt: HOSTILE, negative_prompt: HOSTILE, styles: ["Watercolour"] };
  const done = await finished(page.request, (await createJob(page.request, { ...asked, ...QUICK })).id);
  expect(done.status, done.error).toBe("done");
  const grid = { grid: { columns: { field: "prompt_part", values: ["gnp.exe", HOSTILE] } } };
  const cells = await finished(page.request, (await createJob(page.request, { ...asked, ...QUICK, ...grid })).id);
  expect(cells.status, cells.error).toBe("done");
  const running = await createJob(page.request, { ...asked, ...LONG });
  const waiting = await createJob(page.request, { ...asked, ...LONG });
  await shareJob(page.request, done.id);

  for (const path of [
    "/",
    `/?job=${done.id}`,
    `/?job=${done.id}&start=${done.pictures[0]!.id}`,
    `/?prompt=${IN_ADDRESS}&negative_prompt=${IN_ADDRESS}&beginning=${IN_ADDRESS}&steps=${IN_ADDRESS}`,
    `/j/${done.id}`,
    `/j/${cells.id}`,
    `/j/${running.id}`,
    `/j/${waiting.id}`,
    "/history",
    "/history?search=hacked",
    `/history?search=${IN_ADDRESS}`,
    `/history?search=nothing${IN_ADDRESS}&favourites=true`,
    `/history?cursor=${IN_ADDRESS}`,
    `/${IN_ADDRESS}`,
    `/j/${IN_ADDRESS}`,
    `/enter?to=/${IN_ADDRESS}`,
    `/models?${IN_ADDRESS}`,
    `/api?${IN_ADDRESS}`,
  ]) {
    await open(page, path);
    await expectTame(page, path);
  }
  expect(await readJob(page.request, running.id)).toMatchObject({ request: { negative_prompt: HOSTILE } });

  await open(page, `/?prompt=${IN_ADDRESS}`);
  await expect(page.locator("#prompt")).toHaveValue(HOSTILE);
  await setSettings(page, { Steps: HOSTILE, "Negative prompt": HOSTILE });
  await page.getByRole("button", { name: "Generate" }).click();
  await expect(page.locator("#steps")).toHaveAttribute("aria-invalid", "true");
  await expect(page.locator("#prompt")).toHaveValue(HOSTILE);
  await expectTame(page, "a form that is refused");

  await open(page, "/");
  const png = await (await page.request.get(`/images/${done.pictures[0]!.id}.png`)).body();
  await page.locator("#settings_file").setInputFiles({ name: `${HOSTILE}.png`.replaceAll("/", ""), mimeType: "image/png", buffer: png });
  await expect(page.locator("#filled")).toBeVisible();
  await expect(page.locator("#negative_prompt")).toHaveValue(new RegExp("window.hacked=1"));
  await expectTame(page, "a form that a picture filled in");

  const other = await browser.newContext({ baseURL: site.url });
  misdeeds.watch(other);
  await becomeVisitor(other);
  const visitor = await other.newPage();
  await open(visitor, `/j/${done.id}`);
  await expect(visitor.getByRole("heading", { level: 1 })).toContainText("<script>window.hacked=1</script>");
  await expectTame(visitor, "a shared page");
  await visitor.goto(`${site.operatorUrl}/?prompts=show&refresh=off`);
  await expect(visitor.getByText("<script>window.hacked=1</script>").first()).toBeVisible();
  await expectTame(visitor, "the operator's page");
  await other.close();

  for (const job of [waiting, running]) {
    await open(page, `/j/${job.id}`);
    await page.getByRole("button", { name: /cancel/i }).click();
    await expect(page.getByText("It was stopped before it was done.")).toBeVisible();
    await expectTame(page, "a cancelled job's page");
  }
  expect(said, "the console is silent").toEqual([]);
});
