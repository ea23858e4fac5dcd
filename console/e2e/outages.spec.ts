import type { Page } from "@playwright/test";

import { expect, test as inStage } from "./fixtures";
import { type Gate, startGate } from "./proxy";
import { ask, type Login, loggedIn, makeJob, newGround } from "./services";
import { CONTROL, type MadeJob, putList, storeAddress, TARGET } from "./store";

const PRESENT_MS = 120_000;
/** A report that is not delivered has failed when it is tried for the second time, half a minute after the first. */
const SETTINGS = "report_limit_hours: 0.0001\ncheckpoint_seconds: 2";

/** A service of its own whose stores are the stage's, each behind a gate. */
interface House {
  address: string;
  login: Login;
  /** Before the objects of its jobs. */
  store: Gate;
  /** The name of a list of objects there. */
  list: string;
  /** A job whose report cannot be delivered: the store behind this gate does not answer any more. */
  undelivered: { job: string; gate: Gate };
}

const test = inStage.extend<object, { house: House }>({
  house: [
    async ({}, use) => {
      const endpoint = await storeAddress();
      const store = await startGate(endpoint);
      const reports = await startGate(endpoint);
      const ground = await newGround({
        regions: {
          home: { endpoint: store.address, profile: "minio" }, // one of the stores that are said to restore
          reports: { endpoint: reports.address, profile: "seaweedfs" },
        },
        settings: SETTINGS,
      });
      try {
        const [{ address }] = await ground.start();
        const login = await ground.logIn(address);
        const { key: list } = await putList("outages");
        const house = { address, login, store, list };
        await use({ ...house, undelivered: { job: await jobWithoutReport(house, reports), gate: reports } });
      } finally {
        await ground.end();
        await store.shut();
        await reports.shut();
      }
    },
    { scope: "worker", timeout: 240_000 },
  ],
  baseURL: async ({ house }, use) => {
    await use(house.address);
  },
  storageState: async ({ house }, use) => {
    await use(loggedIn(house.login));
  },
});

test.setTimeout(180_000);
test.use({ expectedFaults: [/status of 503 .*manifests:inspect/] }); // the rows of a list behind a gate that is shut

type Ground = Pick<House, "address" | "login" | "list">;

async function jobWithoutReport(house: Ground, gate: Gate): Promise<string> {
  const report = { enabled: true, bucket: `qcs::cos:reports::${CONTROL}`, prefix: "late" };
  const job = await copyJob(house, "e2e: report without a place", { report });
  await gate.shut();
  const body = { requested_job_status: "Cancelled" };
  await ask(house.address, house.login, { method: "PUT", path: `/jobs/${job}/status`, body });
  return job;
}

/** A job over the list, which waits for its confirmation. */
async function copyJob({ address, login, list }: Ground, description: string, changes = {}): Promise<string> {
  const job = await makeJob(address, login, description, {
    manifest: {
      location: { object_arn: `arn:aws:s3:::${CONTROL}/${list}` },
      spec: { format: "COSBatchOperations_CSV_V1", fields: ["Bucket", "Key"] },
    },
    operation: { cos_put_object_copy: { target_resource: `arn:aws:s3:::${TARGET}` } },
    ...changes,
  });
  const status = async () => (await ask<MadeJob>(address, login, { method: "GET", path: `/jobs/${job}` })).status;
  await expect.poll(status, { timeout: PRESENT_MS }).toBe("Suspended");
  return job;
}

async function confirm(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Confirm and run" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Confirm and run" }).click();
}

async function next(page: Page, step: string): Promise<void> {
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: step })).toBeVisible();
}

test("a job whose bucket does not answer says so, and goes on when it does again", async ({ page, house }) => {
  const description = "e2e: nobody answers";
  const job = await copyJob(house, description);
  await house.store.shut();
  await page.goto(`/ui/jobs/${job}`);
  await confirm(page);
  const banner = page.getByRole("group").filter({ hasText: "A bucket does not answer" });
  await expect(banner).toContainText(/archive-1250000000|photos-1250000000/, { timeout: PRESENT_MS });
  await expect(banner).toContainText("It is tried again and again. If it does not answer, the job fails:");

  await page.goto(`/ui/jobs?q=${job}`);
  const row = page.getByRole("row").filter({ hasText: description });
  await expect(row).toContainText(/Bucket (archive|photos)-1250000000 does not answer/);
  await house.store.open();
  await expect(row).toContainText("Complete", { timeout: PRESENT_MS });
  await expect(row.getByRole("progressbar")).toHaveAttribute("aria-valuetext", /12 succeeded, 0 failed of 12/);
  await row.getByRole("link").first().click();
  await page.getByRole("tab", { name: "Events" }).click();
  const events = page.getByRole("table", { name: "Events" });
  await expect(events.getByRole("row").filter({ hasText: "The bucket answers again" }).first()).toBeVisible();
});

test("a restore is filled in, and tells of each object that the store does not do it", async ({ page, house }) => {
  await page.goto("/ui/jobs/create");
  await page
    .locator("#content")
    .getByRole("button", { name: /^Job region/ })
    .click();
  await page.getByRole("option", { name: /^home/ }).click();
  await page.getByLabel("Inventory bucket").fill(CONTROL);
  await page.getByLabel("Inventory file path").fill(house.list);
  await expect(page.getByRole("heading", { name: "Preview (first 10 rows)" })).toBeVisible();
  await next(page, "Operation configuration");

  await page.getByRole("radio", { name: /^Restore archived/ }).check();
  const days = page.getByLabel("Days that the restored copy is kept");
  await days.fill("366");
  await page.getByRole("radio", { name: "Bulk" }).check();
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(page.getByRole("alert").filter({ hasText: "One thing needs to be corrected" })).toContainText("365");
  await days.fill("3");
  await next(page, "Other configurations");
  await page.getByLabel("Description").fill("e2e: three days of bulk");
  await page.getByRole("combobox", { name: "Report bucket" }).fill(CONTROL);
  await next(page, "Information check");
  await expect(page.getByText("12 archived objects are restored.")).toBeVisible();
  await expect(page.getByText("3 days", { exact: true })).toBeVisible();
  await expect(page.getByText("Bulk", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page.getByText("This job waits for confirmation")).toBeVisible({ timeout: PRESENT_MS });
  await confirm(page);
  await page.getByRole("tab", { name: "Failures (12)" }).click({ timeout: PRESENT_MS });
  await expect(page.getByRole("heading", { level: 3, name: "MethodNotAllowed (12)" })).toBeVisible();
  const samples = page.getByRole("table", { name: "Objects that failed with MethodNotAllowed" });
  await expect(samples.getByRole("row").nth(1)).toContainText("The specified method is not allowed");
});

test("a report that is not delivered says why, and is delivered as soon as it can be", async ({ page, house }) => {
  const { job, gate } = house.undelivered;
  await page.goto(`/ui/jobs/${job}#report`);
  const failed = page.getByRole("group").filter({ hasText: "The report could not be delivered" });
  await expect(failed).toContainText(`${CONTROL} does not answer`, { timeout: PRESENT_MS });
  await expect(page.getByText("Delivery failed", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Deliver again" }).click();
  await expect(page.getByText("e2e: report without a place: the report is delivered again.")).toBeVisible();
  const waits = page.getByRole("group").filter({ hasText: "The report is not delivered yet" });
  // In one look: it waits for half a minute.
  const said = new RegExp(`${CONTROL} does not answer.*The job has ended: only its report is still to come\\.`);
  await expect(waits).toContainText(said, { timeout: PRESENT_MS });
  await gate.open();
  await expect(page.getByText("Delivered", { exact: true })).toBeVisible({ timeout: PRESENT_MS });
  await expect(page.getByText(`late/job-${job}/manifest.json`, { exact: true })).toBeVisible();
  await expect(failed).toHaveCount(0);
  await expect(waits).toHaveCount(0);
  await page.getByRole("tab", { name: "Overview" }).click();
  await expect(page.getByText("This job was cancelled. What was done stays done.")).toBeVisible();
  await expect(page.getByText("not delivered")).toHaveCount(0);
});
