// Answers that a language model writes: seen while they are written, stopped, and in the server's own words when the model breaks.
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, type Page, test } from "@playwright/test";
import { home, loadSamples, signUp, sound } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let vendor: HttpServer;
let page: Page;
/** What the vendor waits for before it goes on after its first sentence. */
let gate = Promise.resolve();
let isBroken = false;
/** The keys that came with requests. */
const keys = new Set<string | undefined>();

const FIRST = "New colleagues get 27 days of paid leave a year";
const SECOND = "Leave that is not taken by the end of the year moves to the next one";

/** Holds the vendor back until the answer of this is called. */
function hold(): () => void {
  let release = () => {};
  gate = new Promise((resolve) => {
    release = resolve;
  });
  return release;
}

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000);
  // Writes two sentences from the passage that has them, as OpenAI's interface has it.
  vendor = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", async () => {
      keys.add(request.headers.authorization);
      if (isBroken) return response.writeHead(500).end();
      const said = JSON.stringify(JSON.parse(body).messages);
      const number = [...said.matchAll(/number=\\+"(\d+)\\+"(.*?)<\/passage/g)].find(([, , text]) =>
        text?.includes("27 days"),
      )?.[1];
      const send = (content: string) =>
        response.write(`data: ${JSON.stringify({ model: "owl", choices: [{ index: 0, delta: { content } }] })}\n\n`);
      response.writeHead(200, { "content-type": "text/event-stream" });
      send(`${FIRST} [${number ?? 1}]. `);
      await gate;
      send(`${SECOND} [${number ?? 1}].`);
      response.write(
        `data: ${JSON.stringify({ model: "owl", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\n`,
      );
      response.end("data: [DONE]\n\n");
    });
  });
  await new Promise<void>((resolve) => vendor.listen(0, "127.0.0.1", resolve));
  server = await startServer({ settings: { AMEBO__OUTBOUND__ALLOW: '["127.0.0.0/8"]' } });
  page = await signUp(browser, server, "Harmattan Ltd");
  await loadSamples(page);
});

test.afterAll(async () => {
  await server?.stop();
  vendor?.close();
});

const field = () => page.getByRole("textbox", { name: "Your question" });

test("a language model is added with a key that nobody sees again", async () => {
  await page.goto(`${home(page)}/settings/models`);
  await page.getByRole("button", { name: "Add a language model" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a language model" });
  await dialog.getByLabel("Name").fill("Owl");
  await dialog.getByLabel("Interface").selectOption("openai");
  await dialog.getByLabel("Model", { exact: true }).fill("owl");
  await dialog.getByLabel("Address").fill(`http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`);
  await dialog.getByLabel("Key", { exact: true }).fill("owl-key-7");
  await dialog.getByRole("button", { name: "Save" }).click();
  const card = page.getByRole("article").filter({ hasText: "Owl" });
  await card.getByRole("button", { name: "Test connection" }).click();
  await expect(card).toContainText("It answers.");
  expect(keys).toEqual(new Set(["Bearer owl-key-7"]));
  await page.reload();
  await expect(card).toBeVisible();
  expect(await page.content()).not.toContain("owl-key-7");
  await card.getByRole("button", { name: "Actions for Owl" }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await expect(page.getByRole("dialog").getByLabel("Key", { exact: true })).toHaveValue("");
  await page.keyboard.press("Escape");
});

test("an answer is read while it is written, and its marks lead to its source when it is checked", async () => {
  const release = hold();
  await page.goto(`${home(page)}/ask`);
  await field().fill("How many days of leave do new colleagues get?");
  await field().press("Enter");
  const turn = page.getByRole("article");
  await expect(turn).toHaveAttribute("aria-busy", "true");
  await expect(turn).toContainText(FIRST);
  await expect(turn).not.toContainText(SECOND);
  await expect(turn.locator(".cite")).toHaveText(["1"]);
  await expect(page.getByRole("button", { name: "Stop" })).toBeVisible();
  const moving = () =>
    page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === "running").length);
  await expect.poll(moving, "something shows that it works").toBeGreaterThan(0);
  await sound(page, "an answer that is being written");
  await expect.poll(moving, "for those who want no motion there is none").toBe(0);
  // Whoever looks at something else meanwhile finds it as far as it has come.
  await page.getByRole("link", { name: "People" }).click();
  await expect(page.getByRole("heading", { name: "People", level: 1 })).toBeVisible();
  await page.goBack();
  await expect(turn).toContainText(FIRST);
  release();
  await expect(turn.locator(".prose")).toContainText(SECOND);
  await expect(turn.locator(".grounds summary")).toHaveText(/(Confident|Fairly sure|Unsure).*6 documents searched/);
  await turn.locator(".grounds summary").click();
  await expect(turn.locator(".grounds")).toContainText(/\d+% likely to be right/);
  await expect(turn.locator(".grounds")).toContainText("owl");
  await turn.locator("button.cite").first().click();
  await expect(
    page
      .getByRole("complementary", { name: /^Source: / })
      .locator("mark")
      .first(),
  ).toContainText("27 days");
  await page.keyboard.press("Escape");
});

test("whoever stops asks on at once, and still finds what became of the question", async () => {
  const release = hold();
  await field().fill("How many days of leave do I get in my first year?");
  await field().press("Enter");
  await expect(page.getByRole("article").last()).toContainText(FIRST);
  await page.keyboard.press("Escape");
  await expect(page.getByText("Stopped. The answer appears here if it is finished all the same.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Stop" })).toHaveCount(0);
  release();
  await expect(page.locator(".turn")).toHaveCount(2);
  await expect(page.locator(".turn").last().locator(".grounds")).toBeVisible({ timeout: 30_000 });
});

test("when the model breaks, the documents are quoted, and the answer says so", async () => {
  isBroken = true;
  await page.goto(`${home(page)}/ask`);
  await field().fill("How many days of leave do new colleagues get?");
  await field().press("Enter");
  const turn = page.getByRole("article");
  await expect(turn.locator(".grounds")).toBeVisible({ timeout: 60_000 });
  await expect(turn.locator(".prose")).toContainText("27 days");
  await turn.locator(".grounds summary").click();
  await expect(turn.locator(".grounds")).toContainText("no model: these are quotations");
});
