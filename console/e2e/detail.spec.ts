import { readFile } from "node:fs/promises";

import type { Locator, Page } from "@playwright/test";

import { call, expect, test } from "./fixtures";
import { cancelJob, CONTROL, jobOf, jobsWith, makeJob, putList, putObject, SOURCE } from "./store";

test.setTimeout(300_000);

const JOB_PAGE = /\/ui\/jobs\/[0-9a-f]{8}-[0-9a-f-]{27}$/;
/** Of the stage: 250 rows, of which 38 are of objects that are gone, five forbidden and 13 with keys that do not fit. */
const MIXED = "Move the studio's photos, keep their folders";

interface Group {
  error_code: string;
  count: number;
  is_retryable: boolean;
}

async function mixedJob(): Promise<string> {
  const [job] = await jobsWith(MIXED);
  if (!job) throw new Error(`the stage has no job ${MIXED}`);
  return job.job_id;
}

async function groupsOf(id: string): Promise<Group[]> {
  return (await call<{ items: Group[] }>("GET", `/jobs/${id}/failures`)).items;
}

function tab(page: Page, name: RegExp | string): Locator {
  return page.getByRole("tab", { name });
}

/** The rows of a file that a click brings. */
async function downloaded(page: Page, link: Locator): Promise<string[]> {
  const coming = page.waitForEvent("download");
  await link.click();
  const path = await (await coming).path();
  return (await readFile(path, "utf8")).trimEnd().split("\n");
}

function idIn(page: Page): string {
  return new URL(page.url()).pathname.split("/").at(-1) ?? "";
}

test("failures stand by code, with samples, and one code can be done again", async ({ page }) => {
  const id = await mixedJob();
  const groups = await groupsOf(id);
  const retried = groups.find(({ is_retryable: isRetryable }) => isRetryable);
  if (!retried) throw new Error("nothing that failed can be done again");
  const failed = groups.reduce((sum, { count }) => sum + count, 0);

  await page.goto(`/ui/jobs?q=${id}`);
  await page.getByRole("link", { name: new RegExp(`^${failed} failures of`) }).click();
  await expect(tab(page, `Failures (${failed})`)).toHaveAttribute("aria-selected", "true");
  for (const { error_code: code, count } of groups) {
    await expect(page.getByRole("heading", { level: 3, name: `${code} (${count})`, exact: true })).toBeVisible();
  }
  const [most] = groups;
  const samples = page.getByRole("table", { name: `Objects that failed with ${most?.error_code}` });
  await expect(samples.getByRole("row")).toHaveCount(1 + Math.min(20, most?.count ?? 0));
  await expect(samples.getByRole("row").nth(1)).toContainText("photos/");

  await page.getByRole("button", { name: retried.error_code, exact: true }).click();
  await page.getByRole("link", { name: `Retry this group: ${retried.error_code}` }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Information check" })).toBeVisible();
  await expect(
    page.getByText(new RegExp(`what failed with ${retried.error_code}: ${retried.count} object`)),
  ).toBeVisible();
  await expect(page.getByText(`Retry of ${id}`, { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(JOB_PAGE);
  await expect(page).not.toHaveURL(new RegExp(id));
  await expect(page.getByRole("link", { name: id, exact: true }).first()).toBeVisible();
  const made = await call<{ request: { manifest: { location: object } } }>("GET", `/jobs/${idIn(page)}`);
  expect(made.request.manifest.location).toMatchObject({ retry_of: { job_id: id, error_code: retried.error_code } });
});

test("what failed is done again once its cause is gone, and nothing else", async ({ page }) => {
  const late = `photos/e2e-late-${Date.now()}.jpg`;
  const key = "manifests/e2e-late.csv";
  await putObject(CONTROL, key, `${SOURCE},photos/000/img-00000.jpg\n${SOURCE},${late}\n`);
  const description = "e2e: one object is late";
  const { job_id: id } = await makeJob(key, { description, confirmation_required: false });
  await page.goto(`/ui/jobs/${id}#failures`);
  await expect(tab(page, "Failures (1)")).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole("table", { name: "Objects that failed with NoSuchKey" })).toContainText(late);
  await putObject(SOURCE, late, "here it is");
  await page.getByRole("link", { name: "Retry failed objects (1)" }).click();
  await expect(page.getByText(/A new job does again what failed: 1 object of job/)).toBeVisible();
  await expect(page.getByRole("heading", { level: 2, name: "Estimate" })).toBeVisible();
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(JOB_PAGE);
  await expect(page).not.toHaveURL(new RegExp(id));
  await expect(page.getByRole("heading", { level: 1, name: `Retry of ${id}` })).toBeVisible();
  const told = page.getByRole("progressbar").first();
  const confirm = page.getByRole("button", { name: "Confirm and run" }).first();
  const isOver = /1 succeeded, 0 failed of 1$/;
  await expect(confirm.or(page.getByText("Complete", { exact: true })).first()).toBeVisible({ timeout: 120_000 });
  if (await confirm.isVisible()) {
    await confirm.click();
    await page.getByRole("dialog").getByRole("button", { name: "Confirm and run" }).click();
  }
  await expect(told).toHaveAttribute("aria-valuetext", isOver, { timeout: 120_000 });
});

test("of a list without sizes no bytes are told, and why a job failed is told once in its timeline", async ({
  page,
}) => {
  const [job] = await jobsWith("Copy the photos of 2019");
  await page.goto(`/ui/jobs/${job?.job_id ?? "none"}`);
  const unknown = page.getByText("Not known: the manifest lists no sizes", { exact: true });
  await expect(unknown).toHaveCount(1);
  await page.getByRole("button", { name: "MB/s", exact: true }).click();
  await expect(unknown).toHaveCount(2); // in place of the chart, too
  await expect(page.getByRole("heading", { name: "Status timeline" })).toBeVisible();
  await expect(page.getByText(/ failed, which is more than the 20% that the job allows/)).toHaveCount(2); // one is the banner
});

test("why a job failed is told in the wizard's words", async ({ page }) => {
  const [job] = await jobsWith("folder renamed since");
  const path = `/ui/jobs/${job?.job_id ?? "none"}`;
  for (const [language, said] of [
    ["en", "Column mapping of the manifest: none of"],
    ["zh", "清单的列映射：从清单前几行抽查的"],
  ]) {
    await page.goto(`${path}?lang=${language ?? ""}`);
    await expect(page.getByText(said ?? "")).toHaveCount(2);
    await expect(page.locator("#content")).not.toContainText(/Manifest\.Spec|key_encoding/);
  }
});

test("on a small screen what has to be typed before a deletion is seen, and missed by the button", async ({ page }) => {
  await page.setViewportSize({ width: 1024, height: 768 });
  const [job] = await jobsWith("清理临时文件");
  await page.goto(`/ui/jobs/${job?.job_id ?? "none"}`);
  await page.locator("#content").getByRole("button", { name: "Confirm and run" }).first().click();
  const dialog = page.getByRole("dialog");
  const asked = /^Type \d+, the number of objects to delete$/;
  await expect(dialog.locator("tbody .mono")).toHaveCount(5);
  await expect(dialog.getByLabel(asked)).toBeInViewport({ ratio: 1 });
  await expect(dialog.getByLabel("Reason (optional)")).toBeInViewport({ ratio: 1 });
  const run = dialog.getByRole("button", { name: "Confirm and run" });
  await expect(run).toBeDisabled();
  await run.hover();
  await expect(page.getByRole("tooltip")).toContainText(asked);
});

test("the report is previewed, and comes as a file with a row for each object", async ({ page }) => {
  const id = await mixedJob();
  const groups = await groupsOf(id);
  const failed = groups.reduce((sum, { count }) => sum + count, 0);
  const { progress_summary: progress } = await jobOf(id);
  await page.goto(`/ui/jobs/${id}#report`);
  await expect(page.getByText("Delivered", { exact: true })).toBeVisible();
  await expect(page.getByText(CONTROL, { exact: true }).first()).toBeVisible();
  const preview = page.getByRole("table", { name: "Preview" });
  await expect(preview.getByRole("row").nth(1)).toContainText("photos/");
  await page.getByRole("button", { name: "Failed objects only" }).click();
  await expect(preview.getByText("Failed", { exact: true }).first()).toBeVisible();
  await expect(preview.getByText("Succeeded", { exact: true })).toHaveCount(0);

  const all = await downloaded(page, page.getByRole("link", { name: "Download report" }).first());
  const rows = all.filter((line) => line.includes(SOURCE));
  expect(rows).toHaveLength(progress.number_of_tasks_succeeded + failed);
  await tab(page, /^Failures/).click();
  const failures = await downloaded(page, page.getByRole("link", { name: "Download all failures (CSV)" }));
  expect(failures.filter((line) => line.includes(SOURCE))).toHaveLength(failed);
  const [most] = groups;
  const link = page.getByRole("link", { name: `Download (CSV): all with ${most?.error_code}` });
  const ofCode = (await downloaded(page, link)).filter((line) => line.includes(SOURCE));
  expect(ofCode).toHaveLength(most?.count ?? 0);
  expect(ofCode.every((line) => line.includes(most?.error_code ?? "?"))).toBe(true);
});

test("a job's clone has everything filled in, and tells that its list was replaced", async ({ page }) => {
  const { key } = await putList("cloned");
  const { job_id: id } = await makeJob(key, { description: "e2e: to be cloned", priority: 7 });
  await expect.poll(async () => (await jobOf(id)).status, { timeout: 120_000 }).toBe("Suspended");
  await cancelJob(id);
  await putList("cloned", { first: 50 });
  await page.goto(`/ui/jobs/${id}`);
  await page
    .getByRole("button", { name: "Clone job" })
    .or(page.getByRole("menuitem", { name: "Clone job" }))
    .click();
  await expect(page).toHaveURL(new RegExp(`/ui/jobs/create\\?from=${id}`));
  await expect(page.getByText(/but its inventory has changed since:/)).toBeVisible();
  await expect(page.getByLabel("Inventory file path")).toHaveValue(key);
  await page.getByRole("button", { name: "Reload preview" }).click();
  for (const step of ["Operation configuration", "Other configurations"]) {
    await page.getByRole("button", { name: "Next", exact: true }).click();
    await expect(page.getByRole("heading", { level: 1, name: step })).toBeVisible();
  }
  await expect(page.getByLabel("Description")).toHaveValue("e2e: to be cloned");
  await expect(page.getByLabel("Priority")).toHaveValue("7");
});

test("a job that is deleted on its own page leads to the list of jobs, which says so", async ({ page }) => {
  const { key } = await putList("deleted");
  const { job_id: id } = await makeJob(key, { description: "e2e: to be deleted" });
  await expect.poll(async () => (await jobOf(id)).status, { timeout: 120_000 }).toBe("Suspended");
  await cancelJob(id);
  const actions = async () => (await call<{ actions: string[] }>("GET", `/jobs/${id}`)).actions;
  await expect.poll(actions, { timeout: 60_000 }).toContain("delete");
  await page.goto(`/ui/jobs/${id}`);
  await page.locator("#content").getByRole("button", { name: "Actions", exact: true }).click();
  await page.getByRole("menuitem", { name: "Delete job record" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete the record of this job?" });
  await dialog.getByRole("button", { name: "Delete job record" }).click();
  await expect(page).toHaveURL(/\/ui\/jobs(\?|$)/);
  await expect(page.getByRole("heading", { level: 1, name: /^Jobs/ })).toBeVisible();
  await expect(page.getByText("e2e: to be deleted: the record was deleted.")).toBeVisible();
});

test("configuration, checks and events tell what a job is and what became of it", async ({ page }) => {
  const id = await mixedJob();
  await page.goto(`/ui/jobs/${id}`);
  await tab(page, "Configuration").click();
  await expect(page).toHaveURL(/#configuration$/);
  await expect(page.getByText("“photos/” at the beginning becomes “studio-2026/”")).toBeVisible();
  await page.getByRole("button", { name: "As JSON" }).click();
  await expect(page.getByText('"target_key_prefix": "studio-2026/"')).toBeVisible();

  await tab(page, "Checks").click();
  const checks = page.getByRole("row").filter({ hasText: "Reading the source objects" });
  await expect(checks).toContainText("Passed");
  await expect(page.getByText("Rows of the manifest", { exact: true })).toBeVisible();

  await tab(page, "Events").click();
  const events = page.getByRole("table", { name: "Events" });
  for (const event of ["Status: Active", "Status: Complete"]) {
    await expect(events.getByRole("row").filter({ hasText: event }).first()).toBeVisible();
  }
  await expect(events.getByRole("row").filter({ hasText: "Job created" })).toContainText("lin");
});

test.describe("of a job that is not there", () => {
  test.use({ expectedFaults: [/status of 404/] });

  test("it is told that it is not there, or not any more", async ({ page }) => {
    await page.goto("/ui/jobs/00000000-0000-7000-8000-000000000000");
    await expect(page.getByText("Not found or older than the retention period")).toBeVisible();
    await expect(page.getByText("There is no job 00000000-0000-7000-8000-000000000000.")).toBeVisible();
    await page.getByRole("link", { name: "All jobs" }).click();
    await expect(page.getByRole("heading", { level: 1, name: /^Jobs/ })).toBeVisible();
  });
});
