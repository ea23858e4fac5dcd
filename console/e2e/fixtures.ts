import { type BrowserContextOptions, expect, type Page, test as base } from "@playwright/test";

import { ready, READY_MS, type Stage, stage } from "./stage";

export type StorageState = Exclude<NonNullable<BrowserContextOptions["storageState"]>, string>;

interface Fixtures {
  /** A page of somebody who is logged in; at the service's address, so that paths are `/ui/...`. */
  page: Page;
  /** What a page must not do: it is looked at when the test ends. */
  faults: string[];
  /** What a test expects a page to complain about. */
  expectedFaults: RegExp[];
  /** `user` of the stage to log in as; empty: nobody. */
  as: string;
}

interface WorkerFixtures {
  /** Whoever has a service of their own does not wait for it. */
  there: Stage;
  logins: Map<string, StorageState>;
}

/**
 * Each test has a page that is logged in and knows nothing of the tests before, and fails where the page asks anything
 * outside of the service, writes an error to its console or offends the Content-Security-Policy.
 */
export const test = base.extend<Fixtures, WorkerFixtures>({
  as: ["admin", { option: true }],
  expectedFaults: [[], { option: true }],
  there: [
    async ({}, use) => {
      await ready();
      await use(stage());
    },
    { scope: "worker", timeout: READY_MS },
  ],
  baseURL: async ({ there }, use) => {
    await use(there.address);
  },
  logins: [
    async ({}, use) => {
      await use(new Map());
    },
    { scope: "worker" },
  ],
  storageState: async ({ as, logins, playwright, there: { address, password } }, use) => {
    if (!as) {
      await use(undefined);
      return;
    }
    let state = logins.get(as);
    if (!state) {
      const api = await playwright.request.newContext({ baseURL: address });
      const answer = await api.post("/api/v1/session", {
        data: { user: as, password },
        headers: { origin: address },
      });
      expect(answer.status(), await answer.text()).toBe(200);
      state = await api.storageState();
      await api.dispose();
      logins.set(as, state);
    }
    await use(state);
  },
  faults: async ({}, use) => {
    await use([]);
  },
  page: async ({ page, faults, expectedFaults, baseURL, storageState }, use) => {
    watch(page, faults, baseURL ?? "");
    if (typeof storageState === "object" && storageState.cookies.length > 0) await leaveTraceOfLogin(page);
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
        reportError(new Error(`policy: ${violatedDirective} ${blockedURI}`));
      });
    });
    await use(page);
    const unexpected = faults.filter((fault) => !expectedFaults.some((each) => each.test(fault)));
    expect(unexpected, "what the page complained about").toEqual([]);
  },
});

export { expect } from "@playwright/test";

/** What the console keeps once somebody has logged in by its form, as here nobody does; only until they log out. */
async function leaveTraceOfLogin(page: Page): Promise<void> {
  await page.addInitScript(() => {
    if (sessionStorage.getItem("e2e.logged-in")) return;
    sessionStorage.setItem("e2e.logged-in", "yes");
    localStorage.setItem("cosbatch.logged-in", "yes");
  });
}

function watch(page: Page, faults: string[], address: string): void {
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    faults.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => faults.push(`broke: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${address}/`) && !url.startsWith("data:") && !url.startsWith("blob:")) {
      faults.push(`outside: ${url}`);
    }
  });
}

/** Calls the API as the stage's administrator, as soon as that is there. */
export async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  await ready();
  const { address, token } = stage();
  const answer = await fetch(`${address}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as Answer;
}

/** Where a browser keeps them. */
export const PREFERENCES = "cosbatch.preferences";

/** Lets pages have a theme and a language, as if they had been chosen before. */
export async function prefer(page: Page, preferences: object): Promise<void> {
  await page.addInitScript(
    ({ key, kept }) => {
      localStorage.setItem(key, JSON.stringify(kept));
    },
    { key: PREFERENCES, kept: preferences },
  );
}
