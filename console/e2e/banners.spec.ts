import type { Page, Route } from "@playwright/test";

import { expect, test } from "./fixtures";
import { stage } from "./stage";
import { jobsWith } from "./store";

const LIST = /\/api\/v1\/jobs\?/;
const NAME = "Copy the access logs for the audit";
/** It has not ended and will not, so that it is asked for again and again. */
const PAUSED = "Copy the logs to the cold bucket";
const LISTED = `/ui/jobs?q=${encodeURIComponent(NAME)}`;
const BUSY = {
  error: { code: "ServiceUnavailable", message: "the service has too much to do", request_id: "r-503", faults: [] },
};
const BROKEN = {
  error: { code: "InternalError", message: "something broke here", request_id: "r-500", faults: [] },
};
const FORBIDDEN = {
  error: { code: "AccessDenied", message: "you may not list jobs", request_id: "r-403", faults: [] },
};

test.use({ expectedFaults: [/status of (401|403|500|503)|ERR_(FAILED|INTERNET_DISCONNECTED)/] });

/** The list with its rows, before anything goes wrong. */
async function openList(page: Page): Promise<void> {
  await page.goto(LISTED);
  await expect(rows(page)).toBeVisible();
}

function rows(page: Page) {
  return page.locator("#content tbody").getByRole("row").filter({ hasText: NAME });
}

async function refresh(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Refresh" }).click();
}

test("while the service has too much to do the rows stay, and come back up to date", async ({ page }) => {
  await openList(page);
  await page.route(LIST, (route: Route) => route.fulfill({ status: 503, json: BUSY, headers: { "retry-after": "9" } }));
  await refresh(page);
  const error = page.getByRole("group").filter({ hasText: "Could not load the jobs" });
  await expect(error).toContainText(/Try again in [789] seconds\./, { timeout: 30_000 });
  await expect(error).toContainText(/Try again in [1-6] seconds?\./); // it counts down
  await expect(error).toContainText("ServiceUnavailable");
  await expect(error).toContainText("r-503");
  await expect(page.getByText(/^Connection lost; showing data from /)).toBeVisible();
  await expect(rows(page)).toBeVisible();
  await page.unroute(LIST);
  await refresh(page); // unless it has asked again by itself before
  await expect(error).toHaveCount(0);
  await expect(page.getByText(/^Connection lost/)).toHaveCount(0);
  await expect(rows(page)).toBeVisible();
});

test("what broke is told at the first refusal, and the list comes by itself once it is mended", async ({ page }) => {
  let asked = 0;
  let mend = (): void => undefined;
  const isMended = new Promise<void>((resolve) => (mend = resolve));
  await page.route(LIST, async (route: Route) => {
    if (++asked === 1) {
      await route.fulfill({ status: 500, json: BROKEN });
      return;
    }
    await isMended;
    await route.continue();
  });
  await page.goto(LISTED);
  const error = page.getByRole("group").filter({ hasText: "Could not load the jobs" });
  await expect(error).toContainText("r-500");
  await expect(error).toContainText("something broke here");
  await expect(page.getByText("No jobs yet. Create one from a manifest.")).toHaveCount(0);
  await expect.poll(() => asked).toBe(2); // nobody has asked for it, and nothing of the page has changed
  await expect(error).toBeVisible();
  mend();
  await expect(rows(page)).toBeVisible();
  await expect(error).toHaveCount(0);
});

test("who does not want to wait asks again at once", async ({ page }) => {
  let asked = 0;
  let isMended = false;
  await page.route(LIST, async (route: Route) => {
    if (++asked === 1) await route.fulfill({ status: 500, json: BROKEN });
    else if (isMended) await route.continue();
  });
  await page.goto(LISTED);
  const error = page.getByRole("group").filter({ hasText: "Could not load the jobs" });
  await expect(error).toContainText("r-500");
  await expect.poll(() => asked).toBe(2); // what it asks by itself is not answered
  isMended = true;
  await page.getByRole("button", { name: "Retry" }).click();
  await expect(rows(page)).toBeVisible();
  await expect(error).toHaveCount(0);
});

test("what one may not do is said, with the request to name", async ({ page }) => {
  await page.route(LIST, (route: Route) => route.fulfill({ status: 403, json: FORBIDDEN }));
  await page.goto(LISTED);
  const error = page.getByRole("group").filter({ hasText: "Could not load the jobs" });
  await expect(error).toContainText("you may not list jobs");
  await expect(error).toContainText("r-403");
  await expect(page.getByText("No jobs yet. Create one from a manifest.")).toHaveCount(0);
  const again = page.waitForRequest(LIST);
  await page.getByRole("button", { name: "Retry" }).click();
  await again;
  await page.unroute(LIST);
  await refresh(page); // unless it has asked again by itself before
  await expect(rows(page)).toBeVisible();
  await expect(error).toHaveCount(0);
});

test("without a network what was there stays and is marked as old", async ({ page, context }) => {
  await openList(page);
  await context.setOffline(true);
  await refresh(page);
  await expect(page.getByText(/^Connection lost; showing data from /)).toBeVisible({ timeout: 30_000 });
  await expect(rows(page)).toBeVisible();
  await expect(page.getByText("Could not load the jobs")).toHaveCount(0); // the banner has said it
  await context.setOffline(false);
  await expect(page.getByText(/^Connection lost/)).toHaveCount(0, { timeout: 60_000 });
  await expect(rows(page)).toBeVisible();
});

test("an action that nothing answers says so, and can be asked again", async ({ page }) => {
  await page.goto("/ui/settings");
  await page.getByLabel("Present password").fill("not the password");
  await page.getByLabel("New password", { exact: true }).fill("a-password-of-my-own");
  await page.getByLabel("New password again").fill("a-password-of-my-own");
  await page.route("**/api/v1/session/password", (route: Route) => route.abort());
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("The password was not changed")).toBeVisible();
  await expect(page.getByLabel("New password again")).toHaveValue("a-password-of-my-own");
});

test.describe("of a session that ends", () => {
  test.use({ as: "lin" });

  test("a page leads to the login, and the login leads back to it", async ({ page }) => {
    const [paused] = await jobsWith(PAUSED);
    const path = `/ui/jobs/${paused?.job_id ?? "none"}`;
    await page.goto(path);
    await expect(page.getByRole("heading", { name: "Status timeline" })).toBeVisible();
    await page.context().clearCookies();
    await expect(page).toHaveURL(/\/ui\/login\?next=%2Fjobs%2F/, { timeout: 30_000 });
    await expect(page.getByText("Your session has ended. Sign in again to go on.")).toBeVisible();
    await page.getByLabel("User name").fill("lin");
    await page.getByLabel("Password").fill(stage().password);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(new RegExp(`${path}$`));
    await expect(page.getByRole("heading", { name: "Status timeline" })).toBeVisible();
  });
});
