import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { FormEvent, ReactNode } from "react";

import { ApiError, isUnanswered } from "../api/errors";
import { useSpeech, useT } from "../i18n";
import { ErrorAlert } from "./ErrorAlert";
import { type ActionJob, nameOf, shortId } from "./jobActions";
import type { Outcome, Refusal } from "./jobActionsRun";
import { StatusTag } from "./StatusTag";

/** Of which jobs a modal asks something. */
export interface JobsModalProps {
  jobs: readonly ActionJob[];
  onClose: () => void;
}

interface ActionModalProps {
  header: string;
  /** What the button says that does it. */
  doing: string;
  canDo: boolean;
  /** What is missing until it can be done, in the user's language. */
  whyNot?: string | undefined;
  isBusy: boolean;
  onDo: () => void;
  onClose: () => void;
  outcome: Outcome | undefined;
  size?: "medium" | "large";
  children: ReactNode;
}

/** The frame of all that is asked before something is done to jobs, and where it is told which of them refused. */
export function ActionModal(props: ActionModalProps) {
  const { header, doing, canDo, whyNot, isBusy, onDo, onClose, outcome, size = "medium", children } = props;
  const t = useT();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (canDo && !isBusy) onDo();
  };
  return (
    <Modal
      visible
      size={size}
      header={header}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {t("action.close")}
            </Button>
            <Button
              variant="primary"
              disabled={!canDo}
              {...(!canDo && whyNot && { disabledReason: whyNot })}
              loading={isBusy}
              onClick={onDo}
            >
              {doing}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form onSubmit={submit}>
        <SpaceBetween size="m">
          {outcome && <Refusals outcome={outcome} />}
          {children}
        </SpaceBetween>
      </form>
    </Modal>
  );
}

/** Which jobs refused, and why. */
export function Refusals({ outcome: { asked, refused } }: { outcome: Outcome }) {
  const t = useT();
  const [first] = refused;
  if (!first) return null;
  if (asked.length === 1) return <ErrorAlert error={first.error} header={t("action.refused", { count: 1, all: 1 })} />;
  return (
    <Alert type="error" header={t("action.refused", { count: refused.length, all: asked.length })}>
      <RefusedJobs refused={refused} />
    </Alert>
  );
}

export function RefusedJobs({ refused }: { refused: readonly Refusal[] }) {
  return (
    <ul>
      {refused.map(({ job, error }) => (
        <li key={job.job_id}>
          <Box variant="strong">{nameOf(job)}</Box> <Why error={error} />
        </li>
      ))}
    </ul>
  );
}

/** What was said of a refusal, in a line. */
function Why({ error }: { error: unknown }) {
  const { t, retold } = useSpeech();
  if (isUnanswered(error)) return <>{t("error.no-answer")}</>;
  if (!(error instanceof ApiError)) return <>{String(error)}</>;
  return (
    <>
      <Box variant="code">{error.code}</Box> {retold(error.message)}
    </>
  );
}

const NAMED_MAX = 10;

/** The jobs that something is about to happen to, by name. */
export function NamedJobs({ jobs }: { jobs: readonly ActionJob[] }) {
  const t = useT();
  const [first] = jobs;
  if (jobs.length === 1 && first) return <Named job={first} />;
  const more = jobs.length - NAMED_MAX;
  return (
    <ul>
      {jobs.slice(0, NAMED_MAX).map((job) => (
        <li key={job.job_id}>
          <Named job={job} />
        </li>
      ))}
      {more > 0 && <li>{t("action.more", { count: more })}</li>}
    </ul>
  );
}

function Named({ job }: { job: ActionJob }) {
  return (
    <div>
      <Box variant="strong">{nameOf(job)}</Box> {job.description && <Box variant="code">{shortId(job.job_id)}</Box>}{" "}
      <StatusTag status={job.status} isDryRun={job.dry_run} />
    </div>
  );
}
