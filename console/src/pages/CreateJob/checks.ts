import type { TextKey, Values } from "../../i18n";
import type { Field, FieldFault } from "./model";

/** Collects what is wrong: each check adds a fault, or nothing. */
export class Findings {
  readonly faults: FieldFault[] = [];

  add(field: Field, key: TextKey, values?: Values, path: string = field): void {
    this.faults.push({ field, path, said: values ? { key, values } : { key } });
  }

  /** Whether something is there. */
  required(field: Field, text: string): boolean {
    if (text.trim() !== "") return true;
    this.add(field, "form.required");
    return false;
  }

  bytes(field: Field, text: string, most: number, path: string = field): void {
    const bytes = bytesOf(text);
    if (bytes > most) this.add(field, "create.fault.bytes", { bytes, most }, path);
  }

  /** Whether it is a whole number between the bounds. */
  whole(field: Field, text: string, least: number, most: number): boolean {
    const isWhole = /^\d+$/.test(text.trim());
    if (isWhole && Number(text) >= least && Number(text) <= most) return true;
    this.add(field, text.trim() === "" ? "form.required" : "create.fault.whole", { least, most });
    return false;
  }

  number(field: Field, text: string, least: number, most: number): void {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (value >= least && value <= most) return;
    this.add(field, text.trim() === "" ? "form.required" : "create.fault.number", { least, most });
  }

  bucket(field: Field, name: string): void {
    if (!this.required(field, name)) return;
    if (!BUCKET.test(name)) this.add(field, "create.fault.bucket");
  }

  oneLine(field: Field, text: string, path: string = field): void {
    // Control characters are what is looked for.
    // eslint-disable-next-line no-control-regex
    if (/[\x00-\x1f\x7f]/.test(text)) this.add(field, "create.fault.line", undefined, path);
    else this.bytes(field, text, HEADER_MAX_BYTES, path);
  }

  /** Says of each name that stands there more than once, at its second place. */
  repeated(field: Field, names: readonly string[]): void {
    names.forEach((name, index) => {
      if (name !== "" && names.indexOf(name) < index) {
        this.add(field, "create.fault.twice", { name }, `${field}[${index}].key`);
      }
    });
  }
}

/** What any of the stores takes: old buckets of S3 have capitals, underscores and up to 255 characters. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/;
const HEADER_MAX_BYTES = 2048;

/** COS and S3 count lengths in bytes of UTF-8: a Chinese character has three. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
