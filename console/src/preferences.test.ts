import { afterEach, describe, expect, it } from "vitest";

import { languageOf, readPreferences } from "./preferences";

afterEach(() => {
  localStorage.clear();
  history.replaceState(null, "", "/");
});

describe("preferences", () => {
  it.each([
    [["zh-TW", "en"], "zh-CN"],
    [["fr", "en-GB"], "en"],
    [["fr"], "en"],
    [[], "en"],
  ] as const)("speaks to a browser that wants %s", (wanted, language) => {
    expect(languageOf(wanted)).toBe(language);
  });

  it("lets ?lang win over what was chosen before", () => {
    localStorage.setItem("cosbatch.preferences", JSON.stringify({ language: "en", theme: "dark" }));
    history.replaceState(null, "", "/?lang=zh");
    expect(readPreferences()).toMatchObject({ language: "zh-CN", theme: "dark" });
  });

  it.each(["not JSON", "null", '{"theme": "pink", "tables": 3, "region": []}'])(
    "ignores what it does not know: %s",
    (kept) => {
      localStorage.setItem("cosbatch.preferences", kept);
      expect(readPreferences()).toMatchObject({ theme: "system", tables: {}, region: "" });
    },
  );
});
