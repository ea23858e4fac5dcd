import Alert from "@cloudscape-design/components/alert";

import { useT } from "../i18n";
import { ActionModal, type JobsModalProps, NamedJobs } from "./ActionModal";
import { useRunOnJobs } from "./jobActionsRun";

interface DeleteJobModalProps extends JobsModalProps {
  /** When all of them are gone. */
  onGone?: (() => void) | undefined;
}

/** Asks before what is known of ended jobs is thrown away. */
export function DeleteJobModal({ jobs: all, onClose, onGone }: DeleteJobModalProps) {
  const t = useT();
  const asking = useRunOnJobs("delete", all, () => {
    onClose();
    onGone?.();
  });
  const { jobs, run } = asking;
  return (
    <ActionModal
      header={t("action.delete.title", { count: jobs.length })}
      doing={t("action.delete")}
      canDo
      asking={asking}
      onDo={run}
      onClose={onClose}
    >
      <NamedJobs jobs={jobs} />
      <Alert type="warning">{t("action.delete.effect")}</Alert>
    </ActionModal>
  );
}
