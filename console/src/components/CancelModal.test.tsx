import createWrapper from "@cloudscape-design/components/test-utils/dom";
import { useQuery } from "@tanstack/react-query";
import { act, cleanup, waitFor } from "@testing-library/react";
import { type ReactNode, useEffect, useState } from "react";
import { afterEach, expect, it, vi } from "vitest";

import { told } from "../api/client";
import { useApi } from "../api/context";
import { jobFrom } from "../api/jobs.test-data";
import type { Job } from "../api/types";
import { CancelModal } from "./CancelModal";
import { flashed, renderPart, shownModal } from "./rendered.test-data";

const REFUSAL = {
  error: {
    code: "JobStatusConflict",
    message: "job two has ended (Complete): it cannot cancel any more",
    request_id: "r-1",
    faults: [],
  },
};

const JOBS = [jobFrom({ job_id: "one", description: "first" }), jobFrom({ job_id: "two", description: "second" })];

/** The list of jobs, which is asked for again behind each change. */
function List() {
  const api = useApi();
  useQuery({ queryKey: ["jobs", "list"], queryFn: () => told(api.GET("/jobs")) });
  return null;
}

let leave: () => void = () => undefined;

/** The modal over an API, until it is closed, or its page is left. */
async function open(
  fetch: (request: Request) => Promise<Response>,
  jobs: readonly Job[],
  onClose: () => void,
  beside: ReactNode = null,
) {
  function Asked() {
    const [isOpen, setOpen] = useState(true);
    const close = () => {
      onClose();
      setOpen(false);
    };
    useEffect(() => {
      leave = close;
    });
    return isOpen && <CancelModal jobs={jobs} onClose={close} />;
  }
  renderPart(
    <>
      <Asked />
      {beside}
    </>,
    fetch,
  );
  return shownModal();
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
  const modal = await open(fetch, JOBS, onClose);
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
  expect(flashed()).toContain("first");
  expect(flashed()).not.toContain("cannot cancel any more");
  expect(onClose).not.toHaveBeenCalled();

  isOver = true;
  doIt();
  await waitFor(() => {
    expect(onClose).toHaveBeenCalledOnce();
  });
  expect(asked.slice(2)).toEqual(["two wrong list"]);
});

it.each([{ jobs: JOBS }, { jobs: JOBS.slice(1) }])(
  "says above the page which of $jobs.length refused, where it was left meanwhile",
  async ({ jobs }) => {
    let answer: () => void = () => undefined;
    const isAnswered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const fetch = async (request: Request) => {
      await isAnswered;
      const refuses = request.url.includes("two");
      return Response.json(refuses ? REFUSAL : {}, { status: refuses ? 409 : 200 });
    };
    const modal = await open(fetch, jobs, () => undefined);
    act(() => {
      modal.findFooter()?.findAllButtons().at(-1)?.click();
    });
    act(() => {
      leave();
    });
    expect(createWrapper().findModal()).toBeNull();
    expect(flashed()).toBe("");
    answer();
    await waitFor(() => {
      expect(flashed()).toMatch(/refused.*second JobStatusConflict job two has ended/);
    });
    expect(flashed().includes("first: cancelling")).toBe(jobs === JOBS);
  },
);

it("asks no further job once it is stopped, and then is about those that were not asked", async () => {
  const asked: string[] = [];
  let answer: () => void = () => undefined;
  const isAnswered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const fetch = async (request: Request) => {
    asked.push(new URL(request.url).pathname.split("/")[4] ?? "");
    await isAnswered;
    return Response.json({});
  };
  const onClose = vi.fn();
  const modal = await open(fetch, JOBS, onClose);
  const text = () => modal.getElement().textContent;
  const doIt = () => {
    act(() => {
      modal.findFooter()?.findAllButtons().at(-1)?.click();
    });
  };
  doIt();
  await waitFor(() => {
    expect(text()).toContain("0 of 2 asked");
  });
  act(() => {
    modal.findDismissButton()?.click();
  });
  expect(onClose).not.toHaveBeenCalled();
  answer();
  await waitFor(() => {
    expect(text()).toContain("Stopped: 1 of 2 jobs were not asked.");
  });
  expect(asked).toEqual(["one"]);
  expect(text()).toContain("Cancel this job?");
  expect(text()).not.toContain("first");

  await waitFor(() => {
    expect(modal.findFooter()?.findAllButtons().at(-1)?.getElement().getAttribute("aria-disabled")).toBeNull();
  });
  doIt();
  await waitFor(() => {
    expect(onClose).toHaveBeenCalledOnce();
  });
  expect(asked).toEqual(["one", "two"]);
});

it("does not say that a job refused where nothing answered", async () => {
  const modal = await open(
    () => Promise.reject(new TypeError("Failed to fetch")),
    JOBS.slice(1),
    () => undefined,
  );
  act(() => {
    modal.findFooter()?.findAllButtons().at(-1)?.click();
  });
  await waitFor(() => {
    expect(modal.getElement().textContent).toContain("No answer: it may have been done all the same");
  });
  expect(modal.getElement().textContent).toContain("The service does not answer");
  expect(modal.getElement().textContent).not.toContain("refused");
});

it("is about those that refused, and can be left, while the lists are still brought up to date", async () => {
  const jobs = [...JOBS, jobFrom({ job_id: "two-b", description: "third" })];
  const fetch = async (request: Request) => {
    if (request.method === "GET") return new Promise<Response>(() => undefined); // a list that does not come
    const refuses = request.url.includes("two");
    return Response.json(refuses ? REFUSAL : {}, { status: refuses ? 409 : 200 });
  };
  const onClose = vi.fn();
  const modal = await open(fetch, jobs, onClose, <List />);
  act(() => {
    modal.findFooter()?.findAllButtons().at(-1)?.click();
  });
  await waitFor(() => {
    expect(modal.getElement().textContent).toContain("2 of 3 jobs refused");
  });
  expect(modal.getElement().textContent).not.toContain("asked");
  act(() => {
    modal.findDismissButton()?.click();
  });
  expect(onClose).toHaveBeenCalledOnce();
});

it("can be left at once by whoever has stopped it", async () => {
  const onClose = vi.fn();
  const modal = await open(() => new Promise<Response>(() => undefined), JOBS, onClose);
  act(() => {
    modal.findFooter()?.findAllButtons().at(-1)?.click();
  });
  for (const said of ["0 of 2 asked", "Stopping: 0 of 2 asked"]) {
    await waitFor(() => {
      expect(modal.getElement().textContent).toContain(said);
    });
    expect(onClose).not.toHaveBeenCalled();
    act(() => {
      modal.findDismissButton()?.click();
    });
  }
  expect(onClose).toHaveBeenCalledOnce();
});
