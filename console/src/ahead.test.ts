import { beforeEach, expect, it } from "vitest";

import { askAhead } from "./ahead";
import { createApi } from "./api/client";
import { createQueryClient } from "./api/context";
import { forgetLogin, keepLogin } from "./components/loggedIn";

/** What is asked for ahead of the page at an address, below /api/v1. */
async function askedAt(address: string): Promise<string[]> {
  const asked: string[] = [];
  const api = createApi((request) => {
    const { pathname, search } = new URL(request.url);
    asked.push(`${pathname.replace("/api/v1", "")}${search}`);
    return new Promise(() => undefined);
  });
  const { pathname, search } = new URL(address, globalThis.location.origin);
  askAhead(api, createQueryClient(), { pathname, search });
  await new Promise((done) => setTimeout(done)); // calls go out a little later than they are made
  return asked;
}

const EVERYWHERE = ["/session", "/capabilities"];

beforeEach(() => {
  sessionStorage.clear();
  keepLogin();
});

it.each([
  ["/ui/login", []],
  ["/ui/password?next=/jobs", []],
  ["/ui/roles", EVERYWHERE],
  ["/ui/jobs/create", EVERYWHERE],
  ["/ui/jobs/one", [...EVERYWHERE, "/jobs/one"]],
  ["/ui/jobs?status=Active", [...EVERYWHERE, "/jobs?sort=created&direction=desc&limit=20&status=Active"]],
])("asks for what the page at %s begins with", async (address, wanted) => {
  expect(await askedAt(address)).toEqual(wanted);
});

it("asks for the view of the list that was seen last in this tab, where the address names none", async () => {
  sessionStorage.setItem("cosbatch.jobs.view", "status=Failed");
  expect(await askedAt("/ui/jobs")).toContainEqual(expect.stringContaining("status=Failed"));
  expect(await askedAt("/ui/jobs?status=Active")).toContainEqual(expect.stringContaining("status=Active"));
});

it("asks nothing for whoever has not logged in with this browser, or has logged out", async () => {
  forgetLogin();
  expect(await askedAt("/ui/jobs")).toEqual([]);
});
