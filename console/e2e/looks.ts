import type { Page } from "@playwright/test";

import { violationsOf } from "./axe";
import { expect } from "./fixtures";
import { ENGLISH, isChinese, isEnglish } from "./languages";
import { clipped, said, sideways } from "./readable";
import { LANGUAGES, listen } from "./visits";

export const THEMES = ["light", "dark"] as const;
type Theme = (typeof THEMES)[number];
type Language = (typeof LANGUAGES)[number];

/** Each language and each theme once, the usual ones last: no colour is of one language alone. */
const WAYS: readonly [Language, Theme][] = [
  ["zh-CN", "dark"],
  ["en", "light"],
];
const SIZES = [
  { width: 1024, height: 768 },
  { width: 1440, height: 900 },
];
/** A page that was made wider or narrower takes some frames until all of it has its place. */
const FRAMES_MAX = 60;

/** Looks at what a page shows now, over which a dialog may stand; `name` is for people. */
export type Look = (name: string) => Promise<void>;

/**
 * Looks at states of a page that take long to come to: each in both languages, both themes and two sizes of the window,
 * which are changed in place, and are English, light and wide again afterwards. For a page that has not been anywhere yet.
 */
export function watchful(page: Page): Look {
  const told = listen(page);
  return async (name) => {
    for (const [language, theme] of WAYS) {
      await speak(page, language);
      await show(page, theme);
      expect.soft(await faultsOf(page, language, told), `${name}, ${language}, ${theme}`).toEqual([]);
    }
  };
}

/** What is wrong with what a page, or the dialog over it, shows now; `told`: by the service. */
export async function faultsOf(page: Page, language: Language, told: () => Promise<string>): Promise<string[]> {
  const isInDialog = (await page.getByRole("dialog").filter({ visible: true }).count()) > 0;
  const faults = await violationsOf(page, isInDialog ? "[role=dialog]:not([aria-hidden=true])" : "html");
  for (const size of SIZES) {
    await page.setViewportSize(size);
    faults.push(...(await misplaced(page)).map((fault) => `${fault}, at ${size.width} px`));
  }
  const all = await told();
  const isStrange = language === "en" ? isChinese : isEnglish;
  const strange = (await said(page)).filter((text) => isStrange(text, all));
  return [...faults, ...strange.map((text) => `says in another language: ${text}`)];
}

async function misplaced(page: Page): Promise<string[]> {
  for (let frame = 0; ; frame++) {
    const moved = await sideways(page);
    const cut = await clipped(page);
    const faults = [
      ...(moved === 0 ? [] : [`scrolls to the side by ${moved} px`]),
      ...cut.map((text) => `cuts off: ${text}`),
    ];
    if (faults.length === 0 || frame === FRAMES_MAX) return faults;
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

/** A page in the system's theme follows that at once; its colours are the theme's once they have stopped to change. */
export async function show(page: Page, theme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  const isDark = async () => (await page.locator("body").getAttribute("class"))?.includes("awsui-dark-mode") ?? false;
  await expect.poll(isDark).toBe(theme === "dark");
  const fading = () =>
    page.evaluate(() => document.getAnimations().filter((each) => each instanceof CSSTransition).length);
  await expect.poll(fading).toBe(0);
}

/** Chooses a language in the bar on top, which may lie behind a dialog. */
async function speak(page: Page, language: Language): Promise<void> {
  if ((await page.locator("html").getAttribute("lang")) === language) return;
  const name = (of: Language) => new RegExp(`^${ENGLISH[`language.${of}`] ?? ""}$`);
  const now = LANGUAGES.find((each) => each !== language) ?? language;
  const menu = page.locator("#top button:visible").filter({ hasText: name(now) });
  await menu.dispatchEvent("click");
  const choice = page.getByRole("menuitemcheckbox", { includeHidden: true }).filter({ hasText: name(language) });
  await choice.dispatchEvent("click");
  await expect(page.locator("html")).toHaveAttribute("lang", language);
  await expect(menu).toHaveCount(0);
}
