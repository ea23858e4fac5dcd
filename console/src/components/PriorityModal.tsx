import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { told } from "../api/client";
import { useApi } from "../api/context";
import { useT } from "../i18n";
import { ActionModal, type JobsModalProps, NamedJobs } from "./ActionModal";
import { type ActionJob, PRIORITY_MAX, priorityIn, queueLength } from "./jobActions";
import { useRunOnJobs } from "./jobActionsRun";

const TYPED_MS = 300;

/** Asks for the new priority of jobs, and says what would stand beside or before them. */
export function PriorityModal({ jobs: all, onClose }: JobsModalProps) {
  const t = useT();
  const [text, setText] = useState(() => String(all[0]?.priority ?? ""));
  const asking = useRunOnJobs("change_priority", all, onClose);
  const { jobs, run } = asking;
  const priority = priorityIn(text);
  return (
    <ActionModal
      header={t("action.priority.title", { count: jobs.length })}
      doing={t("action.change_priority")}
      canDo={priority !== null}
      asking={asking}
      onDo={() => {
        if (priority !== null) run({ priority });
      }}
      onClose={onClose}
    >
      <NamedJobs jobs={jobs} />
      <FormField
        label={t("action.priority.label")}
        description={t("action.priority.effect")}
        constraintText={priority !== null && <Queue priority={priority} jobs={jobs} />}
        errorText={priority === null && t("action.priority.wrong", { max: String(PRIORITY_MAX) })}
      >
        <Input
          value={text}
          inputMode="numeric"
          onChange={({ detail }) => {
            setText(detail.value);
          }}
        />
      </FormField>
    </ActionModal>
  );
}

function Queue({ priority, jobs }: { priority: number; jobs: readonly ActionJob[] }) {
  const t = useT();
  const asked = useSettled(priority);
  const regions = new Set(jobs.map(({ region }) => region));
  const [region] = regions;
  const byStatus = useQueue(asked, regions.size === 1 ? region : undefined);
  if (!byStatus || asked !== priority) return <Box variant="span">{t("action.priority.queue.asking")}</Box>;
  return (
    <>{t("action.priority.queue", { count: queueLength(byStatus, priority, jobs), priority: String(priority) })}</>
  );
}

/** Jobs by status that have a priority or a greater one. */
function useQueue(priority: number, region: string | undefined): Record<string, number> | undefined {
  const api = useApi();
  const query = { priority_from: priority, limit: 1, ...(region === undefined ? {} : { region }) };
  return useQuery({
    queryKey: ["jobs", "queue", query],
    queryFn: () => told(api.GET("/jobs", { params: { query } })),
  }).data?.counts.by_status;
}

/** A value that has stayed the same for a moment. */
function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(value);
    }, TYPED_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [value]);
  return settled;
}
