import Alert from "@cloudscape-design/components/alert";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import type { Api } from "../../api/client";
import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay } from "../../api/queries";
import type { JobForm, ListedJob, Role, Schemas } from "../../api/types";
import { ErrorAlert } from "../../components/ErrorAlert";
import { FormModal } from "../../components/FormModal";
import { roleName } from "../../components/roleNames";
import { useT } from "../../i18n";
import { Accesses, MissingPermissions } from "./Accesses";
import { JobPicker, useDocumentOf } from "./JobPicker";
import { missingOf, outcomeOf, OUTCOMES, withRole } from "./verdicts";

interface Found {
  tested: Schemas["RoleTestedView"];
  /** Null where no more is to be told: nothing was refused, or the caller may not ask. */
  missing: readonly string[] | Error | null;
}

const ALERTS = { passed: "success", failed: "error", unknown: "warning" } as const;

/** Tries out what a role may do, with what one of the jobs needs. */
export function TestRole({ role, onClose }: { role: Role; onClose: () => void }) {
  const t = useT();
  const [job, setJob] = useState<ListedJob | null>(null);
  const test = useTest(role);
  return (
    <FormModal
      title={t("roles.test-of", { name: roleName(role.role_arn) })}
      action={t("roles.test.do")}
      leave={t("action.close")}
      size="large"
      isPending={test.isPending}
      error={test.error}
      isDisabled={!job}
      onSubmit={() => {
        if (job) test.mutate(job);
      }}
      onClose={onClose}
    >
      <JobPicker
        description={t("roles.test.job")}
        value={job}
        onChange={(chosen) => {
          setJob(chosen);
          test.reset();
        }}
      />
      <div aria-live="polite">{test.data && <Findings found={test.data} role={role} />}</div>
    </FormModal>
  );
}

function Findings({ found: { tested, missing }, role }: { found: Found; role: Role }) {
  const t = useT();
  const outcome = outcomeOf(tested.accesses);
  const isStored = role.provider === "stored";
  return (
    <SpaceBetween size="m">
      <Alert type={ALERTS[outcome]}>{t(OUTCOMES[outcome].long)}</Alert>
      <Accesses accesses={tested.accesses} />
      {missing instanceof Error && <ErrorAlert error={missing} header={t("roles.missing.failed")} />}
      {Array.isArray(missing) && missing.length > 0 && <MissingPermissions missing={missing as readonly string[]} />}
      {!tested.is_narrowed && (
        <Alert type="info" header={t("roles.wide")}>
          {t(isStored ? "roles.wide.stored" : "roles.wide.sts")}
        </Alert>
      )}
    </SpaceBetween>
  );
}

function useTest(role: Role) {
  const api = useApi();
  const may = useMay();
  const queries = useQueryClient();
  const documentOf = useDocumentOf();
  const arn = role.role_arn;
  return useMutation({
    mutationFn: async (listed: ListedJob): Promise<Found> => {
      const job = await documentOf(listed);
      const tested = await told(
        api.POST("/roles/{role_arn}:test", { params: { path: { role_arn: arn } }, body: { job } }),
      );
      const isRefused = outcomeOf(tested.accesses) === "failed";
      return { tested, missing: isRefused && may("check_job") ? await missingFor(api, withRole(job, arn)) : null };
    },
    // Also where the role could not be assumed: the service keeps that as the role's last test.
    onSettled: () => queries.invalidateQueries({ queryKey: ["roles"] }),
  });
}

/** Pre-flight names the permission that a refusal is about; the test has no more than the store's own word. */
async function missingFor(api: Api, job: JobForm): Promise<readonly string[] | Error> {
  try {
    return missingOf((await told(api.POST("/jobs:check", { body: job }))).checks);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
