import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { rangeOf } from "./jobListView";

interface PagerProps {
  /** Null: the page was come to by its address, and nobody knows which one it is. */
  pagesBefore: number | null;
  limit: number;
  items: number;
  /** Null: it was not told. */
  total: number | null;
  hasBefore: boolean;
  /** Whether it is the first page that one is turned back to. */
  isBackToFirst: boolean;
  hasNext: boolean;
  onBefore: () => void;
  onNext: () => void;
}

/** Turns the pages of a list that is read from a place on, not by numbers of pages. */
export function JobListPager(props: PagerProps) {
  const { pagesBefore, limit, items, total, hasBefore, isBackToFirst, hasNext, onBefore, onNext } = props;
  const t = useT();
  const formats = useFormats();
  const range = pagesBefore === null ? null : rangeOf(pagesBefore, limit, items);
  const ofAll = formats.count(total ?? 0);
  return (
    <SpaceBetween direction="horizontal" size="xs" alignItems="center">
      <Button
        variant="icon"
        iconName="angle-left"
        ariaLabel={t(isBackToFirst ? "jobs.page.first" : "jobs.page.before")}
        disabled={!hasBefore}
        onClick={onBefore}
      />
      {total !== null && (
        <Box color="text-body-secondary">
          {range
            ? t("jobs.page.range", { first: formats.count(range.first), last: formats.count(range.last), total: ofAll })
            : t("jobs.page.total", { total: ofAll })}
        </Box>
      )}
      <Button
        variant="icon"
        iconName="angle-right"
        ariaLabel={t("jobs.page.next")}
        disabled={!hasNext}
        onClick={onNext}
      />
    </SpaceBetween>
  );
}
