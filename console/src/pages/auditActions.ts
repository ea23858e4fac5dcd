/** What the console has a name for. The service may tell others: what it refuses at the door is told by its call's id. */
const NAMED = [
  "bootstrap",
  "change-password",
  "change-user",
  "check-clone",
  "check-job",
  "check-retry",
  "clone-job",
  "create-access-key",
  "create-account",
  "create-job",
  "create-region",
  "create-role",
  "create-token",
  "create-user",
  "create-webhook",
  "declare",
  "delete-access-key",
  "delete-job",
  "delete-region",
  "delete-role",
  "delete-user",
  "delete-webhook",
  "disable-access-key",
  "disable-account",
  "disable-user",
  "disable-webhook",
  "enable-access-key",
  "enable-account",
  "enable-user",
  "enable-webhook",
  "login",
  "logout",
  "pause-job",
  "redeliver-message",
  "redeliver-report",
  "replace-role-key",
  "reset-password",
  "resume-job",
  "retry-failed",
  "revoke-token",
  "rotate-webhook-secret",
  "test-role",
  "test-webhook",
  "update-job-priority",
  "update-job-status",
  "update-region",
  "update-user",
] as const;
export type NamedAction = (typeof NAMED)[number];

export function namedAction(code: string): NamedAction | undefined {
  return NAMED.find((each) => each === code);
}

/** Their target is a job that is still there. */
const OF_JOBS: ReadonlySet<string> = new Set<NamedAction>([
  "check-clone",
  "check-retry",
  "clone-job",
  "create-job",
  "pause-job",
  "redeliver-report",
  "resume-job",
  "retry-failed",
  "update-job-priority",
  "update-job-status",
]);
const JOB_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

interface Entry {
  action: string;
  target: string;
  /** By its name. */
  account: string;
}

/** The job that an entry is about, where it has a page: those of another account than one's own have none. */
export function jobOf({ action, target, account }: Entry, own: string | undefined): string | undefined {
  return account === own && OF_JOBS.has(action) && JOB_ID.test(target) ? target : undefined;
}
