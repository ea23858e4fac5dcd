/** A bucket, or an object in it, as a resource name says it. */
export interface Resource {
  bucket: string;
  /** Empty where a bucket is named. */
  key: string;
  /** Empty where the spelling has none: AWS's. */
  region: string;
}

const COS = /^qcs::cos:([^:/\s]*):(?:uid\/\d+)?:([^/:\s]+)(?:\/(.*))?$/s;
const AWS = /^arn:aws[a-z-]*:s3:::([^/:\s]+)(?:\/(.*))?$/s;

/** What `qcs::cos:...` or `arn:aws:s3:::...` names; null where it is neither. */
export function resourceOf(arn: string): Resource | null {
  const cos = COS.exec(arn);
  if (cos) return { region: cos[1] ?? "", bucket: cos[2] ?? "", key: cos[3] ?? "" };
  const aws = AWS.exec(arn);
  return aws && { region: "", bucket: aws[1] ?? "", key: aws[2] ?? "" };
}
