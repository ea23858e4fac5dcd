import Alert from "@cloudscape-design/components/alert";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useState } from "react";

import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { ActionModal, type JobsModalProps, NamedJobs } from "./ActionModal";
import { deletes, doneOf, isReasonFit, REASON_MAX_BYTES, wordToCancel } from "./jobActions";
import { useRunOnJobs } from "./jobActionsRun";
import { ReasonField } from "./ReasonField";

/** Asks before jobs are cancelled: for what reason, and once more where much was done or objects are deleted. */
export function CancelModal({ jobs: all, onClose }: JobsModalProps) {
  const t = useT();
  const formats = useFormats();
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const asking = useRunOnJobs("cancel", all, onClose);
  const { jobs, run } = asking;
  const word = wordToCancel(jobs);
  const done = jobs.reduce((sum, job) => sum + doneOf(job.progress_summary), 0);
  const typeText = jobs.length === 1 ? "action.cancel.type-id" : "action.cancel.type-count";
  return (
    <ActionModal
      header={t("action.cancel.title", { count: jobs.length })}
      doing={t("action.cancel")}
      canDo={isReasonFit(reason) && (word === "" || typed.trim() === word)}
      whyNot={isReasonFit(reason) ? t(typeText, { word }) : t("action.reason.long", { max: REASON_MAX_BYTES })}
      asking={asking}
      onDo={() => {
        run({ reason });
      }}
      onClose={onClose}
    >
      <NamedJobs jobs={jobs} />
      <Alert type="warning">
        {t(jobs.some(deletes) ? "action.cancel.effect.delete" : "action.cancel.effect", {
          count: done,
          done: formats.count(done),
        })}
      </Alert>
      <ReasonField value={reason} onChange={setReason} />
      {word !== "" && (
        <FormField label={t(typeText, { word })}>
          <Input
            value={typed}
            autoComplete={false}
            onChange={({ detail }) => {
              setTyped(detail.value);
            }}
          />
        </FormField>
      )}
    </ActionModal>
  );
}
