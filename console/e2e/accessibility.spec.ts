import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, prefer, test } from "./fixtures";
import { pagesOf } from "./routes";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];

async function violationsOf(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
}

for (const theme of ["light", "dark"]) {
  for (const language of ["en", "zh-CN"]) {
    test(`axe finds nothing on any page, ${theme}, ${language}`, async ({ page }) => {
      test.setTimeout(180_000);
      await prefer(page, { theme, language });
      for (const [name, path] of await pagesOf()) {
        await page.goto(path);
        await expect(page.locator("#content h1")).toBeVisible();
        await page.waitForLoadState("networkidle");
        expect.soft(await violationsOf(page), name).toEqual([]);
      }
    });
  }
}

test.describe("of nobody", () => {
  test.use({ as: "", expectedFaults: [/401/] });

  for (const theme of ["light", "dark"]) {
    test(`axe finds nothing on the login, ${theme}`, async ({ page }) => {
      await prefer(page, { theme });
      await page.goto("/ui/login");
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      expect(await violationsOf(page)).toEqual([]);
    });
  }
});
