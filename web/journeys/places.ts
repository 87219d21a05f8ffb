// Every page there is, with something on it.
import type { Browser, Page } from "@playwright/test";
import { ask, home, loadSamples } from "./person";
import type { Server } from "./server";

/** The pages of whoever runs the server. */
export const OPERATOR = ["/operator", "/operator?tab=accounts", "/operator?tab=jobs", "/operator?tab=health"];

/** Puts samples in, asks a question, and gives the addresses of all pages that read something, knowledge first. */
export async function everyPage(page: Page): Promise<[string, ...string[]]> {
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
  return [
    `${at}/knowledge`,
    conversation,
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
}

/** The first administrator, who came in by the server's own link. */
export async function enterAsOperator(browser: Browser, server: Server): Promise<Page> {
  const operator = await (await browser.newContext({ baseURL: server.url })).newPage();
  await operator.goto(server.link);
  await operator.getByRole("heading", { name: "What would you like to know?" }).waitFor();
  return operator;
}
