import createWrapper from "@cloudscape-design/components/test-utils/dom";
import { act, cleanup, render, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";

import { createApi } from "../api/client";
import { ApiProvider } from "../api/context";
import { jobFrom } from "../api/jobs.test-data";
import { SpeechProvider } from "../i18n";
import { PreferencesProvider } from "../preferences";
import { CancelModal } from "./CancelModal";
import { FlashProvider, useFlashes } from "./flashes";

const REFUSAL = {
  error: {
    code: "JobStatusConflict",
    message: "job two has ended (Complete): it cannot cancel any more",
    request_id: "r-1",
    faults: [],
  },
};

const JOBS = [jobFrom({ job_id: "one", description: "first" }), jobFrom({ job_id: "two", description: "second" })];

function Flashed() {
  return <p id="flashed">{useFlashes().shown.map(({ content }) => String(content))}</p>;
}

afterEach(cleanup);

it("cancels one by one, says which refused, and then asks only those again", async () => {
  const asked: string[] = [];
  let isOver = false;
  const fetch = async (request: Request) => {
    const body = (await request.json()) as { status_update_reason: string };
    asked.push(`${new URL(request.url).pathname.split("/")[4] ?? ""} ${body.status_update_reason}`);
    const refuses = request.url.includes("two") && !isOver;
    return Response.json(refuses ? REFUSAL : {}, { status: refuses ? 409 : 200 });
  };
  const onClose = vi.fn();
  render(
    <PreferencesProvider>
      <SpeechProvider>
        <ApiProvider api={createApi(fetch)}>
          <FlashProvider>
            <CancelModal jobs={JOBS} onClose={onClose} />
            <Flashed />
          </FlashProvider>
        </ApiProvider>
      </SpeechProvider>
    </PreferencesProvider>,
  );
  const modal = await waitFor(() => {
    const found = createWrapper().findModal();
    if (!found) throw new Error("no modal yet");
    return found;
  });
  const doIt = () => {
    act(() => {
      modal.findFooter()?.findAllButtons().at(-1)?.click();
    });
  };
  act(() => {
    modal.findContent().findTextarea()?.setTextareaValue("wrong list");
  });
  doIt();
  await waitFor(() => {
    expect(modal.findContent().getElement().textContent).toContain("cannot cancel any more");
  });
  expect(asked).toEqual(["one wrong list", "two wrong list"]);
  expect(modal.findContent().getElement().textContent).not.toContain("first");
  expect(document.getElementById("flashed")?.textContent).toContain("first");
  expect(onClose).not.toHaveBeenCalled();

  isOver = true;
  doIt();
  await waitFor(() => {
    expect(onClose).toHaveBeenCalledOnce();
  });
  expect(asked.slice(2)).toEqual(["two wrong list"]);
});
