import { defineConfig } from "@playwright/test";
import { browser } from "./support/browser.ts";

/** `npm run screenshots`: every page in every state, for people to look at. */
export default defineConfig({
  testDir: "screenshots",
  testMatch: "*.shots.ts",
  workers: 1,
  timeout: 240_000,
  expect: { timeout: 60_000 },
  reporter: "list",
  use: browser,
});
