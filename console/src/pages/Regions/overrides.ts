import type { Capabilities, Schemas } from "../../api/types";

export type Option = Schemas["Option"];
export type Support = Schemas["Support"];
/** What a region says otherwise than its profile. */
export type Overrides = Readonly<Partial<Record<Option, Support>>>;
export type Profile = Capabilities["profiles"][number];

/** All that a job can ask of a store; the value: whether further requests can take the place of a store that lacks it. */
const EMULABLE: Record<Option, boolean> = {
  "storage-class": false,
  "metadata-replace": false,
  "tagging-copy": true,
  "tagging-replace": true,
  "upload-tagging": true,
  "object-tagging": true,
  "canned-acl": true,
  grants: true,
  "object-acl": true,
  "sse-aes256": false,
  "source-dates": true,
  "source-match": true,
  versions: true,
  "part-copy": false,
  restore: true,
};
export const OPTIONS = Object.keys(EMULABLE) as readonly Option[];

/** What can be said of an option; what is said of it already stays on the list. */
export function supportsOf(option: Option, said: Support | undefined): Support[] {
  return EMULABLE[option] || said === "emulated" ? ["applied", "emulated", "refused"] : ["applied", "refused"];
}

/** What a store of a profile does; undefined where the profile is not known, or another protocol's default. */
export function profileOf(profiles: readonly Profile[], name: string): Profile | undefined {
  return profiles.find((profile) => profile.name === name);
}

/** The profile of a region that names none. */
export function defaultProfile(provider: Schemas["Provider"]): string {
  return provider === "cos" ? "cos" : "generic";
}

/** Of what the service tells as a mapping with any keys, those that are options. */
export function overridesIn(told: Readonly<Record<string, string>>): Overrides {
  const known = OPTIONS.flatMap((option) => {
    const support = told[option];
    return isSupport(support) ? [[option, support] as const] : [];
  });
  return Object.fromEntries(known);
}

function isSupport(text: string | undefined): text is Support {
  return text === "applied" || text === "emulated" || text === "refused";
}

/** With one option said otherwise; undefined: as the profile says. */
export function overridden(overrides: Overrides, option: Option, support: Support | undefined): Overrides {
  const others = Object.entries(overrides).filter(([name]) => name !== option);
  return Object.fromEntries(support ? [...others, [option, support]] : others);
}

export interface OfferedOption {
  option: Option;
  support: Support;
  /** Whether the region says so, and not its profile. */
  isOwn: boolean;
}

/** What the store of a region does with each option, and who says so. */
export function offeredOptions(
  offer: Capabilities["regions"][number],
  profile: Profile | undefined,
  overrides: Overrides | undefined,
): OfferedOption[] {
  return OPTIONS.flatMap((option) => {
    const support = offer.options[option];
    if (!support) return [];
    const isOther = profile !== undefined && profile.options[option] !== support;
    return [{ option, support, isOwn: overrides ? option in overrides : isOther }];
  });
}
