import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";

import type { Capabilities } from "../../api/types";
import { readKept } from "./kept";
import { beginNew } from "./origin";
import { useKept } from "./useKept";

const CAPABILITIES = {
  regions: [{ name: "office", provider: "s3", storage_classes: [], canned_acls: [], options: {} }],
} as unknown as Capabilities;
const VISIT = beginNew(CAPABILITIES, "office");

beforeEach(() => {
  sessionStorage.clear();
});

/** The page is loaded, again if it was before. */
function load() {
  return renderHook(() => useKept(VISIT, "lin")).result;
}

type Loaded = ReturnType<typeof load>;

function write(page: Loaded, description: string) {
  act(() => {
    page.current.dispatch({ type: "change", part: { description } });
  });
}

it("keeps nothing of a visit in which nothing was done", () => {
  load();
  expect(readKept("lin", "new")).toBeNull();
});

it("outlives a reload, and says so", () => {
  const page = load();
  write(page, "nightly");
  const again = load();
  expect(again.current.state.draft.description).toBe("nightly");
  expect(again.current.token).toBe(page.current.token);
  expect(again.current.isRestored).toBe(true);
});

it("does not bring back what was taken back", () => {
  const page = load();
  write(page, "nightly");
  write(page, "");
  const again = load();
  expect(again.current.state.draft).toEqual(VISIT.beginning);
  expect(again.current.isRestored).toBe(false);
  expect(readKept("lin", "new")).toBeNull();
});

it("is the same order after a reload where it was sent as it had begun", () => {
  const page = load();
  act(() => {
    page.current.keepSent();
  });
  const again = load();
  expect(again.current.token).toBe(page.current.token);
  expect(again.current.isRestored).toBe(false);
  write(again, "nightly");
  write(again, "");
  expect(load().current.token).toBe(page.current.token);
});

it("is forgotten once the job is made, also where something still changes", () => {
  const page = load();
  write(page, "nightly");
  act(() => {
    page.current.forget();
  });
  write(page, "weekly");
  expect(load().current.state.draft).toEqual(VISIT.beginning);
});

it("begins anew with another token", () => {
  const page = load();
  write(page, "nightly");
  const { token } = page.current;
  act(() => {
    page.current.startOver();
  });
  expect(page.current.state.draft).toEqual(VISIT.beginning);
  expect(page.current.token).not.toBe(token);
  expect(readKept("lin", "new")).toBeNull();
});
