// From the one-time link to the first answer with its source; what is refused; what is asked again.
import { expect, type Page, test } from "@playwright/test";
import { execute } from "./database";
import { ask, home, violations } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let page: Page;

test.beforeAll(async ({ browser }) => {
  server = await startServer();
  page = await (await browser.newContext({ baseURL: server.url })).newPage();
});

test.afterAll(async () => {
  await server?.stop();
});

test("the link of the terminal signs in, once", async ({ browser }) => {
  await page.goto(server.link);
  await expect(page.getByRole("heading", { name: "What would you like to know?" })).toBeVisible();
  await expect(page.getByText("Amebo does not know anything yet")).toBeVisible();
  expect(page.url()).not.toContain("token");
  const again = await (await browser.newContext({ baseURL: server.url })).newPage();
  await again.goto(server.link);
  await expect(again.getByRole("heading", { name: "This link does not work any more" })).toBeVisible();
  await again.context().close();
});

test("the first page offers what to do and ticks off what is done", async () => {
  await page.getByRole("link", { name: "Put documents in" }).click();
  await expect(page.getByText("Have a document indexed").locator("..")).toContainText("open");
  await page.getByRole("button", { name: "Load the samples" }).click();
  await expect(page.getByRole("heading", { name: "Sample documents" })).toBeVisible();
  await expect(page.locator(".document-row")).toHaveCount(6);
  await expect(page.locator(".document-row .tag.good")).toHaveCount(6, { timeout: 60_000 });
  await page.goto(`${home(page)}/start`);
  await expect(page.getByText("Have a document indexed").locator("..")).toContainText("done");
});

test("an answer cites its source, which opens at the cited words", async () => {
  await page.goto(`${home(page)}/ask`);
  await ask(page, "How many days of leave do new colleagues get?");
  await expect(page.locator(".prose")).toContainText("27 days");
  await expect(page.locator(".confidence")).toHaveText(/Confident|Fairly sure|Unsure/);
  await page.locator(".prose button.cite").first().click();
  const panel = page.getByRole("complementary", { name: /^Source: / });
  await expect(panel.locator("mark").first()).toContainText("27 days of paid leave");
  await expect(panel.locator("mark").first()).toBeInViewport();
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  // By the keyboard alone, from the field in which the question was typed.
  await page.getByRole("textbox", { name: "Your question" }).focus();
  for (const key of ["n", "]", "p"]) {
    await page.keyboard.press("Escape");
    await page.keyboard.press(key);
    await expect(panel).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(panel).toBeHidden();
    await page.keyboard.press("/");
    await expect(page.getByRole("textbox", { name: "Your question" })).toBeFocused();
  }
  await page.locator(".prose button.cite").first().click();
  const saved = page.waitForEvent("download");
  await panel.getByRole("button", { name: "Open original" }).click();
  expect((await saved).suggestedFilename()).toBe("employee-handbook.md");
  await page.keyboard.press("Escape");
});

test("what is not in the documents is declined, with what came closest", async () => {
  await ask(page, "Who won the chess world championship in 1972?");
  await expect(page.getByRole("heading", { name: "I do not know this from your documents" })).toBeVisible();
  await expect(page.locator(".turn").last()).toContainText("6 documents searched");
});

test("an answer is copied with its sources, and rated", async () => {
  const first = page.locator(".turn").first();
  await first.getByRole("button", { name: "Copy as Markdown with sources" }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toMatch(/\[\^1\]: \[.*\]\(http.*documents\/.*\): “New colleagues get 27 days/s);
  await first.getByRole("button", { name: "This helped" }).click();
  await expect(first.getByRole("button", { name: "This helped" })).toHaveAttribute("aria-pressed", "true");
  await page.reload();
  await expect(page.locator(".turn").first().getByRole("button", { name: "This helped" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
});

test("a connection that breaks in the middle of an answer loses neither the question nor the answer", async () => {
  let asked = 0;
  await page.route("**/questions", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    asked += 1;
    const answer = await route.fetch();
    const events = await answer.text();
    // The verdict and what leads to it do not arrive.
    await route.fulfill({ response: answer, body: events.slice(0, events.indexOf("event: verdict")) });
  });
  await ask(page, "What is the daily allowance for a whole day?");
  // Answered or declined, it shows the passage it came to.
  await expect(page.locator(".turn").last()).toContainText("42 euros");
  expect(asked, "it is not asked a second time").toBe(1);
  await page.unroute("**/questions");
});

test("conversations are renamed, and a deleted one can be taken back", async () => {
  const history = page.getByRole("region", { name: "Conversations" });
  const actions = history.getByRole("button", { name: /^Actions for/ });
  await actions.click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByLabel("Title").fill("Leave");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(history.getByRole("link", { name: "Leave" })).toBeVisible();
  await actions.click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(history.getByRole("link", { name: "Leave" })).toBeHidden();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(history.getByRole("link", { name: "Leave" })).toBeVisible();
});

test("an older conversation is found by its title on pages that were not read yet", async () => {
  execute(
    server.data,
    `insert into sessions (id, organization_id, user_id, title, last_question_at, created_at, updated_at)
     select gen_random_uuid(), organization_id, user_id, 'Talk ' || n, now() - n * interval '1 day', now(), now()
     from sessions, generate_series(1, 250) n`,
  );
  await page.reload();
  const history = page.getByRole("region", { name: "Conversations" });
  await expect(history.getByRole("link", { name: "Talk 7", exact: true })).toBeVisible();
  await expect(history.getByRole("link", { name: "Talk 249" })).toHaveCount(0);
  await history.getByRole("searchbox").fill("talk 249");
  await expect(history.getByRole("link")).toHaveText(["Talk 249"]);
  await history.getByRole("searchbox").fill("talk 251");
  await expect(history.getByText("No conversation is called that.")).toBeVisible();
  execute(server.data, "delete from sessions where title like 'Talk %'");
  // A list that cannot be read says so, and is read again when somebody asks for it.
  await page.route(/\/sessions\?/, (route) => route.fulfill({ status: 500, json: { detail: "it broke" } }));
  await page.reload();
  await expect(history.getByText("It broke.")).toBeVisible({ timeout: 15_000 });
  await page.unroute(/\/sessions\?/);
  await history.getByRole("button", { name: "Try again" }).click();
  await expect(history.getByRole("link", { name: "Leave" })).toBeVisible();
});

test("a question that the server does not take stays in its field", async () => {
  await page.goto(`${home(page)}/ask`);
  const field = page.getByRole("textbox", { name: "Your question" });
  await page.route("**/sessions", (route) =>
    route.request().method() === "POST"
      ? route.fulfill({ status: 500, json: { detail: "it broke" } })
      : route.continue(),
  );
  await field.fill("Who waters the plants?");
  await field.press("Enter");
  await expect(page.getByText("It broke.")).toBeVisible();
  await expect(field).toHaveValue("Who waters the plants?");
  await page.unroute("**/sessions");
  await page.reload();
  await expect(field).toHaveValue("Who waters the plants?");
  await field.press("Enter");
  await expect(page.locator(".grounds")).toBeVisible({ timeout: 60_000 });
  await page.goto(`${home(page)}/ask`);
  await expect(field).toHaveValue("");
});

test("a page whose code does not come says so, and comes when it is tried again", async () => {
  await page.route("**/dashboard/insights-*.js", (route) => route.abort());
  await page.getByRole("link", { name: "Insights" }).click();
  await expect(page.getByText("This page could not be loaded.")).toBeVisible();
  await page.unroute("**/dashboard/insights-*.js");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { name: "Insights", level: 1 })).toBeVisible();
});

test("a session that ends asks for the password in place and loses nothing", async () => {
  await page.goto("/account");
  await page.getByLabel("New password").fill("correct horse battery");
  await page.getByRole("button", { name: "Set the password" }).click();
  await expect(page.getByLabel("Current password")).toBeVisible();
  await page.goto(`${home(page).startsWith("/o/") ? home(page) : "/"}`);
  const field = page.getByRole("textbox", { name: "Your question" });
  await field.fill("How fast is a message answered at night?");
  await page.context().clearCookies();
  await field.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Sign in again" });
  await expect(dialog).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await dialog.getByLabel("Password").fill("correct horse battery");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("heading", { name: "How fast is a message answered at night?", level: 2 })).toBeVisible();
  await expect(page.locator(".grounds")).toBeVisible({ timeout: 60_000 });
});

test("nor does whoever leaves the page then, and signs in where it leads", async () => {
  await page.goto(`${home(page)}/ask`);
  const field = page.getByRole("textbox", { name: "Your question" });
  await field.fill("What does a trip to Lisbon cost?");
  await page.context().clearCookies();
  await field.press("Enter");
  await expect(page.getByRole("dialog", { name: "Sign in again" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.getByLabel("E-mail").fill("admin@localhost");
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(field).toHaveValue("What does a trip to Lisbon cost?");
});
