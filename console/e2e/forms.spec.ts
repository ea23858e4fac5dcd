import { readFile } from "node:fs/promises";

import type { Locator, Page } from "@playwright/test";

import { violationsOf } from "./axe";
import { call, expect, test } from "./fixtures";
import { cancelJob, jobOf, jobsWith, makeJob, type MadeJob, putList } from "./store";
import { turnTo, visit } from "./visits";

/** Whatever the API takes can be said in a form, and whatever it hands out can be had. */

const HOME = "demo";
const ELSEWHERE = "demo-capped";
const NOWHERE = "http://127.0.0.1:9";
const MIXED = "Move the studio's photos, keep their folders";
const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const PASSWORD = "five words of my own here";

/** What the service refuses at first, and what it says of a store that is not there. */
test.use({ expectedFaults: [/status of (400|503)/] });

interface Region {
  profile: string;
  connection: { profile_overrides: Record<string, string>; requests_per_second: number | null };
}

async function choose(page: Page, field: Locator, option: RegExp | string): Promise<void> {
  await field.click();
  await page.getByRole("option", { name: option }).click();
}

async function downloaded(page: Page, menu: string, item: string, group?: string): Promise<string> {
  await page.getByRole("button", { name: menu }).click();
  const within = group ? page.getByRole("group", { name: group }) : page;
  const coming = page.waitForEvent("download");
  await within.getByRole("menuitem", { name: item, exact: true }).click();
  return readFile(await (await coming).path(), "utf8");
}

test("a report goes to another region, and a region that is gone is told beside its field", async ({ page }) => {
  const gone = `e2e-gone-${Date.now()}`;
  await call("POST", "/regions", { name: gone, endpoint: NOWHERE });
  await visit(page, "/ui/jobs/create?sample=1");
  await page.getByRole("button", { name: "Modify: Other configurations" }).click();
  await page.getByLabel("Description").fill("e2e: a report elsewhere");
  const region = page.getByRole("button", { name: /^Region of the report bucket/ });
  await expect(region).toContainText(`As the job: ${HOME}`);

  await choose(page, region, new RegExp(`^${gone}`));
  await call("DELETE", `/regions/${gone}`);
  await page.getByRole("button", { name: "Next", exact: true }).click();
  const refused = page.getByText(/is not in the region table/).first();
  await expect(refused).toBeVisible();
  await page.getByRole("link", { name: "Region of the report bucket" }).click();
  const field = page.locator('[id="field-report.region"]');
  await expect(field.getByText(/is not in the region table/)).toBeVisible();
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(refused).toBeVisible();
  await expect(page.getByRole("listitem").filter({ hasText: "is not in the region table" })).toHaveCount(1);
  await page.getByRole("link", { name: "Region of the report bucket" }).click();
  await expect(field.getByText(/is not in the region table/)).toBeVisible();

  const listed = page.waitForRequest((request) => request.url().includes(`/buckets?region=${ELSEWHERE}`));
  await choose(page, region, new RegExp(`^${ELSEWHERE}`));
  await expect(field.getByText(/is not in the region table/)).toHaveCount(0);
  await listed;
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(page.getByText("Everything is in order")).toBeVisible();
  await expectPair(page, "Region of the report bucket", ELSEWHERE);
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await expect(page).toHaveURL(/\/ui\/jobs\/[0-9a-f-]{36}$/);
  await page.getByRole("tab", { name: "Configuration" }).click();
  await expectPair(page, "Region of the report bucket", ELSEWHERE);
  await cancelJob(new URL(page.url()).pathname.split("/").at(-1) ?? "");
});

async function expectPair(page: Page, label: string, value: string): Promise<void> {
  await expect(page.getByRole("term").filter({ hasText: label }).locator("+ dd")).toContainText(value);
}

test("a region says what its store does otherwise than its profile", async ({ page }) => {
  const name = `e2e-ceph-${Date.now()}`;
  await visit(page, "/ui/regions");
  await page.getByRole("button", { name: "Create region" }).click();
  const form = page.getByRole("dialog", { name: "Create region" });
  await form.getByLabel("Region", { exact: true }).fill(name);
  await form.getByLabel("Endpoint").fill(NOWHERE);
  await form.getByRole("button", { name: "More", exact: true }).click();
  await choose(page, form.getByRole("button", { name: /^Profile/ }), "ceph");
  await form.getByRole("button", { name: /^What the store does otherwise/ }).click();
  const encryption = form.getByRole("button", { name: /^Encryption with the store's keys/ });
  await expect(encryption).toContainText("As the profile says: Refused");
  await choose(page, encryption, /^Applied/);
  expect(await violationsOf(page)).toEqual([]);
  await form.getByLabel("Requests a second at most").fill("250");
  await page.keyboard.press("Enter");
  await expect(form).toBeHidden();
  await expect
    .poll(() => call<Region>("GET", `/regions/${name}`))
    .toMatchObject({
      profile: "ceph",
      connection: { profile_overrides: { "sse-aes256": "applied" }, requests_per_second: 250 },
    });

  await page.getByRole("radio", { name: new RegExp(name) }).check();
  await expect(page.getByText("1 option otherwise than the profile says")).toBeVisible();
  const offered = page.getByRole("table", { name: "What the store does" });
  await expect(offered.getByRole("row", { name: /sse-aes256/ })).toContainText(/Applied.*This region/);
  await expect(offered.getByRole("row", { name: /restore/ })).toContainText(/Refused.*The profile/);
  expect(await violationsOf(page)).toEqual([]);

  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Change" }).click();
  const change = page.getByRole("dialog", { name: `Region ${name}` });
  await choose(page, change.getByRole("button", { name: /^Encryption with/ }), /^As the profile says/);
  await change.getByRole("button", { name: "Save" }).click();
  await expect(change).toBeHidden();
  await expect(page.getByText("All of it as the profile says")).toBeVisible();
  const { connection } = await call<Region>("GET", `/regions/${name}`);
  expect(connection.profile_overrides).toEqual({});
  await call("DELETE", `/regions/${name}`);
});

test("a webhook signs with a secret that somebody has given", async ({ page }) => {
  const name = `e2e-own-${Date.now()}`;
  await visit(page, "/ui/webhooks");
  await page.getByRole("button", { name: "Create webhook" }).click();
  const form = page.getByRole("dialog", { name: "Create webhook" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Address").fill("https://hooks.example.com/cosbatch");
  await form.getByLabel(/^Secret/).fill("whsec_short");
  await form.getByRole("button", { name: "Create" }).click();
  await expect(form.getByText(/is no secret of Standard Webhooks/)).toBeVisible();
  await form.getByLabel(/^Secret/).fill(SECRET);
  await form.getByRole("button", { name: "Create" }).click();
  await expect(page.getByText(`${name} was created, and signs with the secret that you gave.`)).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await call("DELETE", `/webhooks/${name}`);
});

test("a user gets a first password that an administrator has chosen", async ({ page, baseURL, playwright }) => {
  const user = `e2e-${Date.now()}`;
  await visit(page, "/ui/users?tab=users");
  await page.getByRole("button", { name: "Create user" }).click();
  const form = page.getByRole("dialog", { name: "Create user" });
  await form.getByLabel("User name").fill(user);
  await form.getByLabel("First password - optional").fill("short");
  const again = form.getByLabel("First password again");
  await again.fill("shirt");
  await form.getByRole("button", { name: "Create" }).click();
  await expect(form.getByText("This is not the new password once more.")).toBeVisible();
  await again.fill("short");
  await form.getByRole("button", { name: "Create" }).click();
  await expect(form.getByText(/it has less than \d+ characters/)).toBeVisible();
  await form.getByLabel("First password - optional").fill(PASSWORD);
  await again.fill(PASSWORD);
  await form.getByRole("button", { name: "Create" }).click();
  await expect(page.getByText(`${user} was created, and may sign in with the password that you gave.`)).toBeVisible();

  const api = await playwright.request.newContext({
    baseURL: baseURL ?? "",
    storageState: { cookies: [], origins: [] },
  });
  const headers = { origin: baseURL ?? "" };
  const session = await api.post("/api/v1/session", { data: { user, password: PASSWORD }, headers });
  expect(session.status(), await session.text()).toBe(200);
  await api.dispose();
  await call("PATCH", `/users/${user}`, { is_disabled: true });
  await call("DELETE", `/users/${user}`);
});

test("several jobs are confirmed for a reason, which their timelines tell", async ({ page }) => {
  test.setTimeout(240_000);
  const mark = `e2e-reason-${Date.now()}`;
  const { key } = await putList("reason", { count: 2 });
  const jobs: MadeJob[] = [];
  for (const each of ["one", "two"]) jobs.push(await makeJob(key, { description: `${mark} ${each}` }));
  for (const { job_id: id } of jobs) {
    await expect.poll(async () => (await jobOf(id)).status, { timeout: 120_000 }).toBe("Suspended");
  }
  await visit(page, `/ui/jobs?q=${mark}`);
  for (const { description } of jobs) await page.getByRole("checkbox", { name: `Select ${description}` }).check();
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Confirm and run" }).click();
  const dialog = page.getByRole("dialog", { name: "Confirm and run 2 jobs?" });
  await dialog.getByLabel("Reason (optional)").fill("汉".repeat(86));
  await expect(dialog.getByRole("button", { name: "Confirm and run" })).toBeDisabled();
  await dialog.getByLabel("Reason (optional)").fill("looked at by two of us");
  expect(await violationsOf(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Confirm and run" }).click();
  await expect(page.getByText("2 jobs were confirmed.")).toBeVisible();
  for (const { job_id: id } of jobs) {
    await turnTo(page, `/ui/jobs/${id}`);
    await expect(page.getByText("looked at by two of us").first()).toBeVisible();
  }
});

test("results and summary come in each form that there is", async ({ page }) => {
  const [mixed] = await jobsWith(MIXED);
  if (!mixed) throw new Error(`the stage has no job ${MIXED}`);
  const { number_of_tasks_succeeded: succeeded, number_of_tasks_failed: failed } = mixed.progress_summary;
  await visit(page, `/ui/jobs/${mixed.job_id}?tab=report`);
  const rows = (text: string) => text.trimEnd().split("\n");

  const report = "The report in other forms";
  const all = rows(await downloaded(page, report, "JSON lines", "All objects"));
  expect(all).toHaveLength(succeeded + failed);
  const bad = rows(await downloaded(page, report, "JSON lines", "Failed objects only"));
  const statuses = bad.map((line) => (JSON.parse(line) as { status: string }).status);
  expect(new Set(statuses)).toEqual(new Set(["failed"]));
  expect(statuses).toHaveLength(failed);
  expect(rows(await downloaded(page, report, "CSV", "Failed objects only"))).toHaveLength(failed);

  const summary = "The summary in other forms";
  expect(JSON.parse(await downloaded(page, summary, "JSON"))).toMatchObject({
    job_id: mixed.job_id,
    succeeded,
    failed,
  });
  expect(await downloaded(page, summary, "CSV")).toContain(String(succeeded));
});

test("the settings lead programs to the API, and the help leads to a job", async ({ page, request }) => {
  await visit(page, "/ui/settings");
  await expect(page.getByRole("heading", { name: "Keyboard" })).toBeVisible();
  const document = page.getByRole("link", { name: /^Open the document/ });
  const answer = await request.get((await document.getAttribute("href")) ?? "");
  expect(((await answer.json()) as { openapi: string }).openapi).toMatch(/^3\./);
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Help" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Help" })).toBeFocused();
  expect(await violationsOf(page)).toEqual([]);
  await page.locator("#content").getByRole("link", { name: "Create job" }).click();
  await expect(page).toHaveURL(/\/ui\/jobs\/create$/);
});
