import type { Page, Route } from "@playwright/test";

import { call, expect, test } from "./fixtures";
import { cancelJob, CONTROL, jobOf, jobsWith, makeJob, putList, TARGET } from "./store";

test.setTimeout(300_000);

const JOB_PAGE = /\/ui\/jobs\/[0-9a-f]{8}-[0-9a-f-]{27}$/;
const DEMO = /^demo(?!-)/;

async function choose(page: Page, label: RegExp, option: RegExp): Promise<void> {
  await page.locator("#content").getByRole("button", { name: label }).click();
  await page.getByRole("option", { name: option }).click();
}

/** Step 1, up to the bucket. */
async function beginAnew(page: Page): Promise<void> {
  await page.goto("/ui/jobs/create");
  await choose(page, /^Job region/, DEMO);
  await choose(page, /^Role/, /^demo-copy/);
  await page.getByLabel("Inventory bucket").fill(CONTROL);
}

async function nameList(page: Page, key: string): Promise<void> {
  await page.getByLabel("Inventory file path").fill(key);
  await expect(page.getByRole("heading", { name: "Preview (first 10 rows)" })).toBeVisible();
}

/** From one step to the next one. */
async function next(page: Page, step: string): Promise<void> {
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: step })).toBeVisible();
}

async function copyTo(page: Page, prefix: string): Promise<void> {
  await page.getByRole("radio", { name: /^Copy/ }).first().check();
  await page.getByRole("combobox", { name: "Destination bucket" }).fill(TARGET);
  await page.getByRole("radio", { name: "Change the beginning of the keys" }).check();
  await page.getByLabel("Source prefix").fill("photos/");
  await page.getByLabel("Destination prefix").fill(prefix);
}

async function describe(page: Page, description: string): Promise<void> {
  await page.getByLabel("Description").fill(description);
  await page.getByRole("combobox", { name: "Report bucket" }).fill(CONTROL);
}

/** The last step of a job like another one that waits, which is cancelled: it was made to be cloned; `own`: its own. */
async function reviewClone(page: Page, list: string, description: string, own = description): Promise<void> {
  const { job_id } = await makeJob(list, { description });
  await cancelJob(job_id);
  await page.goto(`/ui/jobs/create?from=${job_id}`);
  await next(page, "Operation configuration");
  await next(page, "Other configurations");
  await page.getByLabel("Description").fill(own);
  await next(page, "Information check");
}

function idIn(page: Page): string {
  return new URL(page.url()).pathname.split("/").at(-1) ?? "";
}

function rowOf(page: Page, key: string) {
  return page.getByRole("row").filter({ hasText: key });
}

test("a copy job is made of a CSV list, once its columns are mapped", async ({ page }) => {
  const { key, etag } = await putList("csv");
  await beginAnew(page);
  await nameList(page, key);
  await expect(page.getByText(`"${etag}"`)).toBeVisible();
  await expect(page.getByText("photos/000/img-00000.jpg").first()).toBeVisible();

  await choose(page, /Column 1 holds/, /^Key$/);
  await expect(page.getByText("Another column is Key").first()).toBeVisible();
  await page.getByRole("button", { name: "Next", exact: true }).click();
  const summary = page.getByRole("alert").filter({ hasText: "One thing needs to be corrected" });
  await expect(summary).toContainText("Map exactly one column to Bucket and one to Key.");
  await expect(page.getByRole("heading", { level: 1, name: "Choose inventory" })).toBeVisible();
  await choose(page, /Column 1 holds/, /^Bucket$/);
  await expect(page.getByText("Another column is Key")).toHaveCount(0);
  await expect(summary).toHaveCount(0);

  await next(page, "Operation configuration");
  await expect(page.getByText(`"${etag}"`)).toBeVisible();
  await copyTo(page, "journey/");
  await expect(rowOf(page, "journey/000/img-00000.jpg").first()).toBeVisible();
  await next(page, "Other configurations");
  await describe(page, "e2e: of a CSV lizt");
  await page.getByRole("button", { name: "Test access" }).click();
  const mayReport = page.getByText("Write the report: allowed");
  await expect(mayReport).toBeVisible();
  await page.getByLabel("Report prefix").fill("elsewhere"); // what was found out is of another place
  await expect(mayReport).toHaveCount(0);
  await page.getByLabel("Report prefix").fill("");
  await next(page, "Information check");
  await expect(page.getByText("Everything is in order")).toBeVisible();
  await expect(page.getByText(`${TARGET}/journey/000/img-00000.jpg`, { exact: true })).toBeVisible();

  await page.getByRole("button", { name: "Modify: Other configurations" }).click();
  await expect(page.getByLabel("Description")).toHaveValue("e2e: of a CSV lizt");
  await page.getByLabel("Description").fill("e2e: of a CSV list");
  await next(page, "Information check");
  await expect(page.getByText("e2e: of a CSV list").first()).toBeVisible();
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(JOB_PAGE);
  await expect(page.getByText("The job was created.")).toBeVisible();
  await expect(page.getByRole("heading", { level: 1, name: "e2e: of a CSV list" })).toBeVisible();
  await expect(page.getByText("This job waits for confirmation")).toBeVisible();
  await cancelJob(idIn(page));
});

test("a copy job is made of an inventory report that was looked for in its bucket", async ({ page }) => {
  await beginAnew(page);
  await page.getByRole("button", { name: "Browse" }).click();
  const browser = page.getByRole("dialog", { name: "Choose a file" });
  for (const folder of ["inventory", "1250000000", "photos", "daily", "20261101"]) {
    await browser.getByRole("table").getByText(folder, { exact: false }).first().click();
  }
  await browser.getByRole("radio", { name: /manifest\.json/ }).check();
  await browser.getByRole("button", { name: "Choose" }).click();
  await expect(page.getByLabel("Inventory file path")).toHaveValue(/20261101\/manifest\.json$/);
  await expect(page.getByText("Appid, Bucket, Key, Size, LastModifiedDate, ETag, StorageClass")).toBeVisible();
  await expect(page.getByRole("radio", { name: /COS inventory report/ })).toBeChecked();
  await next(page, "Operation configuration");
  await copyTo(page, "daily-journey/");
  await next(page, "Other configurations");
  await describe(page, "e2e: of an inventory report");
  await next(page, "Information check");
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(JOB_PAGE);
  await expect(page.getByText("This job waits for confirmation")).toBeVisible();
  await cancelJob(idIn(page));
});

test("a list that was replaced while the page was open is noticed", async ({ page }) => {
  const before = await putList("replaced");
  await beginAnew(page);
  let reads = 0;
  page.on("response", (answer) => {
    if (answer.url().endsWith("/manifests:inspect")) reads += 1;
  });
  await nameList(page, before.key);
  await expect(page.getByText(`"${before.etag}"`)).toBeVisible();
  // Once its columns are mapped it is read again by itself: what that found changed would come in the way of a click.
  await expect.poll(() => reads).toBe(2);
  const now = await putList("replaced", { first: 100 });
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(page.getByText(`Its ETag was "${before.etag}" and is "${now.etag}" by now.`)).toBeVisible();
  await expect(page.getByText(/Look at the preview, then use it as it is now/).first()).toBeVisible();
  await expect(page.getByText("photos/000/img-00100.jpg").first()).toBeVisible();
  await page.getByRole("button", { name: "Reload preview" }).click();
  await next(page, "Operation configuration");
  await expect(page.getByText(`"${now.etag}"`)).toBeVisible();
});

test.describe("a list that is replaced behind the last step", () => {
  test.use({ expectedFaults: [/status of 400/] });

  test("makes no job, and the page leads back to it", async ({ page }) => {
    const description = `e2e: replaced late ${Date.now()}`;
    const before = await putList("replaced-late");
    await reviewClone(page, before.key, "e2e: to be replaced late", description);
    await expect(page.getByText("Everything is in order")).toBeVisible();
    const now = await putList("replaced-late", { first: 100 });
    await page.getByRole("button", { name: "OK", exact: true }).click();
    const told = page.getByRole("group").filter({ hasText: "No job was made: the inventory was replaced meanwhile" });
    await expect(told).toBeVisible();
    expect(await jobsWith(description)).toEqual([]);

    await page.getByRole("button", { name: "Look at the inventory" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Choose inventory" })).toBeVisible();
    await expect(page.getByText(`Its ETag was "${before.etag}" and is "${now.etag}" by now.`)).toBeVisible();
    await expect(page.getByText("photos/000/img-00100.jpg").first()).toBeVisible();
    await page.getByRole("button", { name: "Reload preview" }).click();
    await next(page, "Operation configuration");
    await next(page, "Other configurations");
    await next(page, "Information check");
    await expect(told).toHaveCount(0);
    await expect(page.getByText("Everything is in order")).toBeVisible();
    await page.getByRole("button", { name: "OK", exact: true }).click();
    await expect(page).toHaveURL(JOB_PAGE);
    const [made] = await jobsWith(description);
    expect(made).toMatchObject({ job_id: idIn(page) });
    await cancelJob(idIn(page));
  });
});

test("a draft outlives a reload, and two clicks on OK make one job", async ({ page }) => {
  const { key } = await putList("draft");
  const before = (await jobsWith("e2e: clicked twice")).length;
  await reviewClone(page, key, "e2e: to be drafted");
  await page.getByRole("button", { name: "Previous", exact: true }).click();
  await page.getByLabel("Description").fill("e2e: clicked twice");
  await page.reload();
  await expect(page.getByText("What you had entered in this tab is here again.")).toBeVisible();
  await expect(page.getByLabel("Description")).toHaveValue("e2e: clicked twice");
  await next(page, "Information check");
  await page.getByRole("button", { name: "OK", exact: true }).dblclick();
  await expect(page).toHaveURL(JOB_PAGE);
  await expect(page.getByRole("heading", { level: 1, name: "e2e: clicked twice" })).toBeVisible();
  expect(await jobsWith("e2e: clicked twice")).toHaveLength(before + 1);
  await cancelJob(idIn(page));
});

test("OK stays where it is when the checks have an answer, which takes room above it", async ({ page }) => {
  const asked = new Promise<Route>((held) => void page.route(/\/jobs:check$/, held));
  await page.goto("/ui/jobs/create?sample=1");
  const ok = page.getByRole("button", { name: "OK", exact: true });
  await ok.scrollIntoViewIfNeeded();
  const heightOf = () => page.evaluate(() => document.documentElement.scrollHeight);
  await expect(page.getByText("First object", { exact: true })).toBeVisible(); // the reading of the inventory takes room, too
  const [place, height] = [await ok.boundingBox(), await heightOf()];
  await (await asked).continue();
  await expect(page.getByText("Everything is in order")).toBeVisible();
  await expect.poll(heightOf).toBeGreaterThan(height + 200);
  await expect.poll(() => ok.boundingBox()).toEqual(place);
});

test("one click on the last step makes a dry run, which writes nothing", async ({ page }) => {
  const { key } = await putList("dry-run");
  await reviewClone(page, key, "e2e: tried before");
  await page.getByRole("button", { name: "Dry run first" }).click();
  await expect(page).toHaveURL(JOB_PAGE);
  await expect(page.getByText("The dry run was created. It writes nothing but its report.")).toBeVisible();
  await expect(page.getByText("This is a dry run")).toBeVisible();
  const id = idIn(page);
  await expect.poll(async () => (await jobOf(id)).status, { timeout: 120_000 }).toBe("Complete");
  expect((await jobOf(id)).progress_summary.number_of_tasks_succeeded).toBe(12);
  const { items } = await call<{ items: unknown[] }>("GET", `/jobs?q=${id}&limit=10`);
  expect(items).toHaveLength(1);
});
