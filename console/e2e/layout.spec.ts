import { expect, prefer, test } from "./fixtures";
import { isChinese, isEnglish } from "./languages";
import { faultsOf, PHONE } from "./looks";
import { said, unreadable } from "./readable";
import { listen, onEachPage, visit } from "./visits";

test.describe.configure({ mode: "parallel" }); // they only look, and each of them takes long

test.describe("in a narrow window", () => {
  test.use({ viewport: PHONE });

  // Windows of all sizes, and both languages, are looked at by `accessibility.spec.ts`, which turns from page to page.
  test("each page can be loaded by itself, is whole, can be read to its end, and axe finds nothing", async ({
    page,
    faults,
  }) => {
    test.setTimeout(240_000);
    const told = listen(page);
    await onEachPage(page, async (name) => {
      expect.soft(faults, name).toEqual([]); // without any other host: nothing was asked for elsewhere
      expect.soft(await faultsOf(page, "en", told, { sizes: [PHONE] }), `what is wrong with ${name}`).toEqual([]);
    });
  });
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
    expect(await unreadable(page)).toEqual([
      expect.stringMatching(/^scrolls to the side by [1-9]\d* px$/),
      "cuts off: a long text that is cut off",
    ]);
    expect((await said(page)).filter((text) => isEnglish(text, ""))).toEqual(["Updated 3s ago"]);
    const ofService = [
      "photos is registered here for writing a, b alone",
      "RoleArn: is no role that is registered here",
    ];
    expect(ofService.filter((text) => isEnglish(text, ofService.join()))).toEqual(ofService);
    expect(["任务列表", "Jobs"].filter((text) => isChinese(text, ""))).toEqual(["任务列表"]);
  });
});
