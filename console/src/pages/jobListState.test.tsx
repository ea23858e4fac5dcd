import { act, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { BrowserRouter } from "react-router";
import { beforeEach, expect, it } from "vitest";

import { PreferencesProvider } from "../preferences";
import { readKept, useListState } from "./jobListState";

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});

function listAt(search: string) {
  history.replaceState(null, "", `/ui/jobs${search}`);
  const wrapper = ({ children }: { children: ReactNode }) => (
    <PreferencesProvider>
      <BrowserRouter>{children}</BrowserRouter>
    </PreferencesProvider>
  );
  const { result } = renderHook(() => useListState(), { wrapper });
  const told = () => {
    const { view, pagesBefore, isBackToFirst } = result.current;
    return { cursor: view.cursor, pagesBefore, isBackToFirst };
  };
  return {
    told,
    turnTo: (cursor: string) => {
      act(() => {
        result.current.turnTo(cursor);
      });
      return told();
    },
    turnBack: () => {
      act(() => {
        result.current.turnBack();
      });
      return told();
    },
  };
}

it("counts the pages that were turned from the first one on", () => {
  const list = listAt("");
  expect(list.turnTo("b")).toEqual({ cursor: "b", pagesBefore: 1, isBackToFirst: false });
  expect(list.turnTo("c")).toEqual({ cursor: "c", pagesBefore: 2, isBackToFirst: false });
  expect(list.turnBack()).toEqual({ cursor: "b", pagesBefore: 1, isBackToFirst: false });
  expect(list.turnBack()).toEqual({ cursor: "", pagesBefore: 0, isBackToFirst: false });
});

it("does not claim to know how many pages lie before one that was come to by its address", () => {
  const list = listAt("?cursor=e");
  expect(list.told()).toEqual({ cursor: "e", pagesBefore: null, isBackToFirst: true });
  expect(list.turnTo("f")).toEqual({ cursor: "f", pagesBefore: null, isBackToFirst: false });
  expect(list.turnBack()).toEqual({ cursor: "e", pagesBefore: null, isBackToFirst: true });
  expect(list.turnBack()).toEqual({ cursor: "", pagesBefore: 0, isBackToFirst: false });
});

it("is seen again as it was left, but for the region where another one was chosen on top meanwhile", () => {
  localStorage.setItem("cosbatch.preferences", JSON.stringify({ region: "office" }));
  listAt("?q=logs&region=branch&cursor=e");
  expect(readKept("office")).toBe("q=logs&region=branch");
  expect(readKept("archive")).toBe("q=logs");
  expect(readKept("")).toBe("q=logs");
});
