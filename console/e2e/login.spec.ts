import { expect, test } from "./fixtures";
import { stage } from "./stage";

test.use({ as: "", expectedFaults: [/status of 401/] });

test("who is nobody is led to the login, and from there to where they wanted", async ({ page }) => {
  await page.goto("/ui/audit?outcome=done");
  await expect(page).toHaveURL(/\/ui\/login\?next=/);
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("User name or password is wrong.")).toBeVisible();
  await page.getByLabel("Password").fill(stage().password);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/ui\/audit\?outcome=done/);
  await expect(page.getByRole("heading", { name: /Audit log/ })).toBeVisible();
});

test("a session that ended leads to the login", async ({ page }) => {
  await page.goto("/ui/login?next=/settings"); // a page that asks nothing by itself
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password").fill(stage().password);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
  await page.context().clearCookies();
  await page.getByRole("link", { name: "Audit log" }).click();
  await expect(page).toHaveURL(/\/ui\/login\?next=%2Faudit/);
});

test("no address outside is taken for where one wanted to go", async ({ page }) => {
  await page.goto("/ui/login?next=//example.com/ui");
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password").fill(stage().password);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/127\.0\.0\.1:\d+\/ui\/jobs/);
});
