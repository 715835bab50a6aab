import { defineConfig } from "@playwright/test";
import { browser } from "./support/browser.ts";

export default defineConfig({
  testDir: "tests",
  // The program makes one picture at a time with every core there is: tests beside each other would only
  // wait for each other.
  workers: 1,
  // They end what hangs, and are no measure of speed: a machine with other work takes four times as long.
  timeout: 300_000,
  expect: { timeout: 90_000 },
  forbidOnly: true,
  retries: 0,
  reporter: "list",
  use: { ...browser, trace: "retain-on-failure" },
});
