import { act, screen, waitFor } from "@testing-library/react";
import { useEffect, useState } from "react";
import { expect, it } from "vitest";

import { renderPart } from "./rendered.test-data";
import { ResourceTable } from "./ResourceTable";

interface Named {
  name: string;
}

let show: (account: string) => void = () => undefined;

/** Keys of an account, of which the first one is chosen; those of the account `broken` cannot be had. */
function Keys() {
  const [account, setAccount] = useState("first");
  const [selected, setSelected] = useState<Named | null>({ name: "a" });
  useEffect(() => {
    show = setAccount;
  }, []);
  return (
    <>
      <output>{selected?.name ?? "nothing"}</output>
      <ResourceTable<Named>
        title="Keys"
        queryKey={["keys", account]}
        load={async () => {
          if (account === "broken") throw new Error("not now");
          return { items: [{ name: "a" }, { name: "b" }], next_cursor: null };
        }}
        idOf={({ name }) => name}
        empty={{ title: "none" }}
        columns={[{ id: "name", header: "Name", cell: ({ name }) => `key ${name}` }]}
        selected={selected}
        onSelect={setSelected}
      />
    </>
  );
}

const chosen = () => screen.getByRole("status").textContent;

it.each(["second", "broken"])("what was chosen in one list is not chosen in another one: %s", async (account) => {
  renderPart(<Keys />, () => Promise.reject(new Error("nothing is asked")));
  await screen.findByText("key a");
  expect(chosen()).toBe("a");
  act(() => {
    show(account);
  });
  await waitFor(() => {
    expect(chosen()).toBe("nothing");
  });
});
