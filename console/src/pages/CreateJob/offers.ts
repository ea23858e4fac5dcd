import type { Capabilities, Schemas } from "../../api/types";

export type Offer = Capabilities["regions"][number];
export type Option = Schemas["Option"];

/** What the store of a region does; undefined for a region that the service does not know (any more). */
export function offerOf({ regions }: Pick<Capabilities, "regions">, region: string): Offer | undefined {
  return regions.find(({ name }) => name === region);
}

/** Options that must be the store's own: cosbatch has nothing to put in their place. */
const NEVER_EMULATED = new Set<Option>(["storage-class", "sse-aes256", "metadata-replace", "part-copy"]);

/** Whether a job that asks for the option would be refused there. Of an unknown store nothing is said. */
export function isRefused(offer: Offer | undefined, option: Option): boolean {
  const support = offer?.options[option];
  if (support === undefined) return false;
  return support === "refused" || (support === "emulated" && NEVER_EMULATED.has(option));
}

/** Whether the store lacks it, and cosbatch reaches the same with further requests for each object. */
export function isEmulated(offer: Offer | undefined, option: Option): boolean {
  return offer?.options[option] === "emulated" && !NEVER_EMULATED.has(option);
}

/** The first of the stores by which an option is refused. */
export function refusedBy(option: Option, ...offers: readonly (Offer | undefined)[]): Offer | undefined {
  return offers.find((offer) => isRefused(offer, option));
}
