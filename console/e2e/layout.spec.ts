import type { Page } from "@playwright/test";

import { expect, prefer, test } from "./fixtures";
import { CJK, ENGLISH, englishTexts } from "./languages";
import { clipped, said, sideways } from "./readable";
import { LANGUAGES, onEachPage, visit } from "./visits";

const WINDOWS = [
  { name: "1440 px", viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 },
  { name: "1024 px", viewport: { width: 1024, height: 768 }, deviceScaleFactor: 1 },
  { name: "1440 px at 200 %", viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 },
  { name: "375 px", viewport: { width: 375, height: 812 }, deviceScaleFactor: 1 },
];

for (const { name: window, ...options } of WINDOWS) {
  test.describe(window, () => {
    test.use(options);

    for (const language of LANGUAGES) {
      test(`each page fits and can be read to its end, ${window}, ${language}`, async ({ page }) => {
        test.setTimeout(240_000);
        const isStrange = language === "en" ? chineseOf(page) : englishOf();
        await prefer(page, { language });
        await onEachPage(page, async (name) => {
          expect.soft(await sideways(page), `${name} scrolls to the side by so many pixels`).toBe(0);
          expect.soft(await clipped(page), `what ${name} cuts off`).toEqual([]);
          expect.soft(await isStrange(await said(page)), `what ${name} says in another language`).toEqual([]);
        });
      });
    }
  });
}

/** Of what a Chinese page says, the console's own English texts. */
function englishOf() {
  const isEnglish = englishTexts();
  return (texts: string[]) => Promise.resolve(texts.filter(isEnglish));
}

/** Of what an English page says, what is Chinese, but for what the service has told: names that users gave. */
function chineseOf(page: Page) {
  const answers: Promise<string>[] = [];
  page.on("response", (response) => {
    if (response.url().includes("/api/v1/")) answers.push(response.text().catch(() => ""));
  });
  return async (texts: string[]) => {
    const known = [...(await Promise.all(answers)), ...Object.values(ENGLISH)].join("\n");
    return texts.filter((text) => [...text.matchAll(CJK)].some(([run]) => !known.includes(run)));
  };
}

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
    expect(await englishOf()(await said(page))).toEqual(["Updated 3s ago"]);
    expect(await chineseOf(page)(["任务列表", "Jobs"])).toEqual(["任务列表"]);
  });
});
