import { setTimeout } from "node:timers/promises";

import type { Page } from "@playwright/test";

import { violationsOf } from "./axe";
import { expect, PREFERENCES } from "./fixtures";
import { isChinese, isEnglish } from "./languages";
import { movedByTheme, said, unreadable } from "./readable";
import { LANGUAGES, listen } from "./visits";

export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
type Language = (typeof LANGUAGES)[number];

/**
 * Each language and each theme once, the usual ones last. What is cut off, too wide, in another language or without a name
 * hangs on the language, and colours hang on the theme; that nothing hangs on both is looked at, too: all has the same place
 * in the other theme.
 */
const WAYS: readonly { language: Language; theme: Theme }[] = [
  { language: "zh-CN", theme: "dark" },
  { language: "en", theme: "light" },
];
interface Size {
  width: number;
  height: number;
}
export const WIDE: Size = { width: 1440, height: 900 };
const USUAL: readonly Size[] = [{ width: 1024, height: 768 }, WIDE];
export const PHONE: Size = { width: 375, height: 812 };
/** What is left of the widest one where all is shown twice as large. */
const AT_200_PERCENT: Size = { width: 720, height: 450 };
export const ALL_SIZES: readonly Size[] = [PHONE, AT_200_PERCENT, ...USUAL];
/**
 * A page that was made wider or narrower takes some frames until all of it has its place, and frames take their time here.
 * What screen readers alone are told follows what is seen after two seconds.
 */
const PATIENCE_MS = 5_000;

/** What takes some frames is asked for more often than is usual. */
const SOON = { intervals: [20, 20, 40, 40, 100] };

/** Looks at what a page shows now, over which a dialog may stand; `name` is for people. */
export type Look = (name: string) => Promise<void>;

/**
 * Looks at states of a page that take long to come to: each in both languages, both themes and two sizes of the window,
 * which are changed in place, and are English, light and wide again afterwards. For a page that has not been anywhere yet.
 */
export function watchful(page: Page): Look {
  const told = listen(page);
  return async (name) => {
    expect.soft(await faultsInAllWays(page, told), name).toEqual([]);
  };
}

/** What is wrong with what a page shows now, in each way in which it can be shown; `told`: by the service. */
export async function faultsInAllWays(page: Page, told: () => Promise<string>): Promise<string[]> {
  const all: string[] = [];
  for (const { language, theme } of WAYS) {
    await show(page, theme);
    await speak(page, language); // what screen readers alone are told is in the new one once axe has ended
    const faults = await faultsOf(page, language, told);
    all.push(...faults.map((fault) => `${language}, ${theme}: ${fault}`));
  }
  await page.setViewportSize(WIDE);
  return all;
}

interface Where {
  sizes?: readonly Size[];
  /** For how long a fault may go away by itself. */
  patienceMs?: number;
}

/** What is wrong with what a page, or the dialog over it, shows now; `told`: by the service. The window keeps some size. */
export async function faultsOf(
  page: Page,
  language: Language,
  told: () => Promise<string>,
  { sizes = USUAL, patienceMs = PATIENCE_MS }: Where = {},
): Promise<string[]> {
  const isInDialog = (await page.getByRole("dialog").filter({ visible: true }).count()) > 0;
  const faults = await violationsOf(page, isInDialog ? "[role=dialog]:not([aria-hidden=true])" : "html");
  faults.push(...(await movedByTheme(page)).map((part) => `has another place in the other theme: ${part}`));
  for (const size of fromPresent(page, sizes)) {
    await page.setViewportSize(size);
    const found = [
      ...(await afterAWhile(patienceMs, () => unreadable(page))),
      ...(await afterAWhile(patienceMs, () => strange(page, language, told))),
    ];
    faults.push(...found.map((fault) => `${fault}, at ${size.width} px`));
  }
  return faults;
}

/** Sizes in the order that changes least: each change has the whole page laid out anew. */
function fromPresent(page: Page, sizes: readonly Size[]): Size[] {
  const width = page.viewportSize()?.width;
  return sizes.toSorted((one, other) => Number(other.width === width) - Number(one.width === width));
}

/** What is said in another language than the page's, unless the service has told it so. */
async function strange(page: Page, language: Language, told: () => Promise<string>): Promise<string[]> {
  const isStrange = language === "en" ? isChinese : isEnglish;
  const all = await told();
  const texts = (await said(page)).filter((text) => isStrange(text, all));
  return texts.map((text) => `says in another language: ${text}`);
}

/** Faults that do not go away by themselves; asked for more and more seldom, for each question keeps the page busy. */
async function afterAWhile(patienceMs: number, ask: () => Promise<string[]>): Promise<string[]> {
  const begun = Date.now();
  for (let pauseMs = 50; ; pauseMs *= 1.5) {
    const faults = await ask();
    if (faults.length === 0 || Date.now() - begun > patienceMs) return faults;
    await setTimeout(pauseMs);
  }
}

/** A page in the system's theme follows that at once; its colours fade to the theme's, which is not waited for. */
export async function show(page: Page, theme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  const isDark = async () => (await page.locator("body").getAttribute("class"))?.includes("awsui-dark-mode") ?? false;
  await expect.poll(isDark, SOON).toBe(theme === "dark");
  const fading = () =>
    page.evaluate(() => {
      const all = document.getAnimations().filter((each) => each instanceof CSSTransition);
      for (const each of all) each.finish();
      return all.length;
    });
  await expect.poll(fading, SOON).toBe(0);
}

/** Chooses a language as another tab of the same browser does. */
async function speak(page: Page, language: Language): Promise<void> {
  await page.evaluate(
    ({ key, chosen }) => {
      const oldValue = localStorage.getItem(key);
      const newValue = JSON.stringify({ ...(JSON.parse(oldValue ?? "{}") as object), ...chosen });
      localStorage.setItem(key, newValue);
      dispatchEvent(new StorageEvent("storage", { key, oldValue, newValue }));
    },
    { key: PREFERENCES, chosen: { language } },
  );
  await expect(page.locator("html")).toHaveAttribute("lang", language);
}
