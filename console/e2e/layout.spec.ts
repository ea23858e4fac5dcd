import { expect, prefer, test } from "./fixtures";
import { isChinese, isEnglish } from "./languages";
import { said, unreadable } from "./readable";
import { visit } from "./visits";

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
