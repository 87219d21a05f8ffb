import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server answers the page at every address of the dashboard and everything else below /dashboard/.
export default defineConfig({
  plugins: [react()],
  build: {
    assetsDir: "dashboard",
    // No file is small enough to be put into another: the page's policy allows no data in scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ["chrome111", "firefox113", "safari16.4"],
  },
  server: {
    proxy: { "/api": process.env.AMEBO_URL ?? "http://127.0.0.1:8080" },
    fs: { allow: [".."] },
  },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
});
