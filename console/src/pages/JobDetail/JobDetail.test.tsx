import createWrapper from "@cloudscape-design/components/test-utils/dom";
import { configure, render, screen, waitFor } from "@testing-library/react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { createApi } from "../../api/client";
import { ApiProvider } from "../../api/context";
import { jobFrom } from "../../api/jobs.test-data";
import type { Job } from "../../api/types";
import { FlashProvider } from "../../components/flashes";
import { LiveProvider } from "../../components/live";
import { Page } from "../../components/Shell";
import { SpeechProvider } from "../../i18n";
import { PreferencesProvider } from "../../preferences";
import { JobDetail } from "./index";

configure({ asyncUtilTimeout: 20_000 }); // the first page waits for its parts to be loaded
vi.setConfig({ testTimeout: 30_000 });

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const SESSION = { user: "alice", role: "operator", account: { id: "acc-main", name: "" }, operations: ["delete_job"] };

/** The page over an API that knows one job, or none. */
function open(path: string, job: () => Job | null, onDelete: () => Promise<void> = () => Promise.resolve()) {
  const answers: Record<string, unknown> = {
    "/events": { items: [], next_cursor: null },
    "/series": { bucket_seconds: 1, points: [], results_per_second: null, eta_seconds: null },
    "/failures": { failed: 0, items: [] },
  };
  const answer = async (request: Request): Promise<Response> => {
    if (request.url.endsWith("/session")) return Response.json(SESSION);
    if (request.method === "DELETE") {
      await onDelete();
      return new Response(null, { status: 204 });
    }
    const found = /\/jobs\/[^/]+(\/\w+)?$/.exec(new URL(request.url).pathname);
    const body = found ? (found[1] ? answers[found[1]] : job()) : null;
    if (body) return Response.json(body);
    const error = { code: "NoSuchJob", message: "there is no such job", request_id: "r1", faults: [] };
    return Response.json({ error }, { status: 404 });
  };
  const api = createApi(answer);
  const routes = [
    { path: "/jobs/:id", Component: JobDetail },
    { path: "/jobs", element: <Page title="Jobs">the list</Page> },
  ];
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  render(
    <PreferencesProvider>
      <SpeechProvider>
        <ApiProvider api={api}>
          <LiveProvider>
            <FlashProvider>
              <RouterProvider router={router} />
            </FlashProvider>
          </LiveProvider>
        </ApiProvider>
      </SpeechProvider>
    </PreferencesProvider>,
  );
  return router;
}

it("says of a job that is not there that it may be older than the retention period", async () => {
  open("/jobs/j1", () => null);
  expect(await screen.findByText("Not found or older than the retention period")).toBeTruthy();
});

it("opens the tab that the address names", async () => {
  open("/jobs/j1#failures", () => jobFrom());
  expect(await screen.findByText("No failures")).toBeTruthy();
  expect(document.querySelector('[role="tab"][aria-selected="true"]')?.textContent).toBe("Failures");
});

it("puts the tab that is chosen into the address", async () => {
  const router = open("/jobs/j1", () => jobFrom());
  (await screen.findByText("Events")).click();
  await waitFor(() => {
    expect(router.state.location.hash).toBe("#events");
  });
});

it("names a job that waits by its id where it has no description, and says until when", async () => {
  open("/jobs/j1", () => jobFrom({ description: "", status: "Suspended", expires_at: "2026-12-26T08:00:12.345Z" }));
  expect(await screen.findByText("This job waits for confirmation")).toBeTruthy();
  expect(document.querySelector("h1")?.textContent).toBe("019ac01f-7b00");
  expect(screen.getByText(/If nobody confirms it/)).toBeTruthy();
});

it.each(["#overview", "#report"])("says at %s of a cancelled job what keeps its report, and how long", async (tab) => {
  open(`/jobs/j1${tab}`, () =>
    jobFrom({
      status: "Cancelled",
      is_final: true,
      status_update_reason: "wrong bucket",
      hold: { bucket: "reports-1", reason: "the report is not delivered: no route", since: "2026-12-25T08:00:12.345Z" },
      report: { state: "pending", location: "", tried_until: "2026-12-26T08:00:12.345Z" },
    }),
  );
  const alert = (await screen.findByText("The report is not delivered yet")).closest('[role="group"]');
  expect(alert?.textContent).toContain("reports-1 no route");
  expect(alert?.textContent).toContain("The job has ended: only its report is still to come.");
  expect(alert?.textContent).toContain("until: Dec 26, 2026");
  expect(screen.queryByText("A bucket does not answer")).toBeNull();
});

function modal() {
  return createWrapper().findModal();
}

function dismiss() {
  modal()?.findDismissButton()?.getElement().click();
}

it.each([
  { meanwhile: "nothing else happens", happens: () => undefined },
  { meanwhile: "the dialog is left", happens: dismiss },
])("goes to the list of jobs and says so when its job is deleted, if $meanwhile", async ({ happens }) => {
  let isGone = false;
  let answer: () => void = () => undefined;
  const isAnswered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const asked = vi.fn(() =>
    isGone
      ? null
      : jobFrom({
          job_id: "j1",
          status: "Complete",
          is_final: true,
          actions: ["delete"],
          report: { state: "none", location: "", tried_until: null },
        }),
  );
  const router = open("/jobs/j1", asked, () => {
    isGone = true;
    return isAnswered;
  });
  (await screen.findByText("Actions")).click();
  (await screen.findByText("Delete job record")).click();
  await screen.findByText("Delete the record of this job?");
  modal()?.findFooter()?.findAllButtons().at(-1)?.getElement().click();
  await waitFor(() => {
    expect(isGone).toBe(true);
  });
  happens();
  const before = asked.mock.calls.length;
  answer();
  expect(await screen.findByText("the list")).toBeTruthy();
  expect(await screen.findByText(/the record was deleted/)).toBeTruthy();
  expect(router.state.location.pathname).toBe("/jobs");
  expect(asked.mock.calls.length).toBe(before);
});
