// The first five minutes, asking one's documents, and connecting Slack, by the keyboard alone: no pointer, no field that is reached any
// other way than by Tab or a shortcut. Only the system's own dialog for files is answered from outside.
import { expect, type Locator, type Page, test } from "@playwright/test";
import { type FakeSlack, startFakeSlack } from "./fake-slack";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let slack: FakeSlack;
let server: Server;
let page: Page;

test.beforeAll(async ({ browser }) => {
  slack = await startFakeSlack();
  await slack.say({ channel: "C0GENERAL", user: "U0USER001", text: "The spare keys hang behind the mirror." });
  server = await startServer({ settings: slack.environment });
  page = await (await browser.newContext({ baseURL: server.url })).newPage();
});

test.afterAll(async () => {
  await server?.stop();
  await slack?.stop();
});

/** More presses of Tab than any page asks for. */
const MOST_TABS = 90;

/** Presses Tab until what is meant has the focus, and can be seen to have it. */
async function tabTo(target: Locator, key: "Tab" | "Shift+Tab" = "Tab") {
  await target.waitFor();
  for (let pressed = 0; pressed < MOST_TABS; pressed += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      const isSeen = await target.evaluate((element) => {
        // Some fields leave it to the form around them.
        const around = [element, element.closest("form, label")].filter((one) => one !== null);
        return around
          .map((one) => getComputedStyle(one))
          .some((style) => style.outlineStyle !== "none" || style.boxShadow !== "none");
      });
      expect(isSeen, `the focus of ${target} is seen`).toBe(true);
      return;
    }
    await page.keyboard.press(key);
  }
  throw new Error(`${target} is not reached by ${key}`);
}

async function press(target: Locator, key = "Enter") {
  await tabTo(target);
  await page.keyboard.press(key);
}

async function type(target: Locator, text: string) {
  await tabTo(target);
  await page.keyboard.type(text);
}

/** Goes to a page by its name. */
async function goTo(name: string) {
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Find anything" })).toBeFocused();
  await page.keyboard.type(name);
  await expect(page.getByRole("dialog").getByRole("option").first()).toContainText(name);
  await page.keyboard.press("Enter");
}

const button = (name: string | RegExp) => page.getByRole("button", { name });
const field = () => page.getByRole("textbox", { name: "Your question" });

test("A: from the link in the terminal to sample documents that can be asked", async () => {
  await page.goto(server.link);
  await expect(page.getByRole("heading", { name: "What would you like to know?" })).toBeVisible();
  // The first stop on a page is the way past what is on every page.
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await press(page.getByRole("link", { name: "Skip to the content" }));
  await press(page.getByRole("link", { name: "Put documents in" }));
  await press(button("Load the samples"));
  await expect(page.getByRole("heading", { name: "Sample documents" })).toBeVisible();
  await expect(page.locator(".document-row .tag.good")).toHaveCount(6, { timeout: 60_000 });
});

test("B: a file goes in, a question is asked, its source opens beside the answer and in its document", async () => {
  await goTo("Knowledge");
  await expect(page.getByRole("heading", { name: "Knowledge", level: 1 })).toBeVisible();
  await press(button("New knowledge base").first());
  // A dialog begins in its first field.
  await expect(page.getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.type("Travel");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Travel", level: 1 })).toBeVisible();
  const chosen = page.waitForEvent("filechooser");
  await press(page.getByRole("main").getByRole("button", { name: "Choose files" }));
  await (await chosen).setFiles([
    {
      name: "trains.md",
      mimeType: "text/markdown",
      buffer: Buffer.from("# Trains\n\nOn journeys of more than four hours people travel first class.\n"),
    },
  ]);
  await expect(page.locator(".document-row .tag.good")).toHaveCount(1, { timeout: 60_000 });
  await goTo("Ask");
  // Whoever comes to ask can type at once.
  await expect(field()).toBeFocused();
  await page.keyboard.type("From how many hours on do people travel first class?");
  await page.keyboard.press("Enter");
  await expect(page.locator(".prose")).toContainText("more than four hours", { timeout: 60_000 });
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  const panel = page.getByRole("complementary", { name: /^Source: trains/ });
  await expect(panel).toContainText("more than four hours");
  await expect(panel.locator("mark").first()).toBeInViewport();
  await press(panel.getByRole("link", { name: "trains" }));
  await expect(page.getByRole("heading", { name: "trains", level: 1 })).toBeVisible();
  await expect(page.locator(".document-text mark").first()).toBeInViewport();
  // The browser's own key for it, which is not the page's.
  await page.goBack();
  await expect(page.locator(".prose")).toContainText("more than four hours");
  await page.keyboard.press("/");
  await expect(field()).toBeFocused();
  await page.keyboard.type("Who won the chess world championship in 1972?");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "I do not know this from your documents" })).toBeVisible({
    timeout: 60_000,
  });
  await expect(page.locator(".turn").last()).toContainText("7 documents searched");
});

test("B: where to look is chosen, an answer rated, a conversation deleted and taken back", async () => {
  await tabTo(button(/Where to look/), "Shift+Tab");
  await page.keyboard.press("Enter");
  const base = page.getByRole("checkbox", { name: /^Travel/ });
  await press(base, "Space");
  await expect(base).toBeChecked();
  await page.keyboard.press("Escape");
  await expect(button(/Where to look/)).toContainText("Travel");
  await tabTo(button("This helped").first(), "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(button("This helped").first()).toHaveAttribute("aria-pressed", "true");
  const history = page.getByRole("region", { name: "Conversations" });
  await tabTo(history.getByRole("button", { name: /^Actions for/ }), "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Rename" })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(history.getByRole("link")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+z");
  await expect(history.getByRole("link")).toHaveCount(1);
});

test("C: Slack is connected with an app of one's own, and a channel is chosen and read to its end", async () => {
  await goTo("Slack");
  await press(button("Bring your own app"));
  await expect(page.getByRole("heading", { name: "Make the app in Slack" })).toBeVisible();
  // This server is not reachable from outside, so the other way of hearing is proposed; the arrow keys change it.
  await tabTo(page.getByRole("radio", { checked: true }));
  await page.keyboard.press("ArrowUp");
  await expect(page.getByRole("radio", { name: /Slack calls this server/ })).toBeChecked();
  await press(button("Copy the manifest"));
  await type(page.getByLabel("Client ID"), slack.clientId);
  await type(page.getByLabel("Client secret"), slack.clientSecret);
  await type(page.getByLabel("Signing secret"), slack.signingSecret);
  await page.keyboard.press("Enter");
  await expect(page.getByText("They are kept sealed.")).toBeVisible();
  await press(button("Install in Slack"));
  await expect(page.getByText("Acme is connected")).toBeVisible({ timeout: 30_000 });
  await press(button("Go on to the channels"));
  const general = page.getByRole("row").filter({ hasText: "#general" });
  await expect(general).toBeVisible({ timeout: 30_000 });
  await type(page.getByRole("searchbox", { name: "Search channels" }), "gen");
  await press(page.getByRole("checkbox", { name: "Follow #general" }), "Space");
  await expect(page.getByText("1 to follow")).toBeVisible();
  await press(button("Save"));
  await expect(page.getByRole("heading", { name: "1 channel is up to date" })).toBeVisible({ timeout: 60_000 });
  await expect(general).toContainText("Up to date");
});
