import type { Page } from "@playwright/test";

import { call, expect, prefer, test } from "./fixtures";
import { CHINESE, CJK, isEnglish } from "./languages";
import { said } from "./readable";
import { stage } from "./stage";
import { turnTo, visit } from "./visits";

test.setTimeout(180_000);

/** Three words of English in a row: no name and no key has them, and most sentences do. */
const PHRASE = /\b[a-z]{2,}(?:,? [a-z]{2,}){2}\b/;

interface Told {
  job_id: string;
  description: string;
}

test.beforeEach(async ({ page }) => {
  await prefer(page, { language: "zh-CN" });
});

test("the checks of jobs that failed are told in Chinese, each with its way out", async ({ page }) => {
  const { items } = await call<{ items: Told[] }>("GET", "/jobs?status=Failed&limit=20");
  const outcomes = new Set<string>();
  for (const { job_id: id } of items) {
    const found = await call<{ checks: { outcome: string; way_out: string }[] }>("GET", `/jobs/${id}/preflight`);
    found.checks.forEach(({ outcome, way_out: wayOut }) => outcomes.add(wayOut ? `${outcome}, way out` : outcome));
    for (const tab of ["checks", "overview", "events"]) {
      await turnTo(page, `/ui/jobs/${id}#${tab}`);
      await expect(page.getByRole("tab", { selected: true })).toHaveText(CHINESE[`job.tab.${tab}`] ?? "");
      expect.soft(await english(page), `${tab} of ${id}`).toEqual([]);
    }
    await page.getByRole("tab", { name: CHINESE["job.tab.checks"] }).click();
    const cells = page.getByRole("table", { name: CHINESE["check.title"] }).locator("tbody td:last-child");
    await expect(cells).toHaveCount(found.checks.length);
    expect.soft((await cells.allInnerTexts()).filter(isForeign), `what was found of ${id}`).toEqual([]);
  }
  expect([...outcomes]).toEqual(expect.arrayContaining(["passed", "failed, way out"]));
});

test("a job that is checked before it is made is told of in Chinese", async ({ page }) => {
  const { items } = await call<{ items: Told[] }>("GET", `/jobs?q=${encodeURIComponent("folder renamed since")}`);
  await visit(page, `/ui/jobs/create?from=${items[0]?.job_id ?? ""}`);
  const heading = page.getByRole("heading", { level: 1 });
  for (const step of ["operation", "other", "review"]) {
    await page.getByRole("button", { name: "下一步", exact: true }).click();
    await expect(heading).toHaveText(CHINESE[`step.${step}`] ?? "");
  }
  const cells = page.getByRole("table", { name: CHINESE["check.title"] }).locator("tbody td:last-child");
  await expect(cells.first()).toContainText(CJK);
  expect((await cells.allInnerTexts()).filter(isForeign)).toEqual([]);
  expect(await english(page)).toEqual([]);
});

test("the audit log tells in Chinese what was done and why something was refused", async ({ page }) => {
  const { address, token } = stage();
  const refused = await fetch(`${address}/api/v1/roles`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({
      role_arn: "arn:aws:iam::000000000000:role/chinese",
      provider: "stored",
      access_key_id: "AK",
      secret_access_key: "SK",
      writable_buckets: ["a/b"],
      sts_endpoint: "https://nowhere.example",
    }),
  });
  expect(refused.status, await refused.text()).toBe(400);
  await visit(page, "/ui/audit");
  const details = page.locator("span.wrap");
  await expect(details.first()).toBeVisible();
  const told = await details.allInnerTexts();
  expect(told.filter(isForeign)).toEqual([]);
  expect(told.filter((detail) => CJK.test(detail)).length).toBeGreaterThan(0);
  expect(await english(page)).toEqual([]);
});

function isForeign(text: string): boolean {
  return PHRASE.test(text) && !CJK.test(text);
}

async function english(page: Page): Promise<string[]> {
  return (await said(page)).filter((text) => isEnglish(text, text));
}
