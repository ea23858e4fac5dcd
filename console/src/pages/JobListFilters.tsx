import PropertyFilter, { type PropertyFilterProps } from "@cloudscape-design/components/property-filter";
import SpaceBetween from "@cloudscape-design/components/space-between";
import TextFilter from "@cloudscape-design/components/text-filter";
import ToggleButton from "@cloudscape-design/components/toggle-button";
import { useEffect, useRef, useState } from "react";

import { useCapabilities } from "../api/queries";
import type { JobListPage } from "../api/types";
import { FilterDay } from "../components/FilterDay";
import { UnreadFilter } from "../components/UnreadFilter";
import { type Translate, useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { usePreferences } from "../preferences";
import { changeOf, PROPERTIES, type Property, tokensOf, unreadOf } from "./jobListTokens";
import { GROUPS, isFiltered, type JobListView, OPERATIONS, STATUSES } from "./jobListView";

interface FiltersProps {
  view: JobListView;
  counts: JobListPage["counts"] | undefined;
  total: number | undefined;
  /** Whether what there is belongs to another view, or is not there yet. */
  isLoading: boolean;
  show: (change: Partial<JobListView>, isTyping?: boolean) => void;
}

/** Which jobs are seen: by kind of status in one row, by words and by exact properties in the next. */
export function JobListFilters({ view, counts, total, isLoading, show }: FiltersProps) {
  const t = useT();
  const countText = total !== undefined && !isLoading && isFiltered(view) ? t("jobs.matches", { count: total }) : "";
  return (
    <SpaceBetween size="s">
      <QuickFilters view={view} counts={counts} show={show} />
      <div className="job-filters">
        <Search q={view.q} show={show} />
        <Properties view={view} countText={countText} isLoading={isLoading} show={show} />
      </div>
    </SpaceBetween>
  );
}

type Show = FiltersProps["show"];

function QuickFilters({ view, counts, show }: Pick<FiltersProps, "view" | "counts" | "show">) {
  const t = useT();
  const formats = useFormats();
  const all = counts && Object.values(counts.by_status).reduce((sum, count) => sum + count, 0);
  const counted = (text: string, count: number | undefined) =>
    count === undefined ? text : t("jobs.group.counted", { text, count: formats.count(count) });
  return (
    <div role="group" aria-label={t("jobs.groups")}>
      <SpaceBetween direction="horizontal" size="xxs">
        <ToggleButton
          pressed={view.group === null && view.statuses.length === 0}
          onChange={() => {
            show({ group: null, statuses: [] });
          }}
        >
          {counted(t("group.all"), all)}
        </ToggleButton>
        {GROUPS.map((group) => (
          <ToggleButton
            key={group}
            pressed={view.group === group}
            onChange={() => {
              show({ group: view.group === group ? null : group, statuses: [] });
            }}
          >
            {counted(t(`group.${group}`), counts && (counts.by_group[group] ?? 0))}
          </ToggleButton>
        ))}
      </SpaceBetween>
    </div>
  );
}

const TYPED_MS = 300;

/** What is typed is searched for when the hand rests. */
function Search({ q, show }: { q: string; show: Show }) {
  const t = useT();
  const [typed, setTyped] = useState(q);
  const [sent, setSent] = useState(q);
  const [known, setKnown] = useState(q);
  if (known !== q) {
    setKnown(q);
    // Unless it is what was typed here, somebody else changed the view: a link, the way back, a cleared filter.
    if (q !== sent) {
      setSent(q);
      setTyped(q);
    }
  }
  const latest = useRef(show);
  useEffect(() => {
    latest.current = show;
  });
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === sent) return undefined;
    const timer = setTimeout(() => {
      setSent(wanted);
      latest.current({ q: wanted }, true);
    }, TYPED_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [typed, sent]);
  return (
    <TextFilter
      filteringText={typed}
      filteringPlaceholder={t("jobs.search")}
      filteringAriaLabel={t("jobs.search")}
      onChange={({ detail }) => {
        setTyped(detail.filteringText);
      }}
    />
  );
}

interface PropertiesProps {
  view: JobListView;
  countText: string;
  isLoading: boolean;
  show: Show;
}

function Properties({ view, countText, isLoading, show }: PropertiesProps) {
  const t = useT();
  const regions = useCapabilities().data?.regions.map(({ name }) => name) ?? [];
  const { region } = usePreferences().preferences;
  const unread = unreadOf(view).map(({ property, value }) => ({
    label: t(`jobs.filter.${property}`),
    value,
    kind: "day" as const,
  }));
  const offered = PROPERTIES.filter((property) => property !== "region" || region === "" || view.region !== "");
  return (
    <PropertyFilter
      query={{ tokens: tokensOf(view), operation: "and" }}
      readOnlyOperations
      disableFreeTextFiltering
      filteringPlaceholder={t("jobs.filter")}
      filteringAriaLabel={t("jobs.filter")}
      filteringEmpty={t("filter.none")}
      filteringConstraintText={unread.length > 0 && <UnreadFilter of={unread} />}
      countText={countText}
      loading={isLoading}
      expandToViewport
      filteringProperties={offered.map((property) => shapeOf(property, t))}
      filteringOptions={[
        ...STATUSES.map((value) => ({ propertyKey: "status", value, label: t(`status.${value}`) })),
        ...OPERATIONS.map((value) => ({ propertyKey: "operation", value, label: t(`operation.${value}`) })),
        ...regions.map((value) => ({ propertyKey: "region", value })),
      ]}
      onChange={({ detail }) => {
        show(changeOf(detail.tokens, view));
      }}
    />
  );
}

function shapeOf(property: Property, t: Translate): PropertyFilterProps.FilteringProperty {
  return {
    key: property,
    propertyLabel: t(`jobs.filter.${property}`),
    groupValuesLabel: t(`jobs.filter.${property}`),
    operators: [operatorOf(property, t)],
    defaultOperator: property === "from" ? ">=" : property === "to" ? "<=" : "=",
  };
}

function operatorOf(property: Property, t: Translate) {
  switch (property) {
    case "status":
      return { operator: "=", tokenType: "enum" as const };
    case "operation":
      return {
        operator: "=",
        format: (value: unknown) => labelOf(OPERATIONS, value, (each) => t(`operation.${each}`)),
      };
    case "from":
      return { operator: ">=", form: FilterDay };
    case "to":
      return { operator: "<=", form: FilterDay };
    case "region":
    case "creator":
      return { operator: "=" };
  }
}

function labelOf<Word extends string>(words: readonly Word[], value: unknown, say: (word: Word) => string): string {
  const word = words.find((each) => each === value);
  return word ? say(word) : String(value);
}
