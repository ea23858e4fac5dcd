import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { told } from "../../api/client";
import { useApi } from "../../api/context";
import type { JobStatus } from "../../api/types";
import { useT } from "../../i18n";

const SETTLED_MS = 500;
/** Those that have work to do, now or as soon as their turn comes. */
const QUEUED: readonly JobStatus[] = ["Ready", "Active", "Pausing", "Paused"];

/** How many jobs of the region stand before one of this priority, or beside it. */
export function QueueNow({ region, priority }: { region: string; priority: string }) {
  const t = useT();
  const api = useApi();
  const from = useSettledNumber(priority);
  const { data } = useQuery({
    queryKey: ["jobs", "queue", region, from],
    enabled: region !== "" && from !== null,
    queryFn: () =>
      told(
        api.GET("/jobs", { params: { query: { region, priority_from: from ?? 1, limit: 1, status: [...QUEUED] } } }),
      ),
  });
  if (!data || from === null) return null;
  return <span aria-live="polite">{t("other.priority.queue", { jobs: data.total, priority: from })}</span>;
}

/** What is typed, once it is a priority and nothing is typed any more. */
function useSettledNumber(text: string): number | null {
  const [settled, setSettled] = useState<number | null>(numberOf(text));
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(numberOf(text));
    }, SETTLED_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  return settled;
}

function numberOf(text: string): number | null {
  const value = Number(text);
  return /^\d+$/.test(text) && value >= 1 && value <= 2 ** 31 - 1 ? value : null;
}
