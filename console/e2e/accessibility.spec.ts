import type { Page } from "@playwright/test";

import { violationsOf } from "./axe";
import { expect, prefer, test } from "./fixtures";
import { LANGUAGES, onEachPage } from "./visits";

test.describe.configure({ mode: "parallel" }); // they only look, and each of them takes long

const THEMES = ["light", "dark"] as const;

for (const language of LANGUAGES) {
  test(`axe finds nothing on any page, light or dark, ${language}`, async ({ page }) => {
    test.setTimeout(300_000);
    await page.emulateMedia({ colorScheme: "light" });
    await prefer(page, { theme: "system", language });
    await onEachPage(page, async (name) => {
      for (const theme of THEMES) {
        await show(page, theme);
        expect.soft(await violationsOf(page), `${name}, ${theme}`).toEqual([]);
      }
    });
  });
}

/** A page in the system's theme follows that at once; its colours are the theme's once they have stopped to change. */
async function show(page: Page, theme: (typeof THEMES)[number]): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  const isDark = async () => (await page.locator("body").getAttribute("class"))?.includes("awsui-dark-mode") ?? false;
  await expect.poll(isDark).toBe(theme === "dark");
  const fading = () =>
    page.evaluate(() => document.getAnimations().filter((each) => each instanceof CSSTransition).length);
  await expect.poll(fading).toBe(0);
}

test.describe("of nobody", () => {
  test.use({ as: "", expectedFaults: [/401/] });

  for (const [theme, language] of THEMES.flatMap((each) => LANGUAGES.map((one) => [each, one] as const))) {
    test(`axe finds nothing on the login, ${theme}, ${language}`, async ({ page }) => {
      await prefer(page, { theme, language });
      await page.goto("/ui/login");
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      expect(await violationsOf(page)).toEqual([]);
    });
  }
});
