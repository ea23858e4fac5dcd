import type { Page, Request } from "@playwright/test";

import { expect } from "./fixtures";
import { pagesOf } from "./routes";

export const LANGUAGES = ["en", "zh-CN"] as const;

/** Loads a page and waits until it has nothing left to load; polls that follow are not waited for. */
export async function visit(page: Page, path: string): Promise<void> {
  await whole(page, () => page.goto(path));
}

/**
 * Turns from a page of the console to another one as its links do, and waits. The console is loaded at the first page
 * alone: a load takes several times as long.
 */
export async function turnTo(page: Page, path: string): Promise<void> {
  if (page.url() === "about:blank") {
    await visit(page, path);
    return;
  }
  await whole(page, () =>
    page.evaluate((to) => {
      const { idx } = history.state as { idx: number }; // the router counts its places
      history.pushState({ idx: idx + 1 }, "", to);
      dispatchEvent(new PopStateEvent("popstate"));
    }, path),
  );
}

async function whole(page: Page, go: () => Promise<unknown>): Promise<void> {
  const requests = watchRequests(page);
  await go();
  await expect(page.locator("h1").first()).toBeVisible();
  await settled(page, requests);
  requests.end();
}

/** How long nothing is asked for once a page is whole. */
const QUIET_MS = 150;

interface Requests {
  /** What is under way, or has just been; nothing once the page is quiet. */
  recent: () => string[];
  end: () => void;
}

function watchRequests(page: Page): Requests {
  const open = new Set<Request>();
  const answered = new Set<string>();
  let last = { at: Date.now(), url: "" };
  /** What is read once more, now and then; on a busy machine such polls may leave no moment without one. */
  const isPoll = (request: Request) => request.method() === "GET" && answered.has(request.url());
  const begun = (request: Request) => {
    if (isPoll(request)) return;
    open.add(request);
    last = { at: Date.now(), url: request.url() };
  };
  const ended = (request: Request) => {
    if (!open.delete(request)) return;
    last = { at: Date.now(), url: request.url() };
  };
  const finished = (request: Request) => {
    if (open.has(request)) answered.add(request.url());
    ended(request);
  };
  // What the page that is left still asks for has no end that anybody tells of.
  const left = () => {
    for (const request of open) if (!request.isNavigationRequest()) open.delete(request);
    answered.clear();
  };
  page.on("request", begun).on("requestfinished", finished).on("requestfailed", ended).once("framenavigated", left);
  return {
    recent: () => {
      if (open.size > 0) return [...open].map((request) => request.url());
      return Date.now() - last.at < QUIET_MS ? [last.url] : [];
    },
    end: () =>
      page
        .off("request", begun)
        .off("requestfinished", finished)
        .off("requestfailed", ended)
        .off("framenavigated", left),
  };
}

/** What was asked for is there and drawn, and nothing more is asked for; sooner than the browser calls it idle. */
async function settled(page: Page, requests: Requests): Promise<void> {
  await expect
    .poll(
      async () => {
        // A page that still works on an answer asks for more only afterwards.
        // Where nothing is left to draw, neither a frame nor idle time need come.
        await page.evaluate(
          (latest) =>
            new Promise((done) => {
              setTimeout(done, latest);
              requestAnimationFrame(() => requestIdleCallback(done));
            }),
          QUIET_MS * 4,
        );
        return requests.recent();
      },
      { intervals: [QUIET_MS / 3], timeout: 30_000 },
    )
    .toEqual([]);
}

/** Loads each page of the console; `look` may use soft expectations, so that all pages are looked at. */
export async function onEachPage(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  for (const [name, path] of await pagesOf()) {
    await visit(page, path);
    await look(name);
  }
}

/** The same, but only the first one is loaded: to the others it turns. What a page has loaded, it has at hand on the next. */
export async function throughEachPage(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  for (const [name, path] of await pagesOf()) {
    await turnTo(page, path);
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
