// Every page, read over a slow line: nothing that is shown moves when the rest arrives. And every page keeps to the policy of what may run.
import { expect, type Page, type Request, test } from "@playwright/test";
import { home, signUp } from "./person";
import { enterAsOperator, everyPage, OPERATOR } from "./places";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let page: Page;
let operator: Page;
let paths: string[] = [];

/** How long each answer of the API is held back, in milliseconds. */
const HELD_BACK = 400;
/** Half of what Google's Core Web Vitals call good is 0.05; this is what nobody sees. */
const MOST_SHIFT = 0.02;

type Watched = { shifts: { value: number; nodes: string[] }[]; violations: string[] };

test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000);
  server = await startServer();
  page = await signUp(browser, server, "Harmattan Ltd");
  const read = await everyPage(page);
  const at = home(page);
  paths = [`${at}/ask`, `${at}/start`, ...read, `${at}/nothing`];
  operator = await enterAsOperator(browser, server);
});

test.afterAll(async () => {
  await server?.stop();
});

async function watch(target: Page) {
  await target.addInitScript(() => {
    const watched: Watched = { shifts: [], violations: [] };
    Object.assign(window, { watched });
    document.addEventListener("securitypolicyviolation", (event) =>
      watched.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile ?? ""}`),
    );
    type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources?: { node?: Node | null }[] };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Shift[]) {
        if (entry.hadRecentInput) continue;
        const named = (node: Node | null | undefined) =>
          node instanceof Element ? `${node.tagName.toLowerCase()}.${node.getAttribute("class") ?? ""}` : "#text";
        watched.shifts.push({ value: entry.value, nodes: (entry.sources ?? []).map(({ node }) => named(node)) });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await target.route("**/api/v1/**", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, HELD_BACK));
    await route.continue().catch(() => undefined);
  });
}

/** How many answers of the API a page waits for. A stream is answered when it begins. */
function waitingFor(target: Page): () => number {
  const open = new Set<Request>();
  const isOfApi = (request: Request) => request.url().includes("/api/v1/");
  target.on("request", (request) => isOfApi(request) && open.add(request));
  target.on("response", (response) => open.delete(response.request()));
  target.on("requestfailed", (request) => open.delete(request));
  return () => open.size;
}

/** Loads a page and waits until it has all it asked for, and drew it. */
async function settled(target: Page, path: string): Promise<Watched> {
  await target.goto("about:blank");
  const open = waitingFor(target);
  await target.goto(path);
  await target.locator("h1").first().waitFor();
  const drawn = () =>
    target.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await expect(async () => {
    await drawn();
    expect(open()).toBe(0);
    await expect(target.locator(".skeleton, [aria-busy=true]")).toHaveCount(0, { timeout: 1 });
    await drawn();
    expect(open()).toBe(0);
  }).toPass();
  return target.evaluate(() => (window as unknown as { watched: Watched }).watched);
}

function moved({ shifts }: Watched): string {
  const sum = shifts.reduce((total, shift) => total + shift.value, 0);
  return sum < MOST_SHIFT
    ? ""
    : `${sum.toFixed(3)}: ${shifts.map((shift) => `${shift.value.toFixed(3)} ${shift.nodes.join(" ")}`).join("; ")}`;
}

for (const [name, size] of Object.entries({
  wide: { width: 1280, height: 800 },
  narrow: { width: 360, height: 740 },
})) {
  test(`nothing moves while pages load, ${name}`, async ({ browser }) => {
    test.setTimeout(240_000);
    const context = await browser.newContext({
      baseURL: server.url,
      storageState: await page.context().storageState(),
      viewport: size,
    });
    const slow = await context.newPage();
    const complaints: string[] = [];
    context.on("console", (message) => {
      if (/content security policy/i.test(message.text())) complaints.push(message.text());
    });
    await watch(slow);
    const found: string[] = [];
    for (const path of paths) {
      const watched = await settled(slow, path);
      complaints.push(...watched.violations);
      const told = moved(watched);
      if (told) found.push(`${path} ${told}`);
    }
    await context.close();
    expect(found).toEqual([]);
    expect(complaints, "against the policy").toEqual([]);
  });
}

test("nor do those of the operator, and of whoever comes in", async ({ browser }) => {
  test.setTimeout(120_000);
  const found: string[] = [];
  await watch(operator);
  for (const path of OPERATOR) {
    const watched = await settled(operator, path);
    const told = moved(watched);
    if (told) found.push(`${path} ${told}`);
    expect(watched.violations).toEqual([]);
  }
  const visitor = await (await browser.newContext({ baseURL: server.url })).newPage();
  await watch(visitor);
  for (const path of ["/sign-in", "/sign-up", "/reset-password", "/accept-invitation#token=x", "/slack-failed"]) {
    const watched = await settled(visitor, path);
    const told = moved(watched);
    if (told) found.push(`${path} ${told}`);
    expect(watched.violations).toEqual([]);
  }
  expect(found).toEqual([]);
});

test("the policy lets no script or style run that stands in the page", async () => {
  for (const path of ["/sign-in", `${home(page)}/ask`]) {
    const response = await page.request.get(path);
    const policy = response.headers()["content-security-policy"] ?? "";
    const of = (name: string) => policy.split(";").find((part) => part.trim().startsWith(`${name} `)) ?? "";
    expect(of("script-src")).toContain("'self'");
    expect(policy).not.toContain("unsafe-inline");
    expect(policy).not.toContain("unsafe-eval");
    expect(of("object-src") + of("default-src")).toContain("'none'");
    expect(of("frame-ancestors")).toContain("'none'");
    const text = await response.text();
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>/);
    expect(text).not.toMatch(/\son\w+=|<style|javascript:/);
  }
});
