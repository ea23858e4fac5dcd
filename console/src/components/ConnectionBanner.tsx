import Alert from "@cloudscape-design/components/alert";
import { useQueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

import { mayPass } from "../api/errors";
import { useT } from "../i18n";
import { useFormats } from "../i18n/formats";

/** Says so while what is shown is old, because nothing answers any more. */
export function ConnectionBanner() {
  const t = useT();
  const formats = useFormats();
  const cache = useQueryClient().getQueryCache();
  const staleSince = useSyncExternalStore(
    (changed) => cache.subscribe(changed),
    () => {
      const old = cache
        .findAll({ type: "active" })
        .filter(({ state }) => state.data !== undefined && mayPass(state.error ?? state.fetchFailureReason));
      return old.length === 0 ? 0 : Math.min(...old.map(({ state }) => state.dataUpdatedAt));
    },
  );
  if (staleSince === 0) return null;
  return (
    <Alert type="warning">{t("connection.lost", { time: formats.time(new Date(staleSince).toISOString()) })}</Alert>
  );
}
