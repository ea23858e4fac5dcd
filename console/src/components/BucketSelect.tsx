import Autosuggest from "@cloudscape-design/components/autosuggest";

import { ApiError } from "../api/errors";
import { useBuckets } from "../api/stores";
import { useSpeech } from "../i18n";

interface BucketSelectProps {
  region: string;
  /** With whose rights buckets are listed; empty: with the region's own, which is for admins. */
  roleArn: string;
  value: string;
  onChange: (bucket: string) => void;
  ariaLabel?: string;
  placeholder?: string;
}

/** A bucket's name: proposed from those that may be listed, and free to be another, for not every role may list. */
export function BucketSelect({ region, roleArn, value, onChange, ariaLabel, placeholder }: BucketSelectProps) {
  const { t, retold } = useSpeech();
  const buckets = useBuckets({ region, roleArn });
  const isAsked = region !== "";
  return (
    <Autosuggest
      value={value}
      options={(buckets.data ?? []).map(({ name, store_region: place }) => ({
        value: name,
        ...(place ? { description: place } : {}),
      }))}
      placeholder={placeholder ?? t("bucket-select.placeholder")}
      {...(ariaLabel ? { ariaLabel } : {})}
      enteredTextLabel={(text) => t("bucket-select.use", { text })}
      empty={t(isAsked ? "bucket-select.none" : "bucket-select.region-first")}
      clearAriaLabel={t("bucket-select.clear")}
      statusType={isAsked && buckets.isPending ? "loading" : buckets.isError ? "error" : "finished"}
      loadingText={t("shell.loading")}
      errorText={t("bucket-select.failed", { why: retold(whyNot(buckets.error)) })}
      recoveryText={t("error.retry")}
      onLoadItems={({ detail }) => {
        if (detail.samePage && buckets.isError) void buckets.refetch();
      }}
      onChange={({ detail }) => {
        onChange(detail.value.trim());
      }}
    />
  );
}

/** In the service's words, with its first way out. */
function whyNot(error: Error | null): string {
  if (!(error instanceof ApiError)) return error?.message ?? "";
  const [fault] = error.faults;
  if (!fault) return error.message;
  return `${error.message}: ${fault.problem}${fault.way_out ? `; ${fault.way_out}` : ""}`;
}
