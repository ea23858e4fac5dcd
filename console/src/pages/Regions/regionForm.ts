import type { Region, Schemas } from "../../api/types";
import { type Overrides, overridesIn } from "./overrides";

/** What is typed in, as text; empty: the service's own default. */
export interface RegionDraft {
  name: string;
  provider: Schemas["Provider"];
  endpoint: string;
  addressing: Schemas["Addressing"];
  profile: string;
  profile_overrides: Overrides;
  signing_region: string;
  storage_classes: string;
  requests_per_second: string;
  bytes_per_second: string;
  max_connections: string;
}

export const EMPTY: RegionDraft = {
  name: "",
  provider: "s3",
  endpoint: "",
  addressing: "path",
  profile: "",
  profile_overrides: {},
  signing_region: "",
  storage_classes: "",
  requests_per_second: "",
  bytes_per_second: "",
  max_connections: "",
};

export function draftOf(region: Region): RegionDraft {
  const { connection } = region;
  return {
    name: region.name,
    provider: region.provider,
    endpoint: connection?.endpoint ?? "",
    addressing: connection?.addressing ?? "path",
    profile: region.profile,
    profile_overrides: overridesIn(connection?.profile_overrides ?? {}),
    signing_region: connection?.signing_region ?? "",
    storage_classes: region.storage_classes.join(", "),
    requests_per_second: connection?.requests_per_second?.toString() ?? "",
    bytes_per_second: connection?.bytes_per_second?.toString() ?? "",
    max_connections: connection?.max_connections.toString() ?? "",
  };
}

const NUMBERS = ["requests_per_second", "bytes_per_second", "max_connections"] as const;

/** The fields that hold no number where one is wanted. */
export function faultyNumbers(draft: RegionDraft): (typeof NUMBERS)[number][] {
  return NUMBERS.filter((field) => {
    const text = draft[field].trim();
    return text !== "" && !(Number(text) > 0);
  });
}

/** A new region, or all of one that there is: what was emptied goes back to its default. */
export function formOf(draft: RegionDraft): Schemas["RegionForm"] {
  const text = (value: string) => (value.trim() === "" ? null : value.trim());
  const number = (value: string) => (value.trim() === "" ? null : Number(value));
  return {
    name: draft.name.trim(),
    provider: draft.provider,
    endpoint: text(draft.endpoint),
    addressing: draft.addressing,
    profile: text(draft.profile),
    profile_overrides: { ...draft.profile_overrides },
    signing_region: text(draft.signing_region),
    storage_classes: draft.storage_classes.split(/[\s,]+/).filter((each) => each !== ""),
    requests_per_second: number(draft.requests_per_second),
    bytes_per_second: number(draft.bytes_per_second),
    max_connections: number(draft.max_connections),
  };
}
