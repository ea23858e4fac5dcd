import { act, fireEvent } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { renderPart, shownModal } from "./rendered.test-data";
import { SecretModal } from "./SecretModal";

it("is not thrown away by a key or by a click beside it", async () => {
  const onClose = vi.fn();
  const shown = [{ label: "Secret", value: "s3cret" }];
  renderPart(<SecretModal title="Key" shown={shown} onClose={onClose} />, () =>
    Promise.reject(new Error("nothing is asked")),
  );
  const modal = await shownModal();
  fireEvent.mouseDown(modal.getElement());
  fireEvent.click(modal.getElement());
  fireEvent.keyDown(modal.findDismissButton()?.getElement() ?? modal.getElement(), { keyCode: 27 });
  expect(onClose).not.toHaveBeenCalled();
  expect(modal.getElement().textContent).toContain("s3cret");
  act(() => {
    modal.findFooter()?.findButton()?.click();
  });
  expect(onClose).toHaveBeenCalledOnce();
});
