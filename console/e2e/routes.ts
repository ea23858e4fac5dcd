import { call } from "./fixtures";

interface Listed {
  job_id: string;
  progress_summary: { number_of_tasks_failed: number };
}

/** Every page of the console that an administrator can go to, by a name for people. */
export async function pagesOf(): Promise<[name: string, path: string][]> {
  const { items } = await call<{ items: Listed[] }>("GET", "/jobs?status=Complete&limit=100");
  // The oldest: whatever jobs other tests have made meanwhile, it is one of the stage.
  const ofStage = items.findLast(({ progress_summary: done }) => done.number_of_tasks_failed > 0);
  if (!ofStage) throw new Error("the stage has no job that is complete and of which objects failed");
  const job = `/ui/jobs/${ofStage.job_id}`;
  return [
    ["jobs", "/ui/jobs"],
    ["job", job],
    ...["failures", "report", "configuration", "checks", "events"].map((tab): [string, string] => [
      `job, ${tab}`,
      `${job}?tab=${tab}`,
    ]),
    ["create", "/ui/jobs/create"],
    ["roles", "/ui/roles"],
    ["users", "/ui/users"],
    ["keys", "/ui/users?tab=keys"],
    ["tokens", "/ui/users?tab=tokens"],
    ["accounts", "/ui/users?tab=accounts"],
    ["regions", "/ui/regions"],
    ["webhooks", "/ui/webhooks"],
    ["audit", "/ui/audit"],
    ["settings", "/ui/settings"],
    ["help", "/ui/help"],
    ["password", "/ui/password"],
    ["not-found", "/ui/nothing"],
  ];
}
