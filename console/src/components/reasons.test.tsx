import createWrapper from "@cloudscape-design/components/test-utils/dom";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, it, vi } from "vitest";

import { createApi } from "../api/client";
import { ApiProvider } from "../api/context";
import { jobFrom } from "../api/jobs.test-data";
import { SpeechProvider } from "../i18n";
import { PreferencesProvider } from "../preferences";
import { ConfirmRunModal } from "./ConfirmRunModal";
import { FlashProvider } from "./flashes";
import { MoveModal } from "./MoveModal";

/** Two of them, so that nothing is asked of the service but the action. */
const JOBS = ["one", "two"].map((job_id) => jobFrom({ job_id }));

interface Sent {
  path: string;
  body: unknown;
}

afterEach(cleanup);

/** What was sent when the reason is given and the button of the modal is pressed. */
async function sentBy(modal: ReactNode, reason: string): Promise<Sent[]> {
  const sent: Sent[] = [];
  const fetch = async (request: Request) => {
    sent.push({ path: new URL(request.url).pathname.replace("/api/v1/jobs/", ""), body: await request.json() });
    return Response.json({});
  };
  render(
    <QueryClientProvider client={new QueryClient()}>
      <PreferencesProvider>
        <SpeechProvider>
          <ApiProvider api={createApi(fetch)}>
            <FlashProvider>{modal}</FlashProvider>
          </ApiProvider>
        </SpeechProvider>
      </PreferencesProvider>
    </QueryClientProvider>,
  );
  const shown = await waitFor(() => {
    const found = createWrapper().findModal();
    if (!found) throw new Error("no modal yet");
    return found;
  });
  act(() => {
    shown.findContent().findTextarea()?.setTextareaValue(reason);
  });
  act(() => {
    shown.findFooter()?.findAllButtons().at(-1)?.click();
  });
  return sent;
}

it.each(["pause", "resume"] as const)("tells each job why to %s", async (action) => {
  const onClose = vi.fn();
  const sent = await sentBy(<MoveModal action={action} jobs={JOBS} onClose={onClose} />, "the store is serviced");
  await waitFor(() => {
    expect(onClose).toHaveBeenCalledOnce();
  });
  expect(sent).toEqual([
    { path: `one/${action}`, body: { reason: "the store is serviced" } },
    { path: `two/${action}`, body: { reason: "the store is serviced" } },
  ]);
});

it("tells why jobs are confirmed", async () => {
  const onClose = vi.fn();
  const sent = await sentBy(<ConfirmRunModal jobs={JOBS} onClose={onClose} />, "seen by two");
  await waitFor(() => {
    expect(onClose).toHaveBeenCalledOnce();
  });
  const body = { requested_job_status: "Ready", status_update_reason: "seen by two" };
  expect(sent).toEqual([
    { path: "one/status", body },
    { path: "two/status", body },
  ]);
});

it.each([
  [256, 2],
  [257, 0],
])("of %i bytes goes with %i calls", async (bytes, calls) => {
  const han = "汉".repeat(85); // 255 bytes
  const reason = han + "a".repeat(bytes - 255);
  const onClose = vi.fn();
  const sent = await sentBy(<MoveModal action="pause" jobs={JOBS} onClose={onClose} />, reason);
  const isAsked = calls > 0;
  if (isAsked) {
    await waitFor(() => {
      expect(onClose).toHaveBeenCalledOnce();
    });
  }
  expect(sent).toHaveLength(calls);
});
