// axe on every page and dialog about Slack, in both themes, and none of them wider than a phone.
import { expect, type Page, test } from "@playwright/test";
import { archive } from "./archive";
import { connectSlack, type FakeSlack, listChannels, startFakeSlack } from "./fake-slack";
import { home, signUp, sound } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let slack: FakeSlack;
let server: Server;
let page: Page;
let here: string;
let connection: string;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000);
  slack = await startFakeSlack();
  const person = { name: "Ada Obi", email: "ada@acme.example", password: "correct horse battery" };
  await slack.addChannel({ id: "C0SECRET1", name: "merger", private: true, members: ["U0USER001", slack.botUser] });
  await slack.say({ channel: "C0GENERAL", user: "U0USER001", text: "The build server is called Otter" });
  server = await startServer({ settings: slack.environment });
  page = await signUp(browser, server, "Acme Ltd", person, { reducedMotion: "reduce" });
  here = home(page);
});

test.afterAll(async () => {
  await server?.stop();
  await slack?.stop();
});

/** The page as it is, wide and narrow. */
async function look(where: string) {
  await sound(page, where);
  await page.setViewportSize({ width: 360, height: 740 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide, where).toBeLessThanOrEqual(360);
  await sound(page, `${where}, narrow`);
  await page.setViewportSize({ width: 1280, height: 800 });
}

test("before anything is connected", async () => {
  test.setTimeout(150_000);
  await page.goto(`${here}/slack`);
  await page.getByRole("heading", { name: "Connect a workspace" }).waitFor();
  await look("no workspace");
  await page.goto(`${here}/slack/imports`);
  await page.getByRole("button", { name: "Import", exact: true }).waitFor();
  await page.getByText("How to get an export").click();
  await look("no import");
  await page.goto("/slack-failed?why=denied");
  await page.getByRole("heading", { name: "Slack is not connected" }).waitFor();
  await look("an installation that failed");
  await page.goto(`${here}/slack/00000000-0000-0000-0000-000000000000`);
  await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
  await look("no such workspace");
  await page.goto(`${here}/slack`);
  await page.getByRole("button", { name: "Bring your own app" }).click();
  await page.getByRole("heading", { name: "Make the app in Slack" }).waitFor();
  await page.getByText("Show the manifest").click();
  await look("setting up");
  await page.getByRole("radio", { name: /Amebo calls Slack/ }).check();
  await look("setting up with a socket");
  await page.getByRole("button", { name: "Give up this set-up" }).click();
  await page.getByRole("heading", { name: "Connect a workspace" }).waitFor();
});

test("a connected workspace, its pages and dialogs", async () => {
  test.setTimeout(240_000);
  connection = await connectSlack(page, slack);
  await page.getByRole("heading", { name: "Where should it go?" }).waitFor();
  await look("where it goes");
  await listChannels(page);
  await page.getByRole("checkbox", { name: "Follow #merger" }).check();
  await page.getByRole("checkbox", { name: "Follow #general" }).check();
  await look("channels being chosen");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: "2 channels are up to date" })).toBeVisible({ timeout: 60_000 });
  await look("channels");
  await page.getByRole("button", { name: "Actions for #general" }).click();
  await sound(page, "the menu of a channel");
  await page.getByRole("menuitem", { name: "Erase what was learnt" }).click();
  await look("erasing a channel");
  await page.goto(`${connection}/health`);
  await page.getByRole("heading", { name: "Slack lets Amebo in" }).waitFor();
  await look("health");
  await page.goto(`${connection}/settings`);
  await page.getByRole("heading", { name: "What is kept" }).waitFor();
  await look("settings of a workspace");
  await page.getByRole("button", { name: "Disconnect", exact: true }).click();
  await look("disconnecting");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Disconnect and erase" }).click();
  await look("erasing");
  await page.goto(`${here}/slack`);
  await page.getByRole("link", { name: /connected/ }).waitFor();
  await look("workspaces");
});

test("a document of a channel, and who sees it", async () => {
  test.setTimeout(120_000);
  await page.goto(`${here}/knowledge`);
  await page.locator(".document-row a").first().click();
  await page.locator(".document-text").waitFor();
  await look("a document of a channel");
  await page.getByRole("button", { name: "Who sees this?" }).click();
  await page.getByRole("dialog").getByText("Ada Obi").waitFor();
  await look("who sees it");
});

test("imports that failed and that worked", async () => {
  test.setTimeout(120_000);
  const user = { id: "U1", name: "ada", profile: { email: "ada@acme.example", real_name: "Ada" } };
  const files = {
    "users.json": [user],
    "channels.json": [{ id: "C1", name: "general", members: ["U1"] }],
    "general/2024-03-01.json": [
      { type: "message", user: "U1", text: "The canteen is closed", ts: "1709294400.000100" },
    ],
    "general/2024-03-02.json": "no list of messages",
  };
  for (const [name, buffer] of [
    ["no-archive.zip", Buffer.from("this is no archive")],
    ["export.zip", archive(files)],
  ] as const) {
    await page.goto(`${here}/slack/imports`);
    await page.locator("input[type=file]").setInputFiles([{ name, mimeType: "application/zip", buffer }]);
    await page.getByRole("button", { name: "Import", exact: true }).click();
    const card = page.getByRole("article").filter({ hasText: name });
    await expect(card.getByText(/^(failed|done)$/)).toBeVisible({ timeout: 30_000 });
  }
  const card = page.getByRole("article").filter({ hasText: "export.zip" });
  await expect(card).toContainText("1 message");
  await card.getByText("1 file could not be read").click();
  await look("imports");
});
