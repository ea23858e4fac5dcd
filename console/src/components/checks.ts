import type { Schemas } from "../api/types";

type Check = Schemas["CheckView"];

const ORDER: Record<Check["outcome"], number> = { failed: 0, unknown: 1, passed: 2 };

/** Those that keep a job from starting first; several may have one name, so each has a number. */
export function numberedChecks(checks: readonly Check[]): (Check & { number: number })[] {
  return checks
    .map((check, number) => ({ ...check, number }))
    .sort((one, other) => ORDER[one.outcome] - ORDER[other.outcome] || one.number - other.number);
}

const OF_OPTION = /^option_(.+)$/;

/** The text of a check's name; those of options share one, with the option as the store's profile calls it. */
export function checkKeyOf(name: string): { key: string; option: string } {
  const option = OF_OPTION.exec(name)?.[1];
  return option
    ? { key: "check.name.option", option: option.replaceAll("_", "-") }
    : { key: `check.name.${name}`, option: "" };
}
