import { renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { ColumnId, ListColumn } from "./JobListColumns";
import { useDrawn } from "./jobListDrawn";

const SHOWN: readonly ColumnId[] = ["id", "priority", "created"];
const COLUMNS = SHOWN.map((id) => ({ id, width: 100, header: id, cell: () => id }) satisfies ListColumn);
/** Longer than a column is waited for. */
const LATER_MS = 1000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.body.innerHTML = "";
});

function table(widths: Partial<Record<ColumnId, string>>, attributes = "") {
  const heads = Object.entries(widths).map(
    ([id, width]) => `<th data-focus-id="header-${id}" style="width: ${width}">`,
  );
  document.body.insertAdjacentHTML("beforeend", `<table ${attributes}><tr>${heads.join("")}</tr></table>`);
}

function drawn() {
  const keep = vi.fn();
  const { result, rerender } = renderHook(
    (hasListOfPages: boolean) => useDrawn({ columns: COLUMNS, shown: SHOWN, hasListOfPages, keep }),
    { initialProps: true },
  );
  return {
    rerender,
    tell: (...widths: number[]) => {
      result.current(widths);
      vi.advanceTimersByTime(LATER_MS);
      const calls = keep.mock.calls.map(([kept]: unknown[]) => kept);
      keep.mockClear();
      return calls;
    },
  };
}

it("keeps what the table tells of columns that were drawn", () => {
  table({ id: "100px", priority: "140.5px", created: "auto" });
  const { tell } = drawn();
  expect(tell(100, 140.5, 100)).toEqual([{ priority: 140.5 }]);
  expect(tell(100, 140.5, 120)).toEqual([{ created: 120 }]);
});

it("keeps the width with which a column comes to rest behind what was told", () => {
  table({ priority: "90px" }, 'aria-hidden="true"'); // the copy above a table that is scrolled
  table({ id: "100px", priority: "146.7px", created: "auto" });
  const { tell } = drawn();
  expect(tell(100, 140, 100)).toEqual([{ priority: 140 }, { priority: 146.7 }]);
});

it("keeps what was told where the list has been left meanwhile", () => {
  const { tell } = drawn();
  expect(tell(100, 140, 100)).toEqual([{ priority: 140 }]);
});

it("takes the table's widths anew as it begins anew", () => {
  const { tell, rerender } = drawn();
  expect(tell(100, 140, 100)).toEqual([{ priority: 140 }]);
  rerender(false);
  expect(tell(100, 100, 100)).toEqual([{}]);
});
