import type { Page } from "@playwright/test";

import { expect } from "./fixtures";
import { pagesOf } from "./routes";

export const LANGUAGES = ["en", "zh-CN"] as const;

/** Goes to a page and waits until it has nothing left to load; polls that follow are not waited for. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.locator("h1").first()).toBeVisible();
  await page.waitForLoadState("networkidle");
}

/** Does something on each page of the console; `look` may use soft expectations, so that all pages are looked at. */
export async function onEachPage(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  for (const [name, path] of await pagesOf()) {
    await visit(page, path);
    await look(name);
  }
}
