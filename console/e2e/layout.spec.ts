import { expect, prefer, test } from "./fixtures";
import { CHINESE, ENGLISH, isChinese, isEnglish } from "./languages";
import { misplaced } from "./looks";
import { clipped, said, sideways } from "./readable";
import { LANGUAGES, listen, onEachPage, throughEachPage, visit } from "./visits";

test.describe.configure({ mode: "parallel" }); // they only look, and each of them takes long

const USUAL = [
  { name: "1440 px", viewport: { width: 1440, height: 900 } },
  { name: "1024 px", viewport: { width: 1024, height: 768 } },
];
/** In the usual ones each page is looked at by `accessibility.spec.ts`, which is there anyway. */
const SMALL = { name: "375 px", viewport: { width: 375, height: 812 } };
const AT_200_PERCENT = { name: "1440 px at 200 %", viewport: { width: 720, height: 450 } };

/** That each page can be loaded by itself, in a narrow window too, hangs on no language. */
const GO = { en: onEachPage, "zh-CN": throughEachPage };

const SIGN_IN = { en: ENGLISH["login.do"] ?? "", "zh-CN": CHINESE["login.do"] ?? "" };

test.describe("in a narrow window", () => {
  test.use({ viewport: SMALL.viewport, deviceScaleFactor: 2 });

  for (const language of LANGUAGES) {
    test(`each page is whole, fits and can be read to its end, ${language}`, async ({ page, faults }) => {
      test.setTimeout(240_000);
      const told = listen(page);
      const isStrange = language === "en" ? isChinese : isEnglish;
      await prefer(page, { language });
      await GO[language](page, async (name) => {
        expect.soft(faults, name).toEqual([]); // without any other host: nothing was asked for elsewhere
        await expect.soft(page.locator("html"), name).toHaveAttribute("lang", language);
        for (const { name: window, viewport } of [SMALL, AT_200_PERCENT]) {
          await page.setViewportSize(viewport);
          expect.soft(await misplaced(page), `what is wrong with ${name}, ${window}`).toEqual([]);
          const all = await told();
          const strange = (await said(page)).filter((text) => isStrange(text, all));
          expect.soft(strange, `what ${name} says in another language, ${window}`).toEqual([]);
        }
        await page.setViewportSize(SMALL.viewport);
      });
    });
  }
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
      for (const { name: window, viewport } of [...USUAL, AT_200_PERCENT, SMALL]) {
        await page.setViewportSize(viewport);
        for (const part of parts) {
          await part.scrollIntoViewIfNeeded();
          await expect(part).toBeInViewport({ ratio: 1 });
        }
        expect.soft(await sideways(page), `scrolls to the side by so many pixels at ${window}`).toBe(0);
        expect.soft(await clipped(page), `what is cut off at ${window}`).toEqual([]);
      }
      const all = await told();
      const isStrange = language === "en" ? isChinese : isEnglish;
      expect((await said(page)).filter((text) => isStrange(text, all))).toEqual([]);
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
