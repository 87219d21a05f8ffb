// Journey C: an administrator connects Slack with an app of their own, chooses channels and sees them read; somebody mentions Amebo, and
// the source of the answer opens here.
import { expect, type Page, test } from "@playwright/test";
import { archive } from "./archive";
import { type FakeSlack, startFakeSlack } from "./fake-slack";
import { ask, home, signUp, sound } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

const OWNER = { name: "Ada Obi", email: "ada@acme.example", password: "correct horse battery" };
const ADA = "U0USER001";
const GENERAL = "C0GENERAL";
const SECRET = "C0SECRET1";

let slack: FakeSlack;
let server: Server;
let page: Page;
let connection: string;

test.beforeAll(async ({ browser }) => {
  slack = await startFakeSlack();
  await slack.addChannel({ id: "C0RANDOM1", name: "random", members: [ADA] });
  await slack.addChannel({ id: SECRET, name: "merger", private: true, members: ["U0ADMIN01", slack.botUser] });
  const question = await slack.say({ channel: GENERAL, user: ADA, text: "How do I rotate the signing keys?" });
  await slack.say({
    channel: GENERAL,
    user: "U0ADMIN01",
    text: "Run the keyring script on Otter",
    thread: question.ts,
  });
  for (let number = 0; number < 30; number += 1) {
    await slack.say({ channel: GENERAL, user: ADA, text: `Stand-up number ${number}: nothing new from me` });
  }
  server = await startServer({ settings: slack.environment });
  page = await signUp(browser, server, "Acme Ltd", OWNER);
});

test.afterAll(async () => {
  await server?.stop();
  await slack?.stop();
});

test("the first steps lead to Slack, where an app of one's own is made in three steps", async () => {
  await page.goto(`${home(page)}/start`);
  await page.getByRole("link", { name: "Connect Slack" }).first().click();
  await expect(page.getByRole("heading", { name: "Connect a workspace" })).toBeVisible();
  // Without a server's app there is one way only.
  await expect(page.getByRole("button", { name: "Connect", exact: true })).toHaveCount(0);
  await page.getByRole("button", { name: "Bring your own app" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Make the app in Slack" })).toBeVisible();
  connection = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  await page.getByRole("radio", { name: /Slack calls this server/ }).check();
  await page.getByRole("button", { name: "Copy the manifest" }).click();
  const manifest = await page.evaluate(() => navigator.clipboard.readText());
  expect(manifest).toContain(`${server.url}/channels/slack/${connection}/events`);
  expect(manifest).toContain(`${server.url}/channels/slack/callback`);
});

test("credentials that are no such are told at their field, and nothing typed is lost", async () => {
  await page.getByLabel("Client ID").fill(slack.clientId);
  await page.getByLabel("Client secret").fill("two words");
  await page.getByLabel("Signing secret").fill(slack.signingSecret);
  await page.keyboard.press("Enter");
  await expect(page.getByText(/copy it from “Basic Information”/)).toBeVisible();
  await expect(page.getByLabel("Client ID")).toHaveValue(slack.clientId);
  await page.getByLabel("Client secret").fill(slack.clientSecret);
  await page.keyboard.press("Enter");
  await expect(page.getByText("They are kept sealed.")).toBeVisible();
});

test("whoever says no in Slack is told so and can begin again", async () => {
  await slack.decide(false);
  await page.getByRole("button", { name: "Install in Slack" }).click();
  await expect(page.getByRole("heading", { name: "Slack is not connected" })).toBeVisible();
  await expect(page.getByText("Access was not granted in Slack")).toBeVisible();
  await slack.decide(true);
  await page.getByRole("link", { name: "Back to Slack" }).click();
  await page.getByRole("link", { name: /being set up/ }).click();
  await page.getByRole("button", { name: "Install in Slack" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Acme", exact: true })).toBeVisible();
  await expect(page.getByText("Acme is connected")).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`/slack/${connection}$`));
});

test("channels are chosen with the keyboard alone, and read to the end", async () => {
  await page.getByRole("button", { name: "Go on to the channels" }).focus();
  await page.keyboard.press("Enter");
  const rows = page.getByRole("row");
  await expect(rows.filter({ hasText: "#general" })).toBeVisible({ timeout: 30_000 });
  await expect(rows.filter({ hasText: "#merger" })).toContainText("private");
  await expect(rows.filter({ hasText: "#general" })).toContainText("2");
  await page.getByRole("searchbox", { name: "Search channels" }).fill("gen");
  await expect(rows.filter({ hasText: "#merger" })).toHaveCount(0);
  await page.getByRole("checkbox", { name: "Follow #general" }).focus();
  await page.keyboard.press("Space");
  await expect(page.getByText("1 to follow")).toBeVisible();
  await page.getByRole("button", { name: "Save" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "1 channel is up to date" })).toBeVisible({ timeout: 60_000 });
  await expect(rows.filter({ hasText: "#general" })).toContainText("Up to date");
  await page.reload();
  await expect(page.getByRole("searchbox", { name: "Search channels" })).toHaveValue("gen");
  await page.goto(`${home(page)}/start`);
  await expect(
    page
      .getByRole("listitem")
      .filter({ hasText: /^Connect Slack/ })
      .last(),
  ).toContainText("done");
});

test("a document of the channel says who may see it and why", async () => {
  await page.goto(`${home(page)}/knowledge`);
  await page.getByRole("link", { name: /Slack: Acme/ }).click();
  const list = page.getByRole("list", { name: "Documents" });
  await list.getByRole("link", { name: /signing keys/ }).click();
  await expect(page.locator(".document-text")).toContainText("keyring script");
  await page.getByRole("button", { name: "Who sees this?" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("It was said in #general.");
  await expect(dialog).toContainText("Ada Obi");
  await expect(dialog).toContainText("grace");
  await page.keyboard.press("Escape");
});

test("a question is limited to the workspace, and its source is a thread in which one sees who said what", async () => {
  await page.goto(`${home(page)}/ask`);
  await page.getByRole("button", { name: /Where to look/ }).click();
  await page.getByRole("group", { name: "Workspaces" }).getByRole("checkbox", { name: /^Acme/ }).check();
  await sound(page, "where to look, with workspaces");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: /Where to look/ })).toContainText("Acme");
  await ask(page, "How do I rotate the signing keys?");
  await page.locator(".grounds summary").last().click();
  await expect(page.locator(".grounds").last()).toContainText("1 knowledge base");
  await page.locator(".source").first().click();
  const panel = page.getByRole("complementary", { name: /^Source: / });
  const said = panel.locator(".said").filter({ hasText: "keyring script" });
  await expect(said.locator("strong")).toHaveText("grace");
  await expect(said.locator(".quiet")).toHaveText(/\d\d:\d\d/);
  await expect(said.locator(".words")).toHaveText("Run the keyring script on Otter");
  await sound(page, "a thread beside an answer");
});

test("somebody mentions Amebo, the reply stands in the thread, and its source opens here", async () => {
  await page.goto(`${home(page)}/slack/${connection}/settings`);
  await page.getByRole("checkbox", { name: /People of this workspace count as colleagues/ }).check();
  await page.getByRole("button", { name: "Save" }).first().click();
  await expect(page.getByText("Saved")).toBeVisible();
  await page.goto(`${home(page)}/knowledge`);
  await page.getByRole("link", { name: /Slack: Acme/ }).click();
  await page
    .locator("input[type=file]")
    .first()
    .setInputFiles([
      {
        name: "expenses.md",
        mimeType: "text/markdown",
        buffer: Buffer.from("# Expenses\n\nA hotel night may cost up to 140 euros. Receipts are kept for ten years.\n"),
      },
    ]);
  const list = page.getByRole("list", { name: "Documents" });
  await expect(list.getByRole("listitem").filter({ hasText: "expenses" }).getByText("Indexed")).toBeVisible({
    timeout: 60_000,
  });
  await slack.tell(`${server.url}/channels/slack/${connection}/events`, {
    channel: GENERAL,
    user: ADA,
    text: `<@${slack.botUser}> How much may a hotel night cost?`,
  });
  const reply = async () => {
    const messages = await slack.messages(GENERAL);
    const said = messages.filter((message) => message.user === slack.botUser || message.bot_id);
    return JSON.stringify(said);
  };
  await expect.poll(reply, { timeout: 60_000 }).toContain("140 euros");
  const link = new RegExp(`${server.url}/documents/[0-9a-f-]+`).exec(await reply())?.[0] ?? "";
  expect(link).not.toBe("");
  await page.goto(link);
  await expect(page.getByRole("heading", { name: "expenses" })).toBeVisible();
  await expect(page.locator(".document-text")).toContainText("140 euros");
  await page.goto(`${home(page)}/slack/${connection}/health`);
  await expect(page.getByRole("heading", { name: /Last heard of/ })).toBeVisible();
  await expect(page.getByRole("heading", { name: /Slack lets Amebo in/ })).toBeVisible();
});

test("why the readers of a channel could see an answer is explained where the question is listed", async () => {
  await page.goto(`${home(page)}/insights`);
  await page.getByRole("link", { name: "What was asked" }).click();
  await page.getByLabel("Where it was asked").selectOption("Slack");
  const row = page
    .getByRole("list", { name: "What was asked" })
    .getByRole("listitem")
    .filter({ hasText: "hotel night" });
  await expect(row).toContainText("answered");
  await sound(page, "what was asked in Slack");
  await row.getByRole("link", { name: /Why could they see/ }).click();
  const panel = page.getByRole("region", { name: "Why could they see this?" });
  await expect(panel).toContainText("Everybody in #general reads this answer. All of them belong to you");
  await expect(panel.getByRole("definition")).toHaveText(["2", "1", "1", "0"]);
  await expect(panel.getByRole("listitem").filter({ hasText: "expenses" })).toContainText("1 more as colleagues");
  await sound(page, "why they could see it");
  await panel.getByRole("link", { name: "expenses" }).click();
  await expect(page.locator(".document-text")).toContainText("140 euros");
  await page.goBack();
  await page.getByRole("button", { name: "Why could they see this?" }).click();
  await expect(panel).toHaveCount(0);
});

test("somebody with another address says who they are: the link of Slack is confirmed here", async () => {
  const here = home(page);
  const olu = { id: "U0OTHER01", name: "olu at home", email: "olu@elsewhere.example", channels: [GENERAL] };
  await slack.addPerson(olu);
  await slack.press(`${server.url}/channels/slack/${connection}/interactions`, {
    channel: GENERAL,
    user: olu.id,
    action: "amebo_link",
  });
  const link = async () =>
    /http[^ |>)"\\]+link-account[^ |>)"\\]+/.exec(JSON.stringify(await slack.shown(olu.id)))?.[0] ?? "";
  await expect.poll(link, { timeout: 30_000 }).toContain("#token=");
  const address = await link();
  await page.goto(address.slice(server.url.length));
  await expect(page.getByText(/olu/).first()).toBeVisible();
  await sound(page, "a link to be confirmed");
  await page.getByRole("button", { name: "Yes, that is me" }).click();
  await expect(page.locator(".notice.good")).toContainText("olu");
  await page.getByRole("link", { name: "Your profile" }).click();
  await expect(page.getByText("olu at home")).toBeVisible();
  await page.goto(here);
  await page.goto(address.slice(server.url.length));
  await expect(page.getByRole("alert")).toContainText("link");
  await page.goto(here);
});

test("what Slack withdraws is shown with what mends it", async () => {
  await page.goto(`${home(page)}/slack/${connection}/health`);
  await slack.revoke();
  await slack.tell(`${server.url}/channels/slack/${connection}/events`, {
    channel: GENERAL,
    user: ADA,
    text: `<@${slack.botUser}> How long are receipts kept?`,
  });
  await expect(async () => {
    await page.reload();
    await expect(page.getByText("Amebo cannot use this workspace any more.").first()).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
  await page.getByRole("button", { name: "Connect again" }).first().click();
  await expect(page.getByText("Acme is connected")).toBeVisible();
  await expect(page.locator(".page > header .tag")).toHaveText("connected");
});

test("a workspace of which nothing is to be kept says so, and what was kept is forgotten", async () => {
  await page.goto(`${home(page)}/slack/${connection}/settings`);
  const keepsNothing = page.getByRole("checkbox", { name: /Keep nothing of what is said/ });
  await expect(keepsNothing).not.toBeChecked();
  await keepsNothing.check();
  await page.getByRole("button", { name: "Save" }).first().click();
  // It is asked first: nothing brings back what was kept.
  const asking = page.getByRole("dialog", { name: "Forget what was kept?" });
  await sound(page, "before what was kept is forgotten");
  await asking.getByRole("button", { name: "Keep nothing from now on" }).click();
  await expect(page.getByText("Saved")).toBeVisible();
  await page.reload();
  await expect(keepsNothing).toBeChecked();
  await sound(page, "nothing is kept");
  await page.goto(`${home(page)}/slack/${connection}`);
  await expect(page.getByText("Nothing of what is said in this workspace is kept")).toBeVisible();
  await page.goto(`${home(page)}/knowledge`);
  await page.getByRole("link", { name: /Slack: Acme/ }).click();
  const list = page.getByRole("list", { name: "Documents" });
  await expect(list.getByRole("listitem").filter({ hasText: "expenses" })).toBeVisible();
  await expect(async () => {
    await page.reload();
    await expect(list.getByRole("listitem")).toHaveCount(1, { timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
});

test("everything that came from the workspace is erased once its name is typed", async () => {
  await page.goto(`${home(page)}/slack/${connection}/settings`);
  await page.getByRole("button", { name: "Disconnect and erase" }).click();
  const erase = page.getByRole("dialog").getByRole("button", { name: "Disconnect and erase" });
  await expect(erase).toHaveAttribute("aria-disabled", "true");
  await page.getByLabel("Type “Acme” to go on").fill("Acme");
  await erase.click();
  await expect(page.getByRole("heading", { name: "Connect a workspace" })).toBeVisible();
  await page.goto(`${home(page)}/knowledge`);
  await page.getByRole("link", { name: /Slack: Acme/ }).click();
  const list = page.getByRole("list", { name: "Documents" });
  await expect(list.getByRole("listitem")).toHaveCount(1);
  await expect(list).toContainText("expenses");
});

test("an export is imported: what came, what is left out, and what cannot be read with its reason", async () => {
  const files = {
    "users.json": [{ id: "U1", name: "ada", profile: { email: OWNER.email, real_name: "Ada" } }],
    "channels.json": [{ id: "C1", name: "general", members: ["U1"] }],
    "general/2024-03-01.json": [
      { type: "message", user: "U1", text: "The canteen is closed on Fridays", ts: "1709294400.000100" },
      { type: "message", subtype: "channel_join", user: "U1", text: "joined", ts: "1709294400.000200" },
    ],
    "general/2024-03-02.json": "no list of messages",
  };
  const send = async (name: string, buffer: Buffer) => {
    await page.goto(`${home(page)}/slack/imports`);
    await page.locator("input[type=file]").setInputFiles([{ name, mimeType: "application/zip", buffer }]);
    await page.getByLabel("Address of the workspace").fill("https://acme.slack.com");
    await page.keyboard.press("Enter");
    return page.getByRole("article").filter({ hasText: name });
  };
  const done = await send("export.zip", archive(files));
  await expect(done.getByText("done", { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(done).toContainText("1 message");
  await expect(done).toContainText("1 notice of Slack");
  await done.getByText("1 file could not be read").click();
  await expect(done).toContainText("general/2024-03-02.json");
  const failed = await send("no-archive.zip", Buffer.from("this is no archive"));
  await expect(failed.getByText("failed", { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(failed.getByRole("alert")).toHaveText(/\w{3,}/);
  await failed.getByRole("link", { name: "no-archive.zip" }).click();
  await expect(page).toHaveURL(/\/slack\/imports\/[0-9a-f-]+$/);
});
