// What the first load weighs and takes, and a list of ten thousand. Prints what it measured; only the weight, which no
// busy machine changes, is bounded.
import { expect, type Page, test } from "@playwright/test";
import { home, signUp } from "./person";
import { type Server, startServer } from "./server";

test.describe.configure({ mode: "serial" });

let server: Server;
let page: Page;

test.beforeAll(async ({ browser }) => {
  server = await startServer();
  page = await signUp(browser, server, "Harmattan Ltd");
});

test.afterAll(async () => {
  await server?.stop();
});

const MOST_BYTES = 150_000;

test("the first load of Ask is light and soon ready", async ({ browser }) => {
  const times: number[] = [];
  let transferred = 0;
  for (let round = 0; round < 5; round += 1) {
    const context = await browser.newContext({
      baseURL: server.url,
      storageState: await page.context().storageState(),
    });
    const cold = await context.newPage();
    await cold.goto(`${home(page)}/ask`);
    await cold.getByRole("textbox", { name: "Your question" }).waitFor();
    times.push(await cold.evaluate(() => performance.now()));
    await expect(cold.getByText("Amebo does not know anything yet")).toBeVisible();
    transferred = await cold.evaluate(() =>
      [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].reduce(
        (sum, entry) => sum + (entry as PerformanceResourceTiming).transferSize,
        0,
      ),
    );
    await context.close();
  }
  const median = times.sort((a, b) => a - b)[2] ?? Number.POSITIVE_INFINITY;
  console.log(
    `Ask, cold: ${Math.round(transferred / 1000)} kB transferred, interactive after ${Math.round(median)} ms (median of 5)`,
  );
  expect(transferred).toBeLessThan(MOST_BYTES);
});

test("ten thousand documents scroll and filter without a pause", async () => {
  const total = 10_000;
  const base = await page.evaluate(async (organization) => {
    const csrf = document.cookie.split("amebo_csrf=")[1]?.split(";")[0] ?? "";
    const me = await (await fetch("/api/v1/me")).json();
    const id = me.organizations.find((place: { slug: string }) => organization.endsWith(place.slug)).organization_id;
    const answer = await fetch(`/api/v1/organizations/${id}/knowledge-bases`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrf-token": csrf },
      body: JSON.stringify({ name: "Archive", description: "" }),
    });
    return (await answer.json()).id as string;
  }, home(page));
  // The server keeps no ten thousand documents here: what is measured is the page, so its list is answered in place.
  await page.route(/\/documents\?/, async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const first = Number(query.get("cursor") ?? 0);
    const text = query.get("text") ?? "";
    const matching = Array.from({ length: total }, (_, index) => index).filter((index) =>
      `Document ${index}`.includes(text),
    );
    const items = matching.slice(first, first + 200).map((index) => ({
      id: `00000000-0000-7000-8000-${String(index).padStart(12, "0")}`,
      knowledge_base_id: base,
      title: `Document ${index}`,
      original_name: `document-${index}.md`,
      size_bytes: 1_000 + index,
      status: "indexed",
      chunk_count: 3,
      chunks_done: 3,
      updated_at: new Date(0).toISOString(),
      audience: { kind: "organization" },
    }));
    const next = first + 200 < matching.length ? String(first + 200) : undefined;
    await route.fulfill({ json: { items, next_cursor: next } });
  });
  await page.goto(`${home(page)}/knowledge/${base}`);
  const list = page.getByRole("list", { name: "Documents" });
  await expect(list.getByText("Document 0", { exact: true })).toBeVisible();
  // To the end, page by page, as somebody would who holds the key down.
  await expect
    .poll(
      async () => {
        await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
        return list.getByText(`Document ${total - 1}`, { exact: true }).isVisible();
      },
      { timeout: 50_000, intervals: [10] },
    )
    .toBe(true);
  expect(await list.getByRole("listitem").count()).toBeLessThan(60);
  const longest = await page.evaluate(async () => {
    let worst = 0;
    for (let step = 0; step < 60; step += 1) {
      window.scrollTo(0, (document.body.scrollHeight * step) / 60);
      const before = performance.now();
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      worst = Math.max(worst, performance.now() - before);
    }
    return worst;
  });
  const field = page.getByRole("searchbox", { name: "Search by title or file name" });
  const typed = await field.evaluate(async (input: HTMLInputElement) => {
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set;
    const before = performance.now();
    set?.call(input, "Document 77");
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - before;
  });
  await expect(list.getByText("Document 770", { exact: true })).toBeVisible();
  console.log(
    `10,000 documents: longest frame while scrolling ${Math.round(longest)} ms, a letter of the filter ${Math.round(typed)} ms`,
  );
});
