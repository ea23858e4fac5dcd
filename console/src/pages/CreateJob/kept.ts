import type { Draft, StepName } from "./model";

/** What is kept of a visit while its tab is open, so that a reload loses nothing. There is no secret in it. */
export interface Kept {
  readonly draft: Draft;
  readonly step: StepName;
  /** The same for each attempt of a visit: however often it is sent, it makes one job. */
  readonly token: string;
  /** An answer can have been lost. */
  readonly isSent: boolean;
}

const KEY = "cosbatch.create";
/** Another one when the draft's shape changes: what an earlier console has kept is not for this one. */
const VERSION = 3;

/** Each user's own, and each beginning's. */
function keyOf(user: string, name: string): string {
  return `${KEY}.${user}.${name}`;
}

export function readKept(user: string, name: string): Kept | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(keyOf(user, name)) ?? "null");
    return isKept(kept) ? kept : null;
  } catch {
    return null; // storage is forbidden, or somebody else wrote there
  }
}

export function keep(user: string, name: string, kept: Kept): void {
  try {
    sessionStorage.setItem(keyOf(user, name), JSON.stringify({ ...kept, version: VERSION }));
  } catch {
    // Storage is forbidden or full: the draft lives as long as the page.
  }
}

export function forget(user: string, name: string): void {
  try {
    sessionStorage.removeItem(keyOf(user, name));
  } catch {
    // Storage is forbidden: nothing is kept there.
  }
}

/** 128 random bits. Where the console is not served over HTTPS a browser has no other call for them. */
export function mintToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isKept(kept: unknown): kept is Kept {
  return typeof kept === "object" && kept !== null && "version" in kept && kept.version === VERSION;
}
