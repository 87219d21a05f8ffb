import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

type Modules = { getModuleInfo: (id: string) => { importers: readonly string[]; isEntry: boolean } | null };

/** Whether a module comes with the first page: the entry reaches it without waiting. */
function isOfFirstPage(id: string, { getModuleInfo }: Modules): boolean {
  const seen = new Set<string>();
  const open = [id];
  for (let one = open.pop(); one; one = open.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    const module = getModuleInfo(one);
    if (module?.isEntry) return true;
    open.push(...(module?.importers ?? []));
  }
  return false;
}

// The server answers the page at every address of the dashboard and everything else below /dashboard/.
export default defineConfig({
  plugins: [react()],
  build: {
    assetsDir: "dashboard",
    // No file is small enough to be put into another: the page's policy allows no data in scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        // What the first page needs comes in one file, rather than in one for each set of pages that share something.
        manualChunks: (id, modules) =>
          /\.(tsx?|js|mjs)$/.test(id) && isOfFirstPage(id, modules) ? "first" : undefined,
      },
    },
    target: ["chrome111", "firefox113", "safari16.4"],
  },
  server: {
    proxy: { "/api": process.env.AMEBO_URL ?? "http://127.0.0.1:8080" },
    fs: { allow: [".."] },
  },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
});
