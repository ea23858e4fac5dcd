import type { Page } from "@playwright/test";

import { call, expect, test } from "./fixtures";
import { focused, isFocused, isFocusSeen, selectByKeys, tabTo } from "./keys";
import { cancelJob, CONTROL, putList, TARGET } from "./store";
import { visit } from "./visits";

const LIST = /\/api\/v1\/jobs\?/;

/** It waits for its turn, which does not come meanwhile: the list is asked for every two seconds. */
const WAITING = "Copy the logs for the search index";

interface MadeJob {
  job_id: string;
  status: string;
}

/** A job that waits for its confirmation. */
async function waitingJob(description: string): Promise<string> {
  const { sample } = await call<{ sample: object }>("GET", "/capabilities");
  const { job_id } = await call<MadeJob>("POST", "/jobs", { ...sample, description, confirmation_required: true });
  const status = async () => (await call<MadeJob>("GET", `/jobs/${job_id}`)).status;
  await expect.poll(status, { timeout: 120_000 }).toBe("Suspended");
  return job_id;
}

test("the first stop of Tab leads past the navigation to the content", async ({ page }) => {
  const { items } = await call<{ items: MadeJob[] }>("GET", "/jobs?limit=1");
  await visit(page, `/ui/jobs/${items[0]?.job_id ?? ""}#configuration`);
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: "Configuration" })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Tab");
  await expect(page.locator("#content :focus")).toBeVisible();
});

test("the navigation leads to a page, whose heading has the focus then", async ({ page }) => {
  await visit(page, "/ui/jobs");
  await tabTo(page, page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Audit log" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: /Audit log/ })).toBeFocused();
});

for (const [name, path] of [
  ["jobs", "/ui/jobs"],
  ["users", "/ui/users"],
  ["settings", "/ui/settings"],
] as const) {
  test(`on ${name} the focus is seen wherever Tab stops`, async ({ page }) => {
    test.setTimeout(120_000);
    await visit(page, path);
    if (name === "jobs") await page.getByRole("button", { name: "Pause updates" }).click();
    const unseen: string[] = [];
    const stops: string[] = [];
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    for (let count = 0; count < 30; count++) {
      await page.keyboard.press("Tab");
      const stop = await focused(page);
      if (stop === "nothing" || (count > 0 && stop === stops[0])) break;
      stops.push(stop);
      if (!(await isFocusSeen(page))) unseen.push(stop);
    }
    expect(stops.length).toBeGreaterThan(10);
    expect(unseen).toEqual([]);
    expect(await page.locator("[tabindex]:not([tabindex='0']):not([tabindex^='-'])").count()).toBe(0);
  });
}

test("a job is cancelled without a mouse", async ({ page }) => {
  test.setTimeout(120_000);
  const id = await waitingJob("to be cancelled by keyboard");
  await visit(page, `/ui/jobs?q=${id}`);
  await tabTo(page, page.getByRole("checkbox", { name: "Select to be cancelled by keyboard" }));
  await page.keyboard.press("Space");
  await tabTo(page, page.getByRole("button", { name: "Actions" }), { back: true });
  await page.keyboard.press("Enter");
  const cancel = page.getByRole("menuitem", { name: "Cancel job" });
  await expect(cancel).toBeVisible();
  for (let steps = 0; steps < 10 && !(await isFocused(cancel)); steps++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Cancel this job?" });
  await expect(dialog).toBeVisible();
  await tabTo(page, dialog.getByRole("textbox", { name: "Reason" }));
  await page.keyboard.type("nobody needs it");
  await tabTo(page, dialog.getByRole("button", { name: "Cancel job" }));
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(page.locator("#content tbody").getByText("Cancelled", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect.poll(() => focused(page)).not.toBe("nothing");
});

test("a job is created without a mouse from an empty form", async ({ page }) => {
  test.setTimeout(180_000);
  const { key } = await putList("keyboard");
  await visit(page, "/ui/jobs");
  await tabTo(page, page.getByRole("link", { name: "Create job" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Choose inventory" })).toBeVisible();

  const content = page.locator("#content");
  await selectByKeys(page, content.getByRole("button", { name: /^Job region/ }), /^demo(?!-)/);
  await selectByKeys(page, content.getByRole("button", { name: /^Role/ }), /^demo-copy/);
  await tabTo(page, page.getByRole("combobox", { name: "Inventory bucket" }));
  await page.keyboard.type(CONTROL);
  await tabTo(page, page.getByRole("button", { name: "Browse" }));
  await page.keyboard.press("Enter");
  const browser = page.getByRole("dialog", { name: "Choose a file" });
  await tabTo(page, browser.getByRole("table").getByRole("button", { name: /^manifests/ }));
  await page.keyboard.press("Enter");
  await expect(browser.getByRole("navigation").getByText("manifests")).toHaveAttribute("aria-current", "location");
  await expect.poll(() => focused(page)).not.toBe("nothing");
  await tabTo(page, browser.getByRole("searchbox"));
  const found = page.waitForResponse((answer) => answer.url().includes("e2e-keyboard")); // of all that is typed
  await page.keyboard.type("e2e-keyboard");
  await found;
  await expect(browser.getByRole("radio")).toHaveCount(1);
  await tabTo(page, browser.getByRole("radio", { name: /e2e-keyboard\.csv/ }));
  await page.keyboard.press("Space");
  await tabTo(page, browser.getByRole("button", { name: "Choose" }));
  await page.keyboard.press("Enter");
  await expect(browser).toBeHidden();
  await expect(page.getByLabel("Inventory file path")).toHaveValue(key);
  await expect(page.getByRole("heading", { name: "Preview (first 10 rows)" })).toBeVisible();
  await selectByKeys(page, page.getByRole("button", { name: /Column 2 holds/ }), /Key$/);
  await nextByKeys(page, "Operation configuration");

  await tabTo(page, page.getByRole("radio", { name: /^Copy/ }).first());
  await page.keyboard.press("Space");
  await tabTo(page, page.getByRole("combobox", { name: "Destination bucket" }));
  await page.keyboard.type(TARGET);
  await nextByKeys(page, "Other configurations");

  await tabTo(page, page.getByLabel("Description"));
  await page.keyboard.type("made of nothing by keyboard");
  await tabTo(page, page.getByRole("combobox", { name: "Report bucket" }));
  await page.keyboard.type(CONTROL);
  await nextByKeys(page, "Information check");

  await tabTo(page, page.getByRole("button", { name: "OK", exact: true }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/ui\/jobs\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("heading", { level: 1, name: "made of nothing by keyboard" })).toBeFocused();
  await cancelJob(new URL(page.url()).pathname.split("/").at(-1) ?? "");
});

/** From one step of the wizard to the next one. */
async function nextByKeys(page: Page, step: string): Promise<void> {
  await tabTo(page, page.getByRole("button", { name: "Next", exact: true }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: step })).toBeVisible();
}

test("Escape closes what asks before a job is cancelled, and the focus goes back", async ({ page }) => {
  const id = await waitingJob("to be kept");
  await visit(page, `/ui/jobs?q=${id}`);
  await tabTo(page, page.getByRole("button", { name: /change the priority of to be kept/ }));
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect.poll(() => focused(page)).toMatch(/^button "Priority .*to be kept/);
  await call("PUT", `/jobs/${id}/status`, { requested_job_status: "Cancelled" });
});

test("the focus stays where it is while the list is brought up to date three times", async ({ page }) => {
  await visit(page, `/ui/jobs?q=${encodeURIComponent(WAITING)}`);
  await tabTo(page, page.locator("#content tbody").getByRole("link").first());
  const before = await focused(page);
  for (let poll = 0; poll < 3; poll++) {
    await page.waitForResponse(LIST);
    await settled(page);
    expect(await focused(page)).toBe(before);
  }
});

test("a column's heading sorts by it, tells so, and turns the order", async ({ page }) => {
  await visit(page, "/ui/jobs");
  const column = page.getByRole("columnheader", { name: /Priority/ });
  await expect(column).toHaveAttribute("aria-sort", "none");
  await tabTo(page, column.getByRole("button").first());
  await page.keyboard.press("Enter");
  await expect(column).toHaveAttribute("aria-sort", /ascending|descending/);
  const first = await column.getAttribute("aria-sort");
  await expect(page).toHaveURL(/sort=/);
  await page.keyboard.press("Enter");
  await expect(column).toHaveAttribute("aria-sort", first === "ascending" ? "descending" : "ascending");
  await expect(page.getByRole("columnheader", { name: /Created/ })).toHaveAttribute("aria-sort", "none");
});

/** What was answered has been drawn. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestIdleCallback(resolve))));
}
