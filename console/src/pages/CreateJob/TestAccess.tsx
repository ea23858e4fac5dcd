import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useMutation } from "@tanstack/react-query";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import type { Schemas } from "../../api/types";
import { ErrorAlert } from "../../components/ErrorAlert";
import { useSpeech } from "../../i18n";
import { toJobForm } from "./form";
import type { StepProps } from "./model";

const PURPOSES = {
  "manifest read": "manifest",
  "source read": "source",
  "target write": "target",
  "report write": "report",
} as const satisfies Record<Schemas["Purpose"], string>;
const VERDICTS = { may: "success", "may not": "error", "not tested": "pending" } as const satisfies Record<
  Schemas["Verdict"],
  string
>;

/** Asks whether the chosen role may do all that the job would do, with the inventory and buckets as they are chosen. */
export function TestAccess({ draft, capabilities }: StepProps) {
  const { t, retold } = useSpeech();
  const api = useApi();
  const tried = useMutation({
    mutationFn: () => {
      const job = toJobForm(draft, capabilities);
      return told(
        api.POST("/roles/{role_arn}:test", { params: { path: { role_arn: draft.role_arn } }, body: { job } }),
      );
    },
  });
  return (
    <SpaceBetween size="s">
      <Button
        loading={tried.isPending}
        loadingText={t("other.test.running")}
        onClick={() => {
          tried.mutate();
        }}
      >
        {t("other.test")}
      </Button>
      <div aria-live="polite">
        {tried.error && <ErrorAlert error={tried.error} header={t("other.test.failed")} />}
        {tried.data && (
          <SpaceBetween size="xs">
            {tried.data.accesses.map(({ purpose, verdict, detail }) => (
              <div key={`${purpose} ${detail}`}>
                <StatusIndicator type={VERDICTS[verdict]}>
                  {t(`other.test.${PURPOSES[purpose]}`)}: {t(`other.verdict.${VERDICTS[verdict]}`)}
                </StatusIndicator>
                {verdict !== "may" && (
                  <Box color="text-body-secondary" fontSize="body-s" padding={{ left: "l" }}>
                    {retold(detail)}
                  </Box>
                )}
              </div>
            ))}
            {!tried.data.is_narrowed && (
              <Box color="text-body-secondary" fontSize="body-s">
                {t("other.test.wide")}
              </Box>
            )}
          </SpaceBetween>
        )}
      </div>
    </SpaceBetween>
  );
}
