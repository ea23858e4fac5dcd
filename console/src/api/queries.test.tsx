import { renderHook } from "@testing-library/react";
import { expect, it } from "vitest";

import { ApiError } from "./errors";
import { useRefetchInterval } from "./queries";

/** For how long nobody asks again after so many failures, the last of which asks to wait. */
function pauseAfter(failures: number, seconds: number | null): unknown {
  const { result } = renderHook(() => useRefetchInterval<null>(() => true));
  const error = new ApiError(503, "ServiceUnavailable", "too much to do", "r", [], seconds);
  return result.current({ state: { data: null, error, fetchFailureCount: failures } } as never);
}

it.each([
  [0, null, 2_000],
  [1, null, 4_000],
  [1, 7, 7_000],
  [2, 7, 8_000],
  [1, 600, 30_000],
])("asks again after %i failures, told to wait for %s seconds, in %i ms", (failures, seconds, pause) => {
  expect(pauseAfter(failures, seconds)).toBe(pause);
});
