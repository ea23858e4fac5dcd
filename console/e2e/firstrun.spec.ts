import { expect, test as inStage } from "./fixtures";
import { type Stage, startStage } from "./stage";

const START_MS = 240_000;
/** Of the sample's 300 rows five are of objects that nobody may read, and two of objects that are gone. */
const SUCCEEDED = 293;
const FAILED = 7;

/** On a service that was just started for the first time: nobody has logged in yet, and there are no jobs. */
const test = inStage.extend<object, { fresh: Stage }>({
  fresh: [
    async ({}, use) => {
      const { stage, end } = await startStage("--first-run");
      await use(stage);
      await end();
    },
    { scope: "worker", timeout: START_MS },
  ],
  baseURL: async ({ fresh }, use) => {
    await use(fresh.address);
  },
});

test.use({ as: "", expectedFaults: [/status of 40[01]/] });

test("from the first password to a sample job that is complete", async ({ page, fresh }) => {
  test.setTimeout(300_000);
  await test.step("the password that was given has to be changed", async () => {
    await page.goto("/ui/");
    await page.getByLabel("User name").fill(fresh.user);
    await page.getByLabel("Password").fill(fresh.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("heading", { name: "Change password" })).toBeVisible();
    await expect(page.getByText("Choose a password of your own before you go on.")).toBeVisible();

    await page.goto("/ui/users");
    await expect(page).toHaveURL(/\/ui\/password\?next=%2Fusers/);
    await page.goto("/ui/password");

    const present = page.getByLabel("Present password");
    const chosen = page.getByLabel("New password", { exact: true });
    const again = page.getByLabel("New password again");
    await present.fill(fresh.password);
    await chosen.fill("a-password-of-my-own");
    await again.fill("another-one");
    await page.getByRole("button", { name: "Change password" }).click();
    await expect(page.getByText("This is not the new password once more.")).toBeVisible();
    await again.fill("a-password-of-my-own");
    await page.getByRole("button", { name: "Change password" }).click();
    await expect(page).toHaveURL(/\/ui\/jobs/);
  });

  await test.step("the empty console explains itself", async () => {
    await expect(page.getByText("No jobs yet. Create one from a manifest.")).toBeVisible();
    await expect(page.getByText(/A manifest lists objects/)).toBeVisible();
    await expect(page.getByRole("heading", { level: 1, name: /Jobs/ })).toContainText("(0)");
    await page.getByRole("link", { name: "How a job goes" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Help" })).toBeVisible();
    await page.goBack();
  });

  await test.step("two clicks make a sample job", async () => {
    await page.getByRole("link", { name: "Try a sample job" }).click();
    await expect(page.getByText(/This is a job over the sample bucket/)).toBeVisible();
    await page.getByRole("button", { name: "OK", exact: true }).click();
    await expect(page).toHaveURL(/\/ui\/jobs\/[0-9a-f-]{36}$/);
    await expect(page.getByRole("heading", { level: 1, name: /^Sample: / })).toBeVisible();
  });

  await test.step("it waits for a confirmation, and runs to its end", async () => {
    await expect(page.getByText("This job waits for confirmation")).toBeVisible({ timeout: 120_000 });
    await page.getByRole("button", { name: "Confirm and run" }).first().click();
    const dialog = page.getByRole("dialog", { name: "Confirm and run this job?" });
    await expect(dialog.getByRole("row").filter({ hasText: "photos/" }).first()).toBeVisible();
    await dialog.getByRole("button", { name: "Confirm and run" }).click();
    await expect(dialog).toBeHidden();
    const progress = page.getByRole("progressbar").first();
    const told = new RegExp(`${SUCCEEDED} succeeded, ${FAILED} failed of ${SUCCEEDED + FAILED}`);
    await expect(progress).toHaveAttribute("aria-valuetext", told, { timeout: 120_000 });
    await expect(page.locator("#content").getByText("Complete", { exact: true }).first()).toBeVisible();
    await expect(page.getByRole("tab", { name: `Failures (${FAILED})` })).toBeVisible();
  });
});
