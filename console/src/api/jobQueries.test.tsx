import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, it, vi } from "vitest";

import { LiveProvider } from "../components/live";
import { createApi } from "./client";
import { ApiProvider } from "./context";
import { useFailuresOfCode, useJobSeries, useReportPreview } from "./jobQueries";
import type { Schemas } from "./types";

afterEach(() => {
  vi.useRealTimers();
});

type Range = Schemas["SeriesRange"];

/** A part over an API that answers each path with something of its own. */
function over(answer: (url: URL) => Promise<Response>) {
  const api = createApi((request) => answer(new URL(request.url)));
  return ({ children }: { children: ReactNode }) => (
    <ApiProvider api={api}>
      <LiveProvider>{children}</LiveProvider>
    </ApiProvider>
  );
}

it("tells the pace of before until another range of it has come, but never another job's", async () => {
  const answer = (url: URL) =>
    url.href.includes("one/series?range=all")
      ? Promise.resolve(Response.json({ results_per_second: 7 }))
      : new Promise<Response>(() => undefined);
  const { result, rerender } = renderHook(
    ({ id, range }: { id: string; range: Range }) => useJobSeries(id, range, false),
    {
      wrapper: over(answer),
      initialProps: { id: "one", range: "all" },
    },
  );
  await waitFor(() => {
    expect(result.current.data?.results_per_second).toBe(7);
  });
  rerender({ id: "one", range: "1h" });
  expect(result.current).toMatchObject({ isPlaceholderData: true, data: { results_per_second: 7 } });
  rerender({ id: "two", range: "1h" });
  expect(result.current.data).toBeUndefined();
});

/** How often a part has asked within a minute. */
async function askedBy(part: () => unknown, answer: unknown): Promise<number> {
  vi.useFakeTimers();
  let asked = 0;
  const answered = async () => {
    asked += 1;
    return Response.json(answer);
  };
  renderHook(part, { wrapper: over(answered) });
  await vi.advanceTimersByTimeAsync(60_000);
  return asked;
}

it.each([
  ["while more may come", { kept: 1, isJobAlive: true }, true],
  ["not where as many are there as are kept", { kept: 20, isJobAlive: true }, false],
  ["not once the job has ended", { kept: 1, isJobAlive: false }, false],
])("asks for samples of a failure again: %s", async (_, { kept, isJobAlive }, isAskedAgain) => {
  const answer = { samples: Array.from({ length: kept }, () => ({})) };
  const asked = await askedBy(() => useFailuresOfCode("one", "NoSuchKey", isJobAlive), answer);
  expect(asked > 1).toBe(isAskedAgain);
});

it.each([true, false])("asks for first results again only of a job that is alive: %s", async (isJobAlive) => {
  const asked = await askedBy(() => useReportPreview("one", "AllTasks", isJobAlive), { items: [] });
  expect(asked > 1).toBe(isJobAlive);
});
