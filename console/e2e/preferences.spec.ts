import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures";
import { isFocused, tabTo } from "./keys";

const LIST = /\/api\/v1\/jobs\?/;

function dialogOf(page: Page) {
  return page.getByRole("dialog", { name: "Preferences" });
}

/** What is above the columns, from the left. */
async function columnsOf(page: Page): Promise<string[]> {
  const names = await page.locator("#content").getByRole("columnheader").allTextContents();
  return names.map((name) => name.trim()).filter(Boolean);
}

async function openedList(page: Page): Promise<string[]> {
  await page.goto("/ui/jobs");
  await expect(page.getByRole("progressbar").first()).toBeVisible();
  return columnsOf(page);
}

/** Above what a cell says, in CSS pixels; the height of a row is another matter, for what it says comes and goes. */
const paddingOf = (page: Page) =>
  page
    .locator("#content tbody td")
    .last()
    .evaluate((cell) => parseFloat(getComputedStyle(cell.firstElementChild ?? cell).paddingTop));

/** Of each call for the list that this page has made, and the one before the reload has not. */
async function expectAskedSinceLoad(page: Page, part: string): Promise<void> {
  const asked = async () => {
    const urls = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
    return urls.filter((url) => LIST.test(url)).map((url) => url.includes(part));
  };
  await expect.poll(asked).toContain(true);
  expect(await asked()).not.toContain(false);
}

test("how the list is shown is chosen with a mouse, is kept, and is chosen back", async ({ page }) => {
  const usual = await openedList(page);
  expect(usual).toEqual(["Job ID", "Description", "Status", "Priority", "Progress", "Objects", "Failed", "Created"]);
  const padding = await paddingOf(page);
  const open = page.getByRole("button", { name: "Preferences" });
  const dialog = dialogOf(page);

  // What is not confirmed changes nothing.
  await open.click();
  await dialog.getByRole("checkbox", { name: "Priority" }).click();
  await dialog.getByRole("radio", { name: "100 jobs" }).click();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  expect(await columnsOf(page)).toEqual(usual);

  await open.click();
  await expect(dialog.getByRole("checkbox", { name: "Priority" })).toBeChecked();
  await expect(dialog.getByRole("radio", { name: "20 jobs" })).toBeChecked();
  for (const always of ["Job ID", "Status"]) {
    await expect(dialog.getByRole("checkbox", { name: always })).toBeDisabled();
  }
  await dialog.getByRole("checkbox", { name: "Priority" }).click();
  await dialog.getByRole("checkbox", { name: "Finished" }).click();
  await dialog.getByRole("radio", { name: "50 jobs" }).click();
  await dialog.getByRole("checkbox", { name: "Compact" }).click();
  await dialog.getByRole("button", { name: /^Time zone/ }).click();
  await page.getByRole("option", { name: "UTC" }).click();
  const asked = page.waitForRequest((request) => LIST.test(request.url()) && request.url().includes("limit=50"));
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await asked;
  const chosen = [...usual.filter((name) => name !== "Priority"), "Finished"];
  await expect.poll(() => columnsOf(page)).toEqual(chosen);
  await expect.poll(() => paddingOf(page)).toBeLessThan(padding);

  await page.reload();
  await expect.poll(() => columnsOf(page)).toEqual(chosen);
  await expectAskedSinceLoad(page, "limit=50");
  await expect.poll(() => paddingOf(page)).toBeLessThan(padding);
  await open.click();
  await expect(dialog.getByRole("radio", { name: "50 jobs" })).toBeChecked();
  await expect(dialog.getByRole("checkbox", { name: "Compact" })).toBeChecked();
  await expect(dialog.getByRole("button", { name: /^Time zone/ })).toContainText("UTC");

  await dialog.getByRole("radio", { name: "20 jobs" }).click();
  await dialog.getByRole("checkbox", { name: "Compact" }).click();
  await dialog.getByRole("checkbox", { name: "Priority" }).click();
  await dialog.getByRole("checkbox", { name: "Finished" }).click();
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await expect.poll(async () => (await columnsOf(page)).toSorted()).toEqual(usual.toSorted());
  await expect.poll(() => paddingOf(page)).toBe(padding);
});

test("how the list is shown is chosen without a mouse, and is kept", async ({ page }) => {
  const usual = await openedList(page);
  const open = page.getByRole("button", { name: "Preferences" });
  const dialog = dialogOf(page);
  await tabTo(page, open);
  await page.keyboard.press("Enter");
  await expect(dialog).toBeVisible();
  await tabTo(page, dialog.getByRole("radio", { name: "20 jobs" }));
  await page.keyboard.press("ArrowDown");
  await expect(dialog.getByRole("radio", { name: "50 jobs" })).toBeChecked();

  // One column goes, and another one comes before its neighbour.
  await tabTo(page, dialog.getByRole("checkbox", { name: "Priority" }));
  await page.keyboard.press("Space");
  await expect(dialog.getByRole("checkbox", { name: "Priority" })).not.toBeChecked();
  await tabTo(page, dialog.getByRole("button", { name: "Drag handle Failed" }));
  for (const [key, said] of [
    ["Enter", "Picked up item at position 7 of 17"],
    ["ArrowUp", "Moving item to position 6 of 17"],
    ["Enter", "Item moved from position 7 to position 6 of 17"],
  ] as const) {
    await page.keyboard.press(key);
    await expect(page.getByText(said)).toHaveCount(1);
  }
  await tabTo(page, dialog.getByRole("button", { name: "Confirm" }));
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  const chosen = ["Job ID", "Description", "Status", "Progress", "Failed", "Objects", "Created"];
  expect([...chosen, "Priority"].toSorted()).toEqual(usual.toSorted());
  await expect.poll(() => columnsOf(page)).toEqual(chosen);
  await expect.poll(() => isFocused(open)).toBe(true);

  await page.reload();
  await expect.poll(() => columnsOf(page)).toEqual(chosen);
  await expectAskedSinceLoad(page, "limit=50");

  // Escape leaves all as it was.
  await tabTo(page, open);
  await page.keyboard.press("Enter");
  await tabTo(page, dialog.getByRole("checkbox", { name: "Objects", exact: true }));
  await page.keyboard.press("Space");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  expect(await columnsOf(page)).toEqual(chosen);
});
