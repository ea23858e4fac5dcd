import type { Offer } from "./offers";

/** Where a store takes any class, those that its kind usually has. */
const USUAL: Record<Offer["provider"], readonly string[]> = {
  cos: ["STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ARCHIVE", "DEEP_ARCHIVE"],
  s3: ["STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE"],
};
/** From the dearest to keep to the cheapest. */
const IN_ORDER = [
  "STANDARD",
  "MAZ_STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "MAZ_STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "MAZ_INTELLIGENT_TIERING",
  "GLACIER_IR",
  "GLACIER",
  "ARCHIVE",
  "DEEP_ARCHIVE",
];

export interface Classes {
  names: string[];
  /** Whether others may be asked for. */
  isOpen: boolean;
}

/** The classes to choose from, the usual ones first. */
export function classesOf(offer: Offer | undefined): Classes {
  const offered = offer?.storage_classes ?? [];
  const names = offered.length > 0 ? offered : USUAL[offer?.provider ?? "s3"];
  const place = (name: string) => {
    const at = IN_ORDER.indexOf(name);
    return at < 0 ? IN_ORDER.length : at;
  };
  return { names: [...names].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1)), isOpen: offered.length === 0 };
}
