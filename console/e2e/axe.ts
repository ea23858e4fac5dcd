import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Page } from "@playwright/test";
import type { AxeResults, ElementContext, RunOptions } from "axe-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");

type Rules = NonNullable<RunOptions["runOnly"]>;

const WCAG_21_AA: Rules = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] };
/** Those of them that hang on the theme, which is a class of the body that changes nothing but colours. */
export const COLOURS: Rules = { type: "rule", values: ["color-contrast", "link-in-text-block"] };

/** Of what is in order nothing is told, and no page has frames: both would take long. */
const OPTIONS: RunOptions = {
  resultTypes: ["violations"],
  selectors: false,
  iframes: false,
};

interface WithAxe {
  axe?: { run: (context: ElementContext, options: RunOptions) => Promise<AxeResults> };
}

/** What offends WCAG 2.1 AA, or some of its rules, on a page. `within`: of this part alone, which is there. */
export async function violationsOf(page: Page, within = "html", rules = WCAG_21_AA): Promise<string[]> {
  const isThere = await page.evaluate(() => "axe" in globalThis);
  if (!isThere) await page.evaluate(SOURCE); // in each document once
  return page.evaluate(
    async ({ context, options }) => {
      const { axe } = globalThis as WithAxe;
      if (!axe) throw new Error("axe is not on the page");
      const { violations } = await axe.run(context, options);
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
    },
    { context: within, options: { ...OPTIONS, runOnly: rules } },
  );
}
