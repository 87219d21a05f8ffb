import { defineConfig } from "@playwright/test";

// Debian's own browser; it asks nobody for updates, lists or experiments.
export const launchOptions = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ],
};

export default defineConfig({
  testDir: "journeys",
  timeout: 60_000,
  retries: 0,
  workers: 1,
  forbidOnly: true,
  reporter: [["list"]],
  outputDir: "test-results",
  use: {
    launchOptions,
    trace: "retain-on-failure",
    locale: "en-GB",
    permissions: ["clipboard-read", "clipboard-write"],
  },
  projects: [
    { name: "journeys", testMatch: "*.journey.ts" },
    { name: "screenshots", testMatch: "screenshots.ts", timeout: 600_000 },
    { name: "large-list", testMatch: "large-list.ts" },
  ],
});
