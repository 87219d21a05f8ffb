// Documents: in by file and by dropping, failures with their reason, audiences, away again. By keyboard where it matters.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CDPSession, expect, type Page, test } from "@playwright/test";
import { ask, home, signUp, sound } from "./person";
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

const LEAVE =
  "# Parental leave\n\nEach parent of a newborn child takes nineteen weeks of parental leave at full pay.\n";

test("a knowledge base is made with the keyboard alone", async () => {
  await page.keyboard.press("Control+k");
  await page.keyboard.type("knowledge");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "No knowledge base yet" })).toBeVisible();
  await page.getByRole("button", { name: "New knowledge base" }).last().focus();
  await page.keyboard.press("Enter");
  await page.keyboard.type("Handbook");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Handbook" })).toBeVisible();
});

test("files show their way to indexed, or the reason why not", async () => {
  await page
    .locator("input[type=file]")
    .first()
    .setInputFiles([
      { name: "parental-leave.md", mimeType: "text/markdown", buffer: Buffer.from(LEAVE) },
      { name: "broken.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7\nnothing of a PDF follows") },
    ]);
  const list = page.getByRole("list", { name: "Documents" });
  await expect(list.getByRole("listitem").filter({ hasText: "parental-leave" }).getByText("Indexed")).toBeVisible({
    timeout: 60_000,
  });
  const broken = list.getByRole("listitem").filter({ hasText: "broken" });
  await expect(broken.getByText("Failed")).toBeVisible({ timeout: 60_000 });
  await expect(broken.locator(".wrong")).toContainText("This file is damaged and could not be read.");
  await expect(broken.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("why a file failed is said in the reader's language, and it is tried again there", async () => {
  const inLanguage = async (language: string) => {
    await page.evaluate((chosen) => localStorage.setItem("amebo.language", chosen), language);
    await page.reload();
  };
  await inLanguage("de");
  const broken = page.getByRole("listitem").filter({ hasText: "broken" });
  await expect(broken.locator(".wrong")).toContainText("Diese Datei ist beschädigt und konnte nicht gelesen werden.");
  await broken.getByRole("link").click();
  await expect(page.getByRole("alert")).toContainText("Diese Datei ist beschädigt");
  const before = await page.locator(".facts-row").textContent();
  await page.getByRole("button", { name: "Noch einmal" }).click();
  // It is read anew, to the same end.
  await expect(page.locator(".facts-row")).not.toHaveText(before ?? "", { timeout: 30_000 });
  await expect(page.getByRole("alert")).toContainText("Diese Datei ist beschädigt", { timeout: 60_000 });
  await page.goBack();
  await inLanguage("en");
});

test("a dropped file comes in, and the same bytes do not come in twice", async () => {
  await dropFile(page, "travel.md", "# Travel\n\nTrains come first. A hotel night may cost up to 140 euros.\n");
  const list = page.getByRole("list", { name: "Documents" });
  await expect(list.getByRole("listitem").filter({ hasText: "travel" }).getByText("Indexed")).toBeVisible({
    timeout: 60_000,
  });
  await dropFile(page, "travel-copy.md", "# Travel\n\nTrains come first. A hotel night may cost up to 140 euros.\n");
  await expect(page.getByText("1 was there already")).toBeVisible();
  await expect(list.getByRole("listitem")).toHaveCount(3);
});

async function dropFile(target: Page, name: string, text: string) {
  const transfer = await target.evaluateHandle(
    ([file, content]) => {
      const data = new DataTransfer();
      data.items.add(new File([content ?? ""], file ?? "", { type: "text/markdown" }));
      return data;
    },
    [name, text],
  );
  await target.locator(".drop").dispatchEvent("drop", { dataTransfer: transfer });
}

test("a dropped folder comes in with what lies below it, file by file, with its progress and the time that is left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "amebo-folder-"));
  const inFolder = (path: string) => join(folder, "office", path);
  mkdirSync(inFolder("rooms/third floor"), { recursive: true });
  mkdirSync(inFolder(".git"));
  // Long on the way, soon read.
  const room = (name: string) => `<h1>${name}</h1><p>The room ${name} holds twelve.</p><!--${" ".repeat(200_000)}-->`;
  writeFileSync(inFolder("opening.html"), room("Opening"));
  writeFileSync(inFolder("rooms/heron.html"), room("Heron"));
  writeFileSync(inFolder("rooms/third floor/ibis.html"), room("Ibis"));
  writeFileSync(inFolder(".git/config"), "[core]");
  writeFileSync(inFolder(".DS_Store"), "x");
  const browser = await page.context().newCDPSession(page);
  // As slow as a bad connection, so that it can be watched.
  await browser.send("Network.enable");
  const speed = { offline: false, latency: 20, downloadThroughput: -1 };
  await browser.send("Network.emulateNetworkConditions", { ...speed, uploadThroughput: 60_000 });
  await dropFromDisk(page, browser, join(folder, "office"));
  const uploads = page.getByRole("region", { name: "Uploads" });
  await expect(uploads.getByText("office/rooms/third floor/ibis.html")).toBeVisible();
  await expect(uploads.getByRole("progressbar", { name: "office/opening.html" })).toHaveAttribute(
    "aria-valuenow",
    /^[1-9]\d?$/,
  );
  await expect(uploads.getByRole("status")).toContainText(/about \d+ (s|min) left/);
  await sound(page, "a folder on its way");
  await browser.send("Network.emulateNetworkConditions", { ...speed, uploadThroughput: -1 });
  await expect(uploads.getByRole("status")).toContainText("3 files sent", { timeout: 60_000 });
  const list = page.getByRole("list", { name: "Documents" });
  for (const name of ["opening", "heron", "ibis"]) {
    await expect(list.getByRole("listitem").filter({ hasText: name }).getByText("Indexed")).toBeVisible({
      timeout: 60_000,
    });
  }
  await expect(list.getByRole("listitem")).toHaveCount(6);
  await expect(list.getByRole("listitem").filter({ hasText: "config" })).toHaveCount(0);
  await uploads.getByRole("button", { name: "Close" }).click();
  rmSync(folder, { recursive: true });
});

/** Drags something that lies on the disk onto the page, as a file manager does. */
async function dropFromDisk(target: Page, browser: CDPSession, path: string) {
  const box = await target.locator(".drop").boundingBox();
  const at = { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + (box?.height ?? 0) / 2 };
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await browser.send("Input.dispatchDragEvent", { type, ...at, data });
}

test("what happens while the connection is lost is shown when it is back", async ({ browser }) => {
  const context = await browser.newContext({
    baseURL: server.url,
    storageState: await page.context().storageState(),
  });
  const watching = await context.newPage();
  await watching.goto(page.url());
  const list = watching.getByRole("list", { name: "Documents" });
  await expect(list.getByRole("listitem").filter({ hasText: "parental-leave" })).toBeVisible();
  await context.setOffline(true);
  const file = { name: "parking.md", mimeType: "text/markdown", buffer: Buffer.from("# Parking\n\nBays are free.\n") };
  await page.locator("input[type=file]").first().setInputFiles(file);
  await expect(
    page
      .getByRole("list", { name: "Documents" })
      .getByRole("listitem")
      .filter({ hasText: "parking" })
      .getByText("Indexed"),
  ).toBeVisible({ timeout: 60_000 });
  await expect(list.getByRole("listitem").filter({ hasText: "parking" })).toHaveCount(0);
  await context.setOffline(false);
  await expect(list.getByRole("listitem").filter({ hasText: "parking" }).getByText("Indexed")).toBeVisible();
  await context.close();
});

test("filters stay in the address", async () => {
  await page.getByLabel("Status").selectOption("failed");
  await expect(page.getByRole("list", { name: "Documents" }).getByRole("listitem")).toHaveCount(1);
  await page.reload();
  await expect(page.getByRole("list", { name: "Documents" }).getByRole("listitem")).toHaveCount(1);
  await page.getByLabel("Status").selectOption("");
  await page.getByRole("searchbox", { name: "Search by title or file name" }).fill("no such document");
  await expect(page.getByText("No document fits the filters")).toBeVisible();
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await expect(page.getByRole("list", { name: "Documents" }).getByRole("listitem")).toHaveCount(7);
});

test("a page of the list that cannot be read is said so at its end, and read when somebody asks for it", async () => {
  const isDocuments = /\/api\/v1\/organizations\/[^/]+\/documents\?/;
  const isEvents = /\/documents\/events/;
  let asked = 0;
  let isBroken = true;
  // Nothing arrives live meanwhile: a list that is read anew may try its rest once more.
  await page.route(isEvents, (route) => route.fulfill({ status: 403, json: {} }));
  await page.route(isDocuments, async (route) => {
    if (!route.request().url().includes("cursor=")) {
      const answer = await route.fetch();
      const list = await answer.json();
      // The second page begins after the first document.
      await route.fulfill({ response: answer, json: { items: list.items.slice(0, 1), next_cursor: "next" } });
      return;
    }
    asked += 1;
    if (isBroken) {
      await route.fulfill({
        status: 422,
        contentType: "application/problem+json",
        json: { type: "urn:amebo:problem:invalid-fields", detail: "this page is not to be had" },
      });
      return;
    }
    const answer = await route.fetch({
      url: route
        .request()
        .url()
        .replace(/&?cursor=next/, ""),
    });
    const list = await answer.json();
    await route.fulfill({ response: answer, json: { items: list.items.slice(1) } });
  });
  await page.reload();
  const end = page.getByRole("alert").filter({ hasText: "The rest of the list could not be read." });
  await expect(end).toContainText("This page is not to be had.");
  await sound(page, "a list whose rest is missing");
  expect(asked, "it is not asked for again and again").toBe(1);
  isBroken = false;
  await end.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("list", { name: "Documents" }).getByRole("listitem")).toHaveCount(7);
  await expect(end).toBeHidden();
  expect(asked).toBe(2);
  await page.unroute(isDocuments);
  await page.unroute(isEvents);
  await page.reload();
});

test("a document is read, restricted and deleted, and leaves answers with that", async () => {
  await page.getByRole("link", { name: "parental-leave" }).click();
  await expect(page.locator(".document-text")).toContainText("nineteen weeks");
  await page.getByRole("link", { name: /passage/ }).click();
  await expect(page.locator(".passages")).toContainText("nineteen weeks");
  await page.getByRole("button", { name: "Actions for this document" }).click();
  await page.getByRole("menuitem", { name: "Change the audience" }).click();
  await page.getByLabel("Some members").check();
  await page.getByLabel("Owner").check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".facts-row .tag").filter({ hasText: "Owner" })).toBeVisible();
  const document = page.url();
  await page.goto(`${home(page)}/ask`);
  await ask(page, "How many weeks of parental leave does each parent take?");
  await expect(page.locator(".prose")).toContainText("nineteen weeks");
  await page.goto(document);
  await page.getByRole("button", { name: "Actions for this document" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("list", { name: "Documents" }).getByRole("listitem")).toHaveCount(6);
  await page.keyboard.press("Control+z");
  await expect(page.getByRole("list", { name: "Documents" }).getByRole("listitem")).toHaveCount(7);
  await page.getByRole("link", { name: "parental-leave" }).click();
  await page.getByRole("button", { name: "Actions for this document" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("button", { name: "Undo" })).toBeVisible();
  // Leaving the page carries out what could be taken back until then.
  await page.goto(document);
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole("heading", { name: "There is nothing here" })).toBeVisible({ timeout: 2_000 });
  }).toPass();
});
