import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Page } from "@playwright/test";
import type { AxeResults, ElementContext, RunOptions } from "axe-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");

/** WCAG 2.1 AA. Of what is in order nothing is told, and no page has frames: both would take long. */
const OPTIONS: RunOptions = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] },
  resultTypes: ["violations"],
  selectors: false,
  iframes: false,
};

interface WithAxe {
  axe?: { run: (context: ElementContext, options: RunOptions) => Promise<AxeResults> };
}

/** What offends WCAG 2.1 AA on a page. `within`: of this part alone, which is there. */
export async function violationsOf(page: Page, within = "html"): Promise<string[]> {
  const isThere = await page.evaluate(() => "axe" in globalThis);
  if (!isThere) await page.evaluate(SOURCE); // in each document once
  return page.evaluate(
    async ({ context, options }) => {
      const { axe } = globalThis as WithAxe;
      if (!axe) throw new Error("axe is not on the page");
      const { violations } = await axe.run(context, options);
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
    },
    { context: within, options: OPTIONS },
  );
}
