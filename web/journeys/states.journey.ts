// What every page shows when what it is about cannot be read, or is not for whoever asks.
import { expect, type Page, test } from "@playwright/test";
import { signUp, sound } from "./person";
import { enterAsOperator, everyPage, OPERATOR } from "./places";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let page: Page;
let operator: Page;
let paths: [string, ...string[]];

test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000);
  server = await startServer();
  page = await signUp(browser, server, "Harmattan Ltd");
  paths = await everyPage(page);
  operator = await enterAsOperator(browser, server);
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
  await page.goto(paths[0]);
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
