import { unread } from "./columns";
import { type Change, changed, type Draft, type Field, type FieldFault, type StepName } from "./model";

export interface WizardState {
  readonly draft: Draft;
  readonly step: StepName;
  /** Steps that the user wanted to leave forwards: what is wrong with them is shown. */
  readonly judged: readonly StepName[];
  /** What the service found wrong with fields, until they are changed. */
  readonly told: readonly FieldFault[];
}

export type WizardAction =
  | { readonly type: "change"; readonly part: Change }
  | { readonly type: "replace"; readonly draft: Draft; readonly step: StepName }
  | { readonly type: "judge"; readonly steps: readonly StepName[] }
  | { readonly type: "go"; readonly step: StepName }
  | { readonly type: "told"; readonly faults: readonly FieldFault[] };

export function reduce(state: WizardState, action: WizardAction): WizardState {
  switch (action.type) {
    case "change": {
      const draft = edited(state.draft, action.part);
      const told = state.told.filter(({ field }) => valueAt(draft, field) === valueAt(state.draft, field));
      return { ...state, draft, told };
    }
    case "replace":
      return { draft: action.draft, step: action.step, judged: [], told: [] };
    case "judge":
      return { ...state, judged: [...new Set([...state.judged, ...action.steps])] };
    case "go":
      return { ...state, step: action.step };
    case "told":
      return { ...state, told: action.faults };
  }
}

/** What was read of one inventory says nothing of another: its ETag, format and columns are read anew. */
export function edited(draft: Draft, part: Change): Draft {
  const after = changed(draft, part);
  if (isSameManifest(after, draft)) return after;
  const fresh = changed(after, { manifest: { location: { etag: "" }, spec: unread(after.manifest.spec) } });
  return changed(fresh, part.manifest ? { manifest: part.manifest } : {});
}

/** Whether two drafts name one file, however it is read. */
export function isSameManifest(before: Draft, after: Draft): boolean {
  return placeOf(before) === placeOf(after);
}

function placeOf({ region, manifest }: Draft): string {
  const { bucket, key, object_version_id: version } = manifest.location;
  return JSON.stringify([region, bucket, key, version]);
}

/** As text, so that it can be compared. */
function valueAt(draft: Draft, field: Field): string {
  let value: unknown = draft;
  for (const name of field.split(".")) {
    value =
      typeof value === "object" && value !== null ? Object.entries(value).find(([own]) => own === name)?.[1] : null;
  }
  return JSON.stringify(value) ?? "";
}
