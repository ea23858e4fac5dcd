import base from "./playwright.config";

/** Not tests: pictures of the console's pages, for the documentation and to look at. */
export default {
  ...base,
  testDir: "pictures",
  outputDir: "test-results/pictures",
  workers: 1,
  timeout: 300_000,
};
