import { expect, it } from "vitest";

import { widthsIn } from "./jobListWidths";

const COLUMNS = [
  { id: "id", width: 150 },
  { id: "description", width: 200 },
  { id: "status", width: 150 },
  { id: "progress", width: 130 },
  { id: "created", width: 120 },
];
const NEEDED = 750;

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
  expect(widthsIn(1000, [{ id: "id", width: 150 }])).toEqual({ id: 150 });
  expect(widthsIn(700, COLUMNS.slice(0, 2))).toEqual({ id: 150, description: 550 });
});
