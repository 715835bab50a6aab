import { defineConfig } from "@playwright/test";
import { browser } from "./support/browser.ts";

export default defineConfig({
  testDir: "tests",
  // The program makes one picture at a time with every core there is: tests beside each other would only
  // wait for each other.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  retries: 0,
  reporter: "list",
  use: { ...browser, trace: "retain-on-failure" },
});
