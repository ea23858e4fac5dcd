import type { FaultOfPair } from "../../components/PairsEditor";
import type { Field, FieldFault } from "./model";

/** The faults of a list, those of its rows apart from those of the whole. */
export interface ListFaults {
  readonly whole: FieldFault[];
  readonly ofRow: (index: number, part: string) => FieldFault[];
}

/** `part`: below the row, `key` or `grantee.identifier`; what is said of a row as such stands at its first part. */
export function listFaults(faults: readonly FieldFault[], list: Field, first: string): ListFaults {
  const own = faults.filter(({ field }) => field === list);
  const rowOf = (path: string) => path.startsWith(`${list}[`);
  return {
    whole: own.filter(({ path }) => !rowOf(path)),
    ofRow: (index, part) => {
      const row = `${list}[${index}]`;
      return own.filter(({ path }) => path === `${row}.${part}` || (part === first && path === row));
    },
  };
}

/** As the editors of pairs want them. */
export function pairFaults(found: ListFaults, say: (fault: FieldFault) => string): FaultOfPair {
  return (index, part) => {
    const said = found.ofRow(index, part).map(say);
    return said.length > 0 ? said.join(" ") : undefined;
  };
}
