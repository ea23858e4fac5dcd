import type { CDPSession, Page } from "@playwright/test";

import { expect, prefer, test } from "./fixtures";
import { headersOf, type Login, loggedIn, makeJob, newGround } from "./services";
import { MEASURED } from "./verdict";

// Neither is to be raised.
/** What the design wants, heads and answers of the API among them. The list takes 400 kB. */
const FIRST_LOAD_BYTES_MAX = 450_000;
/**
 * Of the time in which the page makes a plain table of as many rows, in the same moments: 100 ms, which the design wants,
 * where a table takes 8.4 ms. The list takes about eight tables.
 */
const REFRESH_TABLES_MAX = 12;
const REFRESHES = 5;
/**
 * Of the time that a look at one of the jobs takes, asked for in turn: the list takes about three of them. That its p95 keeps
 * to the design's 100 ms is told, and measured by the bench.
 */
const LIST_LOOKS_MAX = 8;
const ASKED = 40;
const JOBS = 10_000;
const ROWS = 50;
const CHANGED_ROWS = 5;
const COLUMNS = 9;
/** In a row, so that their time is not that of a single moment. */
const TABLES = 20;
/** Of no other job. */
const PRIORITY = 123_456_700;

interface Crowd {
  address: string;
  login: Login;
}

const testOfMany = test.extend<{ crowd: Crowd }>({
  crowd: [
    async ({}, use) => {
      const ground = await newGround();
      try {
        const [before] = await ground.start();
        await makeJob(before.address, await ground.logIn(before.address), "the first one");
        await ground.stop(before);
        ground.fill(JOBS);
        const [{ address }] = await ground.start();
        await use({ address, login: await ground.logIn(address) });
      } finally {
        await ground.end();
      }
    },
    { timeout: 240_000 },
  ],
  baseURL: async ({ crowd }, use) => {
    await use(crowd.address);
  },
  storageState: async ({ crowd }, use) => {
    await use(loggedIn(crowd.login));
  },
});

testOfMany(
  "of 10,000 jobs 50 are listed and shown, and a refresh keeps to its budget of the page's time",
  async ({ page, crowd }) => {
    testOfMany.setTimeout(240_000);
    expect(await looksOfList(crowd)).toBeLessThanOrEqual(LIST_LOOKS_MAX);
    await prefer(page, { tables: { jobs: { pageSize: ROWS, visibleContent: [] } } });
    await page.goto("/ui/jobs?sort=created");
    await expect(rowsOf(page)).toHaveCount(ROWS, { timeout: 40_000 });
    await expect(page.getByRole("heading", { level: 1 })).toContainText(`${(JOBS + 1).toLocaleString("en")}`);
    const rounds = await refreshes(page, crowd);
    const told = rounds.map(({ refresh, table }) => `${refresh.toFixed(0)} of ${table.toFixed(1)} ms`).join(", ");
    const tables = quantile(
      rounds.map(({ refresh, table }) => refresh / table),
      0.5,
    );
    measured(`a refresh of ${ROWS} of ${JOBS} jobs takes ${tables.toFixed(1)} plain tables (${told})`);
    expect(tables, told).toBeLessThanOrEqual(REFRESH_TABLES_MAX);
  },
);

/** Told, not judged: how long the slowest of twenty lists takes. Answers how many looks at a job a list takes. */
async function looksOfList(crowd: Crowd): Promise<number> {
  const lists: number[] = [];
  const looks: number[] = [];
  const list = `/jobs?limit=${ROWS}&sort=created`;
  const { items } = await answerOf<{ items: { job_id: string }[] }>(crowd, list);
  expect(items).toHaveLength(ROWS);
  const look = `/jobs/${items[0]?.job_id ?? ""}`;
  for (let count = 0; count < ASKED; count++) {
    lists.push(await millisecondsOf(() => answerOf(crowd, list)));
    looks.push(await millisecondsOf(() => answerOf(crowd, look)));
  }
  const ratio = quantile(lists, 0.5) / quantile(looks, 0.5);
  const p95 = quantile(lists, 0.95).toFixed(1);
  measured(
    `a list of ${ROWS} of ${JOBS} jobs takes ${ratio.toFixed(1)} looks at a job; p95 ${p95} ms beside other tests`,
  );
  return ratio;
}

async function answerOf<Answer>({ address, login }: Crowd, path: string): Promise<Answer> {
  const answer = await fetch(`${address}/api/v1${path}`, { headers: headersOf(login) });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Answer;
}

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

test("the first load of the list keeps to its budget of bytes", async ({ page }) => {
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  let bytes = 0;
  network.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto("/ui/jobs");
  await expect(rowsOf(page).first()).toBeVisible({ timeout: 40_000 });
  await page.waitForLoadState("networkidle");
  measured(`the first load of the list takes ${bytes} bytes`);
  expect(bytes).toBeGreaterThan(100_000); // what was counted is a whole page
  expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX);
});

function measured(description: string): void {
  test.info().annotations.push({ type: MEASURED, description });
}

function rowsOf(page: Page) {
  return page.locator("#content tbody tr", { has: page.getByRole("link") });
}

interface Round {
  refresh: number;
  table: number;
}

/** What each of several refreshes, and a plain table beside it, costs the thread of the page, in ms of its own time. */
async function refreshes(page: Page, crowd: Crowd): Promise<Round[]> {
  const metrics = await page.context().newCDPSession(page);
  await metrics.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.getByRole("button", { name: "Pause updates" }).click();
  const answer = await page.request.get(`/api/v1/jobs?limit=${ROWS}&sort=created`);
  const { items } = (await answer.json()) as { items: { job_id: string; actions: string[] }[] };
  const changed = items.filter(({ actions }) => actions.includes("change_priority")).slice(0, CHANGED_ROWS);
  expect(changed).toHaveLength(CHANGED_ROWS);
  const rounds: Round[] = [];
  for (let round = 0; round < REFRESHES; round++) {
    const priority = PRIORITY + round;
    const shown = priority.toLocaleString("en");
    for (const { job_id } of changed) await changePriority(crowd, job_id, priority);
    const begun = await taskMilliseconds(metrics);
    await makeTables(page);
    const made = await taskMilliseconds(metrics);
    await refreshUntil(page, shown);
    const refresh = (await taskMilliseconds(metrics)) - made;
    rounds.push({ refresh, table: (made - begun) / TABLES });
    await expect(rowsOf(page).filter({ hasText: shown })).toHaveCount(CHANGED_ROWS);
  }
  return rounds;
}

async function changePriority({ address, login }: Crowd, jobId: string, priority: number): Promise<void> {
  const answer = await fetch(`${address}/api/v1/jobs/${jobId}/priority`, {
    method: "PUT",
    headers: { ...headersOf(login), origin: address },
    body: JSON.stringify({ priority }),
  });
  expect(answer.status, await answer.text()).toBe(200);
}

/** Makes plain tables one after the other, each laid out and taken away again. */
async function makeTables(page: Page): Promise<void> {
  await page.evaluate(
    ({ tables, rows, columns }) => {
      for (let count = 0; count < tables; count++) {
        const table = document.createElement("table");
        for (let row = 0; row < rows; row++) {
          const cells = table.insertRow();
          for (let column = 0; column < columns; column++) cells.insertCell().textContent = `${count} ${row} ${column}`;
        }
        document.body.append(table);
        table.getBoundingClientRect();
        table.remove();
      }
    },
    { tables: TABLES, rows: ROWS, columns: COLUMNS },
  );
}

/** The page itself sees to when it is done, so that nothing but the refresh is measured. */
async function refreshUntil(page: Page, text: string): Promise<void> {
  await page.evaluate(
    (wanted) =>
      new Promise<void>((resolve) => {
        const rows = document.querySelector("tbody");
        const seen = new MutationObserver(() => {
          if (!rows?.textContent.includes(wanted)) return;
          seen.disconnect();
          requestAnimationFrame(() => requestIdleCallback(() => resolve()));
        });
        if (rows) seen.observe(rows, { subtree: true, childList: true, characterData: true });
        document.querySelector<HTMLElement>("button[aria-label='Refresh']")?.click();
      }),
    text,
  );
}

async function taskMilliseconds(metrics: CDPSession): Promise<number> {
  const { metrics: all } = await metrics.send("Performance.getMetrics");
  const seconds = all.find(({ name }) => name === "TaskDuration")?.value;
  expect(seconds).toBeGreaterThan(0);
  return (seconds ?? 0) * 1000;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? Infinity;
}
