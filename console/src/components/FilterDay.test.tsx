import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { SpeechProvider } from "../i18n";
import { PreferencesProvider } from "../preferences";
import { FilterDay } from "./FilterDay";

async function asked(value: unknown): Promise<{ field: HTMLInputElement; onChange: ReturnType<typeof vi.fn> }> {
  const onChange = vi.fn();
  render(
    <PreferencesProvider>
      <SpeechProvider>
        <FilterDay value={value} onChange={onChange} />
      </SpeechProvider>
    </PreferencesProvider>,
  );
  const field = await screen.findByRole<HTMLInputElement>("textbox", undefined, { timeout: 20_000 });
  return { field, onChange };
}

it("asks for a day as soon as what asks for it is loaded", async () => {
  const { field } = await asked("2026-11-26");
  expect(field.value).toBe("2026-11-26");
}, 30_000);

it("says that what was typed is no day, and tells it all the same", async () => {
  const { field, onChange } = await asked(null);
  const told = () => screen.queryByText("This is not a day such as 2026-11-26.");
  fireEvent.change(field, { target: { value: "2026-1" } });
  expect(told()).toBeNull();
  fireEvent.change(field, { target: { value: "3026-11-26" } });
  expect(onChange).toHaveBeenLastCalledWith("3026-11-26");
  expect(told()).toBeTruthy();
  fireEvent.change(field, { target: { value: "2026-11-26" } });
  expect(onChange).toHaveBeenLastCalledWith("2026-11-26");
  expect(told()).toBeNull();
}, 30_000);
