import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import LineChart, { type LineChartProps } from "@cloudscape-design/components/line-chart";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMemo, useState } from "react";

import type { Schemas } from "../api/types";
import { type TextKey, useSpeech, useT } from "../i18n";
import { type Formats, useFormats } from "../i18n/formats";
import { usePreferences } from "../preferences";
import { Empty } from "./Empty";
import { ErrorAlert } from "./ErrorAlert";
import { drawn, type Throughput, throughputOf, tickFormat, topOf } from "./throughput";
import { ThroughputTable } from "./ThroughputTable";

export type SeriesRange = Schemas["SeriesRange"];
const RANGES: readonly SeriesRange[] = ["15m", "1h", "all"];
const UNITS = ["objects", "bytes"] as const;
type Unit = (typeof UNITS)[number];
/** Of the kit's palette: like the progress bar, and to be told apart from both themes' backgrounds. */
const SUCCEEDED = "#688ae8";
const FAILED = "#d63f38";

interface ThroughputChartProps {
  /** Undefined: it is being asked for. */
  series: Schemas["SeriesView"] | undefined;
  error: unknown;
  onRetry: () => void;
  range: SeriesRange;
  onRange: (range: SeriesRange) => void;
  /** Whether more may come. */
  isFinal: boolean;
  /** Whether the sizes of what it did are known. */
  hasSizes: boolean;
}

/** How many objects or bytes a job did in each second, over time; and the same as a table. */
export function ThroughputChart({ series, error, onRetry, range, onRange, isFinal, hasSizes }: ThroughputChartProps) {
  const t = useT();
  const [unit, setUnit] = useState<Unit>("objects");
  const found = useMemo(
    () => throughputOf(series?.points ?? [], { bucketSeconds: series?.bucket_seconds ?? 1, isFinal }),
    [series, isFinal],
  );
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <SpaceBetween direction="horizontal" size="s">
              <SegmentedControl
                label={t("job.throughput.unit")}
                selectedId={unit}
                options={UNITS.map((id) => ({ id, text: t(`job.throughput.unit.${id}`) }))}
                onChange={({ detail }) => {
                  setUnit(UNITS.find((each) => each === detail.selectedId) ?? "objects");
                }}
              />
              <SegmentedControl
                label={t("job.throughput.range")}
                selectedId={range}
                options={RANGES.map((id) => ({ id, text: t(`job.throughput.range.${id}`) }))}
                onChange={({ detail }) => {
                  onRange(RANGES.find((each) => each === detail.selectedId) ?? "all");
                }}
              />
            </SpaceBetween>
          }
        >
          {t("job.throughput")}
        </Header>
      }
    >
      {series === undefined && error != null ? (
        <ErrorAlert error={error} header={t("job.throughput.failed")} onRetry={onRetry} />
      ) : (
        <SpaceBetween size="s">
          {unit === "bytes" && !hasSizes ? (
            <Box color="text-body-secondary">{t("check.estimate.unknown")}</Box>
          ) : (
            <Lines found={drawn(found)} unit={unit} isLoading={series === undefined} isFinal={isFinal} />
          )}
          {found.length > 0 && (
            <ExpandableSection headerText={t("job.throughput.table")}>
              <ThroughputTable found={found} hasSizes={hasSizes} />
            </ExpandableSection>
          )}
        </SpaceBetween>
      )}
    </Container>
  );
}

interface LinesProps {
  found: readonly Throughput[];
  unit: Unit;
  isLoading: boolean;
  isFinal: boolean;
}

function Lines({ found, unit, isLoading, isFinal }: LinesProps) {
  const t = useT();
  const formats = useFormats();
  const series = useMemo(() => linesOf(found, unit, t, formats), [found, unit, t, formats]);
  const { language } = useSpeech();
  const { timeZone } = usePreferences().preferences;
  const first = found[0];
  const last = found.at(-1);
  const spanMs = first && last ? Date.parse(last.at) - Date.parse(first.at) : 0;
  return (
    <LineChart
      height={220}
      hideFilter
      series={series}
      xScaleType="time"
      {...(first && last ? { xDomain: [new Date(first.at), new Date(last.at)] } : {})}
      yDomain={[0, topOf(series.flatMap(({ data }) => data.map(({ y }) => y)))]}
      xTitle={t("job.throughput.time")}
      yTitle={t(`job.throughput.unit.${unit}`)}
      ariaLabel={t("job.throughput")}
      ariaDescription={t("job.throughput.description")}
      i18nStrings={{
        xTickFormatter: tickFormat(language, timeZone, spanMs),
        yTickFormatter: (value) => formats.rate(value),
        detailPopoverDismissAriaLabel: t("job.throughput.close"),
      }}
      statusType={isLoading ? "loading" : "finished"}
      empty={<Empty title={t(isFinal ? "job.throughput.none" : "job.throughput.not-yet")} />}
    />
  );
}

type Line = Extract<LineChartProps<Date>["series"][number], { type: "line" }>;

function linesOf(found: readonly Throughput[], unit: Unit, t: (key: TextKey) => string, formats: Formats): Line[] {
  if (found.length === 0) return [];
  const line = (title: string, color: string, valueOf: (each: Throughput) => number): Line => ({
    type: "line",
    title,
    color,
    data: found.map((each) => ({ x: new Date(each.at), y: valueOf(each) })),
    valueFormatter: (value: number) => formats.rate(value),
  });
  if (unit === "bytes") return [line(t("job.throughput.unit.bytes"), SUCCEEDED, ({ bytes }) => bytes / 1e6)];
  return [
    line(t("job.throughput.succeeded"), SUCCEEDED, ({ succeeded }) => succeeded),
    line(t("job.throughput.failed-objects"), FAILED, ({ failed }) => failed),
  ];
}
