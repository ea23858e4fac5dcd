import type { Page } from "@playwright/test";

import { violationsOf } from "./axe";
import { call, expect, test } from "./fixtures";
import { turnTo } from "./visits";

/** Of the stage's own store; they are told to nobody else. */
const KEY = { id: "AKMAIN", secret: "SKMAIN" };
const SHORT = 13;

// axe reads the whole page, and what is over it, several times.
test.setTimeout(120_000);
const HOST = "arn:aws:iam::000000000000:role";

async function expectNoViolations(page: Page): Promise<void> {
  expect(await violationsOf(page)).toEqual([]);
}

async function jobOf(description: string): Promise<{ job_id: string; description: string }> {
  const page = await call<{ items: { job_id: string; description: string }[] }>(
    "GET",
    `/jobs?q=${encodeURIComponent(description)}&limit=1`,
  );
  const [job] = page.items;
  if (!job) throw new Error(`the stage has no job ${description}`);
  return job;
}

async function fillIn(page: Page, role: { name: string; id: string; secret: string }): Promise<void> {
  await page.getByLabel("Role ARN").fill(`${HOST}/${role.name}`);
  await page.getByLabel("Description").fill("made in a browser");
  await page.getByLabel("Access key ID").fill(role.id);
  await page.getByLabel("Secret key").fill(role.secret);
}

async function chooseJob(page: Page, job: { job_id: string }): Promise<void> {
  await page.getByRole("button", { name: /For one of your jobs/ }).click();
  await page.getByLabel("Find by description or job ID").fill(job.job_id);
  const found = page.getByRole("option").filter({ hasText: job.job_id.slice(0, SHORT) });
  await expect(found).toHaveCount(1);
  await found.click();
}

test("a role is made, tried out with a job, and deleted", async ({ page }) => {
  const job = await jobOf("Copy the public albums to the archive");
  await page.goto("/ui/roles");
  await page.getByRole("button", { name: "Create role" }).click();
  await expect(page).toHaveURL(/create=1/);
  await fillIn(page, { name: "browser", ...KEY });
  await expectNoViolations(page);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page.getByText("The role is registered here, and jobs can use it.")).toBeVisible();
  await expect(page).toHaveURL(/\/ui\/roles/);

  await page.getByRole("dialog").getByRole("button", { name: "Test access" }).click();
  await chooseJob(page, job);
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByText("All that could be tried is allowed")).toBeVisible();
  for (const access of ["Read the inventory", "Read the source", "Write the destination"]) {
    await expect(page.getByText(`${access}: allowed`)).toBeVisible();
  }
  await expect(page.getByText("Jobs get all rights of this role")).toBeVisible();
  await expectNoViolations(page);
  await page.keyboard.press("Escape");

  const row = page.getByRole("row").filter({ hasText: `${HOST}/browser` });
  await expect(row).toContainText("Allowed: Read the inventory");
  await expect(row).toContainText("Passed");
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Delete role" }).click();
  await page.getByLabel("Type browser to confirm").fill("browser");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByText("Role browser is deleted.")).toBeVisible();
  await expect(row).toHaveCount(0);
});

test("who came for a role is led back, and a key that the store does not know is found out and changed", async ({
  page,
}) => {
  const job = await jobOf("Copy the public albums to the archive");
  await page.goto("/ui/roles?create=1&return=/settings");
  await fillIn(page, { name: "wrong", id: "AKNOBODY", secret: "SKNOBODY" });
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("button", { name: "Back to where you were" }).click();
  await expect(page).toHaveURL(/\/ui\/settings/);
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();

  await turnTo(page, "/ui/roles");
  await page.getByRole("radio", { name: `Select ${HOST}/wrong` }).check();
  await page.getByRole("button", { name: "Test access" }).click();
  await chooseJob(page, job);
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByText("Read the inventory: not allowed")).toBeVisible();
  await expect(page.getByText("Something that the job needs is not allowed").first()).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("row").filter({ hasText: `${HOST}/wrong` })).toContainText(
    "Not allowed: Read the inventory",
  );

  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Change its key" }).click();
  await page.getByLabel("Access key ID").fill(KEY.id);
  await page.getByLabel("Secret key").fill(KEY.secret);
  await expectNoViolations(page);
  await page.getByRole("button", { name: "Change key", exact: true }).click();
  await expect(page.getByText("Role wrong has another key.")).toBeVisible();
  await chooseJob(page, job);
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByText("All that could be tried is allowed")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("row").filter({ hasText: `${HOST}/wrong` })).toContainText("Key changed");
  await call("DELETE", `/roles/${encodeURIComponent(`${HOST}/wrong`)}`);
});

test("the policies for a job, also for a retry, are written in the provider's language", async ({ page }) => {
  const job = await jobOf("Retry: the bucket policy is corrected");
  await page.goto("/ui/roles");
  const row = (name: string) => page.getByRole("row").filter({ hasText: name });
  await expect(row(`${HOST}/copy`)).toContainText("Key AK…IN");
  await expect(row("roleName/demo-copy")).toContainText("Last one created");
  await page.getByRole("radio", { name: `Select ${HOST}/copy` }).check();
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Policies to paste" }).click();
  await chooseJob(page, job);
  await page.getByRole("button", { name: "Write policies" }).click();
  await expect(page.getByText('"sts:AssumeRole"')).toBeVisible();
  await expect(page.getByText('"s3:PutObject"')).toBeVisible();
  await expectNoViolations(page);
});

test.describe("where the form is wrong", () => {
  test.use({ expectedFaults: [/status of 400/] });

  test("what is wrong stands beside its field", async ({ page }) => {
    await page.goto("/ui/roles?create=1");
    await fillIn(page, { name: "x", ...KEY });
    await page.getByLabel("Role ARN").fill("batch");
    await page.getByLabel("Writable buckets").fill("archive-1250000000\nno-bucket!");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await expect(page.getByText(/is no name of a role that stored has/)).toBeVisible();
    await expect(page.getByText(/is no name of a bucket/)).toBeVisible();
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect(page).not.toHaveURL(/create=1/);
  });
});

test.describe("of a viewer", () => {
  test.use({ as: "mei" });

  test("there are names and nothing to do", async ({ page }) => {
    await page.goto("/ui/roles?create=1");
    await expect(page.getByRole("row").filter({ hasText: `${HOST}/copy` })).toBeVisible();
    await expect(page.getByRole("columnheader")).toHaveText(["Role"]);
    await expect(page.getByRole("button", { name: "Test access" })).toHaveCount(0);
    await expect(page.getByRole("dialog")).toHaveCount(0);
  });
});
