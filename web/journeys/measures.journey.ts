// What the first load weighs and takes. Prints what it measured; only the weight, which no
// busy machine changes, is bounded.
import { expect, type Page, test } from "@playwright/test";
import { home, signUp } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let page: Page;

test.beforeAll(async ({ browser }) => {
  server = await startServer();
  page = await signUp(browser, server, "Harmattan Ltd");
});

test.afterAll(async () => {
  await server?.stop();
});

const MOST_BYTES = 150_000;

test("the first load of Ask is light and soon ready", async ({ browser }) => {
  const times: number[] = [];
  let transferred = 0;
  for (let round = 0; round < 5; round += 1) {
    const context = await browser.newContext({
      baseURL: server.url,
      storageState: await page.context().storageState(),
    });
    const cold = await context.newPage();
    await cold.goto(`${home(page)}/ask`);
    await cold.getByRole("textbox", { name: "Your question" }).waitFor();
    times.push(await cold.evaluate(() => performance.now()));
    await expect(cold.getByText("Amebo does not know anything yet")).toBeVisible();
    transferred = await cold.evaluate(() =>
      [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].reduce(
        (sum, entry) => sum + (entry as PerformanceResourceTiming).transferSize,
        0,
      ),
    );
    await context.close();
  }
  const median = times.sort((a, b) => a - b)[2] ?? Number.POSITIVE_INFINITY;
  console.log(
    `Ask, cold: ${Math.round(transferred / 1000)} kB transferred, interactive after ${Math.round(median)} ms (median of 5)`,
  );
  expect(transferred).toBeLessThan(MOST_BYTES);
});
