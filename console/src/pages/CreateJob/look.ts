import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import type { Capabilities, Schemas } from "../../api/types";
import { CSV, isMapped } from "./columns";
import type { Draft, Look, ManifestLook } from "./model";
import { writePlace } from "./places";

type LookForm = Schemas["LookForm"];

/** How long nothing has to be typed before the inventory is read. */
const SETTLED_MS = 500;
const FRESH_MS = 60_000;

/** The body of POST /manifests:inspect; null while something is missing without which nothing can be read. */
export function lookForm(draft: Draft, { regions }: Pick<Capabilities, "regions">): LookForm | null {
  const { location, spec } = draft.manifest;
  if (!draft.region || !location.bucket.trim() || !location.key.trim()) return null;
  const isInventory = spec.format !== "" && spec.format !== CSV;
  // Of what format the file is, its content tells, whatever was chosen before.
  const isUnread = spec.format_is_chosen && location.etag === "";
  return {
    region: draft.region,
    role_arn: draft.role_arn,
    manifest: {
      location: {
        object_arn: writePlace({ ...location, region: draft.region }, { regions }),
        object_version_id: location.object_version_id,
      },
      spec: {
        format: isUnread ? null : spec.format || null,
        // Columns that are mapped in part would be faulty: until they are whole they are guessed.
        fields: isInventory || !isMapped(spec.fields) ? [] : [...spec.fields],
        key_encoding: isInventory ? "url" : spec.key_encoding,
      },
    },
  };
}

export interface OwnLook extends Look {
  /** Reads what the draft names this moment, whatever was read before. */
  readonly readNow: () => Promise<ManifestLook>;
}

/** Reads the inventory that a draft names, half a second after the last change. */
export function useLook(draft: Draft, capabilities: Capabilities, { isOff }: { isOff: boolean }): OwnLook {
  const api = useApi();
  const queries = useQueryClient();
  const form = isOff ? null : lookForm(draft, capabilities);
  const wanted = form ? JSON.stringify(form) : "";
  const asked = useSettled(wanted);
  const options = (written: string) => ({
    queryKey: ["manifest-look", written],
    queryFn: () => told(api.POST("/manifests:inspect", { body: JSON.parse(written) as LookForm })),
  });
  const { data, error, isFetching, refetch } = useQuery({
    ...options(asked),
    enabled: asked !== "",
    staleTime: FRESH_MS,
    refetchOnWindowFocus: false,
    placeholderData: (before: ManifestLook | undefined, query) =>
      isSamePlace(String(query?.queryKey[1] ?? ""), asked) ? before : undefined,
  });
  return {
    // What is shown is never another file's, not even while one types.
    data: error || !isSamePlace(asked, wanted) ? undefined : data,
    error: isSamePlace(asked, wanted) ? error : null,
    isFetching: isFetching || wanted !== asked,
    isAsked: form !== null,
    read: () => {
      void refetch();
    },
    readNow: () => queries.fetchQuery({ ...options(wanted), staleTime: 0 }),
  };
}

/** Whether two readings were of one inventory, mapped otherwise. */
function isSamePlace(before: string, after: string): boolean {
  if (!before || !after) return false;
  const place = (written: string) => {
    const form = JSON.parse(written) as LookForm;
    return JSON.stringify([form.region, form.role_arn, form.manifest.location]);
  };
  return place(before) === place(after);
}

function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(value);
    }, SETTLED_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [value]);
  return settled;
}
