import type { TextKey } from "../i18n";

/** What the service said in a form of its own, to be said in the user's language. */
export interface Spoken {
  key: TextKey;
  values: Record<string, string>;
}

/** A form of the service's words, whose named groups are the values of the text. */
export type SpokenForm = readonly [RegExp, TextKey];

/** Null where none of the forms fits: then it is shown as it is. */
export function spokenOf(text: string, forms: readonly SpokenForm[]): Spoken | null {
  for (const [form, key] of forms) {
    const found = form.exec(text);
    if (found) return { key, values: Object.fromEntries(Object.entries(found.groups ?? {})) };
  }
  return null;
}
