import type { Page, Request } from "@playwright/test";

import { expect } from "./fixtures";
import { pagesOf } from "./routes";

export const LANGUAGES = ["en", "zh-CN"] as const;

/** Goes to a page and waits until it has nothing left to load; polls that follow are not waited for. */
export async function visit(page: Page, path: string): Promise<void> {
  const requests = watchRequests(page);
  await page.goto(path);
  await expect(page.locator("h1").first()).toBeVisible();
  await settled(page, requests);
  requests.end();
}

/** How long nothing is asked for once a page is whole. */
const QUIET_MS = 150;

interface Requests {
  /** For so long, nothing is under way. */
  quietMs: () => number;
  end: () => void;
}

function watchRequests(page: Page): Requests {
  const open = new Set<Request>();
  let changedAt = Date.now();
  const begun = (request: Request) => {
    open.add(request);
    changedAt = Date.now();
  };
  const ended = (request: Request) => {
    open.delete(request);
    changedAt = Date.now();
  };
  // What the page that is left still asks for has no end that anybody tells of.
  const left = () => {
    for (const request of open) if (!request.isNavigationRequest()) open.delete(request);
  };
  page.on("request", begun).on("requestfinished", ended).on("requestfailed", ended).once("framenavigated", left);
  return {
    quietMs: () => (open.size > 0 ? 0 : Date.now() - changedAt),
    end: () =>
      page.off("request", begun).off("requestfinished", ended).off("requestfailed", ended).off("framenavigated", left),
  };
}

/** What was asked for is there and drawn, and nothing more is asked for; sooner than the browser calls it idle. */
async function settled(page: Page, requests: Requests): Promise<void> {
  await expect
    .poll(
      async () => {
        // A page that still works on an answer asks for more only afterwards.
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestIdleCallback(done))));
        return requests.quietMs();
      },
      { intervals: [QUIET_MS / 3], timeout: 30_000 },
    )
    .toBeGreaterThanOrEqual(QUIET_MS);
}

/** Does something on each page of the console; `look` may use soft expectations, so that all pages are looked at. */
export async function onEachPage(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  for (const [name, path] of await pagesOf()) {
    await visit(page, path);
    await look(name);
  }
}

/**
 * What the API answers to the page from now on, as one text. Nobody tells the end of an answer that is under way while
 * the page is left for another one: such an answer is not waited for, and what it says is not shown any more.
 */
export function listen(page: Page): () => Promise<string> {
  const answers: Promise<string>[] = [];
  let leave = () => {};
  let left = Promise.resolve("");
  const come = () => {
    left = new Promise((resolve) => {
      leave = () => {
        resolve("");
      };
    });
  };
  come();
  page.on("response", (response) => {
    if (response.request().isNavigationRequest()) {
      leave();
      come();
    } else if (response.url().includes("/api/v1/")) {
      answers.push(Promise.race([response.text().catch(() => ""), left]));
    }
  });
  return async () => (await Promise.all(answers)).join("\n");
}
