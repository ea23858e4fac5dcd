import { ApiError } from "../api/errors";
import type { Fault } from "../api/types";
import { FaultText } from "./ErrorAlert";

/** What the service said of one field of a form, as a FormField's `errorText`. */
export function errorTextOf(error: Error | null, path: string) {
  const faults = faultsOf(error, path);
  if (faults.length === 0) return undefined;
  return faults.map((fault) => (
    <div key={fault.problem}>
      <FaultText fault={{ ...fault, path: "" }} />
    </div>
  ));
}

export function faultsOf(error: Error | null, path: string): readonly Fault[] {
  return error instanceof ApiError ? error.faults.filter((fault) => fault.path === path) : [];
}
