// A knowledge base of 10,000 documents: how it scrolls and filters. Prints what it measured; nothing is judged, since machines differ.
import { expect, type Page, test } from "@playwright/test";
import { execute } from "./database";
import { home, signUp } from "./person";
import { type Server, startServer } from "./server";

const DOCUMENTS = Number(process.env.AMEBO_LIST_DOCUMENTS ?? 10_000);
/** Longer than this, and a frame of 60 a second was dropped. */
const DROPPED_MILLISECONDS = 34;

let server: Server;

test.beforeAll(async () => {
  // The list is measured, not the meaning of its documents.
  server = await startServer({ hasModels: false });
});

test.afterAll(async () => {
  await server?.stop();
});

async function csrf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  return cookies.find((cookie) => cookie.name === "amebo_csrf")?.value ?? "";
}

/** What the page's own session may do, past its buttons. */
async function call(page: Page, method: string, path: string, body: unknown) {
  const response = await page.request.fetch(path, {
    method,
    data: body,
    headers: { "x-csrf-token": await csrf(page) },
  });
  expect(response.ok(), `${method} ${path}: ${response.status()}`).toBe(true);
  return response.status() === 204 ? {} : await response.json();
}

/** Copies the one document of the server, in its database: ten thousand uploads would measure something else, for half an hour. */
function multiply(data: string, copies: number) {
  const statement = `
    insert into documents (id, organization_id, knowledge_base_id, source_id, title, original_name, mime_type, size_bytes, content_hash,
                           blob_id, metadata, audience, version, status, pages, chunk_count, chunks_done, processed_at, uploaded_by,
                           created_at, updated_at)
    select gen_random_uuid(), organization_id, knowledge_base_id, source_id, 'Note ' || lpad(number::text, 5, '0'), original_name, mime_type,
           size_bytes, sha256(number::text::bytea), blob_id, metadata, audience, version, status, pages, chunk_count, chunks_done,
           processed_at, uploaded_by, created_at, updated_at
    from documents, generate_series(1, ${copies}) as number`;
  execute(data, statement);
}

type Scroll = { frames: number; dropped: number; longest: number; median: number };

/** Scrolls the whole page for so many frames, and tells how long they took. */
function scroll(page: Page, frames: number): Promise<Scroll> {
  return page.evaluate(
    ([count, limit]) =>
      new Promise<Scroll>((resolve) => {
        const times: number[] = [];
        const step = (document.documentElement.scrollHeight - innerHeight) / (count ?? 1);
        let last = performance.now();
        const draw = (now: number) => {
          times.push(now - last);
          last = now;
          if (times.length > (count ?? 0)) {
            const taken = times.slice(1).sort((a, b) => a - b);
            resolve({
              frames: taken.length,
              dropped: taken.filter((time) => time > (limit ?? 0)).length,
              longest: taken.at(-1) ?? 0,
              median: taken[Math.floor(taken.length / 2)] ?? 0,
            });
            return;
          }
          scrollBy(0, step);
          requestAnimationFrame(draw);
        };
        requestAnimationFrame(draw);
      }),
    [frames, DROPPED_MILLISECONDS],
  );
}

/** From a keystroke in the filter to the list that shows its result, in milliseconds. */
function filter(page: Page, text: string, rows: number): Promise<number> {
  return page.evaluate(
    ([sought, count]) =>
      new Promise<number>((resolve) => {
        const field = document.querySelector<HTMLInputElement>("input[type=search].input[aria-label^='Search by']");
        const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set;
        const began = performance.now();
        set?.call(field, sought);
        field?.dispatchEvent(new Event("input", { bubbles: true }));
        const look = () => {
          const list = document.querySelector(".virtual li");
          if (list?.getAttribute("aria-setsize") === String(count)) resolve(performance.now() - began);
          else requestAnimationFrame(look);
        };
        look();
      }),
    [text, rows] as const,
  );
}

test(`${DOCUMENTS} documents`, async ({ browser }) => {
  test.setTimeout(300_000);
  const page = await signUp(browser, server, "Harmattan Ltd");
  const { organizations } = await call(page, "GET", "/api/v1/me", undefined);
  const organization = `/api/v1/organizations/${organizations[0].organization_id}`;
  const base = await call(page, "POST", `${organization}/knowledge-bases`, { name: "Notes" });
  const response = await page.request.post(
    `${organization}/knowledge-bases/${base.id}/documents/raw?name=${encodeURIComponent("Note 00000.txt")}`,
    { data: Buffer.from("A note of many."), headers: { "x-csrf-token": await csrf(page) } },
  );
  expect(response.ok(), await response.text()).toBe(true);
  await expect
    .poll(async () => (await call(page, "GET", `${organization}/documents?status=indexed`, undefined)).items.length)
    .toBe(1);
  multiply(server.data, DOCUMENTS - 1);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${home(page)}/knowledge/${base.id}`);
  const rows = page.getByRole("list", { name: "Documents" }).getByRole("listitem");
  await rows.first().waitFor();
  // Down until the last page of the list is read.
  for (;;) {
    const size = Number(await rows.first().getAttribute("aria-setsize"));
    if (size >= DOCUMENTS) break;
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await expect.poll(async () => Number(await rows.first().getAttribute("aria-setsize"))).toBeGreaterThan(size);
  }
  await page.evaluate(() => scrollTo(0, 0));
  const { frames, dropped, longest, median } = await scroll(page, 300);
  console.log(
    `scrolled through ${DOCUMENTS} rows in ${frames} frames: median ${median.toFixed(1)} ms, longest ${longest.toFixed(1)} ms, ${dropped} over ${DROPPED_MILLISECONDS} ms`,
  );
  expect(await rows.count()).toBeLessThan(60);
  await page.evaluate(() => scrollTo(0, 0));
  const times: number[] = [];
  for (const number of ["01234", "07770", "00042", "05005", "02999"]) {
    times.push(await filter(page, `Note ${number}`, 1));
    await filter(page, "", DOCUMENTS);
  }
  const answers = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter((entry) => entry.name.includes("text=Note"))
      .map((entry) => entry.duration)
      .sort((a, b) => a - b),
  );
  const sorted = times.sort((a, b) => a - b);
  console.log(
    `filtered: median ${Math.round(sorted[2] ?? 0)} ms, longest ${Math.round(sorted[4] ?? 0)} ms from the keystroke to the result; the API's share is ${Math.round(answers[Math.floor(answers.length / 2)] ?? 0)} ms (median)`,
  );
});
