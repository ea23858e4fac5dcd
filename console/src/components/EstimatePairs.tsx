import Box from "@cloudscape-design/components/box";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useSpeech } from "../i18n";
import { useFormats } from "../i18n/formats";
import type { Estimate } from "./estimate";

/** What a job is likely to come to; what nobody can tell is said so, with why. */
export function EstimatePairs({ estimate }: { estimate: Estimate }) {
  const { t, language } = useSpeech();
  const formats = useFormats();
  const about = (text: string) => (estimate.isExact ? text : t("estimate.about", { text }));
  const money = (currency: string, total: number) =>
    new Intl.NumberFormat(language, { style: "currency", currency, maximumFractionDigits: 4 }).format(total);
  return (
    <SpaceBetween size="s">
      <KeyValuePairs
        columns={4}
        minColumnWidth={150}
        items={[
          { label: t("estimate.objects"), value: about(formats.count(estimate.objects)) },
          {
            label: t("estimate.bytes"),
            value: estimate.bytes === null ? t("estimate.no-bytes") : about(formats.bytes(estimate.bytes)),
          },
          { label: t("estimate.requests"), value: about(formats.count(estimate.requests)) },
          {
            label: t("estimate.duration"),
            value:
              estimate.seconds === null
                ? t("estimate.no-duration")
                : t("estimate.about", { text: formats.duration(estimate.seconds) }),
          },
          {
            label: t("estimate.cost"),
            value: estimate.cost
              ? t("estimate.about", { text: money(estimate.cost.currency, estimate.cost.total) })
              : t("estimate.no-cost"),
          },
        ]}
      />
      {estimate.notes.map((note) => (
        <Box key={note} color="text-body-secondary" fontSize="body-s">
          {note}
        </Box>
      ))}
    </SpaceBetween>
  );
}
