import { expect, it } from "vitest";

import { drawnIn, takenUp, widthsIn } from "./jobListWidths";

const COLUMNS = [
  { id: "id", width: 150 },
  { id: "description", width: 200 },
  { id: "status", width: 150 },
  { id: "progress", width: 130 },
  { id: "created", width: 120 },
];
const NEEDED = 750;
/** The same for each, of what status and progress have left. */
const SHARED = { id: 175, status: 225, progress: 205, created: 145 };

it.each([
  ["too little", NEEDED - 100, { description: 200, status: 150, progress: 130 }],
  ["just enough", NEEDED, { description: 200, status: 150, progress: 130 }],
  ["some", NEEDED + 200, { description: 300, status: 200, progress: 180 }],
  ["more than status and progress want", NEEDED + 600, { description: 630, status: 230, progress: 220 }],
])("columns fill the room: %s", (_, room, wider) => {
  const widths = widthsIn(room, COLUMNS);
  expect(widths).toEqual({ id: 150, created: 120, ...wider });
  const total = Object.values(widths).reduce((sum, width) => sum + width, 0);
  expect(total).toBe(Math.max(room, NEEDED));
});

it("columns that are not shown take nothing", () => {
  expect(widthsIn(1000, [{ id: "id", width: 150 }])).toEqual({ id: 1000 });
  expect(widthsIn(700, COLUMNS.slice(0, 2))).toEqual({ id: 150, description: 550 });
});

it.each([
  ["wider", { created: 200 }, NEEDED + 280, { description: 300, status: 200, progress: 180 }],
  ["wider than there is room for", { created: 400 }, NEEDED + 200, { description: 200, status: 150, progress: 130 }],
  ["one that takes", { status: 100 }, NEEDED + 150, { description: 350, progress: 180 }],
  ["the one that has the rest", { description: 100 }, NEEDED + 100, SHARED],
  ["all that are there", { id: 100, description: 100, status: 100, progress: 100, created: 100 }, NEEDED, {}],
])("a column that was drawn keeps its width, and the others share what is left: %s", (_, drawn, room, others) => {
  expect(widthsIn(room, COLUMNS, drawn)).toEqual({ id: 150, created: 120, ...others, ...drawn });
});

it("a table takes up the width of a column once, and tells which one was drawn since", () => {
  const shown = ["id", "status"];
  const taken = takenUp({}, COLUMNS, shown);
  expect(taken).toEqual({ id: 150, status: 150 });
  const wider = COLUMNS.map((column) => ({ ...column, width: column.width + 50 }));
  const later = takenUp(taken, wider, [...shown, "created"]);
  expect(later).toEqual({ id: 150, status: 150, created: 170 });
  // Of columns that are not shown it tells something, too.
  expect(drawnIn({ id: 150, status: 99, created: 170, progress: 180 }, later)).toEqual({ status: 99 });
  expect(drawnIn({ id: 150, status: 150, created: 170, progress: 180 }, later)).toEqual({});
});
