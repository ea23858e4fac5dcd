import Box from "@cloudscape-design/components/box";
import { useState } from "react";

import { useT } from "../i18n";
import { ActionModal, type JobsModalProps, NamedJobs } from "./ActionModal";
import { isReasonFit } from "./jobActions";
import { useRunOnJobs } from "./jobActionsRun";
import { ReasonField } from "./ReasonField";

interface MoveModalProps extends JobsModalProps {
  action: "pause" | "resume";
}

/** Asks for what reason jobs are paused, or go on. */
export function MoveModal({ action, jobs: all, onClose }: MoveModalProps) {
  const t = useT();
  const [reason, setReason] = useState("");
  const asking = useRunOnJobs(action, all, onClose);
  const { jobs, run } = asking;
  return (
    <ActionModal
      header={t(`action.${action}.title`, { count: jobs.length })}
      doing={t(`action.${action}`)}
      canDo={isReasonFit(reason)}
      asking={asking}
      onDo={() => {
        run({ reason });
      }}
      onClose={onClose}
    >
      <NamedJobs jobs={jobs} />
      <Box>{t(`action.${action}.effect`, { count: jobs.length })}</Box>
      <ReasonField value={reason} onChange={setReason} />
    </ActionModal>
  );
}
