import { describe, expect, it } from "vitest";

import { listFaults, pairFaults } from "./faultPlaces";
import type { FieldFault } from "./model";

const TAGS = "operation.cos_put_object_tagging.tag_set";
const fault = (path: string, text: string, field: FieldFault["field"] = TAGS): FieldFault => ({
  field,
  path,
  said: { text },
});
const FAULTS = [
  fault(TAGS, "none"),
  fault(`${TAGS}[1].key`, "empty"),
  fault(`${TAGS}[1].value`, "long"),
  fault(`${TAGS}[11]`, "odd"),
  fault("priority", "no", "priority"),
];

describe("the faults of a list", () => {
  const found = listFaults(FAULTS, TAGS, "key");

  it("are those of the whole", () => {
    expect(found.whole.map(({ path }) => path)).toEqual([TAGS]);
  });

  it.each([
    [1, "key", "empty"],
    [1, "value", "long"],
    [11, "key", "odd"],
    [11, "value", undefined],
    [0, "key", undefined],
  ] as const)("and those of row %i, %s", (index, part, said) => {
    expect(pairFaults(found, ({ said }) => ("text" in said ? said.text : said.key))(index, part)).toBe(said);
  });
});
