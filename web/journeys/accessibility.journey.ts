// axe on every page and dialog, in both themes: nothing of any weight.
import { expect, type Page, test } from "@playwright/test";
import { ask, home, loadSamples, signUp, sound } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let page: Page;
let here: string;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000);
  server = await startServer();
  page = await signUp(browser, server, "Harmattan Ltd", undefined, { reducedMotion: "reduce" });
  here = home(page);
});

test.afterAll(async () => {
  await server?.stop();
});

test("empty pages", async () => {
  await sound(page, "a new question");
  for (const path of [
    "/start",
    "/knowledge",
    "/people/invitations",
    "/insights",
    "/unanswered",
    "/questions",
    "/settings/models",
    "/settings/keys",
    "/nothing",
  ]) {
    await page.goto(here + path);
    await page.locator("h1, h2").first().waitFor();
    await sound(page, `empty ${path}`);
  }
});

test("pages that hold something", async () => {
  test.setTimeout(150_000);
  await loadSamples(page);
  await sound(page, "a knowledge base");
  await page.goto(`${here}/ask`);
  await ask(page, "How many days of leave do new colleagues get?");
  await page.locator(".grounds summary").click();
  await ask(page, "Who won the chess world championship in 1972?");
  await sound(page, "a conversation");
  for (const path of [
    "/knowledge",
    "/people",
    "/people/roles",
    "/insights",
    "/unanswered",
    "/questions",
    "/audit",
    "/settings",
    "/settings/answers",
  ]) {
    await page.goto(here + path);
    await page.locator("h1").first().waitFor();
    await sound(page, path);
  }
  await page.goto(`${here}/people/roles`);
  await page.locator("summary").nth(1).click();
  await page.getByRole("button", { name: "Change what this role may do" }).first().click();
  await sound(page, "the rights of a role");
  await page.goto(`${here}/ask`);
  await page.getByRole("region", { name: "Conversations" }).getByRole("link").first().click();
  await page.getByRole("button", { name: "Share with colleagues" }).first().click();
  await sound(page, "sharing");
  await page.getByRole("dialog").getByRole("button", { name: "Share" }).click();
  await page.getByLabel("Link for colleagues").waitFor();
  await sound(page, "a shared answer's link");
  await page.goto(`${here}/knowledge?answer=Where%20is%20the%20key%3F`);
  await page.getByRole("dialog").waitFor();
  await sound(page, "writing down what was missing");
  await page.goto(`${here}/knowledge`);
  await page.locator(".base").first().click();
  await page.getByRole("link", { name: "Sources" }).click();
  await page.locator(".source-list").waitFor();
  await sound(page, "sources");
  await page.goto(`${here}/knowledge`);
  await page.locator(".document-row a").first().click();
  await page.locator(".document-text").waitFor();
  await sound(page, "a document");
  await page.getByRole("link", { name: /passages?$/ }).click();
  await page.locator(".passages").waitFor();
  await sound(page, "passages");
  await page.goto("/account");
  await page.locator("h2").first().waitFor();
  await sound(page, "the account");
});

test("dialogs and menus", async () => {
  test.setTimeout(150_000);
  const dialogs: [string, () => Promise<void>][] = [
    ["/people", () => page.getByRole("button", { name: "Invite somebody" }).click()],
    ["/knowledge", () => page.getByRole("button", { name: "New knowledge base" }).click()],
    ["/settings/models", () => page.getByRole("button", { name: "Add a language model" }).click()],
    ["/settings/models", () => page.getByRole("button", { name: "Add an embedding model" }).click()],
    ["/settings/keys", () => page.getByRole("button", { name: "Make an API key" }).click()],
    ["/settings", () => page.getByRole("button", { name: "Delete the organization" }).click()],
    ["/ask", () => page.keyboard.press("Control+k")],
    ["/ask", () => page.getByRole("button", { name: /Where to look/ }).click()],
    ["/people", () => page.getByRole("button", { name: "Actions for Ada Obi" }).click()],
  ];
  for (const [path, open] of dialogs) {
    await page.goto(here + path);
    await page.locator("h1").first().waitFor();
    await expect(page.locator(".skeleton")).toHaveCount(0);
    await open();
    await page.locator("dialog[open], .menu:popover-open").first().waitFor();
    await sound(page, `a dialog of ${path}`);
  }
});

test("narrow: no page is wider than 360 pixels", async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const path of [
    "/ask",
    "/start",
    "/knowledge",
    "/people",
    "/people/roles",
    "/insights",
    "/audit",
    "/settings",
    "/settings/keys",
    "/settings/models",
    "/unanswered",
    "/questions",
  ]) {
    await page.goto(here + path);
    await page.locator("h1").first().waitFor();
    await expect(page.locator(".skeleton")).toHaveCount(0);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide, path).toBeLessThanOrEqual(360);
  }
  await page.getByRole("button", { name: "Menu" }).click();
  await sound(page, "the menu");
});

test("where one comes in, and the operator's pages", async ({ browser }) => {
  test.setTimeout(150_000);
  const visitor = await (await browser.newContext({ baseURL: server.url, reducedMotion: "reduce" })).newPage();
  for (const path of [
    "/sign-in",
    "/sign-up",
    "/reset-password",
    "/reset-password#token=x",
    "/accept-invitation#token=x",
  ]) {
    await visitor.goto("about:blank");
    await visitor.goto(path);
    await visitor.locator("h1").waitFor();
    await sound(visitor, path);
  }
  await visitor.goto(server.link);
  await visitor.getByRole("heading", { name: "What would you like to know?" }).waitFor();
  for (const path of ["/operator", "/operator?tab=accounts"]) {
    await visitor.goto(path);
    await visitor.locator("table").waitFor();
    await sound(visitor, path);
  }
  for (const path of ["/operator?tab=jobs", "/operator?tab=health"]) {
    await visitor.goto(path);
    await visitor.locator(".state, .health").first().waitFor();
    await sound(visitor, path);
    await visitor.setViewportSize({ width: 360, height: 740 });
    expect(await visitor.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360);
    await visitor.setViewportSize({ width: 1280, height: 720 });
  }
  await visitor.goto("/operator");
  await visitor
    .getByRole("button", { name: /^Actions for/ })
    .first()
    .click();
  await sound(visitor, "the operator's menu");
  await visitor.getByRole("menuitem", { name: "Plan and standing" }).click();
  await sound(visitor, "plan, standing and limits");
});
