import type { Capabilities } from "../../api/types";

/** A bucket, or an object in it. */
export interface Place {
  bucket: string;
  key: string;
  /** As named by a COS spelling; AWS's names none. */
  region: string;
}

const COS = /^qcs::cos:([^:/\s]*):(?:uid\/[0-9]+)?:([^/:\s]+)(?:\/([\s\S]*))?$/;
const AWS = /^arn:aws[a-z-]*:s3:::([^/:\s]+)(?:\/([\s\S]*))?$/;

/** Reads a resource name in any spelling that the service reads; null for anything else. */
export function readPlace(text: string): Place | null {
  const cos = COS.exec(text);
  if (cos) return { region: cos[1] ?? "", bucket: cos[2] ?? "", key: cos[3] ?? "" };
  const aws = AWS.exec(text);
  return aws && { region: "", bucket: aws[1] ?? "", key: aws[2] ?? "" };
}

/**
 * The resource name of a bucket, or of an object in it: in COS's spelling where the region is one of COS, or where it
 * has to be named; else in AWS's, which names none.
 */
export function writePlace(
  { bucket, key, region }: Place,
  { regions, isElsewhere = false }: { regions: Capabilities["regions"]; isElsewhere?: boolean },
): string {
  const isCos = regions.find(({ name }) => name === region)?.provider === "cos";
  const name = isCos || isElsewhere ? `qcs::cos:${region}::${bucket}` : `arn:aws:s3:::${bucket}`;
  return key ? `${name}/${key}` : name;
}
