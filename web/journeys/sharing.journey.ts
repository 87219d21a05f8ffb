// An answer shared inside the organisation, what could be asked next, and knowledge added where it was missing.
import { expect, type Page, test } from "@playwright/test";
import { ask, home, loadSamples, signUp } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let owner: Page;
let guest: Page;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(150_000);
  server = await startServer();
  owner = await signUp(browser, server, "Harmattan Ltd");
  await loadSamples(owner);
  await owner.goto(`${home(owner)}/people`);
  await owner.getByRole("button", { name: "Invite somebody" }).click();
  await owner.getByLabel("E-mail").fill("ben@example.com");
  await owner.getByRole("radio", { name: /^Viewer/ }).check();
  await owner.getByRole("button", { name: "Make the invitation" }).click();
  const link = await owner.getByLabel("Invitation link").inputValue();
  guest = await (await browser.newContext({ baseURL: server.url })).newPage();
  await guest.goto(link);
  await guest.getByLabel("Name").fill("Ben Eze");
  await guest.getByLabel("Password").fill("a rather long password");
  await guest.getByRole("button", { name: "Join" }).click();
  await expect(guest.getByRole("heading", { name: "What would you like to know?" })).toBeVisible();
});

test.afterAll(async () => {
  await server?.stop();
});

test("an answer is its asker's until it is shared, and again afterwards", async () => {
  await owner.goto(`${home(owner)}/ask`);
  await ask(owner, "How many days of leave do new colleagues get?");
  await owner.getByRole("button", { name: "Share with colleagues" }).click();
  const dialog = owner.getByRole("dialog", { name: "Share this answer" });
  await dialog.getByRole("button", { name: "Share" }).click();
  const link = await dialog.getByLabel("Link for colleagues").inputValue();
  await dialog.getByRole("button", { name: "Done" }).click();
  await guest.goto(link);
  await expect(guest.getByRole("heading", { name: "How many days of leave do new colleagues get?" })).toBeVisible();
  await expect(guest.locator(".prose")).toContainText("27 days");
  await owner.getByRole("button", { name: "Shared with colleagues" }).click();
  await dialog.getByRole("button", { name: "Stop sharing" }).click();
  await expect(owner.getByRole("button", { name: "Share with colleagues" })).toBeVisible();
  await guest.reload();
  await expect(guest.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
  await owner.goto(`${home(owner)}/audit?action=question.share`);
  await expect(owner.locator(".entries li").first()).toContainText("question.share");
});

test("what could be asked next stands below the answer, and one click asks it", async () => {
  await owner.goto(`${home(owner)}/ask`);
  await ask(owner, "How many days of leave do new colleagues get?");
  const next = owner.getByRole("region", { name: "Ask next" }).getByRole("button").first();
  await expect(next).toHaveText("Parental leave employee-handbook");
  await next.click();
  await expect(owner.getByRole("heading", { name: "Parental leave", level: 2 })).toBeVisible();
  const answer = owner.locator(".turn").last();
  await expect(answer.locator(".grounds")).toBeVisible({ timeout: 60_000 });
  await expect(answer.locator(".prose")).toContainText("16 weeks");
});

test("what nobody could answer is written down, and answered from then on", async () => {
  await owner.goto(`${home(owner)}/ask`);
  await ask(owner, "On which floor is the prayer room?");
  await expect(owner.getByRole("heading", { name: "I do not know this from your documents" })).toBeVisible();
  await owner.goto(`${home(owner)}/unanswered`);
  await owner
    .getByRole("listitem")
    .filter({ hasText: "prayer room" })
    .getByRole("link", { name: "Add knowledge" })
    .click();
  const dialog = owner.getByRole("dialog", { name: "Write down what was missing" });
  await expect(dialog.getByLabel("Title")).toHaveValue("On which floor is the prayer room?");
  await dialog.getByLabel("What people should know").fill("The prayer room is on the third floor, beside the library.");
  await dialog.getByRole("button", { name: "Add" }).click();
  await expect(owner.locator(".facts-row").getByText("Indexed")).toBeVisible({ timeout: 60_000 });
  await owner.goto(`${home(owner)}/ask`);
  await ask(owner, "On which floor is the prayer room?");
  await expect(owner.locator(".prose")).toContainText("third floor");
});
