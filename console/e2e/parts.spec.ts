import type { Locator, Page } from "@playwright/test";

import { violationsOf } from "./axe";
import { expect, prefer, test } from "./fixtures";
import { isFocused, tabTo } from "./keys";
import { LANGUAGES } from "./visits";

/** What pages load when it is asked for: the calendar of the list's filter, and pages themselves. */

/** Whether something around it hides a part of it. */
async function isCut(element: Locator): Promise<boolean> {
  return element.evaluate((inner) => {
    const box = inner.getBoundingClientRect();
    for (let outer = inner.parentElement; outer; outer = outer.parentElement) {
      if (getComputedStyle(outer).overflow === "visible") continue;
      const room = outer.getBoundingClientRect();
      if (box.left < room.left || box.right > room.right || box.top < room.top || box.bottom > room.bottom) return true;
    }
    return false;
  });
}

function filterOf(page: Page): Locator {
  return page.getByRole("combobox", { name: "Filter by property" });
}

async function askForDay(page: Page, property: string): Promise<void> {
  await filterOf(page).click();
  await page.getByRole("option", { name: property }).click();
}

const rows = (page: Page) => page.locator("#content tbody").getByRole("checkbox");

/** Some day of the month before. */
function dayBefore(): Date {
  const day = new Date();
  day.setDate(1);
  day.setMonth(day.getMonth() - 1);
  day.setDate(15);
  return day;
}

const isoOf = (day: Date) => [day.getFullYear(), day.getMonth() + 1, day.getDate()].map(twoDigits).join("-");
const twoDigits = (value: number) => String(value).padStart(2, "0");

test("jobs are found by the day on which they were made: chosen from a calendar, and typed", async ({ page }) => {
  const day = dayBefore();
  const iso = isoOf(day);
  const name = day.toLocaleDateString("en-US", { year: "numeric", month: "long", day: "numeric" });
  await page.goto("/ui/jobs");
  await expect(rows(page).first()).toBeVisible();
  await askForDay(page, "Created from");
  await page.getByRole("button", { name: "Previous month" }).click();
  await page.getByRole("gridcell", { name }).click();
  await expect(page.getByRole("textbox", { name: "Day" })).toHaveValue(iso);
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(new RegExp(`[?&]from=${iso}`));
  await expect(page.getByText(/^\d+ match(es)?$/).first()).toBeVisible();
  await expect(rows(page).first()).toBeVisible();

  // Without a mouse: no job was made until that day.
  await filterOf(page).focus();
  await page.keyboard.type("Created until");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const typed = page.getByRole("textbox", { name: "Day" });
  await expect(typed).toBeVisible();
  if (!(await isFocused(typed))) await tabTo(page, typed);
  await page.keyboard.type(iso);
  const chosen = page.getByRole("gridcell", { name });
  await expect(chosen).toHaveAttribute("aria-selected", "true");
  await tabTo(page, page.getByRole("button", { name: "Apply" }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`[?&]to=${iso}`));
  await expect(page.getByText("No jobs match these filters")).toBeVisible();
  await page.reload();
  await expect(page.getByText("No jobs match these filters")).toBeVisible();
  await page.getByRole("button", { name: "Clear filters" }).last().click();
  await expect(rows(page).first()).toBeVisible();
});

for (const language of LANGUAGES) {
  test(`nothing of the calendar is cut off, ${language}`, async ({ page }) => {
    await prefer(page, { language });
    await page.goto("/ui/jobs");
    for (const width of [1440, 1024]) {
      await page.setViewportSize({ width, height: 800 });
      await page.getByRole("combobox", { name: /Filter by property|按属性筛选/ }).click();
      await page.getByRole("option", { name: /Created from|创建时间起/ }).click();
      const calendar = page.getByRole("group", { name: /^(Day|日期)$/ });
      await expect(calendar).toBeVisible();
      for (const edge of [calendar.getByRole("button").last(), calendar.getByRole("gridcell").last()]) {
        await expect(edge).toBeInViewport({ ratio: 1 });
        await expect.poll(() => isCut(edge), `at ${width} px`).toBe(false);
      }
      await page.getByRole("button", { name: /^(Cancel|取消)$/ }).click();
      await expect(calendar).toHaveCount(0);
    }
  });
}

test.describe("where one of them cannot be had", () => {
  test.use({ expectedFaults: [/ERR_FAILED|MissingPart/] });

  test("a page loads itself once, as after an upgrade, then says so, and one gets elsewhere", async ({ page }) => {
    const part = /\/assets\/Settings-[^/]*\.js$/;
    const settings = page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Settings" });
    await page.goto("/ui/jobs");
    await page.route(part, (route) => route.abort());
    const loaded = page.waitForEvent("load");
    await settings.click();
    await loaded;
    await expect(page).toHaveURL(/\/ui\/settings$/);
    await expect(page.getByRole("heading", { level: 1, name: "This page could not be loaded" })).toBeVisible();
    await expect(page.getByText("The service does not answer, or it was upgraded meanwhile.")).toBeVisible();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Jobs" }).click();
    await expect(rows(page).first()).toBeVisible();
    await page.goBack();
    await expect(page.getByRole("heading", { level: 1, name: "This page could not be loaded" })).toBeVisible();
    await page.unroute(part);
    await page.getByRole("button", { name: "Load the page again" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Settings" })).toBeVisible();
  });

  test("the list says that its preferences or the calendar are missing, and goes on", async ({ page }) => {
    const parts = /\/assets\/(FilterDayForm|JobListPreferencesDialog)-[^/]*\.js$/;
    const missing = page.getByText("This part of the page could not be loaded. Load the page again.");
    await page.goto("/ui/jobs");
    await expect(rows(page).first()).toBeVisible();
    await page.route(parts, (route) => route.abort());
    const loaded = page.waitForEvent("load");
    await page.getByRole("button", { name: "Preferences" }).click();
    await loaded;
    await expect(rows(page).first()).toBeVisible();
    await page.getByRole("button", { name: "Preferences" }).click();
    await expect(missing).toBeVisible();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole("button", { name: "Dismiss" }).click();
    await expect(missing).toHaveCount(0);
    await askForDay(page, "Created until");
    await expect(missing).toBeVisible();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await expect(rows(page).first()).toBeVisible();
    await page.unroute(parts);
    await page.reload();
    await page.getByRole("button", { name: "Preferences" }).click();
    await expect(page.getByRole("dialog", { name: "Preferences" })).toBeVisible();
  });
});
