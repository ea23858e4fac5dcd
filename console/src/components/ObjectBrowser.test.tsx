import { act, screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";

import { ObjectBrowser } from "./ObjectBrowser";
import { renderPart, shownModal } from "./rendered.test-data";

const OBJECTS = ["a.csv", "b.json", "notes.txt"].map((key) => ({
  key,
  size_bytes: 1,
  last_modified: "2026-11-26T08:00:00.000Z",
  etag: "e",
  storage_class: "STANDARD",
}));

async function open() {
  const sight = { region: "office", roleArn: "" };
  const nothing = () => undefined;
  const fetch = async (request: Request) => {
    const beginning = new URL(request.url).searchParams.get("prefix") ?? "";
    const items = OBJECTS.filter(({ key }) => key.startsWith(beginning));
    return Response.json({ items, folders: [], next_cursor: null });
  };
  renderPart(<ObjectBrowser sight={sight} bucket="lists" value="" onChoose={nothing} onClose={nothing} />, fetch);
  const modal = await shownModal();
  await screen.findByText("a.csv");
  const choose = (key: string) => {
    act(() => {
      screen.getByText(key).click();
    });
  };
  const canChoose = () => !modal.findFooter()?.findAllButtons().at(-1)?.isDisabled();
  return { modal, choose, canChoose };
}

it("chooses no object that a beginning of the name has taken out of sight", async () => {
  const { modal, choose, canChoose } = await open();
  expect(canChoose()).toBe(false);
  choose("a.csv");
  expect(canChoose()).toBe(true);
  act(() => {
    modal.findContent().findTextFilter()?.findInput().setInputValue("b");
  });
  await waitFor(() => {
    expect(canChoose()).toBe(false);
  });
  await screen.findByText("b.json");
  choose("b.json");
  expect(canChoose()).toBe(true);
});

it("chooses no object that is hidden as it is no manifest", async () => {
  const { modal, choose, canChoose } = await open();
  const toggle = () => {
    act(() => {
      modal.findContent().findToggle()?.findNativeInput().click();
    });
  };
  toggle();
  choose("notes.txt");
  expect(canChoose()).toBe(true);
  toggle();
  await waitFor(() => {
    expect(canChoose()).toBe(false);
  });
});
