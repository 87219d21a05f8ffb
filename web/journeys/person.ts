// What people do again and again.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, expect, type Page } from "@playwright/test";
import type { Server } from "./server";

export const OWNER = { name: "Ada Obi", email: "ada@example.com", password: "correct horse battery" };

/** Sign-up: an organisation with its owner, on a page that is signed in. */
export async function signUp(
  browser: Browser,
  server: Server,
  organization: string,
  person = OWNER,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<Page> {
  const context = await browser.newContext({ baseURL: server.url, ...options });
  const page = await context.newPage();
  await page.goto("/sign-up");
  await page.getByLabel("Company").fill(organization);
  await page.getByLabel("Name", { exact: true }).fill(person.name);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Start" }).click();
  await expect(page.getByRole("heading", { name: "What would you like to know?" })).toBeVisible();
  return page;
}

/** The address of the organisation that the page is in. */
export function home(page: Page): string {
  return new URL(page.url()).pathname.split("/").slice(0, 3).join("/");
}

/** Loads the sample documents and waits until every one is findable. */
export async function loadSamples(page: Page) {
  await page.goto(`${home(page)}/start`);
  await page.getByRole("button", { name: "Load the samples" }).click();
  await expect(page.getByRole("heading", { name: "Sample documents" })).toBeVisible();
  await expect(page.getByText("Indexed", { exact: true }).and(page.locator(".tag"))).toHaveCount(6, {
    timeout: 60_000,
  });
}

export async function ask(page: Page, question: string) {
  const field = page.getByRole("textbox", { name: "Your question" });
  await field.fill(question);
  await field.press("Enter");
  await expect(page.getByRole("heading", { name: question, level: 2 })).toBeVisible();
  await expect(page.locator(".turn").last().locator(".grounds")).toBeVisible({ timeout: 60_000 });
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type Violation = { id: string; impact: string | null; nodes: { html: string; failureSummary?: string }[] };

/** Everything that axe finds wrong with the page as it is now. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  // What is still fading in has no contrast yet.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getComputedTiming().iterations === 1)
        .map((animation) => animation.finished),
    ),
  );
  const found = await page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run: (node: Document) => Promise<{ violations: Violation[] }> } }).axe;
    return (await axe.run(document)).violations;
  });
  return found.map(
    (violation) =>
      `${violation.id} (${violation.impact}): ${violation.nodes.map((node) => `${node.html} ${node.failureSummary ?? ""}`).join("\n   ")}`,
  );
}

/** Nothing of any weight is wrong with the page, in either theme. */
export async function sound(target: Page, where: string) {
  await expect(target.locator(".skeleton")).toHaveCount(0);
  for (const colorScheme of ["light", "dark"] as const) {
    await target.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    expect(await violations(target), `${where}, ${colorScheme}`).toEqual([]);
  }
}
