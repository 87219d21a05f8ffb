// Figures and the account of what was done: drawn, read as tables, taken away as CSV, and turned round where text runs the other way.
import { readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { execute } from "./database";
import { ask, home, loadSamples, signUp, sound } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let page: Page;

const OUTCOMES = ["answered", "declined", "escalated", "stopped", "failed"] as const;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000);
  server = await startServer();
  page = await signUp(browser, server, "Harmattan Ltd");
  await loadSamples(page);
  await page.goto(`${home(page)}/ask`);
  await ask(page, "How many days of leave do new colleagues get?");
  // What takes people, other channels and broken machines otherwise: each day before, as many as its number.
  for (const [back, outcome] of OUTCOMES.entries()) {
    const columns = {
      answered: "'answered', null, null, 'extractive', 0.8, false",
      declined: "'declined', 'nothing_found', 'I do not know', null, 0.2, false",
      escalated: "'escalated', null, 'Ben takes over', null, null, false",
      stopped: "'failed', null, 'stopped', null, null, true",
      failed: "'failed', null, 'It broke', null, null, false",
    }[outcome];
    execute(
      server.data,
      `with asked as (
         insert into questions (id, organization_id, user_id, origin, text, knowledge_base_ids, state, deadline, created_at, updated_at)
         select gen_random_uuid(), organization_id, user_id, 'api', 'How?', '{}', 'settled', now(), now() - interval '${back + 1} days', now()
         from questions, generate_series(1, ${back + 1}) where origin = 'session' returning id, organization_id, created_at)
       insert into answers (id, organization_id, question_id, outcome, reason, message, composer, confidence, stopped, created_at, updated_at)
       select gen_random_uuid(), organization_id, id, ${columns}, created_at, created_at from asked`,
    );
  }
});

test.afterAll(async () => {
  await server?.stop();
});

async function downloaded(act: () => Promise<void>): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent("download"), act()]);
  return readFileSync(await file.path(), "utf8");
}

test("every outcome is drawn in a colour of its own, with a legend and the numbers as a table", async () => {
  await page.goto(`${home(page)}/insights`);
  const legend = page.locator(".legend");
  await expect(legend).toHaveText("answereddeclinedhanded overstoppedfailed");
  const colours = new Set<string>();
  for (const outcome of OUTCOMES) {
    const bar = page.locator(`.chart rect.${outcome}`).first();
    expect((await bar.boundingBox())?.height ?? 0, outcome).toBeGreaterThan(5);
    colours.add(await bar.evaluate((element) => getComputedStyle(element).fill));
  }
  expect(colours.size).toBe(OUTCOMES.length);
  await page.getByText("As a table").click();
  const rows = page.getByRole("row");
  await expect(page.getByRole("columnheader")).toHaveText([
    "Day",
    "answered",
    "declined",
    "handed over",
    "stopped",
    "failed",
  ]);
  await expect(rows).toHaveCount(7);
  await sound(page, "insights with every outcome");
});

test("what answers rest on most leads to the document, and the plan says how much of it is used", async () => {
  const sources = page.getByRole("region", { name: "What answers rest on most" });
  await expect(sources.getByRole("listitem")).toHaveCount(1);
  await expect(
    page.getByRole("region", { name: "Plan" }).getByRole("progressbar", { name: "Documents" }),
  ).toBeVisible();
  await sources.getByRole("link").click();
  await expect(page.locator(".document-text")).toContainText("27 days");
  await page.goBack();
});

test("the figures are taken away as CSV", async () => {
  const csv = await downloaded(() => page.getByRole("button", { name: "Export as CSV" }).click());
  const lines = csv.split("\r\n");
  expect(lines[0]).toBe("day,answered,declined,escalated,stopped,failed");
  expect(lines).toHaveLength(31);
  const sums = OUTCOMES.map((_, at) => lines.slice(1).reduce((sum, line) => sum + Number(line.split(",")[at + 1]), 0));
  expect(sums).toEqual([2, 2, 3, 4, 5]);
});

test("a stopped answer is told apart from one that broke", async () => {
  await page.goto(`${home(page)}/questions`);
  await expect(page.locator(".asked-list .tag").filter({ hasText: "stopped" })).toHaveCount(4);
  await page.getByRole("listitem").filter({ hasText: "stopped" }).first().getByRole("link").first().click();
  await expect(page.getByText("Whoever asked stopped this answer while it was written.")).toBeVisible();
});

test("the audit log is taken away as CSV, as it is filtered", async () => {
  await page.goto(`${home(page)}/audit`);
  await page.getByLabel("Action", { exact: true }).fill("knowledge_base.create");
  // Until the entries are there, no name is known to be whole.
  await page.getByLabel("Action", { exact: true }).press("Enter");
  await expect(page.locator(".entries code").first()).toHaveText("knowledge_base.create");
  await expect(page.locator(".entries > li")).toHaveCount(1);
  const csv = await downloaded(() => page.getByRole("button", { name: "Export as CSV" }).click());
  const lines = csv.split("\r\n");
  expect(lines[0]).toBe("number,time,actor,action,resource_type,resource_id,address,request,details");
  expect(lines).toHaveLength(2);
  for (const line of lines.slice(1)) expect(line).toContain(",Ada Obi,knowledge_base.create,knowledge_base,");
});

test("the log is looked through by whom, and half a name looks for nothing", async () => {
  await page.goto(`${home(page)}/audit`);
  const entries = page.locator(".entries > li");
  await expect(entries.first()).toBeVisible();
  const all = await entries.count();
  await page.getByLabel("Action", { exact: true }).pressSequentially("knowledge_base.");
  await expect(entries).toHaveCount(all);
  await page.getByLabel("Action", { exact: true }).pressSequentially("create");
  await expect(entries).toHaveCount(1);
  await page.getByLabel("Who").selectOption("Ada Obi");
  await expect(page).toHaveURL(/actor_id=[0-9a-f-]{36}/);
  await expect(entries).toHaveCount(1);
  await page.goto(`${home(page)}/audit?action=member.update&since=2026-99-99`);
  await expect(page.getByText("No entry fits the filters")).toBeVisible();
  await sound(page, "an audit log in which nothing was found");
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await expect(entries).toHaveCount(all);
});

test("the chain is verified, and an entry that was altered is found", async () => {
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.locator(".verified")).toContainText(/Nobody altered it: \d+ entr(y|ies), whole\./);
  await expect(page.locator(".verified code")).toHaveText(/^[0-9a-f]{64}$/);
  execute(server.data, "update audit_log set action = 'knowledge_base.delete' where action = 'knowledge_base.create'");
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.locator(".verified")).toContainText("The chain breaks at entry 1: it was altered");
  await sound(page, "an audit log that was altered");
});

test("where text runs from the right, time does too, and what points along it turns round", async () => {
  await page.addInitScript(() => {
    addEventListener("DOMContentLoaded", () => {
      document.documentElement.dir = "rtl";
    });
  });
  await page.goto(`${home(page)}/insights`);
  const bars = page.locator(".chart rect.answered");
  await expect(bars).toHaveCount(2);
  const [before, today] = [await bars.first().boundingBox(), await bars.last().boundingBox()];
  expect(before?.x ?? 0).toBeGreaterThan(today?.x ?? 0);
  await page.goto(`${home(page)}/audit`);
  const entry = page.locator(".entries summary").first();
  const scale = (place: string) => page.locator(place).evaluate((icon) => getComputedStyle(icon).scale);
  await entry.waitFor();
  expect(await entry.locator(".icon").evaluate((icon) => getComputedStyle(icon).scale)).toBe("-1 1");
  await entry.click();
  expect(await entry.locator(".icon").evaluate((icon) => getComputedStyle(icon).rotate)).toBe("-90deg");
  expect(await scale(".new .icon"), "what has no direction stays").toBe("none");
  for (const path of ["/ask", "/knowledge", "/people", "/insights", "/audit", "/settings"]) {
    await page.goto(home(page) + path);
    await page.locator("h1").first().waitFor();
    await expect(page.locator(".skeleton")).toHaveCount(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), path).toBeLessThanOrEqual(0);
  }
});
