import { expect, prefer, test } from "./fixtures";

/** One browser's page may serve many tests, one after the other. */
test.describe("a page of a test before", () => {
  test("is told and asked much", async ({ page, context, baseURL }) => {
    await prefer(page, { theme: "dark", language: "zh-CN" });
    await page.addInitScript(() => {
      Object.assign(window, { leftBehind: "yes" });
    });
    await page.route("**/api/v1/regions*", (route) => route.fulfill({ json: { items: [], next: null } }));
    await page.goto("/ui/regions");
    await page.evaluate(() => {
      localStorage.setItem("left.behind", "yes");
      sessionStorage.setItem("left.behind", "yes");
    });
    await context.addCookies([{ name: "left", value: "behind", url: baseURL ?? "" }]);
    await page.setViewportSize({ width: 480, height: 700 });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.reload();
    expect(await page.evaluate(() => "leftBehind" in window)).toBe(true);
  });

  test("knows nothing of it", async ({ page, context }) => {
    expect(page.viewportSize()).toEqual({ width: 1440, height: 900 });
    expect((await context.cookies()).map(({ name }) => name)).not.toContain("left");
    const regions = page.waitForResponse("**/api/v1/regions*");
    await page.goto("/ui/regions");
    expect((await regions).ok()).toBe(true);
    const left = await page.evaluate(() => ({
      local: localStorage.getItem("left.behind"),
      session: sessionStorage.getItem("left.behind"),
      hasScript: "leftBehind" in window,
      language: document.documentElement.lang,
      isDark: matchMedia("(prefers-color-scheme: dark)").matches,
    }));
    expect(left).toEqual({ local: null, session: null, hasScript: false, language: "en", isDark: false });
  });
});
