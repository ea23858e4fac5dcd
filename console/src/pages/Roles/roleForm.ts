import type { JobForm, Schemas } from "../../api/types";

export type RoleProvider = Schemas["RoleProvider"];
export const PROVIDERS = ["stored", "aws-sts", "tencent-sts"] as const satisfies readonly RoleProvider[];

/** What is typed in, as text; empty: left out. */
export interface RoleDraft {
  provider: RoleProvider;
  role_arn: string;
  description: string;
  access_key_id: string;
  secret_access_key: string;
  session_token: string;
  external_id: string;
  sts_endpoint: string;
  sts_region: string;
  writable_buckets: string;
  /** It is to be made at its provider too. */
  isMade: boolean;
  source_bucket: string;
  principal: string;
}

export type TextField = Exclude<keyof RoleDraft, "provider" | "isMade">;

export const EMPTY: RoleDraft = {
  provider: "stored",
  role_arn: "",
  description: "",
  access_key_id: "",
  secret_access_key: "",
  session_token: "",
  external_id: "",
  sts_endpoint: "",
  sts_region: "",
  writable_buckets: "",
  isMade: false,
  source_bucket: "",
  principal: "",
};

/** How the provider names roles, to be seen before anything is typed. */
export const EXAMPLES: Record<RoleProvider, string> = {
  stored: "arn:aws:iam::000000000000:role/nightly-copy",
  "aws-sts": "arn:aws:iam::123456789012:role/batch",
  "tencent-sts": "qcs::cam::uin/100000000001:roleName/batch",
};

const REQUIRED = ["role_arn", "access_key_id", "secret_access_key"] as const satisfies readonly TextField[];

const KEY = ["access_key_id", "secret_access_key", "session_token"] as const satisfies readonly TextField[];

/** How a role's STS is reached; a role with keys of its own has none. */
export const STS = ["sts_endpoint", "sts_region", "external_id"] as const satisfies readonly TextField[];

export function takesSts(provider: RoleProvider): provider is Exclude<RoleProvider, "stored"> {
  return provider !== "stored";
}

/** Whether all is there that no role can do without. */
export function isComplete(draft: RoleDraft, job: unknown): boolean {
  const isFilled = REQUIRED.every((field) => draft[field].trim() !== "");
  return isFilled && (!isMadeThere(draft) || job != null);
}

export function isMadeThere({ provider, isMade }: Pick<RoleDraft, "provider" | "isMade">): boolean {
  return isMade && takesSts(provider);
}

/** Whether there is a key that a role could be given. */
export function hasKey(draft: RoleDraft): boolean {
  return draft.access_key_id.trim() !== "" && draft.secret_access_key.trim() !== "";
}

/** What a role is given in place of the key that it has. */
export function keyOf(draft: RoleDraft): Schemas["KeyForm"] {
  return {
    access_key_id: draft.access_key_id.trim(),
    secret_access_key: draft.secret_access_key.trim(),
    session_token: draft.session_token.trim(),
  };
}

/** Whether a fault is about a field of the key. */
export function isOfKey(path: string): boolean {
  const field = fieldOfFault(path);
  return KEY.some((each) => each === field);
}

/** Bucket names, however they are set apart. */
export function bucketsOf(text: string): string[] {
  return [...new Set(text.split(/[\s,;，；、]+/).filter((each) => each !== ""))];
}

/** `makeFor`: the job by which it is made at its provider; not looked at where it is only registered. */
export function formOf(draft: RoleDraft, makeFor: JobForm | null): Schemas["RoleForm"] {
  const hasSts = takesSts(draft.provider);
  const sts = (field: (typeof STS)[number]) => (hasSts ? draft[field].trim() : "");
  const isMade = isMadeThere(draft);
  return {
    role_arn: draft.role_arn.trim(),
    provider: draft.provider,
    access_key_id: draft.access_key_id.trim(),
    secret_access_key: draft.secret_access_key.trim(),
    session_token: draft.session_token.trim(),
    external_id: sts("external_id"),
    sts_endpoint: sts("sts_endpoint"),
    sts_region: sts("sts_region"),
    description: draft.description.trim(),
    writable_buckets: bucketsOf(draft.writable_buckets),
    make_for: isMade ? makeFor : null,
    source_bucket: isMade ? draft.source_bucket.trim() : "",
    principal: isMade ? draft.principal.trim() : "",
  };
}

const FIELD_OF_FAULT: Record<string, TextField> = { arn: "role_arn", key: "access_key_id" };

/** Which field a fault is about, by its path; undefined for one of none. */
export function fieldOfFault(path: string): TextField | undefined {
  const [first = ""] = path.split(/[.[]/);
  const field = FIELD_OF_FAULT[first] ?? first;
  return field in EMPTY && field !== "provider" && field !== "isMade" ? (field as TextField) : undefined;
}

/** Where the page leads back to, below /ui: never out of the console. */
export function returnOf(search: URLSearchParams): string | null {
  const text = (search.get("return") ?? "").replace(/^\/ui(?=\/)/, "");
  return /^\/(?![/\\])/.test(text) ? text : null;
}
