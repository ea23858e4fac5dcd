import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { FormEvent, ReactNode } from "react";

import { ApiError, isUnanswered } from "../api/errors";
import { type Translate, useSpeech, useT } from "../i18n";
import { ErrorAlert } from "./ErrorAlert";
import { type ActionJob, nameOf, shortId } from "./jobActions";
import type { JobsRun, Outcome, Refusal } from "./jobActionsRun";
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
  asking: JobsRun;
  onDo: () => void;
  onClose: () => void;
  size?: "medium" | "large";
  children: ReactNode;
}

/** The frame of all that is asked before something is done to jobs, and where it is told which of them refused. */
export function ActionModal(props: ActionModalProps) {
  const { header, doing, canDo, whyNot, asking, onDo, onClose, size = "medium", children } = props;
  const { outcome, isBusy, progress, stop } = asking;
  const t = useT();
  const areManyAsked = progress !== null && progress.all > 1;
  // Whoever wants out while many are asked stops that first: the others are not asked, and are shown.
  const stops = areManyAsked && !progress.isStopping;
  const leave = stops ? stop : onClose;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (canDo && !isBusy) onDo();
  };
  return (
    <Modal
      visible
      size={size}
      header={header}
      onDismiss={leave}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs" alignItems="center">
            {areManyAsked && (
              <StatusIndicator type="loading">
                {t(progress.isStopping ? "action.stopping" : "action.answered", {
                  count: progress.answered,
                  all: progress.all,
                })}
              </StatusIndicator>
            )}
            <Button variant="link" onClick={leave}>
              {t(stops ? "action.stop" : "action.close")}
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

/** Which jobs refused, and why; and how many were not asked. */
function Refusals({ outcome }: { outcome: Outcome }) {
  const t = useT();
  const { asked, refused, left } = outcome;
  const [first] = refused;
  const header = refusalText(outcome, t);
  return (
    <>
      {first && asked.length === 1 && left.length === 0 && <ErrorAlert error={first.error} header={header} />}
      {first && asked.length + left.length > 1 && (
        <Alert type="error" header={header}>
          <RefusedJobs refused={refused} />
        </Alert>
      )}
      {left.length > 0 && (
        <Alert type="info">{t("action.left", { count: left.length, all: asked.length + left.length })}</Alert>
      )}
    </>
  );
}

/** How many refused; where nothing answered nobody knows whether it was done. */
export function refusalText({ asked, refused }: Outcome, t: Translate): string {
  const unanswered = refused.filter(({ error }) => isUnanswered(error)).length;
  const some = unanswered === 0 ? "action.refused" : "action.refused-or-unanswered";
  return t(unanswered === refused.length ? "action.unanswered" : some, { count: refused.length, all: asked.length });
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
