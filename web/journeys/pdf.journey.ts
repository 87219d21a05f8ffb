// A page of a PDF, as it was printed.
import { expect, test } from "@playwright/test";
import { ask, home, signUp, violations } from "./person";
import { type Server, startServer } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await startServer();
});

test.afterAll(async () => {
  await server?.stop();
});

test("a cited page of a PDF is drawn as it was printed, with the words marked", async ({ browser }) => {
  const page = await signUp(browser, server, "Harmattan Ltd");
  await page.goto(`${home(page)}/start`);
  await page.getByRole("button", { name: "Upload files" }).click();
  await page.locator(".drop").waitFor();
  await page.locator("input[type=file]").first().setInputFiles("../crates/knowledge/tests/it/fixtures/hours.pdf");
  const row = page.getByRole("list", { name: "Documents" }).getByRole("listitem").filter({ hasText: "hours" });
  await expect(row.getByText("Indexed")).toBeVisible({ timeout: 60_000 });
  await page.goto(`${home(page)}/ask`);
  await ask(page, "When does the shop open on Saturdays?");
  await page.locator(".source").first().click();
  await page.getByRole("button", { name: "As printed" }).click();
  await expect(page.locator(".pdf mark").first()).toBeVisible({ timeout: 20_000 });
  const inked = await page.locator(".pdf canvas").evaluate((canvas: HTMLCanvasElement) => {
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let dark = 0;
    for (let at = 0; at < pixels.length; at += 4)
      if ((pixels[at] ?? 255) < 100 && (pixels[at + 3] ?? 0) > 200) dark += 1;
    return dark;
  });
  expect(inked).toBeGreaterThan(200);
  expect(await violations(page)).toEqual([]);
});
