/** What people call a role: the last part of its ARN, in both of its spellings. */
export function roleName(arn: string): string {
  const cam = /:roleName\/(.+)$/.exec(arn);
  const iam = /:role\/(?:.*\/)?([^/]+)$/.exec(arn);
  return cam?.[1] ?? iam?.[1] ?? arn;
}
