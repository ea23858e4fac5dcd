import { useEffect, useRef } from "react";

import type { ColumnId, ListColumn } from "./JobListColumns";
import { drawnIn, takenUp, type Widths } from "./jobListWidths";

/** Behind it a column is as wide as it was drawn: the kit's resizer follows the mouse each 25 ms and with each frame. */
const AT_REST_MS = 100;

interface Drawing {
  columns: readonly ListColumn[];
  shown: readonly ColumnId[];
  /** As it changes, the table begins anew. */
  hasListOfPages: boolean;
  keep: (drawn: Widths) => void;
}

/** What takes the widths of all columns that the table tells, and keeps of them those that the user drew. */
export function useDrawn({ columns, shown, hasListOfPages, keep }: Drawing): (widths: readonly number[]) => void {
  const taken = useRef<{ hasListOfPages: boolean; widths: Widths }>({ hasListOfPages, widths: {} });
  const keeper = useRef(keep);
  useEffect(() => {
    keeper.current = keep;
  }, [keep]);
  useEffect(() => {
    const before = taken.current.hasListOfPages === hasListOfPages ? taken.current.widths : {};
    taken.current = { hasListOfPages, widths: takenUp(before, columns, shown) };
  }, [columns, shown, hasListOfPages]);
  return (widths) => {
    const told = Object.fromEntries(columns.map(({ id, width }, index) => [id, widths[index] ?? width]));
    const drawn = drawnIn(told, taken.current.widths);
    taken.current.widths = { ...taken.current.widths, ...drawn };
    keeper.current(drawn);
    atRest(() => {
      const seen = seenOf(drawn);
      if (Object.keys(seen).length > 0) keeper.current(seen);
    });
  };
}

/** A frame is waited for, too: a page that is busy, or hidden, draws later. */
function atRest(look: () => void): void {
  setTimeout(() => {
    requestAnimationFrame(() => {
      setTimeout(look, AT_REST_MS);
    });
  }, AT_REST_MS);
}

/** The table tells widths as the mouse is let go, before the last of its way is drawn: those that are others by now. */
function seenOf(told: Widths): Widths {
  const seen = Object.entries(told).map(([id, width]) => [id, seenWidthOf(id) ?? width] as const);
  return Object.fromEntries(seen.filter(([id, width]) => Math.abs(width - (told[id] ?? width)) >= 1));
}

/** Null where the column has what is left over, or is not there any more. */
function seenWidthOf(id: string): number | null {
  const heads = [...document.querySelectorAll<HTMLElement>(`th[data-focus-id="header-${id}"]`)];
  const head = heads.find((each) => !each.closest("[aria-hidden=true]")); // above a table that is scrolled is a copy
  const width = Number.parseFloat(head?.style.width ?? "");
  return Number.isNaN(width) ? null : width;
}
