import { violationsOf } from "./axe";
import { expect, prefer, test } from "./fixtures";
import { ALL_SIZES, faultsOf, show, THEMES, WIDE } from "./looks";
import { LANGUAGES, listen, throughEachPage } from "./visits";

test.describe.configure({ mode: "parallel" }); // they only look, and each of them takes long

for (const language of LANGUAGES) {
  test(`axe finds nothing on any page, light or dark, and each is whole in any window, ${language}`, async ({
    page,
  }) => {
    test.setTimeout(300_000);
    const told = listen(page);
    await page.emulateMedia({ colorScheme: "light" });
    await prefer(page, { theme: "system", language });
    await throughEachPage(page, async (name) => {
      await expect.soft(page.locator("html"), name).toHaveAttribute("lang", language);
      await show(page, "dark");
      expect.soft(await violationsOf(page), `${name}, dark`).toEqual([]);
      await show(page, "light");
      expect.soft(await faultsOf(page, language, told, ALL_SIZES), `${name}, light`).toEqual([]);
      await page.setViewportSize(WIDE);
    });
  });
}

test.describe("of nobody", () => {
  test.use({ as: "", expectedFaults: [/401/] });

  for (const language of LANGUAGES) {
    test(`axe finds nothing on the login, light or dark, ${language}`, async ({ page }) => {
      await prefer(page, { theme: "system", language });
      await page.goto("/ui/login");
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      for (const theme of THEMES) {
        await show(page, theme);
        expect.soft(await violationsOf(page), theme).toEqual([]);
      }
    });
  }
});
