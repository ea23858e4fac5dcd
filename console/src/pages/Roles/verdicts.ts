import type { JobForm, Schemas } from "../../api/types";
import type { TextKey } from "../../i18n";

export type Tried = Schemas["AccessTriedView"];
export type RoleTest = Schemas["RoleTestView"];
type Purpose = Schemas["Purpose"];
type Icon = "success" | "error" | "pending" | "warning";

/** What a job needs, in the order in which it needs it. */
export const PURPOSES = {
  "manifest read": "roles.purpose.manifest",
  "source read": "roles.purpose.source",
  "target write": "roles.purpose.target",
  "report write": "roles.purpose.report",
} as const satisfies Record<Purpose, TextKey>;

export const VERDICTS = {
  may: { icon: "success", text: "roles.verdict.may" },
  "may not": { icon: "error", text: "roles.verdict.may-not" },
  "not tested": { icon: "pending", text: "roles.verdict.not-tested" },
} as const satisfies Record<Schemas["Verdict"], { icon: Icon; text: TextKey }>;

export const OUTCOMES = {
  passed: { icon: "success", text: "roles.outcome.passed", long: "roles.outcome.passed.text" },
  failed: { icon: "error", text: "roles.outcome.failed", long: "roles.outcome.failed.text" },
  unknown: { icon: "warning", text: "roles.outcome.unknown", long: "roles.outcome.unknown.text" },
} as const satisfies Record<Schemas["TrialOutcome"], { icon: Icon; text: TextKey; long: TextKey }>;

/** The outcome of a test that was just made, by the rule by which the service keeps it. */
export function outcomeOf(accesses: readonly Tried[]): Schemas["TrialOutcome"] {
  if (accesses.some(({ verdict }) => verdict === "may not")) return "failed";
  return accesses.some(({ verdict }) => verdict === "may") ? "passed" : "unknown";
}

/** How a test ended in one line: which accesses it is that were refused, or else which ones there are. */
export function summaryOf(accesses: readonly Tried[]): { text: TextKey; purposes: TextKey[] } | null {
  const of = (wanted: Schemas["Verdict"]) =>
    accesses.filter(({ verdict }) => verdict === wanted).map(({ purpose }) => PURPOSES[purpose]);
  const refused = of("may not");
  if (refused.length > 0) return { text: "roles.test.refused", purposes: refused };
  const granted = of("may");
  return granted.length > 0 ? { text: "roles.test.granted", purposes: granted } : null;
}

/** The permissions that a check of the job found missing, as the provider writes them, each once. */
export function missingOf(checks: readonly Schemas["CheckView"][]): string[] {
  return [...new Set(checks.map((check) => check.missing_permission).filter((each) => each !== ""))];
}

/** A job as if it named the role and were a new one, to be checked. */
export function withRole(job: JobForm, roleArn: string): JobForm {
  return { ...job, role_arn: roleArn, client_request_token: "" };
}
