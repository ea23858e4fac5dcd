import "./JobList.css";

import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import LiveRegion from "@cloudscape-design/components/live-region";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { memo, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";

import { isUnanswered, mayPass } from "../api/errors";
import { useMay } from "../api/queries";
import type { JobListPage, ListedJob } from "../api/types";
import { ErrorAlert } from "../components/ErrorAlert";
import { nameOf, offersFor } from "../components/jobActions";
import { JobActionsMenu, useJobActions, useMeans } from "../components/JobActionsMenu";
import { RefreshControl } from "../components/RefreshControl";
import { Page, useHasNavigation } from "../components/Shell";
import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { usePreferences } from "../preferences";
import { COLUMNS, useColumns } from "./JobListColumns";
import { JobListEmpty } from "./JobListEmpty";
import { JobListFilters } from "./JobListFilters";
import { JobListPager } from "./JobListPager";
import { displayOf, JobListPreferences, useListPreferences } from "./JobListPreferences";
import { useDrawn } from "./jobListDrawn";
import { type JobListAnswer, useJobList, useListState } from "./jobListState";
import { endedSince, isFiltered, withoutFilters } from "./jobListView";

const NO_JOBS: readonly ListedJob[] = [];
const SKELETON_ROWS_MAX = 20;
/** What a refresh does not change is not made again: the list is refreshed each 2 s. */
const Filters = memo(JobListFilters);
const Preferences = memo(JobListPreferences);
const ActionsMenu = memo(JobActionsMenu);

/** All jobs of the account: what they are at, and what can be done with them. */
export function JobList() {
  const t = useT();
  return (
    <Page title={t("nav.jobs")} contentType="table">
      <Jobs />
    </Page>
  );
}

function Jobs() {
  const t = useT();
  const { view, pagesBefore, isBackToFirst, show, turnTo, turnBack } = useListState();
  const preferences = useListPreferences();
  const { preferences: everywhere, prefer } = usePreferences();
  const answer = useJobList(view, preferences.pageSize);
  const { list, isLoading, refusal } = answer;
  const isOther = list.isPlaceholderData; // the answer is about another view: its counts may be seen, not its rows
  const items = isOther ? NO_JOBS : (list.data?.items ?? NO_JOBS);
  const isToldAbove = !isOther && list.data !== undefined && isUnanswered(refusal); // by the banner of the page
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [clearings, setClearings] = useState(0);
  const selected = useMemo(() => items.filter((job) => chosen.has(job.job_id)), [items, chosen]);
  const { ask, modal } = useJobActions();
  const hasListOfPages = useHasNavigation();
  const { columns: shown, drawn } = preferences;
  const means = useMeans();
  const canAct = offersFor([], means).length > 0;
  const columns = useColumns(means, ask, { shown, drawn, hasListOfPages });
  const onDrawn = useDrawn({ columns, shown, hasListOfPages, keep: preferences.keepDrawn });
  const firstPage = useCallback(() => {
    show({});
  }, [show]);
  const firstPageOfRegion = useCallback(() => {
    show({ region: "" }); // what is chosen on top takes the place of the list's own filter
  }, [show]);
  useFirstPageOfRegion(everywhere.region, firstPageOfRegion);
  return (
    <>
      <Ended items={items} />
      <Table<ListedJob>
        key={String(hasListOfPages)} // it takes widths once: with more room, or less, it begins anew
        variant="full-page"
        stickyHeader
        resizableColumns
        trackBy="job_id"
        items={items}
        columnDefinitions={columns}
        columnDisplay={displayOf(shown)}
        contentDensity={everywhere.density}
        onColumnWidthsChange={({ detail }) => {
          onDrawn(detail.widths);
        }}
        loading={isLoading}
        loadingText={t("shell.loading")}
        skeleton={{ totalRows: Math.min(preferences.pageSize, SKELETON_ROWS_MAX) }}
        {...(canAct && {
          selectionType: "multi",
          selectedItems: selected,
          onSelectionChange: ({ detail }) => {
            setChosen(new Set(detail.selectedItems.map((job) => job.job_id)));
          },
        })}
        sortingColumn={{ sortingField: view.sort }}
        sortingDescending={view.isDescending}
        onSortingChange={({ detail }) => {
          const sort = COLUMNS.find((column) => column.sort === detail.sortingColumn.sortingField)?.sort ?? view.sort;
          show({ sort, isDescending: detail.isDescending ?? false });
        }}
        ariaLabels={{
          tableLabel: t("nav.jobs"),
          selectionGroupLabel: t("jobs.select"),
          allItemsSelectionLabel: () => t("jobs.select.all"),
          itemSelectionLabel: (_, job) => t("jobs.select.one", { name: nameOf(job) }),
          resizerRoleDescription: t("jobs.resize"),
        }}
        header={
          <ListHeader answer={answer} region={view.region} selected={selected} onGone={firstPage}>
            {refusal && !isToldAbove && (
              <ErrorAlert error={refusal} header={t("jobs.failed")} onRetry={retryOf(answer, view.cursor, firstPage)} />
            )}
          </ListHeader>
        }
        filter={
          <Filters
            key={clearings} // what is typed, and not searched for yet, goes too
            view={view}
            counts={list.data?.counts}
            total={list.data?.total}
            isLoading={isLoading || isOther}
            show={show}
          />
        }
        pagination={
          <JobListPager
            pagesBefore={pagesBefore}
            limit={preferences.pageSize}
            items={items.length}
            total={isOther ? null : (list.data?.total ?? null)}
            hasBefore={view.cursor !== ""}
            isBackToFirst={isBackToFirst}
            hasNext={!isOther && list.data?.next_cursor != null}
            onBefore={turnBack}
            onNext={() => {
              turnTo(list.data?.next_cursor ?? "");
            }}
          />
        }
        preferences={<Preferences onPageSize={firstPage} />}
        empty={
          !refusal && (
            <JobListEmpty
              isFiltered={isFiltered(view) || everywhere.region !== ""}
              isLaterPage={view.cursor !== ""}
              onFirstPage={firstPage}
              onClear={() => {
                setClearings(clearings + 1);
                show(withoutFilters(view));
                prefer({ region: "" }); // the bar on top filters, too
              }}
            />
          )
        }
      />
      {modal}
    </>
  );
}

/** A page that its cursor spoils is not asked for again: the first one is. */
function retryOf({ refusal, askAgain }: JobListAnswer, cursor: string, firstPage: () => void) {
  return cursor !== "" && !mayPass(refusal) ? firstPage : askAgain;
}

interface ListHeaderProps {
  answer: JobListAnswer;
  /** Of the list's own filter, which goes before the one that is chosen on top. */
  region: string;
  selected: readonly ListedJob[];
  onGone: () => void;
  children: ReactNode;
}

function ListHeader({ answer: { list, askAgain }, region: filtered, selected, onGone, children }: ListHeaderProps) {
  const t = useT();
  const formats = useFormats();
  const { region } = usePreferences().preferences;
  const mayCreate = useMay()("create_job");
  const page: JobListPage | undefined = list.isPlaceholderData ? undefined : list.data;
  return (
    <SpaceBetween size="s">
      <Header
        variant="awsui-h1-sticky"
        counter={page && counterOf(selected.length, formats.count(page.total))}
        description={region === "" || filtered !== "" ? t("jobs.text") : t("jobs.text.region", { region })}
        actions={
          <SpaceBetween direction="horizontal" size="xs" alignItems="center">
            <RefreshControl
              updatedAt={list.isPlaceholderData ? 0 : list.dataUpdatedAt}
              isLoading={list.isLoading || list.isPlaceholderData}
              onRefresh={askAgain}
            />
            <ActionsMenu jobs={selected} onGone={onGone} />
            {mayCreate && (
              <Button variant="primary" href="/ui/jobs/create">
                {t("jobs.create")}
              </Button>
            )}
          </SpaceBetween>
        }
      >
        {t("nav.jobs")}
      </Header>
      {children}
    </SpaceBetween>
  );
}

function counterOf(selected: number, total: string): string {
  return selected > 0 ? `(${selected}/${total})` : `(${total})`;
}

/** A place in the list of one region is none in that of another. */
function useFirstPageOfRegion(region: string, showFirst: () => void): void {
  const before = useRef(region);
  useEffect(() => {
    if (before.current === region) return;
    before.current = region;
    showFirst();
  }, [region, showFirst]);
}

/** Says which jobs have ended meanwhile to whoever hears the page. */
function Ended({ items }: { items: readonly ListedJob[] }) {
  const t = useT();
  const [before, setBefore] = useState(items);
  const [said, setSaid] = useState("");
  if (before !== items) {
    setBefore(items);
    const ended = endedSince(before, items);
    if (ended.length > 0) {
      setSaid(ended.map((job) => t("jobs.ended", { name: nameOf(job), status: t(`status.${job.status}`) })).join(" "));
    }
  }
  return <LiveRegion hidden>{said}</LiveRegion>;
}
