// Web pages that are read again: added with their times, read now, paused, failing with their reason, let go.
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, type Page, test } from "@playwright/test";
import { home, signUp, violations } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let site: HttpServer;
let page: Page;
let said = "Tea is served at four in the kitchen of the third floor.";
let status = 200;

test.beforeAll(async ({ browser }) => {
  site = createServer((_, response) => {
    response.writeHead(status, { "content-type": "text/html" });
    response.end(`<title>Drinks</title><h1>Drinks</h1><p>${said}</p>`);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  server = await startServer({ settings: { AMEBO__OUTBOUND__ALLOW: '["127.0.0.0/8"]' } });
  page = await signUp(browser, server, "Harmattan Ltd");
  await page.goto(`${home(page)}/knowledge`);
  await page.getByRole("button", { name: "New knowledge base" }).last().click();
  await page.getByLabel("Name").fill("Kitchen");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: "Kitchen" })).toBeVisible();
});

test.afterAll(async () => {
  await server?.stop();
  site?.close();
});

const row = () => page.locator(".source-list > li").first();

async function act(name: string) {
  await row()
    .getByRole("button", { name: /^Actions for/ })
    .click();
  await page.getByRole("menuitem", { name }).click();
}

test("a page is added with its times and read at once", async () => {
  await page.getByRole("link", { name: "Sources" }).click();
  await expect(page.getByRole("heading", { name: "No sources yet" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Add a web page" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Add a web page" });
  await dialog.getByLabel("Address").fill(`http://127.0.0.1:${(site.address() as AddressInfo).port}/drinks`);
  await dialog.getByLabel("Read it again").selectOption("Every week");
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Add" }).click();
  await expect(row().locator(".tag")).toHaveText("changed", { timeout: 30_000 });
  await expect(row()).toContainText("1 document");
  await expect(row()).toContainText(/next in \d+ days?|next tomorrow|next in \d+ hours?/);
  expect(await violations(page)).toEqual([]);
});

test("read now tells whether it changed, or why it could not be read", async () => {
  await act("Read it now");
  await expect(row().locator(".tag")).toHaveText("unchanged", { timeout: 30_000 });
  said = "Tea is served at five.";
  await act("Read it now");
  await expect(row().locator(".tag")).toHaveText("changed", { timeout: 30_000 });
  status = 404;
  await act("Read it now");
  await expect(row().locator(".tag")).toHaveText("failed", { timeout: 30_000 });
  await expect(row().locator(".wrong")).toContainText("404");
});

test("a page is paused and goes on, and leaves its document when it is let go", async () => {
  await act("Pause");
  await expect(row().locator(".tag")).toHaveText("paused");
  await expect(row()).not.toContainText("next in");
  await act("Go on");
  await expect(row()).toContainText("next");
  await act("Stop reading it");
  await expect(page.getByRole("heading", { name: "No sources yet" })).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row()).toContainText("next");
  await act("Stop reading it");
  await expect(page.getByRole("button", { name: "Undo" })).toBeVisible();
  // Its time to be taken back runs out.
  await expect(row()).toContainText("Single web pages", { timeout: 20_000 });
  await page.getByRole("link", { name: "Documents" }).click();
  await expect(page.getByRole("link", { name: "Drinks" })).toBeVisible();
});
