import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Icon from "@cloudscape-design/components/icon";
import Link from "@cloudscape-design/components/link";
import Modal from "@cloudscape-design/components/modal";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import Toggle from "@cloudscape-design/components/toggle";
import { useEffect, useRef, useState } from "react";

import { type ObjectPage, type Sight, useObjects } from "../api/stores";
import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";
import { ErrorAlert } from "./ErrorAlert";
import { crumbsOf, folderOf, looksLikeManifest, nameIn } from "./objectNames";
import { AbsoluteTime } from "./RelativeTime";

interface ObjectBrowserProps {
  sight: Sight;
  bucket: string;
  /** The key that is chosen so far; its folder is shown first. */
  value: string;
  onChoose: (key: string) => void;
  onClose: () => void;
}

/** A row: a folder, or an object. */
interface Entry {
  key: string;
  object: ObjectPage["items"][number] | null;
}

/** Looks for a manifest in a bucket, folder by folder. Shown as long as it is rendered. */
export function ObjectBrowser({ sight, bucket, value, onChoose, onClose }: ObjectBrowserProps) {
  const t = useT();
  const [folder, setFolder] = useState(() => folderOf(value));
  const [chosen, setChosen] = useState<string | null>(null);
  const open = (next: string) => {
    setFolder(next);
    setChosen(null);
  };
  return (
    <Modal
      visible
      size="x-large"
      header={t("browse.title")}
      closeAriaLabel={t("browse.close")}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {t("browse.cancel")}
            </Button>
            <Button
              variant="primary"
              disabled={chosen === null}
              onClick={() => {
                if (chosen !== null) onChoose(chosen);
              }}
            >
              {t("browse.choose")}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Way bucket={bucket} folder={folder} onOpen={open} />
        <Folder
          key={folder}
          sight={sight}
          bucket={bucket}
          folder={folder}
          chosen={chosen}
          onSelect={setChosen}
          onOpen={open}
        />
      </SpaceBetween>
    </Modal>
  );
}

interface WayProps {
  bucket: string;
  folder: string;
  onOpen: (folder: string) => void;
}

function Way({ bucket, folder, onOpen }: WayProps) {
  const t = useT();
  const crumbs = crumbsOf(bucket, folder);
  const here = useRef<HTMLSpanElement>(null);
  const shown = useRef(folder);
  useEffect(() => {
    if (shown.current === folder) return;
    shown.current = folder;
    here.current?.focus(); // what was pressed to come here is gone, and with it the place of who uses the keyboard
  }, [folder]);
  return (
    <nav aria-label={t("browse.way")}>
      <SpaceBetween direction="horizontal" size="xxs" alignItems="center">
        {crumbs.map(({ name, prefix }, index) => (
          <span key={prefix} className="crumb">
            {index > 0 && <Icon name="angle-right" size="small" variant="subtle" />}
            {index === crumbs.length - 1 ? (
              <span ref={here} className="mono" aria-current="location" tabIndex={-1}>
                {name}
              </span>
            ) : (
              <Link
                onFollow={() => {
                  onOpen(prefix);
                }}
              >
                {name}
              </Link>
            )}
          </span>
        ))}
      </SpaceBetween>
    </nav>
  );
}

interface FolderProps extends WayProps {
  sight: Sight;
  chosen: string | null;
  onSelect: (key: string | null) => void;
}

function Folder({ sight, bucket, folder, chosen, onSelect, onOpen }: FolderProps) {
  const t = useT();
  const [beginning, setBeginning] = useState("");
  const [shownBeginning, setShownBeginning] = useState("");
  const [isFiltered, setFiltered] = useState(true);
  const [cursors, setCursors] = useState<readonly string[]>([""]);
  const [at, setAt] = useState(0);
  const page = useObjects(sight, bucket, folder + beginning, cursors[at] ?? "");
  const objects = (page.data?.items ?? []).filter(({ key }) => key !== folder);
  const shown = isFiltered ? objects.filter(({ key }) => looksLikeManifest(key)) : objects;
  const hidden = objects.length - shown.length;
  const entries: Entry[] = [
    ...(page.data?.folders ?? []).map((key) => ({ key, object: null })),
    ...shown.map((object) => ({ key: object.key, object })),
  ];
  const isSeen = chosen === null || (!page.isError && entries.some(({ key }) => key === chosen));
  useEffect(() => {
    if (!isSeen) onSelect(null);
  }, [isSeen, onSelect]);
  const columns = useColumns(folder, onOpen);
  const next = page.data?.next_cursor ?? null;
  const turn = (index: number) => {
    if (index > at && next !== null) setCursors((before) => [...before.slice(0, at + 1), next]);
    setAt(index);
  };
  if (page.isError) return <ErrorAlert error={page.error} onRetry={() => void page.refetch()} />;
  return (
    <Table<Entry>
      variant="borderless"
      contentDensity="compact"
      wrapLines
      items={entries}
      trackBy="key"
      columnDefinitions={columns}
      loading={page.isPending}
      loadingText={t("shell.loading")}
      selectionType="single"
      selectedItems={entries.filter(({ key }) => key === chosen)}
      isItemDisabled={({ object }) => object === null}
      onSelectionChange={({ detail }) => {
        const [entry] = detail.selectedItems;
        if (entry) onSelect(entry.key);
      }}
      onRowClick={({ detail }) => {
        if (detail.item.object) onSelect(detail.item.key);
      }}
      ariaLabels={{
        tableLabel: t("browse.title"),
        selectionGroupLabel: t("browse.selection"),
        itemSelectionLabel: (_, { key }) => nameIn(folder, key),
      }}
      filter={
        <SpaceBetween size="xs">
          <TextFilter
            filteringText={shownBeginning}
            filteringPlaceholder={t("browse.beginning")}
            filteringAriaLabel={t("browse.beginning")}
            filteringClearAriaLabel={t("browse.clear")}
            onChange={({ detail }) => {
              setShownBeginning(detail.filteringText);
            }}
            onDelayedChange={({ detail }) => {
              setBeginning(detail.filteringText);
              setCursors([""]);
              setAt(0);
            }}
          />
          <Toggle
            checked={isFiltered}
            onChange={({ detail }) => {
              setFiltered(detail.checked);
            }}
          >
            {t("browse.manifests-only")}
          </Toggle>
        </SpaceBetween>
      }
      pagination={
        (at > 0 || next !== null) && (
          <Pagination
            currentPageIndex={at + 1}
            pagesCount={next !== null ? at + 2 : at + 1}
            openEnd={next !== null}
            disabled={page.isPending}
            ariaLabels={{
              paginationLabel: t("browse.pages"),
              nextPageLabel: t("browse.next"),
              previousPageLabel: t("browse.previous"),
              pageLabel: (number) => t("browse.page", { number }),
            }}
            onChange={({ detail }) => {
              turn(detail.currentPageIndex - 1);
            }}
          />
        )
      }
      footer={
        hidden > 0 && (
          <Box color="text-body-secondary" fontSize="body-s">
            {t("browse.hidden", { hidden })}
          </Box>
        )
      }
      empty={
        <Box textAlign="center" color="text-body-secondary">
          {t(hidden > 0 ? "browse.none-of-kind" : beginning ? "browse.none-begins" : "browse.empty")}
        </Box>
      }
    />
  );
}

function useColumns(folder: string, onOpen: (folder: string) => void): TableProps.ColumnDefinition<Entry>[] {
  const t = useT();
  const formats = useFormats();
  return [
    {
      id: "name",
      header: t("browse.name"),
      isRowHeader: true,
      cell: ({ key, object }) =>
        object ? (
          <span className="mono">{nameIn(folder, key)}</span>
        ) : (
          <>
            <Icon name="folder" variant="subtle" />{" "}
            <Link
              onFollow={() => {
                onOpen(key);
              }}
            >
              {nameIn(folder, key)}
            </Link>
          </>
        ),
    },
    {
      id: "size",
      header: t("browse.size"),
      width: 120,
      cell: ({ object }) => object && formats.bytes(object.size_bytes),
    },
    {
      id: "modified",
      header: t("browse.modified"),
      minWidth: 260,
      cell: ({ object }) => object && <AbsoluteTime at={object.last_modified} />,
    },
  ];
}
