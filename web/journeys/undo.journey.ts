// What people do by mistake: taken back while that is possible, carried out when the page is closed, asked before where nothing brings it
// back.
import { expect, type Page, test } from "@playwright/test";
import { home, loadSamples, signUp, sound } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let page: Page;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000);
  server = await startServer();
  page = await signUp(browser, server, "Harmattan Ltd");
  await loadSamples(page);
});

test.afterAll(async () => {
  await server?.stop();
});

const documents = (target: Page) => target.getByRole("list", { name: "Documents" }).getByRole("listitem");

async function deleteFirst(target: Page): Promise<string> {
  const link = documents(target).first().getByRole("link");
  const title = (await link.textContent()) ?? "";
  await link.click();
  await target.getByRole("button", { name: "Actions for this document" }).click();
  await target.getByRole("menuitem", { name: "Delete" }).click();
  await expect(target.getByText(`“${title}” deleted`)).toBeVisible();
  return title;
}

test("a deleted document comes back with its button, found by keyboard, and nothing was asked of the server", async () => {
  let asked = 0;
  page.on("request", (request) => {
    if (request.method() === "DELETE") asked += 1;
  });
  const title = await deleteFirst(page);
  await expect(documents(page)).toHaveCount(5);
  await sound(page, "a document that can be taken back");
  await page.getByRole("button", { name: "Undo" }).focus();
  await page.keyboard.press("Enter");
  await expect(documents(page)).toHaveCount(6);
  await expect(page.getByRole("link", { name: title })).toBeVisible();
  expect(asked).toBe(0);
});

test("its time stands still while somebody is at it", async () => {
  await page.clock.install();
  await deleteFirst(page);
  await page.getByRole("button", { name: "Undo" }).hover();
  await page.clock.fastForward(60_000);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(documents(page)).toHaveCount(6);
});

test("closing the page carries it out", async ({ browser }) => {
  const other = await (
    await browser.newContext({ baseURL: server.url, storageState: await page.context().storageState() })
  ).newPage();
  await other.goto(page.url());
  const title = await deleteFirst(other);
  await other.close({ runBeforeUnload: false });
  await expect(async () => {
    await page.reload();
    await expect(documents(page)).toHaveCount(5, { timeout: 2_000 });
  }).toPass();
  await expect(page.getByRole("link", { name: title })).toHaveCount(0);
});

test("what the server refuses to remove comes back and says why", async () => {
  await page.reload();
  await page.route("**/documents/*", async (route) => {
    if (route.request().method() !== "DELETE") return route.continue();
    await route.fulfill({
      status: 409,
      contentType: "application/problem+json",
      json: { type: "urn:amebo:problem:conflict", detail: "it is held for a lawsuit" },
    });
  });
  await page.clock.install();
  await deleteFirst(page);
  await expect(documents(page)).toHaveCount(4);
  await page.mouse.move(0, 0);
  await page.clock.fastForward(11_000);
  await expect(page.getByText("It is held for a lawsuit.")).toBeVisible();
  await expect(documents(page)).toHaveCount(5);
  await page.unroute("**/documents/*");
});

test("a role and its exceptions are put back as they were, and so is an invitation", async ({ browser }) => {
  await page.goto(`${home(page)}/people`);
  const invite = async (email: string) => {
    await page.getByRole("button", { name: "Invite somebody" }).click();
    await page.getByLabel("E-mail").fill(email);
    await page.getByRole("radio", { name: /^Viewer/ }).check();
    await page.getByRole("button", { name: "Make the invitation" }).click();
    const link = await page.getByLabel("Invitation link").inputValue();
    await page.getByRole("button", { name: "Done" }).click();
    return link;
  };
  const guest = await (await browser.newContext({ baseURL: server.url })).newPage();
  await guest.goto(await invite("ben@example.com"));
  await guest.getByLabel("Name").fill("Ben Eze");
  await guest.getByLabel("Password").fill("a rather long password");
  await guest.getByRole("button", { name: "Join" }).click();
  await expect(guest.getByRole("heading", { name: "What would you like to know?" })).toBeVisible();
  await page.reload();
  const row = page.getByRole("row", { name: /Ben Eze/ });
  await page.getByRole("button", { name: "Actions for Ben Eze" }).click();
  await page.getByRole("menuitem", { name: "Change the role" }).click();
  await page.getByRole("radio", { name: /^Administrator/ }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(row).toContainText("Administrator");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toContainText("Viewer");
  await page.getByRole("button", { name: "Actions for Ben Eze" }).click();
  await page.getByRole("menuitem", { name: "Permissions" }).click();
  await page.getByRole("group", { name: "Documents" }).getByRole("combobox").first().selectOption("grant");
  // What is changed is on the page before all else is read anew and undoing is offered: it still goes back to what was.
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/roles", async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(row).toContainText("1 exception");
  release();
  await page.getByRole("button", { name: "Undo" }).last().click();
  await expect(row).not.toContainText("exception");
  await invite("chi@example.com");
  await page.getByRole("link", { name: "Invitations" }).click();
  await page.getByRole("button", { name: "Take back" }).click();
  await expect(page.getByRole("heading", { name: "No open invitations" })).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).last().click();
  await expect(page.getByRole("row", { name: /chi@example.com/ })).toBeVisible();
});

test("what nothing brings back is asked about first", async () => {
  await page.goto(`${home(page)}/knowledge`);
  await page.locator(".base").first().click();
  await page.getByRole("button", { name: "Actions for this knowledge base" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.getByRole("dialog", { name: /^Delete “Sample documents”\?/ })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(documents(page)).toHaveCount(5);
  await page.goto(`${home(page)}/settings/keys`);
  await page.getByRole("button", { name: "Make an API key" }).first().click();
  await page.getByLabel("Name").fill("Website");
  await page.getByRole("dialog").getByRole("button", { name: "Make an API key" }).click();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await page.getByRole("button", { name: "End it" }).click();
  await expect(page.getByRole("dialog", { name: /Website/ })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("row", { name: /Website/ })).not.toContainText("ended");
});
