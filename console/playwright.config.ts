import { defineConfig } from "@playwright/test";

/** Of all the world there is the machine itself: what a page asks elsewhere is not found, in every test. */
const CUT_OFF = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";

/**
 * The files that take longest, the longest first: what is begun last is to be short, so that no worker waits for the
 * other one at the end. Of a project, files whose services are their own come last: the longest of these are the first one.
 */
const LONG = [/(outages|resources)\.spec/, /(accessibility|keyboard|layout|states)\.spec/];

/** In a real browser (Debian's chromium) against the real service with jobs in every state, on a real store. */
export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/stage.ts",
  projects: [
    { name: "own services", testMatch: LONG[0] },
    { name: "long", testMatch: LONG[1] },
    { name: "others", testIgnore: LONG },
  ],
  workers: 3, // of two cores: a test waits for the service for a third of its time
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
    contextOptions: { reducedMotion: "reduce" }, // `firstrun.spec.ts` has the motion that most people see
    actionTimeout: 60_000, // a click that nothing takes tells so, and does not wait for the end of the test's time
    screenshot: "only-on-failure",
    trace: "off",
    launchOptions: {
      executablePath: "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        `--host-resolver-rules=${CUT_OFF}`,
      ],
    },
  },
});
