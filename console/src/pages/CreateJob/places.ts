import type { Capabilities } from "../../api/types";
import type { Resource } from "../../components/arns";

/**
 * The resource name of a bucket, or of an object in it: in COS's spelling where the region is one of COS, or where it
 * has to be named; else in AWS's, which names none.
 */
export function writePlace(
  { bucket, key, region }: Resource,
  { regions, isElsewhere = false }: { regions: Capabilities["regions"]; isElsewhere?: boolean },
): string {
  const isCos = regions.find(({ name }) => name === region)?.provider === "cos";
  const name = isCos || isElsewhere ? `qcs::cos:${region}::${bucket}` : `arn:aws:s3:::${bucket}`;
  return key ? `${name}/${key}` : name;
}
