import { AxeBuilder } from "@axe-core/playwright";
import { STATES } from "../support/states.ts";
import { expect, test } from "../support/test.ts";

const WIDTHS = [360, 1440];

// Errors on the console and requests to other hosts fail these tests too: `support/test.ts` sees to it.
for (const state of STATES) {
  test(`${state.name}: axe finds no violation and nothing sticks out, narrow and wide`, async ({
    page,
    site,
    misdeeds,
  }) => {
    if (state.expectedErrors) misdeeds.expected.push(state.expectedErrors);
    await state.open(page, site);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id} at ${width} px: ${nodes[0]?.html}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  });
}

test("a page is complete before any script runs, and says what it is", async ({ request }) => {
  for (const path of ["/", "/history", "/models", "/api"]) {
    // Some of these addresses are also those of programs, which do not ask for a page.
    const html = await (await request.get(path, { headers: { accept: "text/html" } })).text();
    expect(html).toMatch(/<html lang="en">/);
    expect(html).toMatch(/<title>[^<]*Darkroom[^<]*<\/title>/);
    expect(html).toMatch(/<h1[ >]/);
  }
});
