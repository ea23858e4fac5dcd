import { expect, it } from "vitest";

import { tabOf } from "./tabs";

it.each([
  ["", "", "overview"],
  ["#failures", "", "failures"],
  ["", "?tab=report", "report"],
  ["#events", "?tab=report", "events"],
  ["#nothing", "?tab=nothing", "overview"],
])("finds the tab of an address with %j and %j", (hash, search, tab) => {
  expect(tabOf({ hash, search })).toBe(tab);
});
