import { call } from "./fixtures";

/** Every page of the console that an administrator can go to, by a name for people. */
export async function pagesOf(): Promise<[name: string, path: string][]> {
  const page = await call<{ items: { job_id: string; status: string }[] }>("GET", "/jobs?limit=100");
  const failed = page.items.find(({ status }) => status === "Complete") ?? page.items[0];
  return [
    ["jobs", "/ui/jobs"],
    ["job", `/ui/jobs/${failed?.job_id ?? ""}`],
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
    ["not-found", "/ui/nothing"],
  ];
}
