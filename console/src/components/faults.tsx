import { ApiError } from "../api/errors";
import type { Fault } from "../api/types";
import { FaultText } from "./ErrorAlert";

/** What the service said of one field of a form, as a FormField's `errorText`. */
export function errorTextOf(error: Error | null, path: string) {
  return faultsTextOf(error, (fault) => fault.path === path);
}

/** The same of a field that the service calls by several paths, as one with many values. */
export function faultsTextOf(error: Error | null, isOfField: (fault: Fault) => boolean) {
  const faults = error instanceof ApiError ? error.faults.filter(isOfField) : [];
  if (faults.length === 0) return undefined;
  return faults.map((fault) => (
    <div key={`${fault.path} ${fault.problem}`}>
      <FaultText fault={{ ...fault, path: "" }} />
    </div>
  ));
}
