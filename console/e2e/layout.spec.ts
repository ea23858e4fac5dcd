import { expect, prefer, test } from "./fixtures";
import { CHINESE, ENGLISH, isChinese, isEnglish } from "./languages";
import { ALL_SIZES, misplaced, PHONE, strange } from "./looks";
import { clipped, said, sideways } from "./readable";
import { LANGUAGES, listen, onEachPage, visit } from "./visits";

test.describe.configure({ mode: "parallel" }); // they only look, and each of them takes long

const SIGN_IN = { en: ENGLISH["login.do"] ?? "", "zh-CN": CHINESE["login.do"] ?? "" };

test.describe("in a narrow window", () => {
  test.use({ viewport: PHONE });

  // Windows of all sizes, and both languages, are looked at by `accessibility.spec.ts`, which turns from page to page.
  test("each page can be loaded by itself, is whole, and can be read to its end", async ({ page, faults }) => {
    test.setTimeout(240_000);
    const told = listen(page);
    await onEachPage(page, async (name) => {
      expect.soft(faults, name).toEqual([]); // without any other host: nothing was asked for elsewhere
      expect.soft(await misplaced(page), `what is wrong with ${name}`).toEqual([]);
      expect.soft(await strange(page, "en", told), name).toEqual([]);
    });
  });
});

test.describe("of nobody", () => {
  test.use({ as: "", expectedFaults: [/status of 401/] });

  for (const language of LANGUAGES) {
    test(`the login is whole and fits into any window, ${language}`, async ({ page }) => {
      const told = listen(page);
      await prefer(page, { language });
      await visit(page, "/ui/login?next=/audit");
      const parts = [page.getByRole("button", { name: SIGN_IN[language] }), ...(await page.locator("input").all())];
      expect(parts).toHaveLength(3);
      for (const size of ALL_SIZES) {
        await page.setViewportSize(size);
        for (const part of parts) {
          await part.scrollIntoViewIfNeeded();
          await expect(part).toBeInViewport({ ratio: 1 });
        }
        expect.soft(await sideways(page), `scrolls to the side by so many pixels at ${size.width} px`).toBe(0);
        expect.soft(await clipped(page), `what is cut off at ${size.width} px`).toEqual([]);
      }
      expect(await strange(page, language, told)).toEqual([]);
    });
  }
});

test.describe("what these tests look for", () => {
  test.use({ viewport: { width: 1024, height: 768 } });

  test("is found where it is", async ({ page }) => {
    await prefer(page, { language: "zh-CN" });
    await visit(page, "/ui/settings");
    await page.evaluate(() => {
      const box = document.createElement("div");
      box.append("a long text that is cut off");
      box.style.cssText = "width: 40px; overflow: hidden; white-space: nowrap";
      const wide = document.createElement("div");
      wide.append("Updated 3s ago");
      wide.style.width = "2000px";
      document.querySelector("#content")?.append(box, wide);
    });
    expect(await sideways(page)).toBeGreaterThan(0);
    expect(await clipped(page)).toEqual(["a long text that is cut off"]);
    expect((await said(page)).filter((text) => isEnglish(text, ""))).toEqual(["Updated 3s ago"]);
    const ofService = [
      "photos is registered here for writing a, b alone",
      "RoleArn: is no role that is registered here",
    ];
    expect(ofService.filter((text) => isEnglish(text, ofService.join()))).toEqual(ofService);
    expect(["任务列表", "Jobs"].filter((text) => isChinese(text, ""))).toEqual(["任务列表"]);
  });
});
