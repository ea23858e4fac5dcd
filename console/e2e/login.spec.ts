import { expect, test } from "./fixtures";
import { stage } from "./stage";
import { visit } from "./visits";

test.use({ as: "", expectedFaults: [/status of 401/] });

test("who is nobody is led to the login, and from there to where they wanted", async ({ page }) => {
  await page.goto("/ui/audit?outcome=done");
  await expect(page).toHaveURL(/\/ui\/login\?next=/);
  await expect(page.getByText("Sign in to see this page.")).toBeVisible();
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("User name or password is wrong.")).toBeVisible();
  await page.getByLabel("Password").fill(stage().password);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/ui\/audit\?outcome=done/);
  await expect(page.getByRole("heading", { name: /Audit log/ })).toBeVisible();
});

test("a session that ended leads to the login, which says so until somebody logs out", async ({ page }) => {
  await page.goto("/ui/login");
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password").fill(stage().password);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/ui\/jobs/);
  await visit(page, "/ui/settings"); // once it is there, it asks nothing by itself: the click is the first to be refused
  await page.context().clearCookies();
  await page.getByRole("link", { name: "Audit log" }).click();
  await expect(page).toHaveURL(/\/ui\/login\?next=%2Faudit/);
  await expect(page.getByText("Your session has ended. Sign in again to go on.")).toBeVisible();
  await page.goto("/ui/settings?lang=zh"); // also to who comes back later
  await expect(page.getByText("会话已结束，请重新登录后继续。")).toBeVisible();
  await page.goto("/ui/settings?lang=en");
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password").fill(stage().password);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "admin" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/ui\/login$/);
  await page.goto("/ui/settings");
  await expect(page.getByText("Sign in to see this page.")).toBeVisible();
});

test.describe("of who is logged in", () => {
  test.use({ as: "admin" });

  test("a menu that is open stays what it is when the regions come", async ({ page }) => {
    let come = () => {};
    const wanted = new Promise<void>((resolve) => (come = resolve));
    await page.route(/\/api\/v1\/capabilities/, async (route) => {
      await wanted;
      await route.continue();
    });
    await page.goto("/ui/settings");
    await page.getByRole("button", { name: "admin" }).click();
    await expect(page.getByRole("menuitem", { name: "Sign out" })).toBeVisible();
    const answered = page.waitForResponse(/\/api\/v1\/capabilities/);
    come();
    await (await answered).finished();
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestIdleCallback(done))));
    await expect(page.getByRole("menuitem", { name: "Sign out" })).toBeVisible();
  });
});

test("no address outside is taken for where one wanted to go", async ({ page }) => {
  await page.goto("/ui/login?next=//example.com/ui");
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password").fill(stage().password);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/127\.0\.0\.1:\d+\/ui\/jobs/);
});

test.describe("where the service does not end the session", () => {
  test.use({ as: "admin", expectedFaults: [/status of 503/] });

  test("one is told that one is still signed in, and stays", async ({ page }) => {
    const error = { code: "LedgerUnavailable", message: "the ledger cannot be read", request_id: "r-503", faults: [] };
    await page.route(/\/api\/v1\/session$/, (route) =>
      route.request().method() === "DELETE" ? route.fulfill({ status: 503, json: { error } }) : route.continue(),
    );
    await page.goto("/ui/settings");
    await page.getByRole("button", { name: "admin" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await expect(page.getByText("You are still signed in: the service did not end the session.")).toBeVisible();
    await expect(page).toHaveURL(/\/ui\/settings$/);
  });
});
