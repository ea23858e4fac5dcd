import { useEffect, useRef } from "react";

import { useT } from "../i18n";
import { ActionModal, type JobsModalProps, NamedJobs } from "./ActionModal";
import { useRunOnJobs } from "./jobActionsRun";

interface OutcomeModalProps extends JobsModalProps {
  action: "redeliver";
}

/** Does at once what nobody needs to be asked about; it is seen only while many jobs are asked, or where one refuses. */
export function OutcomeModal({ action, jobs: all, onClose }: OutcomeModalProps) {
  const t = useT();
  const asking = useRunOnJobs(action, all, onClose);
  const { jobs, outcome, progress, run } = asking;
  const isBegun = useRef(false);
  useEffect(() => {
    if (isBegun.current) return; // React makes each effect twice while one develops
    isBegun.current = true;
    run();
  });
  if (!outcome && (progress?.all ?? 0) < 2) return null;
  return (
    <ActionModal
      header={t(`action.${action}`)}
      doing={t("action.again")}
      canDo
      asking={asking}
      onDo={run}
      onClose={onClose}
    >
      <NamedJobs jobs={jobs} />
    </ActionModal>
  );
}
