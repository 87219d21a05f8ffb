// What every page shows when what it is about cannot be read, or is not for whoever asks.
import { expect, type Page, test } from "@playwright/test";
import { ask, home, loadSamples, signUp, sound } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let page: Page;
let operator: Page;
let paths: string[] = [];

const OPERATOR = ["/operator", "/operator?tab=accounts", "/operator?tab=jobs", "/operator?tab=health"];

test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000);
  server = await startServer();
  page = await signUp(browser, server, "Harmattan Ltd");
  await loadSamples(page);
  const at = home(page);
  const base = new URL(page.url()).pathname;
  await page.locator(".document-row a").first().click();
  await page.locator(".document-text").waitFor();
  const document = new URL(page.url()).pathname;
  await page.goto(`${at}/ask`);
  await ask(page, "How many days of leave do new colleagues get?");
  const conversation = new URL(page.url()).pathname;
  await page.goto(`${at}/questions`);
  const question = (await page.locator(".asked-list a").first().getAttribute("href")) ?? "";
  paths = [
    conversation,
    `${at}/knowledge`,
    base,
    `${base}?view=sources`,
    document,
    `${document}?view=passages`,
    `${at}/slack`,
    `${at}/slack/imports`,
    `${at}/people`,
    `${at}/people/invitations`,
    `${at}/people/roles`,
    `${at}/insights`,
    `${at}/unanswered`,
    `${at}/questions`,
    question,
    `${at}/audit`,
    `${at}/settings`,
    `${at}/settings/models`,
    `${at}/settings/answers`,
    `${at}/settings/keys`,
    "/account",
  ];
  operator = await (await browser.newContext({ baseURL: server.url })).newPage();
  await operator.goto(server.link);
  await operator.getByRole("heading", { name: "What would you like to know?" }).waitFor();
});

test.afterAll(async () => {
  await server?.stop();
});

/** What says who asks and where; without it there is no page at all. */
const FRAME = /\/api\/v1\/(me|organizations\/[^/]+|organizations\/[^/]+\/sessions\?.*)$/;

async function answerWith(target: Page, status: number, kind: string, detail: string) {
  await target.route("**/api/v1/**", (route) =>
    FRAME.test(route.request().url()) || route.request().method() !== "GET"
      ? route.continue()
      : route.fulfill({
          status,
          contentType: "application/problem+json",
          json: { type: `urn:amebo:problem:${kind}`, status, detail, request_id: "0190-owl" },
        }),
  );
}

async function everywhere(look: (target: Page, path: string) => Promise<void>) {
  for (const path of paths) await look(page, path);
  for (const path of OPERATOR) await look(operator, path);
}

test("what cannot be read says so in words, with a number to ask for help by, and can be tried again", async () => {
  test.setTimeout(240_000);
  for (const target of [page, operator]) await answerWith(target, 503, "unavailable", "the database is away");
  await everywhere(async (target, path) => {
    await target.goto(path);
    const failure = target.getByRole("alert").filter({ hasText: "That did not work" }).first();
    await expect(failure, path).toContainText("The database is away.", { timeout: 20_000 });
    await expect(failure, path).toContainText("When asking for help, quote 0190-owl.");
    await expect(failure.getByRole("button", { name: "Try again" }), path).toBeVisible();
    await expect(target.getByRole("heading", { level: 1 }), path).toHaveCount(1);
  });
  await sound(operator, "the operator's page without a database");
  await page.goto(paths[1] ?? "");
  await expect(page.getByText("That did not work").first()).toBeVisible({ timeout: 20_000 });
  for (const target of [page, operator]) await target.unroute("**/api/v1/**");
  await page.getByRole("button", { name: "Try again" }).first().click();
  await expect(page.getByText("Sample documents").first()).toBeVisible();
});

test("what is not for somebody says so, and who can change that", async () => {
  test.setTimeout(120_000);
  for (const target of [page, operator]) await answerWith(target, 403, "forbidden", "not for you");
  await everywhere(async (target, path) => {
    await target.goto(path);
    await expect(target.getByRole("heading", { name: "You may not see this" }).first(), path).toBeVisible();
    await expect(
      target.getByText("An administrator of your organization can change that.").first(),
      path,
    ).toBeVisible();
    await expect(
      target.getByRole("button", { name: "Try again" }),
      `${path}: trying again changes nothing`,
    ).toHaveCount(0);
  });
  await sound(operator, "an operator's page that is not for one");
});
