// What an organisation's pages carry, the models it brings, and what the operator sees and agrees.
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, type Page, test } from "@playwright/test";
import { execute } from "./database";
import { home, signUp, sound, violations } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let vendor: HttpServer;
let page: Page;
let operator: Page;
/** What the vendor waits for before it answers. */
let gate = Promise.resolve();

test.beforeAll(async ({ browser }) => {
  // Embeds everything alike, as OpenAI's interface has it.
  vendor = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", async () => {
      await gate;
      const { input } = JSON.parse(body) as { input: string[] };
      const data = input.map((_, index) => ({ object: "embedding", index, embedding: [0.6, 0.8, 0, 0] }));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ object: "list", model: "wren", data, usage: { prompt_tokens: 1, total_tokens: 1 } }),
      );
    });
  });
  await new Promise<void>((resolve) => vendor.listen(0, "127.0.0.1", resolve));
  server = await startServer({ settings: { AMEBO__OUTBOUND__ALLOW: '["127.0.0.0/8"]' } });
  page = await signUp(browser, server, "Harmattan Ltd");
  operator = await (await browser.newContext({ baseURL: server.url })).newPage();
});

test.afterAll(async () => {
  await server?.stop();
  vendor?.close();
});

/** One pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

test("a logo shows in the corner and where people sign in; what is no picture is refused", async ({ browser }) => {
  await page.goto(`${home(page)}/settings`);
  const input = page.getByLabel("Choose a picture").first();
  await input.setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: Buffer.from("<svg/>") });
  await expect(page.getByText("A logo is a PNG, JPEG or WebP picture.")).toBeVisible();
  await input.setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: PNG });
  await expect(page.getByRole("img", { name: "The logo as it is now" })).toBeVisible();
  const mark = page.locator(".sidebar .brand img").first();
  await expect(mark).toHaveAttribute("src", /\/api\/v1\/logos\/harmattan-ltd\?v=/);
  expect(await mark.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth)).toBe(1);
  const visitor = await (await browser.newContext({ baseURL: server.url })).newPage();
  await visitor.goto(`${home(page)}/people`);
  await expect(visitor.locator(".entrance .logo")).toBeVisible();
  await visitor.context().close();
});

test("every colour can be read, in either theme", async () => {
  test.setTimeout(120_000);
  await page.goto(`${home(page)}/settings`);
  const colours = page.getByRole("group", { name: "Colour" }).getByRole("radio");
  await expect(colours).toHaveCount(8);
  const accents = new Set<string>();
  for (const name of ["Teal", "Blue", "Violet", "Pink", "Red", "Orange", "Olive", "Green"]) {
    const saved = page.waitForResponse((response) => response.request().method() === "PATCH");
    // Asked within the click: a mark that jumps back until the server answered is seen for a moment only.
    const isMarked = await page.getByRole("radio", { name, exact: true }).evaluate((radio: HTMLInputElement) => {
      radio.click();
      return radio.checked;
    });
    expect(isMarked, name).toBe(true);
    await saved;
    await sound(page, `settings in ${name}`);
    accents.add(
      await page
        .getByRole("button", { name: "Save" })
        .first()
        .evaluate((button) => getComputedStyle(button).backgroundColor),
    );
  }
  expect(accents.size).toBe(8);
});

test("public profiles are kept and shown to colleagues and whoever is invited, and an address elsewhere is refused in its place", async ({
  browser,
}) => {
  await page.goto(`${home(page)}/settings`);
  await page.getByRole("textbox", { name: "LinkedIn" }).fill("https://linkedin.example.com/company/harmattan");
  const form = page.getByRole("region", { name: "Public profiles" });
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByRole("alert")).toContainText("linkedin.com");
  await page.getByRole("textbox", { name: "LinkedIn" }).fill("https://www.linkedin.com/company/harmattan");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByRole("button", { name: "Save" })).not.toHaveAttribute("aria-busy");
  await page.reload();
  await expect(page.getByRole("textbox", { name: "LinkedIn" })).toHaveValue(
    "https://www.linkedin.com/company/harmattan",
  );
  const name = "Harmattan Ltd on LinkedIn, in a new tab";
  const corner = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name });
  await expect(corner).toHaveAttribute("href", "https://www.linkedin.com/company/harmattan");
  await expect(corner).toHaveAttribute("rel", "noopener");
  await sound(page, "profiles in the corner");
  await page.goto(`${home(page)}/people`);
  await page.getByRole("button", { name: "Invite somebody" }).click();
  await page.getByLabel("E-mail").fill("ben@example.com");
  await page.getByRole("button", { name: "Make the invitation" }).click();
  const link = await page.getByLabel("Invitation link").inputValue();
  const visitor = await (await browser.newContext({ baseURL: server.url })).newPage();
  await visitor.goto(link);
  await expect(visitor.getByRole("link", { name })).toHaveAttribute(
    "href",
    "https://www.linkedin.com/company/harmattan",
  );
  await sound(visitor, "an invitation with profiles");
  await visitor.context().close();
});

test("an embedding model is added, tested and taken for new knowledge bases", async () => {
  await page.goto(`${home(page)}/settings/models`);
  await page.getByRole("button", { name: "Add an embedding model" }).click();
  const dialog = page.getByRole("dialog", { name: "Add an embedding model" });
  await expect(dialog.getByLabel("Interface")).toHaveText(/OpenAI.*Voyage/);
  await dialog.getByLabel("Name").fill("Wren");
  await dialog.getByLabel("Model", { exact: true }).fill("wren");
  await dialog.getByLabel("Address").fill(`http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`);
  await dialog.getByLabel("It needs no key").check();
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Save" }).click();
  const card = page.getByRole("article").filter({ hasText: "Wren" });
  await expect(card).toContainText("embeds new knowledge bases");
  await expect(card).toContainText("4 numbers a vector");
  await card.getByRole("button", { name: "Test connection" }).click();
  await expect(card).toContainText("It answers.");
});

test("a knowledge base moves to the server's model and back, and shows how far it has come", async () => {
  test.skip(!process.env.AMEBO_TEST_MODELS, "the server has no model of its own");
  test.setTimeout(120_000);
  await page.goto(`${home(page)}/knowledge`);
  await page.getByRole("button", { name: "New knowledge base" }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill("Handbook");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: "Handbook" })).toBeVisible();
  const file = { name: "tea.md", mimeType: "text/markdown", buffer: Buffer.from("# Tea\n\nTea is served at four.\n") };
  await page.locator("input[type=file]").first().setInputFiles([file]);
  const list = page.getByRole("list", { name: "Documents" });
  await expect(list.getByText("Indexed")).toBeVisible({ timeout: 60_000 });
  const choose = async () => {
    await page.getByRole("button", { name: "Actions for this knowledge base" }).click();
    await page.getByRole("menuitem", { name: "Search model" }).click();
    return page.getByRole("dialog", { name: "Search model" });
  };
  const dialog = await choose();
  await expect(dialog.getByRole("radio", { name: /wren.*in use.*of your provider Wren/ })).toBeChecked();
  await expect(dialog.getByRole("button", { name: "Move" })).toHaveAttribute("aria-disabled", "true");
  await dialog.getByRole("radio", { name: /of this server/ }).check();
  await expect(dialog).toContainText("The passages of 1 document are embedded anew");
  await sound(page, "choosing a model");
  await dialog.getByRole("button", { name: "Move" }).click();
  await expect(page.getByText(/The move is done/)).toBeVisible({ timeout: 60_000 });
  await choose();
  await expect(dialog.getByRole("radio", { name: /in use.*of this server/ })).toBeChecked();
  let open = () => {};
  gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  await dialog.getByRole("radio", { name: /wren/ }).check();
  await expect(dialog).toContainText("is sent to Wren");
  await dialog.getByRole("button", { name: "Move" }).click();
  const moving = page.getByRole("region", { name: "Moving to wren" });
  await expect(moving.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "0");
  await expect(moving).toContainText("0 of 1 passage");
  await sound(page, "on its way to a model");
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.setViewportSize({ width: 1280, height: 800 });
  open();
  await expect(page.getByText("The move is done: passages are found with wren now.")).toBeVisible({ timeout: 60_000 });
  await expect(moving).toHaveCount(0);
});

test("the operator agrees limits, which the organization sees", async () => {
  await operator.goto(server.link);
  await expect(operator.getByRole("heading", { name: "What would you like to know?" })).toBeVisible();
  await operator.goto("/operator");
  await operator.getByRole("button", { name: "Actions for Harmattan Ltd" }).click();
  await operator.getByRole("menuitem", { name: "Plan and standing" }).click();
  const dialog = operator.getByRole("dialog", { name: "Plan and standing of Harmattan Ltd" });
  await dialog.getByLabel("Members").fill("7");
  await dialog.getByLabel("Storage in GB").fill("1.5");
  expect(await violations(operator)).toEqual([]);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await page.goto(`${home(page)}/settings`);
  const plan = page.getByRole("region", { name: "Plan" });
  await expect(plan).toContainText("1 of 7");
  await expect(plan).toContainText("of 1.5 GB");
});

test("the operator sees how the server is doing, and what was given up", async () => {
  await operator.goto("/operator?tab=health");
  const database = operator.getByRole("region", { name: "Database" });
  await expect(database).toContainText("PostgreSQL");
  await expect(database).toContainText("good");
  await expect(operator.getByRole("region", { name: "Queue" })).toContainText("good");
  await operator.goto("/operator?tab=jobs");
  await expect(operator.getByRole("heading", { name: "Nothing was given up" })).toBeVisible();
  await operator.getByLabel("State").selectOption("Waiting");
  await expect(operator).toHaveURL(/state=queued/);
});

test("work that was given up says why and whose it is, not what it is about, and is tried again or thrown away", async () => {
  for (const name of ["owl", "heron"])
    execute(
      server.data,
      `insert into jobs (id, organization_id, kind, priority, payload, state, run_at, attempts, max_attempts, last_error, created_at, updated_at)
       select gen_random_uuid(), id, 'test.${name}', 'bulk', '{"title": "secret plan"}', 'dead', now(), 5, 5, 'the ${name} is away', now(), now()
       from organizations where name = 'Harmattan Ltd'`,
    );
  await operator.goto("/operator?tab=jobs");
  const owl = operator.getByRole("row", { name: /test\.owl/ });
  const heron = operator.getByRole("row", { name: /test\.heron/ });
  await expect(owl).toContainText("the owl is away");
  await expect(owl).toContainText("Harmattan Ltd");
  await expect(owl).toContainText("5 of 5");
  await expect(operator.getByRole("main")).not.toContainText("secret plan");
  await sound(operator, "work that was given up");
  await owl.getByRole("button", { name: "Try again" }).click();
  await expect(owl).toHaveCount(0);
  await heron.getByRole("button", { name: "Actions for test.heron" }).click();
  await operator.getByRole("menuitem", { name: "Throw away" }).click();
  await operator.getByRole("dialog").getByRole("button", { name: "Throw away" }).click();
  await expect(operator.getByRole("heading", { name: "Nothing was given up" })).toBeVisible();
  await operator.getByLabel("State").selectOption("Waiting");
  await expect(operator.getByRole("row", { name: /test\.owl/ })).toBeVisible();
});
