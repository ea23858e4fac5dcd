import type { Locator, Page } from "@playwright/test";

import { violationsOf } from "./axe";
import { call, expect, test } from "./fixtures";
import { jobsWith } from "./store";

test.setTimeout(180_000);

/** Of the stage: 38 of its objects are gone. */
const MIXED = "Move the studio's photos, keep their folders";
const ACCOUNT = "e2e-branch";
const BRANCH_USER = "e2e-branch-user";
const OWN_USER = "e2e-own-user";

const rowsOf = (page: Page) => page.locator("#content tbody").getByRole("row");

/** Chooses by the filter `name` of a list of people. */
async function choose(page: Page, name: string, option: string): Promise<void> {
  await page.getByRole("button", { name: new RegExp(`^${name} `) }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

/** Made once, whoever asks first. */
async function branch(): Promise<void> {
  const { items } = await call<{ items: { name: string }[] }>("GET", "/accounts?limit=1000");
  if (items.some(({ name }) => name === ACCOUNT)) return;
  await call("POST", "/accounts", { name: ACCOUNT });
  await call("POST", "/users", { name: BRANCH_USER, role: "operator", account: ACCOUNT });
  await call("POST", "/users", { name: OWN_USER, role: "viewer" });
  await call("POST", "/access-keys", { user: BRANCH_USER, description: "of the branch" });
  await call("POST", "/access-keys", { user: OWN_USER, description: "of our own" });
  await call("POST", "/tokens", { user: BRANCH_USER, description: "branch script", scopes: ["jobs:read"] });
}

test("who runs the service sees people, keys and tokens of one account, or of one user", async ({ page }) => {
  await branch();
  await page.goto("/ui/users");
  await expect(page.getByRole("row", { name: new RegExp(OWN_USER) })).toBeVisible();
  await choose(page, "Account", ACCOUNT);
  await expect(page).toHaveURL(new RegExp(`account=${ACCOUNT}`));
  await expect(rowsOf(page)).toHaveCount(1);
  await expect(rowsOf(page)).toContainText(BRANCH_USER);

  // Another tab is of the same account, and a reload too.
  await page.getByRole("tab", { name: "Access keys" }).click();
  await expect(rowsOf(page)).toHaveCount(1);
  await expect(rowsOf(page)).toContainText("of the branch");
  await page.reload();
  await expect(rowsOf(page)).toHaveCount(1);
  await expect(rowsOf(page)).toContainText("of the branch");
  await choose(page, "User", BRANCH_USER);
  await expect(page).toHaveURL(new RegExp(`user=${BRANCH_USER}`));
  await choose(page, "Account", "All accounts");
  await expect(page).not.toHaveURL(/account=|user=/);
  await expect(rowsOf(page).filter({ hasText: "of our own" })).toBeVisible();
  await choose(page, "User", OWN_USER);
  await expect(rowsOf(page)).toHaveCount(1);
  await expect(rowsOf(page)).toContainText("of our own");

  await page.getByRole("tab", { name: "API tokens" }).click();
  await expect(page.getByText("No matches")).toBeVisible();
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(rowsOf(page).filter({ hasText: "branch script" })).toBeVisible();
});

test.describe("who is of one account", () => {
  test.use({ as: "lin" });

  test("sees no filter of others", async ({ page }) => {
    await page.goto("/ui/users?tab=keys&account=other&user=admin");
    await expect(page.getByRole("heading", { name: /^Access keys/ }).first()).toBeVisible();
    await expect(page.getByText("Loading")).toHaveCount(0);
    await expect(page.getByRole("button", { name: /^(Account|User) / })).toHaveCount(0);
    await expect(page.getByRole("alert")).toHaveCount(0);
  });
});

function filterOf(page: Page): Locator {
  return page.getByRole("combobox", { name: "Filter by who, action, target, outcome or day" });
}

const isoOf = (day: Date) => [day.getFullYear(), day.getMonth() + 1, day.getDate()].map(twoDigits).join("-");
const twoDigits = (value: number) => String(value).padStart(2, "0");

test("the audit log is filtered by account and by days, of which the last one counts", async ({ page }) => {
  await branch();
  const today = isoOf(new Date());
  await page.goto("/ui/audit");
  await expect(page.getByRole("columnheader", { name: "Account" }).first()).toBeVisible();
  await expect(rowsOf(page).filter({ hasText: "create-user" }).first()).toBeVisible();

  await filterOf(page).click();
  await page.getByRole("option", { name: "Until" }).click();
  const day = page.getByRole("textbox", { name: "Day" });
  await day.fill(today);
  expect(await violationsOf(page), "while the calendar is open").toEqual([]);
  const asked = page.waitForRequest(/\/api\/v1\/audit\?.*until=/);
  await page.getByRole("button", { name: "Apply" }).click();
  const until = new URL((await asked).url()).searchParams.get("until") ?? "";
  const midnight = new Date();
  midnight.setHours(24, 0, 0, 0);
  expect(until).toBe(midnight.toISOString());
  await expect(page).toHaveURL(new RegExp(`until=${today}`));
  await expect(rowsOf(page).filter({ hasText: "create-user" }).first()).toBeVisible();

  await filterOf(page).click();
  await page.getByRole("option", { name: "Account" }).click();
  await page.getByRole("option", { name: ACCOUNT }).click();
  await expect(page).toHaveURL(new RegExp(`account=${ACCOUNT}`));
  await expect(rowsOf(page).filter({ hasText: BRANCH_USER }).first()).toBeVisible();
  await expect(rowsOf(page).filter({ hasText: OWN_USER })).toHaveCount(0);
  const csv = page.getByRole("link", { name: "Download CSV" });
  await expect(csv).toHaveAttribute("href", new RegExp(`account=${ACCOUNT}.*until=`));
});

test("what cannot be read of a filter is told beside it", async ({ page }) => {
  await page.goto("/ui/audit?since=yesterday&outcome=perhaps&actor=admin");
  await expect(page.getByText('Since: "yesterday" is not a day such as 2026-11-26')).toBeVisible();
  await expect(page.getByText('Outcome: "perhaps" is not one of its values')).toBeVisible();
  await expect(rowsOf(page).first()).toBeVisible();
  await expect(filterOf(page)).toHaveAccessibleDescription(/"yesterday" is not a day/);
  await filterOf(page).fill("Until <= soon");
  await page.keyboard.press("Enter");
  await expect(page.getByText('Until: "soon" is not a day such as 2026-11-26')).toBeVisible();

  await page.goto("/ui/jobs?to=2026-02-30");
  await expect(page.getByText('Created until: "2026-02-30" is not a day')).toBeVisible();
  await page.getByRole("combobox", { name: "Filter by property" }).click();
  await page.getByRole("option", { name: "Status" }).click();
  await expect(page.getByRole("option", { name: "Suspended" })).toBeVisible();
  expect(await violationsOf(page), "while its statuses are open").toEqual([]);
});

test("a sample of a failure has the store's ID of the request", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const [job] = await jobsWith(MIXED);
  const id = job?.job_id ?? "";
  const path = `/jobs/${id}/failures/NoSuchKey`;
  const { samples } = await call<{ samples: { key: string; request_id: string | null }[] }>("GET", path);
  const [first] = samples;
  expect(first?.request_id).toMatch(/\S{8}/);
  await page.goto(`/ui/jobs/${id}#failures`);
  const found = page.getByRole("table", { name: "Objects that failed with NoSuchKey" });
  await expect(found.getByRole("columnheader", { name: "Store's request ID" })).toBeVisible();
  await found.getByRole("row").nth(1).getByRole("button", { name: "Copy" }).last().click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(first?.request_id);
});

test("the clone of a retry is checked and estimated, and told as a body and a command", async ({ page }) => {
  const [job] = await jobsWith(MIXED);
  const made = await call<{ job: { job_id: string } }>("POST", `/jobs/${job?.job_id}/retry`, {
    error_code: "NoSuchKey",
    changes: { description: "e2e: a retry to be cloned", confirmation_required: true },
  });
  const id = made.job.job_id;
  await page.goto(`/ui/jobs/create?from=${id}`);
  await expect(page.getByRole("heading", { level: 1, name: "Information check" })).toBeVisible();
  await expect(page.getByText(/The inventory is the list of failed objects that the service keeps/)).toBeVisible();
  await expect(page.getByText(/the list of what failed in job \S+ with NoSuchKey can be read/)).toBeAttached();
  await expect(page.getByRole("heading", { level: 2, name: "Estimate" })).toBeVisible();
  await page.getByRole("button", { name: "The same job as XML, JSON or a command" }).click();
  await expect(page.getByText(`The body of POST /api/v1/jobs/${id}/clone.`)).toBeVisible();
  await page.getByRole("tab", { name: "Command line" }).click();
  const { origin } = new URL(page.url());
  await expect(page.getByText(`cosbatch clone-job ${id} --changes changes.yaml --server ${origin}`)).toBeVisible();
});
