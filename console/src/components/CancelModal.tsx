import Alert from "@cloudscape-design/components/alert";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";

import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { ActionModal, type JobsModalProps, NamedJobs } from "./ActionModal";
import { byteLength, deletes, doneOf, REASON_MAX_BYTES, wordToCancel } from "./jobActions";
import { useRunOnJobs } from "./jobActionsRun";

/** Asks before jobs are cancelled: for what reason, and once more where much was done or objects are deleted. */
export function CancelModal({ jobs: all, onClose }: JobsModalProps) {
  const t = useT();
  const formats = useFormats();
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const { jobs, outcome, isBusy, run } = useRunOnJobs("cancel", all, onClose);
  const word = wordToCancel(jobs);
  const bytes = byteLength(reason);
  const done = jobs.reduce((sum, job) => sum + doneOf(job.progress_summary), 0);
  return (
    <ActionModal
      header={t("action.cancel.title", { count: jobs.length })}
      doing={t("action.cancel")}
      canDo={bytes <= REASON_MAX_BYTES && (word === "" || typed.trim() === word)}
      isBusy={isBusy}
      onDo={() => {
        run({ reason });
      }}
      onClose={onClose}
      outcome={outcome}
    >
      <NamedJobs jobs={jobs} />
      <Alert type="warning">
        {t(jobs.some(deletes) ? "action.cancel.effect.delete" : "action.cancel.effect", {
          count: done,
          done: formats.count(done),
        })}
      </Alert>
      <FormField
        label={t("action.reason")}
        description={t("action.reason.hint")}
        constraintText={t("action.reason.bytes", { bytes, max: REASON_MAX_BYTES })}
        errorText={bytes > REASON_MAX_BYTES && t("action.reason.long", { max: REASON_MAX_BYTES })}
      >
        <Textarea
          value={reason}
          rows={2}
          onChange={({ detail }) => {
            setReason(detail.value);
          }}
        />
      </FormField>
      {word !== "" && (
        <FormField label={t(jobs.length === 1 ? "action.cancel.type-id" : "action.cancel.type-count", { word })}>
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
