import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { useState } from "react";

import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { ActionModal, type JobsModalProps, NamedJobs } from "./ActionModal";
import { ConfirmRunRows } from "./ConfirmRunRows";
import { type ActionJob, countToConfirm, deletes, isReasonFit, REASON_MAX_BYTES } from "./jobActions";
import { useRunOnJobs } from "./jobActionsRun";
import { ReasonField } from "./ReasonField";

/** Asks before jobs run that wait for it: over how many objects, and of a deletion the number once more. */
export function ConfirmRunModal({ jobs: all, onClose }: JobsModalProps) {
  const t = useT();
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const asking = useRunOnJobs("confirm", all, onClose);
  const { jobs, run } = asking;
  const [first] = jobs;
  const count = countToConfirm(jobs);
  const isTyped = typed.replaceAll(/[\s,.]/g, "") === count;
  return (
    <ActionModal
      header={t("action.confirm.title", { count: jobs.length })}
      doing={t("action.confirm")}
      canDo={isReasonFit(reason) && (count === "" || isTyped)}
      whyNot={
        isReasonFit(reason) ? t("action.confirm.type", { count }) : t("action.reason.long", { max: REASON_MAX_BYTES })
      }
      asking={asking}
      onDo={() => {
        run({ reason, isCountTyped: count !== "" });
      }}
      onClose={onClose}
      size="large"
    >
      <NamedJobs jobs={jobs} />
      {jobs.some(deletes) ? (
        <Alert type="error" header={t("action.confirm.delete.title")}>
          {t("action.confirm.delete", { count: Number(count) })}
        </Alert>
      ) : (
        <Box>{t("action.confirm.effect", { count: jobs.length })}</Box>
      )}
      <Totals jobs={jobs} />
      {count !== "" && (
        <FormField label={t("action.confirm.type", { count })}>
          <Input
            value={typed}
            autoComplete={false}
            inputMode="numeric"
            onChange={({ detail }) => {
              setTyped(detail.value);
            }}
          />
        </FormField>
      )}
      <ReasonField value={reason} onChange={setReason} />
      {jobs.length === 1 && first && <ConfirmRunRows jobId={first.job_id} />}
    </ActionModal>
  );
}

function Totals({ jobs }: { jobs: readonly ActionJob[] }) {
  const t = useT();
  const formats = useFormats();
  const total = jobs.reduce((sum, job) => sum + (job.progress_summary.total_number_of_tasks ?? 0), 0);
  const operations = new Set(jobs.map(({ operation_name: name }) => name));
  return (
    <KeyValuePairs
      columns={2}
      items={[
        { label: t("jobs.column.operation"), value: [...operations].map((name) => t(`operation.${name}`)).join(", ") },
        { label: t("jobs.column.total"), value: formats.count(total) },
      ]}
    />
  );
}
