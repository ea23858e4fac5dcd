import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";

import { languageOf, PreferencesProvider, readPreferences, usePreferences } from "./preferences";

const KEY = "cosbatch.preferences";

afterEach(() => {
  cleanup();
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
    localStorage.setItem(KEY, JSON.stringify({ language: "en", theme: "dark" }));
    history.replaceState(null, "", "/?lang=zh");
    expect(readPreferences()).toMatchObject({ language: "zh-CN", theme: "dark" });
  });

  it.each(["not JSON", "null", '{"theme": "pink", "tables": 3, "region": []}'])(
    "ignores what it does not know: %s",
    (kept) => {
      localStorage.setItem(KEY, kept);
      expect(readPreferences()).toMatchObject({ theme: "system", tables: {}, region: "" });
    },
  );

  it("keeps what another tab has chosen meanwhile", () => {
    const { result } = renderHook(usePreferences, { wrapper: PreferencesProvider });
    localStorage.setItem(KEY, JSON.stringify({ language: "zh-CN", density: "compact" }));
    act(() => {
      result.current.prefer({ theme: "dark" });
    });
    expect(JSON.parse(localStorage.getItem(KEY) ?? "")).toEqual({
      language: "zh-CN",
      density: "compact",
      theme: "dark",
    });
  });

  it("follows what another tab chooses, but for the region", () => {
    const { result } = renderHook(usePreferences, { wrapper: PreferencesProvider });
    act(() => {
      result.current.prefer({ region: "here" });
    });
    chooseInAnotherTab({ language: "zh-CN", theme: "dark", region: "there" }, "another");
    expect(result.current.preferences).toMatchObject({ language: "en", region: "here" });
    chooseInAnotherTab({ language: "zh-CN", theme: "dark", region: "there" });
    expect(result.current.preferences).toMatchObject({ language: "zh-CN", theme: "dark", region: "here" });
  });

  it("speaks the language of its address until another tab chooses one", () => {
    localStorage.setItem(KEY, JSON.stringify({ language: "en" }));
    history.replaceState(null, "", "/?lang=zh");
    const { result } = renderHook(usePreferences, { wrapper: PreferencesProvider });
    chooseInAnotherTab({ language: "en", theme: "dark" });
    expect(result.current.preferences).toMatchObject({ language: "zh-CN", theme: "dark" });
    chooseInAnotherTab({ language: "zh-CN", theme: "dark" });
    chooseInAnotherTab({ language: "en", theme: "dark" });
    expect(result.current.preferences).toMatchObject({ language: "en" });
  });
});

function chooseInAnotherTab(preferences: object, key = KEY): void {
  const oldValue = localStorage.getItem(KEY);
  const newValue = JSON.stringify(preferences);
  if (key === KEY) localStorage.setItem(KEY, newValue);
  act(() => {
    globalThis.dispatchEvent(new StorageEvent("storage", { key, oldValue, newValue }));
  });
}
