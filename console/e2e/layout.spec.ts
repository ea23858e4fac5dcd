import type { Page } from "@playwright/test";

import { expect, prefer, test } from "./fixtures";
import { CJK, ENGLISH, isEnglish } from "./languages";
import { clipped, said, sideways } from "./readable";
import { LANGUAGES, onEachPage, visit } from "./visits";

test.describe.configure({ mode: "parallel" }); // they only look, and each of them takes long

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
      test(`each page is whole, fits and can be read to its end, ${window}, ${language}`, async ({ page, faults }) => {
        test.setTimeout(240_000);
        const told = listen(page);
        const isStrange = language === "en" ? isChinese : isEnglish;
        await prefer(page, { language });
        await onEachPage(page, async (name) => {
          expect.soft(faults, name).toEqual([]); // without any other host: nothing was asked for elsewhere
          await expect.soft(page.locator("html"), name).toHaveAttribute("lang", language);
          expect.soft(await sideways(page), `${name} scrolls to the side by so many pixels`).toBe(0);
          expect.soft(await clipped(page), `what ${name} cuts off`).toEqual([]);
          const all = await told();
          const strange = (await said(page)).filter((text) => isStrange(text, all));
          expect.soft(strange, `what ${name} says in another language`).toEqual([]);
        });
      });
    }
  });
}

/** What the API answers to the page from now on, as one text. */
function listen(page: Page): () => Promise<string> {
  const answers: Promise<string>[] = [];
  page.on("response", (response) => {
    if (response.url().includes("/api/v1/")) answers.push(response.text().catch(() => ""));
  });
  return async () => (await Promise.all(answers)).join("\n");
}

/** Chinese that is neither the console's own name for the language nor told by the service. */
function isChinese(text: string, told: string): boolean {
  const known = `${told}\n${Object.values(ENGLISH).join("\n")}`;
  return [...text.matchAll(new RegExp(CJK, "g"))].some(([run]) => !known.includes(run));
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
    expect((await said(page)).filter((text) => isEnglish(text, ""))).toEqual(["Updated 3s ago"]);
    const ofService = [
      "photos is registered here for writing a, b alone",
      "RoleArn: is no role that is registered here",
    ];
    expect(ofService.filter((text) => isEnglish(text, ofService.join()))).toEqual(ofService);
    expect(["任务列表", "Jobs"].filter((text) => isChinese(text, ""))).toEqual(["任务列表"]);
  });
});
