import Button from "@cloudscape-design/components/button";
import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { type QueryKey, useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";

import { useT } from "../i18n";
import { Empty } from "./Empty";
import { ErrorAlert } from "./ErrorAlert";

interface PageOf<Resource> {
  items: readonly Resource[];
  next_cursor: string | null;
}

interface ResourceTableProps<Resource> {
  title: string;
  /** `h1` where the table is the page. */
  level?: "h1" | "h2";
  description?: ReactNode;
  queryKey: QueryKey;
  /** Asks for the page behind a cursor; an empty one: the first. */
  load: (cursor: string) => Promise<PageOf<Resource>>;
  columns: readonly TableProps.ColumnDefinition<Resource>[];
  idOf: (resource: Resource) => string;
  empty: { title: string; text?: string; actions?: ReactNode };
  /** Where there are actions on one: what is chosen, and who is told. */
  selected?: Resource | null;
  /** Also told when the chosen one has changed in the list, or has gone from it. */
  onSelect?: (resource: Resource | null) => void;
  actions?: ReactNode;
  filter?: ReactNode;
}

/** A list of the service in the order in which it tells it, a page at a time. */
export function ResourceTable<Resource>(props: ResourceTableProps<Resource>) {
  const t = useT();
  const { idOf, onSelect, selected } = props;
  const pages = useInfiniteQuery({
    queryKey: props.queryKey,
    queryFn: ({ pageParam }) => props.load(pageParam),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });
  const items = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const chosen = items.filter((each) => selected != null && idOf(each) === idOf(selected));
  const now = selected == null || !pages.isSuccess ? selected : (chosen[0] ?? null);
  useEffect(() => {
    if (now !== selected && now !== undefined) onSelect?.(now);
  }, [now, selected, onSelect]);
  const key = JSON.stringify(props.queryKey);
  const keyBefore = useRef(key);
  useEffect(() => {
    if (keyBefore.current === key) return;
    keyBefore.current = key;
    onSelect?.(null); // what was chosen in another list need not be to be seen in this one
  }, [key, onSelect]);
  const reload = () => void pages.refetch();
  return (
    <SpaceBetween size="s">
      {pages.error && <ErrorAlert error={pages.error} onRetry={reload} />}
      <Table<Resource>
        variant={props.level === "h1" ? "full-page" : "container"}
        stickyHeader={props.level === "h1"}
        items={items}
        trackBy={idOf}
        columnDefinitions={props.columns}
        loading={pages.isPending}
        loadingText={t("shell.loading")}
        wrapLines
        {...(onSelect && {
          selectionType: "single",
          selectedItems: chosen,
          onSelectionChange: ({ detail }) => {
            onSelect(detail.selectedItems[0] ?? null);
          },
          onRowClick: ({ detail }) => {
            onSelect(detail.item);
          },
          ariaLabels: {
            selectionGroupLabel: t("table.selection"),
            itemSelectionLabel: (_, each) => t("table.select", { name: idOf(each) }),
          },
        })}
        header={
          <Header
            variant={props.level === "h1" ? "awsui-h1-sticky" : "h2"}
            description={props.description}
            {...(pages.isSuccess && { counter: pages.hasNextPage ? `(${items.length}+)` : `(${items.length})` })}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel={t("refresh.now")} loading={pages.isRefetching} onClick={reload} />
                {props.actions}
              </SpaceBetween>
            }
          >
            {props.title}
          </Header>
        }
        filter={props.filter}
        empty={!pages.error && <Empty {...props.empty} />}
        footer={
          pages.hasNextPage && (
            <Box textAlign="center">
              <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
                {t("table.more")}
              </Button>
            </Box>
          )
        }
      />
    </SpaceBetween>
  );
}
