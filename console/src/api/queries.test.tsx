import { QueryObserver } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, it, vi } from "vitest";

import { createApi } from "./client";
import { ApiProvider, createQueryClient } from "./context";
import { ApiError } from "./errors";
import { useMayLook, useRefetchInterval, useSession } from "./queries";

afterEach(() => {
  vi.useRealTimers();
});

function pauses() {
  const { result } = renderHook(() => useRefetchInterval<null>(() => true));
  return (answers: number, refusals: number, error: ApiError | null) =>
    result.current({
      state: { data: null, dataUpdateCount: answers, errorUpdateCount: refusals, error },
    } as never);
}

const busy = (seconds: number | null) => new ApiError(503, "ServiceUnavailable", "too much to do", "r", [], seconds);

it.each([
  [1, null, 4_000],
  [1, 7, 7_000],
  [2, 7, 8_000],
  [4, null, 30_000],
  [9, null, 30_000],
  [1, 600, 600_000],
])("asks again after %i failures, told to wait for %s seconds, in %i ms", (failures, seconds, pause) => {
  expect(pauses()(0, failures, busy(seconds))).toBe(pause);
});

it("asks as often as before once it was answered, and then counts failures anew", () => {
  const pause = pauses();
  expect(pause(1, 0, null)).toBe(2_000);
  expect([1, 2, 3].map((refusals) => pause(1, refusals, busy(null)))).toEqual([4_000, 8_000, 16_000]);
  expect(pause(2, 3, null)).toBe(2_000);
  expect(pause(2, 4, busy(null))).toBe(4_000);
});

it("does not take an attempt that is under way for an answer", () => {
  const pause = pauses();
  expect(pause(0, 2, busy(null))).toBe(8_000);
  expect(pause(0, 2, null)).toBe(2_000); // asked again, with nothing there yet
  expect(pause(0, 3, busy(null))).toBe(16_000);
});

it.each([
  ["admin", ["list_objects"], { role: true, region: true }],
  ["operator", ["list_objects"], { role: true, region: false }],
  ["viewer", [], { role: false, region: false }],
])("lets a %s look into stores with a role, or as the region itself", async (role, operations, may) => {
  const api = createApi(async () => Response.json({ user: "lin", role, operations }));
  const wrapper = ({ children }: { children: ReactNode }) => <ApiProvider api={api}>{children}</ApiProvider>;
  const { result } = renderHook(() => ({ mayLook: useMayLook("list_objects"), session: useSession().data }), {
    wrapper,
  });
  await waitFor(() => {
    expect(result.current.session).toBeTruthy();
  });
  const { mayLook } = result.current;
  expect({ role: mayLook("copy"), region: mayLook("") }).toEqual(may);
  expect(mayLook(null)).toBe(may.region);
});

it.each([
  ["nothing answers", new ApiError(0, "NoAnswer", "gone", "", [], null), [1_000, 2_000, null]],
  ["it asks for a moment", busy(5), [5_000, 5_000, null]],
  ["it asks for longer: that is told at once", busy(9), [null]],
  ["it says no", new ApiError(403, "AccessDenied", "no", "r", [], null), [null]],
])("a call is made again after pauses where %s", async (_, error, pauses) => {
  vi.useFakeTimers();
  const at: number[] = [];
  const ask = async () => {
    at.push(Date.now());
    throw error;
  };
  const watched = new QueryObserver(createQueryClient(), { queryKey: ["any"], queryFn: ask });
  const leave = watched.subscribe(() => undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  leave();
  const told = at.slice(1).map((moment, index) => moment - (at[index] ?? 0));
  expect([...told, null]).toEqual(pauses);
});
