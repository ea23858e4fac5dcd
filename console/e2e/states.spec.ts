import type { Page } from "@playwright/test";

import { call, expect, test } from "./fixtures";
import { faultsOf, watchful } from "./looks";
import { listen } from "./visits";

test.describe.configure({ mode: "parallel" }); // they only look, and each of them takes long
test.setTimeout(240_000);

/** A job of the stage that copies, by its description. */
const COPY = "Copy the public albums to the archive";

interface Listed {
  items: { job_id: string; description: string; actions: string[] }[];
}

/** A job of the stage of which somebody may ask an action now. */
async function jobFor(action: string, query = ""): Promise<string> {
  const { items } = await call<Listed>("GET", `/jobs?limit=100${query}`);
  const found = items.find(({ actions, description }) => actions.includes(action) && !description.startsWith("e2e"));
  if (!found) throw new Error(`the stage has no job of which ${action} can be asked`);
  return found.job_id;
}

async function next(page: Page, step: string): Promise<void> {
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: step })).toBeVisible();
}

test("the wizard's steps behind the first one, with each operation", async ({ page }) => {
  const look = watchful(page);
  await page.goto(`/ui/jobs/create?from=${await jobFor("clone", `&q=${encodeURIComponent(COPY)}`)}`);
  await next(page, "Operation configuration");
  await look("copy");
  for (const operation of ["Set tags", "Delete"]) {
    await page.getByRole("radio", { name: new RegExp(`^${operation}`) }).check();
    await look(operation);
  }
  await page.getByRole("radio", { name: /^Copy/ }).first().check();
  await next(page, "Other configurations");
  await look("other configurations");
  await next(page, "Information check");
  await expect(page.getByRole("heading", { name: "Checks" }).first()).toBeVisible();
  await look("information check");
});

test("what is asked before something is done with a job", async ({ page }) => {
  const look = watchful(page);
  const menu = { cancel: "Cancel job", change_priority: "Change priority", delete: "Delete" };
  for (const [action, name] of Object.entries(menu)) {
    await page.goto(`/ui/jobs/${await jobFor(action)}`);
    await page.locator("#content").getByRole("button", { name: "Actions" }).first().click();
    await page.getByRole("menuitem", { name, exact: false }).click();
    await expect(page.getByRole("dialog").filter({ visible: true })).toBeVisible();
    await look(action);
    await page.keyboard.press("Escape");
  }
});

test.describe("where the service answers nothing", () => {
  test.use({ expectedFaults: [/status of 503/] });

  test("lists say so, and how to go on", async ({ page }) => {
    const look = watchful(page);
    const error = {
      code: "LedgerUnavailable",
      message: "the ledger cannot be read",
      request_id: "5f1ce0ae41fd40a5a4d5",
      faults: [],
    };
    await page.route(/\/api\/v1\/(jobs\?|users)/, (route) => route.fulfill({ status: 503, json: { error } }));
    for (const path of ["/ui/jobs", "/ui/users"]) {
      await page.goto(path);
      await expect(page.getByRole("button", { name: "Retry" }).first()).toBeVisible();
      await look(`${path} without an answer`);
    }
  });
});

test.describe("of who may not", () => {
  test.use({ as: "mei" });

  test("pages say so, and what it takes", async ({ page }) => {
    const look = watchful(page);
    for (const path of ["/ui/users", "/ui/jobs/create"]) {
      await page.goto(path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await page.waitForLoadState("networkidle");
      await look(`${path} of a viewer`);
    }
  });
});

test("what these tests look for is found where it is, in a dialog", async ({ page }) => {
  const told = listen(page);
  await page.goto("/ui/roles?create=1");
  const dialog = page.getByRole("dialog").filter({ visible: true });
  await expect(dialog).toBeVisible();
  expect(await faultsOf(page, "en", told)).toEqual([]);
  await dialog.evaluate((shown) => {
    const box = document.createElement("div");
    box.append("a long text that is cut off");
    box.style.cssText = "width: 40px; overflow: hidden; white-space: nowrap; color: #eee; background: #fff";
    const wide = document.createElement("div");
    wide.append("创建任务");
    wide.style.cssText = "position: absolute; top: 0; width: 3000px";
    shown.querySelector("form")?.append(box);
    document.querySelector("#content")?.append(wide);
  });
  const faults = await faultsOf(page, "en", told);
  for (const fault of [
    "color-contrast: ",
    "scrolls to the side by ",
    "cuts off: a long text",
    "says in another language: 创建任务",
  ]) {
    expect(faults).toContainEqual(expect.stringContaining(fault));
  }
});
