import type { operations } from "../api/schema";
import type { Schemas } from "../api/types";
import { beginOf, day, endOf } from "../components/days";
import type { TimeZone } from "../preferences";

type Asked = NonNullable<operations["list_audit"]["parameters"]["query"]>;
export type AuditQuery = Omit<Asked, "limit" | "cursor">;

export const OUTCOMES: readonly Schemas["Outcome"][] = ["done", "refused"];
/** What the filter knows, by the keys of its tokens and in the page's address. */
export const PROPERTIES = ["account", "actor", "action", "target", "outcome", "since", "until"] as const;
export type Property = (typeof PROPERTIES)[number];

/**
 * The filter as it stands in the page's address; empty: no matter. `since` and `until` are days, both included. What
 * cannot be read leaves out nothing, and is told of.
 */
export type AuditView = Readonly<Record<Property, string>>;

interface Token {
  propertyKey?: string;
  operator: string;
  value: unknown;
}

const OPERATOR_OF: Partial<Record<Property, string>> = { since: ">=", until: "<=" };

export function operatorOf(property: Property): string {
  return OPERATOR_OF[property] ?? "=";
}

export function viewOf(search: URLSearchParams): AuditView {
  return viewBy((property) => search.get(property) ?? "");
}

export function addressOf(view: AuditView): URLSearchParams {
  return new URLSearchParams(PROPERTIES.filter((each) => view[each] !== "").map((each) => [each, view[each]]));
}

/** What the API is asked for a view. An account is named by who may see several. */
export function queryOf(view: AuditView, { timeZone, ofAccount }: { timeZone: TimeZone; ofAccount: boolean }) {
  const { account, actor, action, target, since, until } = view;
  const outcome = OUTCOMES.find((each) => each === view.outcome);
  const query: AuditQuery = {
    ...(ofAccount && account && { account }),
    ...(actor && { actor }),
    ...(action && { action }),
    ...(target && { target }),
    ...(outcome && { outcome }),
    ...(day(since) && { since: beginOf(since, timeZone) }),
    ...(day(until) && { until: endOf(until, timeZone) }),
  };
  return query;
}

/** The part of the API's own address that a query is. */
export function searchOf(query: AuditQuery): string {
  return new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString();
}

/** What stands in the address and leaves out nothing, for it cannot be read. */
export function unreadOf(view: AuditView): { property: Property; value: string; kind: "day" | "word" }[] {
  return PROPERTIES.filter((property) => view[property] !== "" && !isRead(view, property)).map((property) => ({
    property,
    value: view[property],
    kind: property === "outcome" ? "word" : "day",
  }));
}

function isRead(view: AuditView, property: Property): boolean {
  const value = view[property];
  switch (property) {
    case "outcome":
      return OUTCOMES.some((each) => each === value);
    case "since":
    case "until":
      return day(value) !== "";
    default:
      return true;
  }
}

export function tokensOf(view: AuditView): Token[] {
  return PROPERTIES.filter((property) => view[property] !== "" && isRead(view, property)).map((property) => ({
    propertyKey: property,
    operator: operatorOf(property),
    value: view[property],
  }));
}

/** A property has one value, and the last one counts. */
export function viewOfTokens(tokens: readonly Token[]): AuditView {
  return viewBy((property) => {
    const value = tokens.findLast(({ propertyKey }) => propertyKey === property)?.value;
    return typeof value === "string" ? value : "";
  });
}

function viewBy(valueOf: (property: Property) => string): AuditView {
  const values = PROPERTIES.map((property) => [property, valueOf(property).trim()]);
  return Object.fromEntries(values) as Record<Property, string>;
}
