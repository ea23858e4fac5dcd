import { useMutation, useMutationState, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { type Api, told } from "../api/client";
import { useApi } from "../api/context";
import { useJobsChanged } from "../api/queries";
import type { JobAction } from "../api/types";
import { RefusedJobs, refusalText } from "./ActionModal";
import { type Flash, useFlashes } from "./flashes";
import { type ActionJob, nameOf } from "./jobActions";

/** What is asked of jobs by a call; cloning and retrying lead to the wizard instead. */
export type CalledAction = Exclude<JobAction, "clone" | "retry">;

/** What the user added to it. */
export interface Details {
  reason?: string;
  priority?: number;
  /** Whether whoever asks has typed how much is deleted. */
  isCountTyped?: boolean;
}

export interface Refusal {
  job: ActionJob;
  error: unknown;
}

export interface Outcome {
  asked: readonly ActionJob[];
  refused: readonly Refusal[];
  /** Those that were not asked any more, as it was stopped. */
  left: readonly ActionJob[];
}

export interface JobsRun {
  /** The jobs that are still to be asked: all, or those that refused the last time, or were left. */
  jobs: readonly ActionJob[];
  /** Of the last time; undefined before the first one. */
  outcome: Outcome | undefined;
  isBusy: boolean;
  /** Null: none is being asked, though lists may still be brought up to date. */
  progress: Progress | null;
  run: (details?: Details) => void;
  /** Asks no further one. */
  stop: () => void;
}

interface Progress {
  answered: number;
  all: number;
  isStopping: boolean;
}

/** Asks something of jobs, until none refuses any more. Who has left meanwhile is told of refusals above the page. */
export function useRunOnJobs(action: CalledAction, all: readonly ActionJob[], onAllWent: () => void): JobsRun {
  const [outcome, setOutcome] = useState<Outcome>();
  const [progress, setProgress] = useState<Progress | null>(null);
  const isStopped = useRef(false);
  const { flash } = useFlashes();
  const isLeft = useIsLeft();
  const asking = useAskJobs(action, {
    onAnswered: (answered) => {
      setProgress((before) => before && { ...before, answered });
    },
    onOver: () => {
      setProgress(null);
    },
    isStopped: () => isStopped.current,
    onRefused: (refusing) => {
      if (!isLeft()) setOutcome(refusing);
      else if (refusing.refused.length > 0) flash(flashOf(refusing));
    },
  });
  const jobs = outcome ? [...outcome.refused.map(({ job }) => job), ...outcome.left] : all;
  const run = (details: Details = {}) => {
    isStopped.current = false;
    setProgress({ answered: 0, all: jobs.length, isStopping: false });
    asking.mutate(
      { jobs, details },
      {
        onSuccess: ({ refused, left }) => {
          if (refused.length === 0 && left.length === 0) onAllWent();
        },
      },
    );
  };
  const stop = () => {
    isStopped.current = true;
    setProgress((before) => before && { ...before, isStopping: true });
  };
  return { jobs, outcome, isBusy: asking.isPending, progress, run, stop };
}

function useIsLeft(): () => boolean {
  const isLeft = useRef(false);
  useEffect(() => {
    isLeft.current = false; // React makes each effect twice while one develops
    return () => {
      isLeft.current = true;
    };
  }, []);
  return () => isLeft.current;
}

function flashOf(outcome: Outcome): Flash {
  return {
    type: "error",
    header: ({ t }) => refusalText(outcome, t),
    content: () => <RefusedJobs refused={outcome.refused} />,
  };
}

interface Asking {
  onAnswered: (count: number) => void;
  /** None is asked any more. */
  onOver: () => void;
  /** Whether no further job is to be asked. */
  isStopped: () => boolean;
  /** Some refused, or were left. */
  onRefused: (outcome: Outcome) => void;
}

/** Asks something of jobs, one by one: each may be refused, and the others go on. */
function useAskJobs(action: CalledAction, { onAnswered, onOver, isStopped, onRefused }: Asking) {
  const api = useApi();
  const { flash } = useFlashes();
  const queries = useQueryClient();
  const jobsChanged = useJobsChanged();
  return useMutation({
    mutationKey: keyOf(action),
    mutationFn: async ({ jobs, details }: { jobs: readonly ActionJob[]; details: Details }): Promise<Outcome> => {
      const refused: Refusal[] = [];
      let count = 0;
      for (const job of jobs) {
        if (isStopped()) break;
        try {
          await call(api, action, job, details);
        } catch (error) {
          refused.push({ job, error });
        }
        count += 1;
        onAnswered(count);
      }
      return { asked: jobs.slice(0, count), refused, left: jobs.slice(count) };
    },
    onSuccess: (outcome) => {
      onOver();
      const { refused, left } = outcome;
      const went = wentOf(outcome);
      const [first] = went;
      if (first) {
        const values = { count: went.length, name: nameOf(first) };
        flash({ type: "success", content: ({ t }) => t(`action.done.${action}`, values) });
      }
      if (refused.length > 0 || left.length > 0) onRefused(outcome);
    },
    onSettled: (outcome) => {
      const areGone = action === "delete" && outcome?.refused.length === 0; // whoever asks for them hears no more
      return areGone ? queries.invalidateQueries({ queryKey: ["jobs"] }) : jobsChanged();
    },
  });
}

/** Whether a job has been deleted by a dialog since the caller is there. */
export function useIsDeleted(id: string): boolean {
  const [since] = useState(() => Date.now());
  const deletions = useMutationState({
    filters: { mutationKey: keyOf("delete"), status: "success" },
    select: ({ state }) => state.submittedAt >= since && wentOf(state.data as Outcome).some((job) => job.job_id === id),
  });
  return deletions.includes(true);
}

function keyOf(action: CalledAction): string[] {
  return ["jobs", action];
}

function wentOf({ asked, refused }: Outcome): ActionJob[] {
  return asked.filter((job) => !refused.some((each) => each.job === job));
}

async function call(api: Api, action: CalledAction, job: ActionJob, details: Details): Promise<void> {
  const params = { path: { job_id: job.job_id } };
  const reason = details.reason ?? "";
  switch (action) {
    case "confirm": {
      const total = job.progress_summary.total_number_of_tasks;
      const count = details.isCountTyped && total !== null && total > 0 ? { confirm_delete_count: total } : {};
      await told(
        api.PUT("/jobs/{job_id}/status", {
          params,
          body: { requested_job_status: "Ready", ...count, status_update_reason: reason },
        }),
      );
      return;
    }
    case "cancel":
      await told(
        api.PUT("/jobs/{job_id}/status", {
          params,
          body: { requested_job_status: "Cancelled", status_update_reason: reason },
        }),
      );
      return;
    case "pause":
      await told(api.POST("/jobs/{job_id}/pause", { params, body: { reason } }));
      return;
    case "resume":
      await told(api.POST("/jobs/{job_id}/resume", { params, body: { reason } }));
      return;
    case "change_priority":
      await told(api.PUT("/jobs/{job_id}/priority", { params, body: { priority: details.priority ?? job.priority } }));
      return;
    case "redeliver":
      await told(api.POST("/jobs/{job_id}/redeliver-report", { params }));
      return;
    case "delete":
      await told(api.DELETE("/jobs/{job_id}", { params }));
  }
}
