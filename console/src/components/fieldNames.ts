/** A field of a job document at the head of a clause, in the protocol's words: `Manifest.Spec.Fields[2]: ...`. */
const HEAD = /(?<=^|[;\uff1b]\s*)[A-Z][A-Za-z]*(?:\.[A-Z][A-Za-z]*)*(?:\[\d+\])?(?=[:\uff1a])/g;

/**
 * What the service says of fields, with the names that the wizard gives them. `nameOf`: the text of a key; null where
 * there is none, and the field stays as it is.
 */
export function withFieldsNamed(said: string, nameOf: (key: string) => string | null): string {
  return said.replaceAll(HEAD, (path) => {
    const key = keyOf(path);
    return nameOf(`job.field.${key}`) ?? nameOf(`field.${key}`) ?? path;
  });
}

/** `Operation.COSPutObjectCopy.TargetResource` as `operation.cos_put_object_copy.target_resource`. */
function keyOf(path: string): string {
  return path
    .replace(/\[\d+\]$/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "_")
    .toLowerCase();
}
