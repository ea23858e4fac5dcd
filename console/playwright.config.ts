import { defineConfig } from "@playwright/test";

/** Of all the world there is the machine itself: what a page asks elsewhere is not found, in every test. */
const CUT_OFF = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";

/** They begin while the stage is made, which takes half a minute. Behind them files come in the order of their names. */
const FIRST_RUN = /firstrun\.spec/;
const OWN_SERVICES = /(budgets|outages|replicas|resources)\.spec/;

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--host-resolver-rules=${CUT_OFF}`,
];

/** What Playwright's own component tests are run with; of this it tells nothing in its types. */
interface KeptContexts {
  _optionContextReuseMode: "none" | "when-possible";
}

/** In a real browser (Debian's chromium) against the real service with jobs in every state, on a real store. */
export default defineConfig<object, KeptContexts>({
  testDir: "e2e",
  globalSetup: "./e2e/stage.ts",
  projects: [
    {
      name: "as most people have it",
      testMatch: FIRST_RUN,
      use: {
        contextOptions: { reducedMotion: "no-preference" },
        launchOptions: { executablePath: "/usr/bin/chromium", args: ARGS },
      },
    },
    { name: "own services", testMatch: OWN_SERVICES },
    { name: "on the stage", testIgnore: [OWN_SERVICES, FIRST_RUN] },
  ],
  workers: 4, // of two cores: a test waits for the service for half of its time
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"], ["./e2e/verdict.ts"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1440, height: 900 },
    locale: "en-US",
    contextOptions: { reducedMotion: "reduce" },
    // Between tests it empties a page's cookies, storage and cache, and closes the others, in place of starting anew.
    _optionContextReuseMode: "when-possible",
    actionTimeout: 60_000, // a click that nothing takes tells so, and does not wait for the end of the test's time
    screenshot: "only-on-failure",
    trace: "off",
    launchOptions: { executablePath: "/usr/bin/chromium-headless-shell", args: ARGS },
  },
});
