import type { Locator, Page } from "@playwright/test";

import { expect } from "./fixtures";

const STOPS_MAX = 150;

export interface TabOptions {
  /** Shift+Tab. */
  back?: boolean;
}

/** Presses Tab until the focus is on what is looked for, as somebody without a mouse does. */
export async function tabTo(page: Page, target: Locator, { back = false }: TabOptions = {}): Promise<void> {
  await expect(target).toBeVisible();
  let sought = await target.elementHandle();
  for (let stops = 0; stops < STOPS_MAX; stops++) {
    await page.keyboard.press(back ? "Shift+Tab" : "Tab");
    let isHere = await sought?.evaluate(hasFocus);
    if (isHere == null) {
      sought = await target.elementHandle(); // the page takes long to find it by its name: only where it was made anew
      isHere = await sought?.evaluate(hasFocus);
    }
    if (isHere) return;
  }
  throw new Error(`${String(target)} is not among the first ${STOPS_MAX} stops of Tab`);
}

/** Null: it is not on the page any more. */
function hasFocus(element: Node): boolean | null {
  return element.isConnected ? element === document.activeElement : null;
}

export async function isFocused(target: Locator): Promise<boolean> {
  return target.evaluateAll((found) => found.some((element) => element === document.activeElement));
}

/** Opens a select box and goes down its options to the one that is looked for, as somebody without a mouse does. */
export async function selectByKeys(page: Page, box: Locator, option: RegExp): Promise<void> {
  await tabTo(page, box);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("option", { name: option })).toBeVisible();
  for (let steps = 0; steps < STOPS_MAX && !option.test(await highlighted(page)); steps++) {
    await page.keyboard.press("ArrowDown");
  }
  expect(await highlighted(page)).toMatch(option);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("option")).toHaveCount(0);
}

/** The option that Enter would choose: the focus is on the list of them. */
async function highlighted(page: Page): Promise<string> {
  return page.evaluate(() => {
    const id = document.activeElement?.getAttribute("aria-activedescendant") ?? "";
    return document.getElementById(id)?.textContent.trim() ?? "";
  });
}

/** What has the focus, for people: its tag, and what it is called or says. */
export async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return "nothing";
    const name = element.getAttribute("aria-label") ?? element.textContent.trim().slice(0, 60);
    return `${element.tagName.toLowerCase()} "${name}"`;
  });
}

/** Whether the focus can be seen: around what has it, the page does not look as it does without it. */
export async function isFocusSeen(page: Page): Promise<boolean> {
  const clip = await page.evaluate(() => {
    const MARGIN_PX = 8;
    document.activeElement?.scrollIntoView({ block: "nearest" });
    // Of a table's head there is a copy that stays on top, and what has the focus is marked there.
    const isInHead = document.activeElement?.closest("thead") != null;
    const shown = isInHead ? [...document.querySelectorAll("thead")] : [document.activeElement ?? document.body];
    const boxes = shown.map((element) => element.getBoundingClientRect());
    const x = Math.max(0, Math.min(...boxes.map(({ left }) => left)) - MARGIN_PX);
    const y = Math.max(0, Math.min(...boxes.map(({ top }) => top)) - MARGIN_PX);
    const width = Math.min(innerWidth, Math.max(...boxes.map(({ right }) => right)) + MARGIN_PX) - x;
    const height = Math.min(innerHeight, Math.max(...boxes.map(({ bottom }) => bottom)) + MARGIN_PX) - y;
    return { x, y, width: Math.max(1, width), height: Math.max(1, height) };
  });
  const options = { clip, caret: "hide", animations: "disabled" } as const;
  const withFocus = await page.screenshot(options);
  await page.evaluate(() => {
    const { activeElement } = document;
    if (!(activeElement instanceof HTMLElement)) return;
    activeElement.blur();
    activeElement.dataset["hadFocus"] = "";
  });
  const without = await page.screenshot(options);
  await page.evaluate(() => {
    const had = document.querySelector<HTMLElement>("[data-had-focus]");
    delete had?.dataset["hadFocus"];
    had?.focus({ preventScroll: true });
  });
  return !withFocus.equals(without);
}
