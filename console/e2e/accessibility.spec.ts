import { join } from "node:path";

import type { Page } from "@playwright/test";

import { violationsOf } from "./axe";
import { expect, prefer, test } from "./fixtures";
import { CHINESE, ENGLISH } from "./languages";
import { ALL_SIZES, faultsOf, show, type Theme, THEMES } from "./looks";
import { LANGUAGES, listen, throughEachPage, visit } from "./visits";

test.describe.configure({ mode: "parallel" }); // they only look, and each of them takes long

/** Left behind for people to look at: these pages in both languages and themes, in one width of the window each. */
const PICTURES = join(import.meta.dirname, "../test-results/pages");
const PICTURED: ReadonlySet<string> = new Set(["jobs", "job", "job, failures", "create", "regions", "audit"]);

async function picture(page: Page, name: string, theme: Theme, language: string): Promise<void> {
  if (!PICTURED.has(name)) return;
  const path = join(PICTURES, `${name.replace(", ", "-")}-${theme}-${language}.png`);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
}

const SIGN_IN = { en: ENGLISH["login.do"] ?? "", "zh-CN": CHINESE["login.do"] ?? "" };

for (const language of LANGUAGES) {
  test(`axe finds nothing on any page, light or dark, and each is whole in any window, ${language}`, async ({
    page,
  }) => {
    test.setTimeout(300_000);
    const told = listen(page);
    // A page is come to in the theme, and the size of the window, in which the last one was left.
    let theme: Theme = "light";
    await page.emulateMedia({ colorScheme: theme });
    await prefer(page, { theme: "system", language });
    await throughEachPage(page, async (name) => {
      await expect.soft(page.locator("html"), name).toHaveAttribute("lang", language);
      expect.soft(await faultsOf(page, language, told, { sizes: ALL_SIZES }), `${name}, ${theme}`).toEqual([]);
      await picture(page, name, theme, language);
      theme = theme === "light" ? "dark" : "light";
      await show(page, theme);
      expect.soft(await violationsOf(page), `${name}, ${theme}`).toEqual([]);
      await picture(page, name, theme, language);
    });
  });
}

test.describe("of nobody", () => {
  test.use({ as: "", expectedFaults: [/status of 401/] });

  for (const language of LANGUAGES) {
    test(`axe finds nothing on the login, light or dark, and it is whole in any window, ${language}`, async ({
      page,
    }) => {
      const told = listen(page);
      await prefer(page, { theme: "system", language });
      await visit(page, "/ui/login?next=/audit");
      const parts = [page.getByRole("button", { name: SIGN_IN[language] }), ...(await page.locator("input").all())];
      expect(parts).toHaveLength(3);
      for (const theme of THEMES) {
        await show(page, theme);
        expect.soft(await faultsOf(page, language, told, { sizes: ALL_SIZES }), theme).toEqual([]);
      }
      for (const size of ALL_SIZES) {
        await page.setViewportSize(size);
        for (const part of parts) {
          await part.scrollIntoViewIfNeeded();
          await expect(part).toBeInViewport({ ratio: 1 });
        }
      }
    });
  }
});
