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

/** Widths in pixels by which columns fill the room there is; where it is too little, what each of them needs. */
export function widthsIn(room: number, columns: readonly Column[]): Record<string, number> {
  const widths = Object.fromEntries(columns.map(({ id, width }) => [id, width]));
  const free = Math.max(0, room - columns.reduce((sum, { width }) => sum + width, 0));
  let left = free;
  for (const { id, share, most } of TAKERS) {
    const before = widths[id];
    if (before === undefined) continue;
    const more = Math.min(Math.floor(free * share), Math.max(0, most - before));
    widths[id] = before + more;
    left -= more;
  }
  if (widths[REST] !== undefined) widths[REST] += left;
  return widths;
}
