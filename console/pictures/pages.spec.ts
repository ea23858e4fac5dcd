import type { Page } from "@playwright/test";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { call, expect, prefer, test } from "../e2e/fixtures";
import { CHINESE, ENGLISH } from "../e2e/languages";
import { LANGUAGES, visit } from "../e2e/visits";

const ALL = join(import.meta.dirname, "../screenshots");
const OF_DOCS = join(import.meta.dirname, "../../docs/images/console");
/** Those that README and docs show. */
const SHOWN: ReadonlySet<string> = new Set([
  "jobs-light-en",
  "jobs-dark-zh-CN",
  "create-light-en",
  "job-light-en",
  "failures-light-en",
  "roles-light-en",
]);

interface Listed {
  items: {
    job_id: string;
    status: string;
    description: string;
    progress_summary: { number_of_tasks_failed: number };
  }[];
}

/** The pages by name, with what each shows once it is whole. */
async function views(): Promise<[name: string, path: string][]> {
  const { items } = await call<Listed>("GET", "/jobs?limit=100");
  const running = items.find(({ status }) => status === "Active") ?? items[0];
  const [failing] = items
    .filter(({ status }) => status === "Complete")
    .toSorted((one, other) => failed(other) - failed(one));
  const sampled = items.find(({ description }) => description.startsWith("Move the studio's photos")) ?? failing;
  return [
    ["jobs", "/ui/jobs"],
    ["attention", "/ui/jobs?group=needs_attention"],
    ["job", `/ui/jobs/${running?.job_id ?? ""}`],
    ["failures", `/ui/jobs/${sampled?.job_id ?? ""}#failures`],
    ["report", `/ui/jobs/${failing?.job_id ?? ""}#report`],
    ["create", "/ui/jobs/create"],
    ["clone", `/ui/jobs/create?from=${sampled?.job_id ?? ""}`],
    ["roles", "/ui/roles"],
    ["users", "/ui/users"],
    ["keys", "/ui/users?tab=keys"],
    ["tokens", "/ui/users?tab=tokens"],
    ["accounts", "/ui/users?tab=accounts"],
    ["regions", "/ui/regions"],
    ["webhooks", "/ui/webhooks"],
    ["audit", "/ui/audit"],
    ["settings", "/ui/settings"],
  ];
}

function failed({ progress_summary }: Listed["items"][number]): number {
  return progress_summary.number_of_tasks_failed;
}

/** The steps of the wizard behind the first one, of a job like one that was made before. */
/** The kit's own word. */
const NEXT = { en: "Next", "zh-CN": "下一步" };
const STEPS = ["operation", "other", "review"];

async function takeSteps(page: Page, language: (typeof LANGUAGES)[number], suffix: string): Promise<void> {
  const texts = language === "en" ? ENGLISH : CHINESE;
  for (const step of STEPS) {
    await page.getByRole("button", { name: NEXT[language], exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(texts[`step.${step}`] ?? "");
    await page.waitForLoadState("networkidle");
    await take(page, `step-${step}-${suffix}`);
  }
}

async function take(page: Page, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  const path = join(ALL, `${name}.png`);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  if (!SHOWN.has(name)) return;
  mkdirSync(OF_DOCS, { recursive: true });
  copyFileSync(path, join(OF_DOCS, `${name}.png`));
}

for (const theme of ["light", "dark"]) {
  for (const language of LANGUAGES) {
    test(`${theme}, ${language}`, async ({ page }) => {
      await prefer(page, { theme, language });
      for (const [name, path] of await views()) {
        await visit(page, path);
        await take(page, `${name}-${theme}-${language}`);
        if (name === "clone") await takeSteps(page, language, `${theme}-${language}`);
      }
    });

    test.describe("of nobody", () => {
      test.use({ as: "", expectedFaults: [/401/] });

      test(`the login, ${theme}, ${language}`, async ({ page }) => {
        await prefer(page, { theme, language });
        await visit(page, "/ui/login");
        await expect(page.locator("input[type=password]")).toBeVisible();
        await take(page, `login-${theme}-${language}`);
      });
    });
  }
}
