import { day } from "../components/days";
import { type JobListView, OPERATIONS, STATUSES } from "./jobListView";

/** What the filter of properties knows, by the keys of its tokens. */
export const PROPERTIES = ["status", "operation", "creator", "region", "from", "to"] as const;
export type Property = (typeof PROPERTIES)[number];

/** Bounds of a view that are no days. */
export function unreadOf(view: JobListView): { property: "from" | "to"; value: string }[] {
  return (["from", "to"] as const)
    .map((property) => ({ property, value: view[property] }))
    .filter(({ value }) => value !== "" && day(value) === "");
}

export interface Token {
  propertyKey?: string;
  operator: string;
  value: unknown;
}

const OPERATOR_OF: Record<Property, string> = {
  status: "=",
  operation: "=",
  creator: "=",
  region: "=",
  from: ">=",
  to: "<=",
};

/** The part of a view that the filter of properties shows. */
export function tokensOf(view: JobListView): Token[] {
  const values: Record<Property, unknown> = {
    status: view.statuses.length > 0 ? [...view.statuses] : "",
    operation: view.operation ?? "",
    creator: view.creator,
    region: view.region,
    from: day(view.from),
    to: day(view.to),
  };
  return PROPERTIES.filter((property) => values[property] !== "").map((property) => ({
    propertyKey: property,
    operator: OPERATOR_OF[property],
    value: values[property],
  }));
}

/**
 * What tokens make of a view. A property has one value, and the last one counts; statuses are a list. Whoever asks for
 * exact statuses leaves the quick filters.
 */
export function changeOf(tokens: readonly Token[], view: JobListView): Partial<JobListView> {
  const lastOf = (property: Property): unknown => tokens.findLast((each) => each.propertyKey === property)?.value;
  const text = (property: Property): string => {
    const value = lastOf(property);
    return typeof value === "string" ? value.trim() : "";
  };
  const asked = tokens.filter((each) => each.propertyKey === "status").flatMap((each) => each.value);
  const statuses = STATUSES.filter((status) => asked.includes(status));
  return {
    statuses,
    group: statuses.length > 0 ? null : view.group,
    operation: OPERATIONS.find((each) => each === lastOf("operation")) ?? null,
    creator: text("creator"),
    region: text("region"),
    from: text("from"),
    to: text("to"),
  };
}
