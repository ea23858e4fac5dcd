import Button from "@cloudscape-design/components/button";
import ButtonDropdown, { type ButtonDropdownProps } from "@cloudscape-design/components/button-dropdown";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { useNavigate } from "react-router";

import { useCapabilities, useMay } from "../api/queries";
import type { JobAction } from "../api/types";
import { type Translate, useT } from "../i18n";
import { CancelModal } from "./CancelModal";
import { ConfirmRunModal } from "./ConfirmRunModal";
import { DeleteJobModal } from "./DeleteJobModal";
import { ACTIONS, type ActionJob, type Means, type Offer, offersFor, primaryOf } from "./jobActions";
import { MoveModal } from "./MoveModal";
import { OutcomeModal } from "./OutcomeModal";
import { PriorityModal } from "./PriorityModal";

interface Asked {
  action: JobAction;
  jobs: readonly ActionJob[];
}

/**
 * Lets actions be asked of jobs: `ask` begins one, `modal` is to be shown wherever the page likes (null mostly).
 * Where ended jobs are deleted, `onGone` follows.
 */
export function useJobActions(onGone?: () => void): {
  ask: (action: JobAction, jobs: readonly ActionJob[]) => void;
  modal: ReactNode;
} {
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = useCallback(() => {
    setAsked(null);
  }, []);
  const ask = useCallback(
    (action: JobAction, jobs: readonly ActionJob[]) => {
      const [first] = jobs;
      if (!first) return;
      if (action === "clone") void navigate(`/jobs/create?from=${first.job_id}`);
      else if (action === "retry") void navigate(`/jobs/create?retry=${first.job_id}`);
      else setAsked({ action, jobs });
    },
    [navigate],
  );
  return { ask, modal: asked && <AskedModal asked={asked} onClose={close} onGone={onGone} /> };
}

interface AskedModalProps {
  asked: Asked;
  onClose: () => void;
  onGone: (() => void) | undefined;
}

function AskedModal({ asked: { action, jobs }, onClose, onGone }: AskedModalProps) {
  switch (action) {
    case "confirm":
      return <ConfirmRunModal jobs={jobs} onClose={onClose} />;
    case "cancel":
      return <CancelModal jobs={jobs} onClose={onClose} />;
    case "change_priority":
      return <PriorityModal jobs={jobs} onClose={onClose} />;
    case "delete":
      return <DeleteJobModal jobs={jobs} onClose={onClose} onGone={onGone} />;
    case "pause":
    case "resume":
      return <MoveModal action={action} jobs={jobs} onClose={onClose} />;
    case "redeliver":
      return <OutcomeModal action={action} jobs={jobs} onClose={onClose} />;
    case "clone":
    case "retry":
      return null; // the wizard's
  }
}

/** What the caller may do, for `offersFor` and `primaryOf`. */
export function useMeans(): Means {
  const may = useMay();
  const canPause = useCapabilities().data?.can_pause ?? false;
  return useMemo(() => ({ may, canPause }), [may, canPause]);
}

interface JobActionsMenuProps {
  /** One, or a selection: what is not possible for any of them can be seen, and why, but not asked for. */
  jobs: readonly ActionJob[];
  /** Where ended jobs were deleted. */
  onGone?: () => void;
}

/** All actions on a selection of jobs. Nothing is shown to who may not do anything. */
export function JobActionsMenu({ jobs, onGone }: JobActionsMenuProps) {
  const t = useT();
  const means = useMeans();
  const { ask, modal } = useJobActions(onGone);
  const offers = offersFor(jobs, means);
  if (offers.length === 0) return null;
  return (
    <>
      <ButtonDropdown
        items={offers.map((offer) => choiceOf(offer, jobs, t))}
        disabled={jobs.length === 0}
        disabledReason={t("action.select")}
        expandToViewport
        onItemClick={({ detail }) => {
          askOffer(detail.id, offers, ask);
        }}
      >
        {t("action.menu")}
      </ButtonDropdown>
      {modal}
    </>
  );
}

/** For a job's own page: what is to be done next as a button, and all else that is possible now as a menu. */
export function JobActionButtons({ job }: { job: ActionJob }) {
  const t = useT();
  const means = useMeans();
  const { ask, modal } = useJobActions();
  const primary = primaryOf(job, means);
  const others = offersFor([job], means).filter(({ action, whyNot }) => whyNot === null && action !== primary);
  return (
    <>
      <SpaceBetween direction="horizontal" size="xs">
        {others.length > 0 && (
          <ButtonDropdown
            items={others.map((offer) => choiceOf(offer, [job], t))}
            expandToViewport
            onItemClick={({ detail }) => {
              askOffer(detail.id, others, ask);
            }}
          >
            {t("action.menu")}
          </ButtonDropdown>
        )}
        {primary && (
          <Button
            variant="primary"
            onClick={() => {
              ask(primary, [job]);
            }}
          >
            {textOf(primary, [job], t)}
          </Button>
        )}
      </SpaceBetween>
      {modal}
    </>
  );
}

function askOffer(id: string, offers: readonly Offer[], ask: (action: JobAction, jobs: readonly ActionJob[]) => void) {
  const action = ACTIONS.find((each) => each === id);
  const offer = offers.find((each) => each.action === action);
  if (offer) ask(offer.action, offer.jobs);
}

function choiceOf(offer: Offer, jobs: readonly ActionJob[], t: Translate): ButtonDropdownProps.Item {
  const isForSome = offer.whyNot === null && offer.jobs.length < jobs.length;
  return {
    id: offer.action,
    text: textOf(offer.action, jobs, t),
    disabled: offer.whyNot !== null,
    ...(offer.whyNot === null ? {} : { disabledReason: t(`action.why-not.${offer.whyNot}`) }),
    ...(isForSome ? { secondaryText: t("action.some", { count: offer.jobs.length, all: jobs.length }) } : {}),
  };
}

function textOf(action: JobAction, jobs: readonly ActionJob[], t: Translate): string {
  if (action !== "retry") return t(`action.${action}`);
  const count = jobs.length === 1 ? (jobs[0]?.progress_summary.number_of_tasks_retryable ?? 0) : 0;
  return count > 0 ? t("action.retry.count", { count }) : t("action.retry");
}
