import { existsSync } from "node:fs";
import type { PlaywrightTestOptions, PlaywrightWorkerOptions } from "@playwright/test";

const DEBIANS = "/usr/bin/chromium";

/** The browser that `CHROMIUM` names, else Debian's, else the one that Playwright brings. */
const executablePath = process.env["CHROMIUM"] ?? (existsSync(DEBIANS) ? DEBIANS : undefined);

/** Chromium, kept from calling home: the tests fail when a page does, and the browser should not. */
export const browser: Partial<PlaywrightTestOptions & PlaywrightWorkerOptions> = {
  browserName: "chromium",
  locale: "en-GB",
  launchOptions: {
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  },
};
