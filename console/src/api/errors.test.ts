import { expect, it } from "vitest";

import { ApiError, pauseAskedFor, secondsToWait, unanswered } from "./errors";

function busy(retryAfterSeconds: number | null): ApiError {
  return new ApiError(503, "ServiceUnavailable", "too much to do", "r", [], retryAfterSeconds);
}

it("counts down what the service asks to wait for, and not below nothing", () => {
  const error = busy(3);
  const left = [0, 1, 999, 1_000, 2_500, 3_000, 60_000].map((ms) => secondsToWait(error, error.at + ms));
  expect(left).toEqual([3, 3, 3, 2, 1, 0, 0]);
});

it("knows of no pause where none was asked for", () => {
  expect([busy(null), unanswered("gone"), new Error("else"), null].map(pauseAskedFor)).toEqual([0, 0, 0, 0]);
  expect(pauseAskedFor(busy(7))).toBe(7_000);
});
