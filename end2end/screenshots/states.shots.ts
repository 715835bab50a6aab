import path from "node:path";
import { fileURLToPath } from "node:url";
import { STATES } from "../support/states.ts";
import { test } from "../support/test.ts";

const FOLDER = path.dirname(fileURLToPath(import.meta.url));
const WIDTHS = [360, 768, 1440];

for (const state of STATES) {
  test(state.name, async ({ page, site, misdeeds }) => {
    if (state.expectedErrors) misdeeds.expected.push(state.expectedErrors);
    await page.setViewportSize({ width: 1440, height: 900 });
    await state.open(page, site);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: width < 500 ? 740 : 900 });
      // A picture comes up slowly: it is shown as it is in the end.
      const file = path.join(FOLDER, `${state.name}-${width}.png`);
      await page.screenshot({ path: file, fullPage: true, animations: "disabled" });
    }
  });
}
