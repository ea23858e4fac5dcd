/** In pixels, by the column's id. */
export type Widths = Readonly<Record<string, number>>;

interface Column {
  id: string;
  /** What its contents need. */
  width: number;
}

interface Taker {
  id: string;
  /** Of what is left over. */
  share: number;
  /** Beyond it there is nothing to gain. */
  most: number;
}

/** Longer bars can be read better, and what a status says besides fits into one line. */
const TAKERS: readonly Taker[] = [
  { id: "status", share: 0.25, most: 230 },
  { id: "progress", share: 0.25, most: 220 },
];
/** Cut off where it is too long. */
const REST = "description";

/**
 * Widths in pixels by which columns fill the room there is; where it is too little, what each of them needs. Those that
 * the user drew stay as they were `drawn`, and the others share what is left.
 */
export function widthsIn(room: number, columns: readonly Column[], drawn: Widths = {}): Record<string, number> {
  const widths = Object.fromEntries(columns.map(({ id, width }) => [id, drawn[id] ?? width]));
  const free = Math.max(0, room - Object.values(widths).reduce((sum, width) => sum + width, 0));
  let left = free;
  const give = (id: string, more: number) => {
    widths[id] = (widths[id] ?? 0) + more;
    left -= more;
  };
  for (const { id, share, most } of TAKERS) {
    const before = widths[id];
    if (before === undefined || id in drawn) continue;
    give(id, Math.min(Math.floor(free * share), Math.max(0, most - before)));
  }
  const others = columns.map(({ id }) => id).filter((id) => !(id in drawn));
  const rest = others.includes(REST) ? [REST] : others;
  rest.forEach((id, index) => {
    give(id, Math.floor(left / (rest.length - index)));
  });
  return widths;
}

/** What a table takes up of the columns that it is given: each one's width once, when that is shown for the first time. */
export function takenUp(taken: Widths, columns: readonly Column[], shown: readonly string[]): Record<string, number> {
  const fresh = columns.filter(({ id }) => shown.includes(id) && !(id in taken));
  return { ...taken, ...Object.fromEntries(fresh.map(({ id, width }) => [id, width])) };
}

/** Of the widths that a table tells, which are those of all its columns: the ones that it has not taken up itself. */
export function drawnIn(told: Widths, taken: Widths): Record<string, number> {
  return Object.fromEntries(Object.entries(told).filter(([id, width]) => id in taken && taken[id] !== width));
}
