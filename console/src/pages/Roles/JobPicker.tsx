import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Link from "@cloudscape-design/components/link";
import Select from "@cloudscape-design/components/select";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import { useMay } from "../../api/queries";
import type { JobForm, ListedJob } from "../../api/types";
import { nameOf, shortId } from "../../components/jobActions";
import { useSpeech } from "../../i18n";
import { useFormats } from "../../i18n/formats";

const RECENT = 25;
const TYPING_MS = 300;

interface JobPickerProps {
  description: string;
  value: ListedJob | null;
  onChange: (job: ListedJob) => void;
}

/** One of the account's jobs, the newest first; others are found by id or description. */
export function JobPicker({ description, value, onChange }: JobPickerProps) {
  const { t, retold } = useSpeech();
  const api = useApi();
  const may = useMay();
  const formats = useFormats();
  const [typed, setTyped] = useState("");
  const q = useSettled(typed);
  const jobs = useQuery({
    queryKey: ["jobs", "pick", q],
    queryFn: () => told(api.GET("/jobs", { params: { query: { q, limit: RECENT } } })),
  });
  const found = jobs.data?.items ?? [];
  const optionOf = (job: ListedJob) => ({
    value: job.job_id,
    label: nameOf(job),
    labelTag: formats.time(job.creation_time),
    description: [t(`operation.${job.operation_name}`), job.region, shortId(job.job_id)].join(", "),
  });
  const hasNone = jobs.isSuccess && q === "" && found.length === 0;
  return (
    <FormField
      label={t("roles.job")}
      description={description}
      stretch
      constraintText={
        hasNone && (
          <>
            {t("roles.job.none")} {may("create_job") && <Link href="/ui/jobs/create">{t("jobs.create")}</Link>}
          </>
        )
      }
    >
      <Select
        filteringType="manual"
        filteringPlaceholder={t("roles.job.find")}
        filteringAriaLabel={t("roles.job.find")}
        placeholder={t("roles.job.choose")}
        selectedOption={value && optionOf(value)}
        options={found.map(optionOf)}
        statusType={jobs.isPending || typed !== q ? "loading" : jobs.isError ? "error" : "finished"}
        loadingText={t("shell.loading")}
        errorText={retold(jobs.error?.message ?? "")}
        recoveryText={t("error.retry")}
        empty={<Box color="inherit">{t("jobs.empty.filtered")}</Box>}
        onLoadItems={({ detail }) => {
          setTyped(detail.filteringText);
          if (jobs.isError) void jobs.refetch();
        }}
        onChange={({ detail }) => {
          const job = found.find(({ job_id: id }) => id === detail.selectedOption.value);
          if (job) onChange(job);
        }}
      />
    </FormField>
  );
}

/**
 * Asks for the document of a listed job: lists do not tell it. A retry reads a manifest of the service's own, which
 * nobody can ask about: it needs what the job needs whose failures it does again.
 */
export function useDocumentOf(): (job: ListedJob) => Promise<JobForm> {
  const api = useApi();
  const documentOf = async (id: string): Promise<JobForm> => {
    const { request } = await told(api.GET("/jobs/{job_id}", { params: { path: { job_id: id } } }));
    const retried = request.manifest.location.retry_of;
    return retried ? documentOf(retried.job_id) : request;
  };
  return (job) => documentOf(job.job_id);
}

/** A text, once no more of it is typed. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(text);
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  return settled;
}
