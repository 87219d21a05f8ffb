// People: invited, in, restricted, out; keys; the account of it.
import { expect, type Page, test } from "@playwright/test";
import { home, signUp } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let owner: Page;
let guest: Page;

test.beforeAll(async ({ browser }) => {
  server = await startServer();
  owner = await signUp(browser, server, "Harmattan Ltd");
  guest = await (await browser.newContext({ baseURL: server.url })).newPage();
});

test.afterAll(async () => {
  await server?.stop();
});

test("an invitation's link brings a colleague in", async () => {
  await owner.goto(`${home(owner)}/people`);
  await owner.getByRole("button", { name: "Invite somebody" }).click();
  await owner.getByLabel("E-mail").fill("ben@example.com");
  await owner.getByRole("radio", { name: /^Viewer/ }).check();
  await owner.getByRole("button", { name: "Make the invitation" }).click();
  const link = await owner.getByLabel("Invitation link").inputValue();
  await owner.getByRole("button", { name: "Done" }).click();
  await guest.goto(link);
  await expect(guest.getByRole("heading", { name: "Join Harmattan Ltd" })).toBeVisible();
  await guest.getByLabel("Name").fill("Ben Eze");
  await guest.getByLabel("Password").fill("a rather long password");
  await guest.getByRole("button", { name: "Join" }).click();
  await expect(guest.getByRole("heading", { name: "What would you like to know?" })).toBeVisible();
});

test("a page that is not for somebody says so, and buttons say why they do not work", async () => {
  await guest.goto(`${home(owner)}/audit`);
  await expect(guest.getByRole("heading", { name: "You may not see this" })).toBeVisible();
  await guest.goto(`${home(owner)}/settings`);
  const save = guest.getByRole("button", { name: "Save" }).first();
  await expect(save).toHaveAttribute("aria-disabled", "true");
  await expect(save).toHaveAttribute("title", /role does not allow/);
});

test("a role holds at once, and a suspended member is out", async () => {
  await owner.goto(`${home(owner)}/people`);
  await owner.getByRole("button", { name: "Actions for Ben Eze" }).click();
  await owner.getByRole("menuitem", { name: "Change the role" }).click();
  await owner.getByRole("radio", { name: /^Administrator/ }).check();
  await owner.getByRole("button", { name: "Save" }).click();
  await expect(owner.getByRole("row", { name: /Ben Eze/ })).toContainText("Administrator");
  await guest.goto(`${home(owner)}/audit`);
  await expect(guest.locator(".entries li").first()).toBeVisible();
  await owner.getByRole("button", { name: "Actions for Ben Eze" }).click();
  await owner.getByRole("menuitem", { name: "Suspend" }).click();
  await expect(owner.getByRole("row", { name: /Ben Eze/ })).toContainText("suspended");
  await guest.goto(`${home(owner)}/ask`);
  await expect(guest.getByText("You do not belong to this organization, or it does not exist.")).toBeVisible();
});

test("what a role may do is changed for everybody who has it", async () => {
  await owner.goto(`${home(owner)}/people/roles`);
  await owner.getByText("Reads only.").click();
  await owner.getByRole("button", { name: "Change what this role may do" }).click();
  const dialog = owner.getByRole("dialog", { name: "What the role “Viewer” may do" });
  await dialog.getByRole("group", { name: "Documents" }).getByRole("checkbox", { name: "add" }).check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(owner.getByRole("listitem").filter({ hasText: "Reads only." })).toContainText("changed here");
});

test("a profile has a name, a language and a theme, and other devices are signed out from here", async ({
  browser,
}) => {
  const elsewhere = await (await browser.newContext({ baseURL: server.url })).newPage();
  await elsewhere.goto("/sign-in");
  await elsewhere.getByLabel("E-mail").fill("ada@example.com");
  await elsewhere.getByLabel("Password").fill("correct horse battery");
  await elsewhere.getByRole("button", { name: "Sign in" }).click();
  await expect(elsewhere.getByRole("heading", { name: "What would you like to know?" })).toBeVisible();
  const at = home(owner);
  await owner.goto("/account");
  await owner.getByLabel("Name", { exact: true }).fill("Ada N. Obi");
  await owner.getByRole("button", { name: "Save" }).click();
  await expect(owner.getByRole("button", { name: "Ada N. Obi" })).toBeVisible();
  await owner.getByLabel("Current password").fill("not this one, surely");
  await owner.getByLabel("New password").fill("correct horse battery staple");
  await owner.getByRole("button", { name: "Change the password" }).click();
  await expect(owner.locator(".wrong").or(owner.getByRole("alert")).first()).toBeVisible();
  await expect(owner.getByLabel("New password"), "what was typed stays").toHaveValue("correct horse battery staple");
  await owner.getByLabel("Theme").selectOption("dark");
  await expect(owner.locator("html")).toHaveAttribute("data-theme", "dark");
  await owner.getByLabel("Language").selectOption("de");
  await expect(owner.getByRole("heading", { name: "Ihr Profil" })).toBeVisible();
  await expect(owner.locator("html")).toHaveAttribute("lang", "de");
  await owner.reload();
  await expect(owner.getByRole("heading", { name: "Ihr Profil" })).toBeVisible();
  await expect(owner.locator("html")).toHaveAttribute("data-theme", "dark");
  await owner.getByLabel("Sprache").selectOption("en");
  await owner.getByLabel("Theme").selectOption("system");
  const devices = owner.getByRole("region", { name: "Where you are signed in" });
  await expect(devices.getByRole("listitem")).toHaveCount(2);
  await expect(devices.getByText("this device")).toHaveCount(1);
  await devices.getByRole("button", { name: "Sign out there" }).click();
  await expect(devices.getByRole("listitem")).toHaveCount(1);
  await elsewhere.reload();
  await expect(elsewhere.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await elsewhere.context().close();
  await owner.goto(at);
});

test("an API key is shown once and ends at once", async ({ request }) => {
  await owner.goto(`${home(owner)}/settings/keys`);
  await owner.getByRole("button", { name: "Make an API key" }).click();
  await owner.getByLabel("Name").fill("Website");
  await owner.getByRole("dialog").getByRole("button", { name: "Make an API key" }).click();
  const key = await owner.getByRole("textbox", { name: "API key" }).inputValue();
  const knock = () => request.get(`${server.url}/api/v1/api-key`, { headers: { authorization: `Bearer ${key}` } });
  expect((await knock()).status()).toBe(200);
  await owner.getByRole("button", { name: "I have kept it" }).click();
  await owner.getByRole("button", { name: "End it" }).click();
  await owner.getByRole("dialog").getByRole("button", { name: "End it" }).click();
  await expect(owner.getByRole("row", { name: /Website/ })).toContainText("ended");
  expect((await knock()).status()).toBe(401);
});

test("the audit log has it all, and proves that nobody altered it", async () => {
  await owner.goto(`${home(owner)}/audit`);
  await owner.getByRole("button", { name: "Verify" }).click();
  await expect(owner.getByText(/Nobody altered it: \d+ entries, whole\./)).toBeVisible();
  await expect(owner.locator(".entries")).toContainText("Ada N. Obi");
  await owner.getByLabel("Action").fill("api_key.create");
  await expect(owner.locator(".entries li")).toHaveCount(1);
});

test("signing out ends it, and a deep link comes back after signing in", async () => {
  const page = `${home(owner)}/people/roles`;
  await owner.getByRole("button", { name: /Ada N\. Obi/ }).click();
  await owner.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(owner.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await owner.goto(page);
  await owner.getByLabel("E-mail").fill("ada@example.com");
  await owner.getByLabel("Password").fill("correct horse battery");
  await owner.getByRole("button", { name: "Sign in" }).click();
  await expect(owner.getByText("Everything but ownership.")).toBeVisible();
  expect(new URL(owner.url()).pathname).toBe(page);
});
