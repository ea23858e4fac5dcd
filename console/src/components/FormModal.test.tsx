import createWrapper from "@cloudscape-design/components/test-utils/dom";
import { useMutation } from "@tanstack/react-query";
import { act, cleanup, waitFor } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, it } from "vitest";

import { told } from "../api/client";
import { useApi } from "../api/context";
import { FormModal } from "./FormModal";
import { flashed, renderPart, shownModal } from "./rendered.test-data";

const REFUSAL = {
  error: { code: "AccountExists", message: "there is an account studio already", request_id: "r-7", faults: [] },
};

/** A form that sends an account. */
function Asking({ onClose }: { onClose: () => void }) {
  const api = useApi();
  const create = useMutation({ mutationFn: () => told(api.POST("/accounts", { body: { name: "studio" } })) });
  return (
    <FormModal
      title="Create account"
      action="Create"
      isPending={create.isPending}
      error={create.error}
      onSubmit={() => {
        create.mutate();
      }}
      onClose={onClose}
    >
      <p>a form</p>
    </FormModal>
  );
}

function Page() {
  const [isOpen, setOpen] = useState(true);
  return (
    isOpen && (
      <Asking
        onClose={() => {
          setOpen(false);
        }}
      />
    )
  );
}

/** Sends the form and leaves it before it is answered. What is answered then comes by what is given back. */
async function sendAndLeave(answer: Response | Error): Promise<() => void> {
  let come = () => {};
  const wanted = new Promise<void>((resolve) => {
    come = resolve;
  });
  const fetch = async () => {
    await wanted;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  renderPart(<Page />, fetch);
  const modal = await shownModal();
  act(() => {
    document.querySelector("form")?.requestSubmit();
  });
  await waitFor(() => {
    expect(modal.findFooter()?.findAllButtons().at(-1)?.getElement().getAttribute("aria-disabled")).toBe("true");
  });
  act(() => {
    modal.findDismissButton()?.click();
  });
  expect(createWrapper().findModal()).toBeNull();
  expect(flashed()).toBe("");
  return come;
}

afterEach(cleanup);

it("tells above the page that what was sent and left was refused", async () => {
  const answer = await sendAndLeave(Response.json(REFUSAL, { status: 409 }));
  act(answer);
  await waitFor(() => {
    expect(flashed()).toContain("What you had sent and then left was refused");
  });
  expect(flashed()).toContain("there is an account studio already");
  expect(flashed()).toContain("r-7");
});

it("tells nothing of what was sent, left and done", async () => {
  const answer = await sendAndLeave(Response.json({ name: "studio" }, { status: 201 }));
  await act(async () => {
    answer();
    await new Promise((done) => setTimeout(done, 100));
  });
  expect(flashed()).toBe("");
});

it("tells above the page that nobody knows what came of what was sent and left without an answer", async () => {
  const answer = await sendAndLeave(new TypeError("Failed to fetch"));
  act(answer);
  await waitFor(() => {
    expect(flashed()).toContain("it may have been done all the same");
  });
  expect(flashed()).not.toContain("refused");
});
