import Box from "@cloudscape-design/components/box";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";

import { useSpeech, useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { type Estimate, estimateWordsOf } from "./estimate";

/** What a job comes to: objects, bytes, requests, duration, cost. */
export function EstimateCard({ estimate }: { estimate: Estimate }) {
  const t = useT();
  const formats = useFormats();
  const { cost } = estimate;
  const priceMissing = t("check.estimate.price-missing");
  return (
    <SpaceBetween size="m">
      <KeyValuePairs
        columns={4}
        minColumnWidth={140}
        items={[
          { label: t("check.estimate.objects"), value: formats.count(estimate.objects) },
          {
            label: t("check.estimate.size"),
            value: estimate.sizeBytes === null ? t("check.estimate.unknown") : formats.bytes(estimate.sizeBytes),
          },
          { label: t("check.estimate.parts"), value: formats.count(estimate.objectsInParts) },
          { label: t("check.estimate.requests"), value: formats.count(estimate.totalRequests) },
          {
            label: t("check.estimate.duration"),
            value:
              estimate.durationSeconds === null ? (
                t("check.estimate.duration.unknown")
              ) : (
                <>
                  {formats.duration(estimate.durationSeconds)}
                  <Box fontSize="body-s" color="text-body-secondary">
                    {t("check.estimate.measured", { count: estimate.measuredJobs })}
                  </Box>
                </>
              ),
          },
          {
            label: t("check.estimate.cost"),
            value:
              cost?.total == null
                ? priceMissing
                : t("check.estimate.money", { amount: formats.money(cost.total), currency: cost.currency }),
          },
        ]}
      />
      {!estimate.isExact && <Box color="text-body-secondary">{t("check.estimate.about")}</Box>}
      <ColumnLayout columns={2} minColumnWidth={360}>
        <Requests estimate={estimate} />
        {cost && cost.lines.length > 0 && <CostLines cost={cost} />}
      </ColumnLayout>
      {estimate.notes.length > 0 && (
        <div>
          <Box variant="awsui-key-label">{t("check.estimate.notes")}</Box>
          {estimate.notes.map((note) => (
            <div key={note}>
              <Words text={note} />
            </div>
          ))}
        </div>
      )}
    </SpaceBetween>
  );
}

function Words({ text }: { text: string }) {
  const t = useT();
  const spoken = estimateWordsOf(text);
  return <>{spoken ? t(spoken.key, spoken.values) : text}</>;
}

function Requests({ estimate }: { estimate: Estimate }) {
  const { t, has } = useSpeech();
  const formats = useFormats();
  return (
    <Table
      variant="borderless"
      contentDensity="compact"
      wrapLines
      items={estimate.requests}
      trackBy="kind"
      ariaLabels={{ tableLabel: t("check.estimate.by-kind") }}
      columnDefinitions={[
        {
          id: "kind",
          header: t("check.estimate.kind"),
          isRowHeader: true,
          cell: ({ kind }) => {
            const key = `check.request.${kind}`;
            return has(key) ? t(key) : kind;
          },
        },
        { id: "count", header: t("check.estimate.requests"), cell: ({ count }) => formats.count(count) },
      ]}
    />
  );
}

function CostLines({ cost }: { cost: NonNullable<Estimate["cost"]> }) {
  const t = useT();
  const formats = useFormats();
  return (
    <Table
      variant="borderless"
      contentDensity="compact"
      wrapLines
      items={cost.lines}
      trackBy="what"
      ariaLabels={{ tableLabel: t("check.estimate.cost") }}
      columnDefinitions={[
        {
          id: "what",
          header: t("check.estimate.cost.what"),
          isRowHeader: true,
          cell: ({ what }) => <Words text={what} />,
        },
        {
          id: "quantity",
          minWidth: 130, // else its heading breaks beside long names of what is paid for
          header: t("check.estimate.cost.quantity"),
          cell: ({ quantity }) => (Number.isInteger(quantity) ? formats.count(quantity) : formats.rate(quantity)),
        },
        {
          id: "amount",
          header: t("check.estimate.cost.amount"),
          cell: ({ amount }) =>
            amount === null
              ? t("check.estimate.price-missing")
              : t("check.estimate.money", { amount: formats.money(amount), currency: cost.currency }),
        },
      ]}
    />
  );
}
