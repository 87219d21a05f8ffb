// Every page in both themes and two widths, for people to look at.
import { expect, type Page, test } from "@playwright/test";
import { connectSlack, listChannels, startFakeSlack } from "./fake-slack";
import { ask, home, loadSamples, signUp } from "./person";
import { type Server, startServer } from "./server";

let server: Server;

test.beforeAll(async () => {
  server = await startServer();
});

test.afterAll(async () => {
  await server?.stop();
});

const WIDTHS = { narrow: { width: 360, height: 740 }, wide: { width: 1440, height: 900 } };
const THEMES = ["light", "dark"] as const;

async function shootPage(page: Page, name: string) {
  for (const [width, size] of Object.entries(WIDTHS)) {
    await page.setViewportSize(size);
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.screenshot({ path: `screenshots/${name}-${width}-${colorScheme}.png` });
    }
  }
}

test("every page", async ({ browser }) => {
  const page = await signUp(browser, server, "Harmattan Ltd");
  const shoot = (name: string) => shootPage(page, name);
  const visit = async (name: string, path: string) => {
    await page.goto(`${home(page)}${path}`);
    await page.locator("main h1, main h2").first().waitFor();
    await expect(page.locator(".skeleton")).toHaveCount(0);
    await shoot(name);
  };
  const at = home(page);
  await shoot("ask-empty");
  await visit("start", "/start");
  await loadSamples(page);
  await shoot("base");
  await page.goto(`${at}/ask`);
  await expect(page.getByText(/^Amebo looks through 6 documents/)).toBeVisible();
  await shoot("ask-new");
  await ask(page, "How many days of leave do new colleagues get?");
  await page.getByRole("region", { name: "Ask next" }).waitFor();
  await shoot("ask-answer");
  await page.locator(".source").first().click();
  await page.locator("mark").first().waitFor();
  await shoot("ask-source");
  await page.keyboard.press("Escape");
  await page.locator(".grounds summary").first().click();
  await shoot("ask-grounds");
  await page.getByRole("button", { name: "Share with colleagues" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Share" }).click();
  await page.getByLabel("Link for colleagues").waitFor();
  await shoot("share");
  await page.keyboard.press("Escape");
  await ask(page, "Who won the chess world championship in 1972?");
  await shoot("ask-declined");
  await page.setViewportSize(WIDTHS.wide);
  await page.keyboard.press("Control+k");
  await shoot("palette");
  await page.keyboard.press("Escape");
  await page.setViewportSize(WIDTHS.narrow);
  await page.getByRole("button", { name: "Menu" }).click();
  await page.screenshot({ path: "screenshots/menu-narrow.png" });
  await page.keyboard.press("Escape");
  await page.setViewportSize(WIDTHS.wide);
  const pages = {
    knowledge: "/knowledge",
    people: "/people",
    invitations: "/people/invitations",
    roles: "/people/roles",
    insights: "/insights",
    unanswered: "/unanswered",
    questions: "/questions",
    audit: "/audit",
    settings: "/settings",
    models: "/settings/models",
    answers: "/settings/answers",
    keys: "/settings/keys",
  };
  for (const [name, path] of Object.entries(pages)) await visit(name, path);
  await page.goto(`${at}/knowledge`);
  await page.locator(".document-row a").first().click();
  await page.locator(".document-text").waitFor();
  await shoot("document");
  await page.getByRole("link", { name: /passages?$/ }).click();
  await page.locator(".passages").waitFor();
  await shoot("passages");
  await page.goto(`${at}/knowledge`);
  await page.locator(".base").first().click();
  await page.getByRole("link", { name: "Sources" }).click();
  await page.locator(".source-list").waitFor();
  await shoot("sources");
  await page.getByRole("button", { name: "Actions for this knowledge base" }).click();
  await page.getByRole("menuitem", { name: "Search model" }).click();
  await expect(page.locator(".skeleton")).toHaveCount(0);
  await shoot("search-model");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Add a web page" }).click();
  await shoot("add-page");
  await page.goto(`${at}/knowledge?answer=${encodeURIComponent("On which floor is the prayer room?")}`);
  await page.getByRole("dialog").waitFor();
  await shoot("write-down");
  await page.goto(`${at}/people/roles`);
  await page.locator("summary").nth(1).click();
  await page.getByRole("button", { name: "Change what this role may do" }).first().click();
  await shoot("role-rights");
  await page.goto(`${at}/settings/models`);
  await page.getByRole("button", { name: "Add an embedding model" }).click();
  await shoot("add-model");
  await page.goto(`${at}/people`);
  await page.getByRole("button", { name: "Invite somebody" }).click();
  await shoot("invite");
  await page.goto(`${at}/settings/keys`);
  await page.getByRole("button", { name: "Make an API key" }).first().click();
  await shoot("make-key");
  await page.goto("/account");
  await page.locator("h2").first().waitFor();
  await shoot("account");
  await page.goto(`${at}/nothing`);
  await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
  await shoot("missing");
  await page.goto(`${at}/knowledge`);
  await page.locator(".base").first().click();
  await page
    .locator("input[type=file]")
    .first()
    .setInputFiles([{ name: "floor-plan.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7\nbroken") }]);
  await page.locator(".document-row .tag.bad").waitFor({ timeout: 30_000 });
  await shoot("base-failed");
  await page.getByRole("link", { name: "floor-plan" }).click();
  await page.getByRole("alert").waitFor();
  await shoot("document-failed");
  await page.getByRole("button", { name: "Actions for this document" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Undo" }).waitFor();
  await shoot("undo");
  await page.addInitScript(() => {
    addEventListener("DOMContentLoaded", () => {
      document.documentElement.dir = "rtl";
    });
  });
  await page.goto(`${at}/ask`);
  await page.getByRole("region", { name: "Conversations" }).getByRole("link").first().click();
  await page.locator(".source").first().click();
  await page.locator("mark").first().waitFor();
  await shoot("rtl-ask");
  for (const name of ["knowledge", "insights", "audit", "people", "roles", "settings", "keys"] as const)
    await visit(`rtl-${name}`, pages[name]);
  const operator = await (await browser.newContext({ baseURL: server.url })).newPage();
  await operator.goto(server.link);
  await operator.waitForURL(/\/(o|$)/);
  for (const [name, path] of Object.entries({
    operator: "/operator",
    accounts: "/operator?tab=accounts",
    jobs: "/operator?tab=jobs",
    health: "/operator?tab=health",
  })) {
    await operator.goto(path);
    await operator.locator("table, .state, .health").first().waitFor();
    await shootPage(operator, name);
  }
  await operator.goto("/operator");
  await operator.getByRole("button", { name: "Actions for Harmattan Ltd" }).click();
  await operator.getByRole("menuitem", { name: "Plan and standing" }).click();
  await shootPage(operator, "limits");
  const visitor = await (await browser.newContext({ baseURL: server.url })).newPage();
  for (const [name, path] of Object.entries({
    "sign-in": "/sign-in",
    "sign-up": "/sign-up",
    reset: "/reset-password",
  })) {
    await visitor.goto(path);
    await visitor.locator("h1").waitFor();
    await shootPage(visitor, name);
  }
});

test("every page about Slack", async ({ browser }) => {
  const slack = await startFakeSlack();
  await slack.addChannel({ id: "C0SECRET1", name: "merger", private: true, members: ["U0USER001", slack.botUser] });
  for (const [number, name] of ["engineering", "support", "sales", "random", "announcements"].entries()) {
    await slack.addChannel({ id: `C0CHAN00${number}`, name, members: ["U0USER001", "U0ADMIN01"] });
    await slack.say({
      channel: `C0CHAN00${number}`,
      user: "U0ADMIN01",
      text: `Welcome to ${name}: the plan is in the wiki`,
    });
  }
  const connected = await startServer({ settings: slack.environment });
  const person = { name: "Ada Obi", email: "ada@acme.example", password: "correct horse battery" };
  const page = await signUp(browser, connected, "Acme Ltd", person);
  const at = home(page);
  const shoot = async (name: string) => {
    await expect(page.locator(".skeleton")).toHaveCount(0);
    for (const [width, size] of Object.entries({ narrow: WIDTHS.narrow, wide: { width: 1280, height: 800 } })) {
      await page.setViewportSize(size);
      for (const colorScheme of THEMES) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.screenshot({ path: `screenshots/${name}-${width}-${colorScheme}.png`, fullPage: true });
      }
    }
  };
  await page.goto(`${at}/slack`);
  await page.getByRole("heading", { name: "Connect a workspace" }).waitFor();
  await shoot("slack-none");
  await page.getByRole("button", { name: "Bring your own app" }).click();
  await page.getByRole("heading", { name: "Make the app in Slack" }).waitFor();
  await shoot("slack-set-up");
  await page.getByRole("button", { name: "Give up this set-up" }).click();
  await page.getByRole("heading", { name: "Connect a workspace" }).waitFor();
  const here = await connectSlack(page, slack);
  await page.getByRole("heading", { name: "Where should it go?" }).waitFor();
  await shoot("slack-destination");
  await listChannels(page);
  await page.getByRole("checkbox", { name: "Follow #merger" }).check();
  await page.getByRole("checkbox", { name: "Follow #engineering" }).check();
  await shoot("slack-choosing");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: "2 channels are up to date" })).toBeVisible({ timeout: 60_000 });
  await shoot("slack-channels");
  await slack.tell(`${connected.url}/channels/slack/${here.split("/").at(-1)}/events`, {
    channel: "C0CHAN000",
    user: "U0USER001",
    text: `<@${slack.botUser}> Where is the plan of engineering?`,
  });
  await expect
    .poll(async () => (await slack.messages("C0CHAN000")).some(({ user }) => user === slack.botUser), {
      timeout: 30_000,
    })
    .toBe(true);
  await page.goto(`${at}/questions?origin=slack`);
  await page.getByRole("link", { name: /Why could they see/ }).waitFor();
  await shoot("slack-questions");
  await page.getByRole("link", { name: /Why could they see/ }).click();
  await page.getByRole("region", { name: "Why could they see this?" }).waitFor();
  await shoot("slack-why");
  await page.goto(`${at}/ask`);
  await page.getByRole("button", { name: /Where to look/ }).click();
  await page.getByRole("group", { name: "Workspaces" }).waitFor();
  await shoot("ask-scope");
  await page.getByRole("checkbox", { name: /^Acme/ }).last().check();
  await page.keyboard.press("Escape");
  await ask(page, "Where is the plan of engineering?");
  await page.locator(".source").first().click();
  await page.locator(".panel .said").first().waitFor();
  await shoot("slack-thread");
  await page.goto(`${here}/health`);
  await page.getByRole("heading", { name: "Slack lets Amebo in" }).waitFor();
  await shoot("slack-health");
  await page.goto(`${here}/settings`);
  await page.getByRole("heading", { name: "What is kept" }).waitFor();
  await shoot("slack-settings");
  await page.getByRole("button", { name: "Disconnect and erase" }).click();
  await shoot("slack-erase");
  await page.goto(`${at}/slack`);
  await page.getByRole("link", { name: /connected/ }).waitFor();
  await shoot("slack");
  await page.goto(`${at}/knowledge`);
  await page.locator(".document-row a").first().click();
  await page.locator(".document-text").waitFor();
  await page.getByRole("button", { name: "Who sees this?" }).click();
  await page.getByRole("dialog").getByText("Ada Obi").waitFor();
  await shoot("slack-who-sees");
  await page.goto("/slack-failed?why=denied");
  await page.getByRole("heading", { name: "Slack is not connected" }).waitFor();
  await shoot("slack-failed");
  await page.goto(`${at}/slack/imports`);
  await page
    .locator("input[type=file]")
    .setInputFiles([
      { name: "no-archive.zip", mimeType: "application/zip", buffer: Buffer.from("this is no archive") },
    ]);
  await shoot("slack-import");
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("article").getByText("failed", { exact: true }).waitFor();
  await shoot("slack-imports");
  await connected.stop();
  await slack.stop();
});
