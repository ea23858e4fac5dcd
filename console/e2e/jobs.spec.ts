import type { Locator, Page } from "@playwright/test";

import { call, expect, test } from "./fixtures";
import { jobOf, makeJob, type MadeJob, putList } from "./store";
import { turnTo } from "./visits";

test.setTimeout(300_000);

/** Where requests are capped: its jobs run long. One at a time does. */
const CAPPED = "demo-capped";
const LOGS = "manifests/logs.csv";
const PAGE = 20;

function rowOf(page: Page, name: string): Locator {
  return page.getByRole("row").filter({ has: page.getByRole("checkbox", { name: `Select ${name}` }) });
}

async function act(page: Page, action: string): Promise<void> {
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: action }).click();
}

/** The copy of the table's head that stays on top takes the click. */
async function sortBy(column: Locator): Promise<void> {
  await column.getByRole("button").first().click({ force: true });
}

async function waitingJob(description: string): Promise<MadeJob> {
  const { key } = await putList(description.replaceAll(/\W+/g, "-"));
  const job = await makeJob(key, { description });
  await expect.poll(async () => (await jobOf(job.job_id)).status, { timeout: 120_000 }).toBe("Suspended");
  return job;
}

test("a job that waits is confirmed in its row, and runs to its end", async ({ page }) => {
  const job = await waitingJob("e2e: to be confirmed");
  await page.goto(`/ui/jobs?q=${job.job_id}`);
  const row = rowOf(page, job.description);
  await expect(row).toContainText("Suspended");
  await row.getByRole("button", { name: `Confirm ${job.description}` }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm and run this job?" });
  await expect(dialog.getByText("photos/000/img-00000.jpg")).toBeVisible();
  await expect(dialog.getByText("12", { exact: true })).toBeVisible();
  await dialog.getByRole("button", { name: "Confirm and run" }).click();
  await expect(page.getByText(`${job.description}: confirmed, it runs when its turn comes.`)).toBeVisible();
  await expect(row).toContainText("Complete", { timeout: 120_000 });
  await expect(row.getByRole("progressbar")).toHaveAttribute("aria-valuetext", /12 succeeded, 0 failed of 12/);
});

test("a running job is paused and resumed, gets another priority, and is cancelled for a reason", async ({ page }) => {
  const description = "e2e: in the way";
  const sample = await call<{ sample: { operation: { cos_put_object_copy: object } } }>("GET", "/capabilities");
  const copy = {
    ...sample.sample.operation.cos_put_object_copy,
    resources_prefix: "logs/",
    target_key_prefix: "e2e-logs/",
  };
  const { job_id } = await makeJob(LOGS, {
    description,
    region: CAPPED,
    priority: 60,
    confirmation_required: false,
    operation: { cos_put_object_copy: copy },
  });
  await page.goto(`/ui/jobs?q=${job_id}`);
  const row = rowOf(page, description);
  await expect(row).toContainText("Active", { timeout: 120_000 });
  await page.getByRole("checkbox", { name: `Select ${description}` }).check();

  await act(page, "Pause");
  const pause = page.getByRole("dialog", { name: "Pause this job?" });
  await pause.getByRole("textbox", { name: "Reason" }).fill("the store is serviced");
  await pause.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByText(`${description}: pausing. What is under way is finished first.`)).toBeVisible();
  await expect(row).toContainText("Paused by a user", { timeout: 120_000 });
  await act(page, "Resume");
  const resume = page.getByRole("dialog", { name: "Resume this job?" });
  await resume.getByRole("textbox", { name: "Reason" }).fill("it is done");
  await resume.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByText(`${description}: resumed.`)).toBeVisible();
  await expect(row).toContainText("Active", { timeout: 120_000 });

  await row.getByRole("button", { name: /change the priority of/ }).click();
  const priority = page.getByRole("dialog", { name: "Change the priority of this job" });
  await priority.getByLabel("Priority").fill("-1");
  await expect(priority.getByText(/A whole number from 1 to/)).toBeVisible();
  await expect(priority.getByRole("button", { name: "Change priority" })).toBeDisabled();
  await priority.getByLabel("Priority").fill("61");
  await expect(priority.getByText(/^Queue now: no other job with priority 61 or greater/)).toBeVisible();
  await priority.getByRole("button", { name: "Change priority" }).click();
  await expect(row.getByRole("button", { name: /^Priority 61;/ })).toBeVisible();

  await act(page, "Cancel job");
  const cancel = page.getByRole("dialog", { name: "Cancel this job?" });
  await expect(cancel.getByText(/cannot be resumed, only cloned/)).toBeVisible();
  await cancel.getByLabel("Reason (optional)").fill("it was in the way");
  await cancel.getByRole("button", { name: "Cancel job" }).click();
  await expect(row).toContainText("Cancelled", { timeout: 120_000 });
  await row.getByRole("link").first().click();
  await expect(page.getByText("This job was cancelled. What was done stays done.")).toBeVisible();
  await expect(page.getByText("it was in the way").first()).toBeVisible();
  for (const reason of ["the store is serviced", "it is done"]) {
    await expect(page.getByText(reason, { exact: true }).first()).toBeVisible();
  }
});

test("a job that gave way names the greater one and leads to it", async ({ page }) => {
  await page.goto(`/ui/jobs?q=${encodeURIComponent("每晚备份访问日志")}`);
  const row = rowOf(page, "每晚备份访问日志");
  await expect(row).toContainText(/Gives way to [0-9a-f-]{13}/, { timeout: 120_000 });
  await row.getByRole("link").first().click();
  const banner = page.getByRole("group").filter({ hasText: "Gives way to a job of a greater priority" });
  await expect(banner).toContainText("It was pre-empted, and goes on by itself after:");
  await page.getByRole("button", { name: "Pause updates" }).click(); // which one is greater may change at any time
  // In one moment: an answer that is under way may name another one.
  const id = await banner.getByRole("link").evaluate((greater: HTMLElement) => {
    const named = greater.textContent;
    greater.click();
    return named;
  });
  await expect(page).toHaveURL(new RegExp(`/ui/jobs/${id}$`));
  await expect(page.getByRole("heading", { level: 1 })).not.toHaveText("每晚备份访问日志");
});

test("an action on two jobs goes to both of them", async ({ page }) => {
  const jobs = [await waitingJob("e2e: bulk, one"), await waitingJob("e2e: bulk, two")];
  await page.goto(`/ui/jobs?q=${encodeURIComponent("e2e: bulk")}&status=Suspended`);
  for (const { description } of jobs) await page.getByRole("checkbox", { name: `Select ${description}` }).check();
  await expect(page.getByRole("heading", { level: 1, name: /Jobs/ })).toContainText("(2/2)");
  await act(page, "Cancel job");
  const dialog = page.getByRole("dialog", { name: "Cancel 2 jobs?" });
  for (const { description } of jobs) await expect(dialog.getByText(description)).toBeVisible();
  await dialog.getByRole("button", { name: "Cancel job" }).click();
  await expect(page.getByText("2 jobs are being cancelled.")).toBeVisible();
  await expect(page.getByText("No jobs match these filters")).toBeVisible({ timeout: 60_000 });
  for (const { job_id } of jobs) {
    await expect.poll(async () => (await jobOf(job_id)).status, { timeout: 60_000 }).toBe("Cancelled");
  }
});

test("what is filtered is in the address: back, forward, a reload and coming back keep it", async ({ page }) => {
  await page.goto("/ui/jobs");
  const failed = page.getByRole("button", { name: /^Failed \(\d+\)$/ });
  await failed.click();
  await expect(page).toHaveURL(/status=|group=/);
  await expect(rowOf(page, "Copy photos and documents")).toBeVisible();
  await expect(rowOf(page, "Copy the access logs for the audit")).toHaveCount(0);
  const search = page.getByRole("searchbox", { name: "Search by description or job ID" });
  await search.fill("2019");
  await expect(rowOf(page, "Copy the photos of 2019")).toBeVisible();
  await expect(rowOf(page, "Copy photos and documents")).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1, name: /Jobs/ })).toContainText("(1)");
  const filtered = page.url();

  await page.reload();
  await expect(search).toHaveValue("2019");
  await expect(failed).toHaveAttribute("aria-pressed", "true");
  await expect(rowOf(page, "Copy the photos of 2019")).toBeVisible();

  await rowOf(page, "Copy the photos of 2019").getByRole("link").first().click();
  await expect(page.getByRole("heading", { level: 1, name: "Copy the photos of 2019" })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(filtered);
  await expect(search).toHaveValue("2019");
  await page.goForward();
  await expect(page.getByRole("heading", { level: 1, name: "Copy the photos of 2019" })).toBeVisible();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Jobs" }).click();
  await expect(page).toHaveURL(filtered);
  await expect(search).toHaveValue("2019");

  // What is chosen on top takes the place of the list's own filter.
  await turnTo(page, `${filtered}&region=demo`);
  const ofAllRegions = page.locator("#top button:visible").filter({ hasText: "All regions" });
  await ofAllRegions.click();
  await page.getByRole("menuitemcheckbox", { name: CAPPED }).click();
  await expect(ofAllRegions).toHaveCount(0);
  await expect(page).toHaveURL(filtered);
  await expect(page.getByText(`Jobs of region ${CAPPED} only`)).toBeVisible();
  await expect(page.getByText("No jobs match these filters")).toBeVisible();
  await search.fill("nothing is called so"); // cleared before it is searched for: it does not come back
  await page.getByRole("button", { name: "Clear filters" }).last().click();
  await expect(search).toHaveValue("");
  await expect(ofAllRegions).toBeVisible();
  await expect(page).toHaveURL(/\/ui\/jobs\/?$/);
  await expect(page.getByRole("progressbar").first()).toBeVisible();
});

test("pages are turned in both directions, and columns are sorted by", async ({ page }) => {
  const { total } = await call<{ total: number }>("GET", "/jobs?limit=1");
  if (total <= PAGE) await waitingJob("e2e: one more");
  await page.goto("/ui/jobs?sort=priority");
  const rows = page.locator("#content tbody").getByRole("row");
  await expect(page.getByText(/^1-20 of \d+$/)).toBeVisible();
  const first = (await rows.first().textContent()) ?? "";
  await page.getByRole("button", { name: "Next page" }).click();
  await expect(page.getByText(/^21-\d+ of \d+$/)).toBeVisible();
  await expect(page).toHaveURL(/cursor=/);
  await expect(rows.first()).not.toHaveText(first);
  await page.getByRole("button", { name: "Previous page" }).click();
  await expect(page.getByText(/^1-20 of \d+$/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Previous page" })).toBeDisabled();

  const priority = page.getByRole("columnheader", { name: /^Priority/ });
  await expect(priority).toHaveAttribute("aria-sort", /ascending|descending/);
  const before = await priority.getAttribute("aria-sort");
  await sortBy(priority);
  await expect(priority).toHaveAttribute("aria-sort", before === "ascending" ? "descending" : "ascending");
  const failures = page.getByRole("columnheader", { name: /^Failed/ });
  await sortBy(failures);
  await expect(failures).toHaveAttribute("aria-sort", /ascending|descending/);
  await expect(priority).toHaveAttribute("aria-sort", "none");
});

async function widthOf(page: Page, column: RegExp): Promise<number> {
  const box = await page.getByRole("columnheader", { name: column }).boundingBox();
  return box?.width ?? 0;
}

/** What the browser keeps of a column that was drawn. */
async function keptWidthOf(page: Page, column: string): Promise<number> {
  const kept = await page.evaluate(() => localStorage.getItem("cosbatch.preferences"));
  const { tables } = JSON.parse(kept ?? "{}") as { tables?: { jobs?: { drawn?: Record<string, number> } } };
  return tables?.jobs?.drawn?.[column] ?? 0;
}

/**
 * Draws the line behind a column, as somebody with a mouse does who lets go of it in the moment of the last move, and
 * waits until its width is kept.
 */
async function draw(page: Page, column: "Priority" | "Description", by: number): Promise<void> {
  const box = await page.getByRole("columnheader", { name: new RegExp(`^${column}`) }).boundingBox();
  if (!box) throw new Error(`${column} is not to be seen`);
  const line = { x: box.x + box.width - 1, y: box.y + box.height / 2 };
  await page.mouse.move(line.x, line.y);
  await page.mouse.down();
  await page.mouse.move(line.x + by / 2, line.y, { steps: 3 });
  await page.evaluate(
    (at) => {
      for (const kind of ["pointermove", "pointerup"]) {
        document.dispatchEvent(new PointerEvent(kind, { clientX: at.x, clientY: at.y }));
      }
    },
    { x: line.x + by, y: line.y },
  );
  await page.mouse.up();
  await expect.poll(() => keptWidthOf(page, column.toLowerCase())).toBeCloseTo(box.width + by, -1);
}

test("the room of the list of pages is shared among the columns where that is closed", async ({ page }) => {
  await page.goto("/ui/jobs");
  await expect(page.getByRole("progressbar").first()).toBeVisible();
  const before = await widthOf(page, /^Created/);
  await page.getByRole("button", { name: "Close the list of pages" }).click();
  await expect.poll(() => widthOf(page, /^Description/)).toBeGreaterThan(280);
  await expect.poll(() => widthOf(page, /^Progress/)).toBeGreaterThan(150);
  await expect.poll(() => widthOf(page, /^Created/)).toBeLessThan(before + 30);
});

test("a column that was drawn keeps its width, and the others share the room of the list of pages", async ({
  page,
}) => {
  await page.goto("/ui/jobs");
  await expect(page.getByRole("progressbar").first()).toBeVisible();
  const created = await widthOf(page, /^Created/);
  const priority = (await widthOf(page, /^Priority/)) + 40;
  await draw(page, "Priority", 40);
  await expect.poll(() => widthOf(page, /^Priority/)).toBeCloseTo(priority, -1);
  const drawn = await widthOf(page, /^Priority/);
  for (const close of [
    () => page.getByRole("button", { name: "Close the list of pages" }).click(),
    () => page.reload(), // with the list of pages: it is closed for the time being
  ]) {
    const description = await widthOf(page, /^Description/);
    await close();
    await expect.poll(() => widthOf(page, /^Description/)).not.toBe(description);
    await expect(page.getByRole("progressbar").first()).toBeVisible();
    await expect.poll(async () => Math.abs((await widthOf(page, /^Priority/)) - drawn)).toBeLessThan(2);
    await expect.poll(() => widthOf(page, /^Created/)).toBeLessThan(created + 30);
  }
  await page.getByRole("button", { name: "Close the list of pages" }).click();
  await expect.poll(() => widthOf(page, /^Description/)).toBeGreaterThan(280);

  // Where the one that has the rest was drawn, no single one has it.
  await draw(page, "Description", -100);
  await page.reload();
  await expect(page.getByRole("progressbar").first()).toBeVisible();
  await page.getByRole("button", { name: "Close the list of pages" }).click();
  await expect.poll(() => widthOf(page, /^Progress/)).toBeGreaterThan(180);
  await expect.poll(async () => Math.abs((await widthOf(page, /^Priority/)) - drawn)).toBeLessThan(2);
  await expect.poll(() => widthOf(page, /^Description/)).toBeLessThan(250);
  await expect.poll(() => widthOf(page, /^Created/)).toBeLessThan(created + 60);
});

test.describe("of a viewer", () => {
  test.use({ as: "mei" });

  test("there are jobs, and nothing to do with them", async ({ page }) => {
    await page.goto("/ui/jobs?q=daily");
    const waiting = page.getByRole("row").filter({ hasText: "Copy everything of the daily inventory" });
    await expect(waiting).toContainText("Suspended");
    await expect(page.getByRole("checkbox")).toHaveCount(0);
    await expect(waiting.getByRole("button", { name: /^Confirm/ })).toHaveCount(0);
    await expect(page.getByRole("button", { name: /change the priority/ })).toHaveCount(0);
    await expect(page.getByRole("button", { name: "Actions" })).toHaveCount(0);
    await expect(page.getByRole("link", { name: "Create job" })).toHaveCount(0);
    await waiting.getByRole("link").first().click();
    await expect(page.getByText("This job waits for confirmation")).toBeVisible();
    await expect(page.getByRole("button", { name: "Confirm and run" })).toHaveCount(0);
    await expect(page.getByRole("button", { name: "Actions" })).toHaveCount(0);
    await turnTo(page, "/ui/jobs/create");
    await expect(page.getByText(/Your account may look at jobs, but not create them/)).toBeVisible();
  });
});
