import { afterEach, expect, it, vi } from "vitest";

import { forgetLogin, keepLogin, wasLoggedIn } from "./loggedIn";

afterEach(() => {
  vi.restoreAllMocks();
  localStorage.clear();
});

it("is known from the login to the logout", () => {
  expect(wasLoggedIn()).toBe(false);
  keepLogin();
  expect(wasLoggedIn()).toBe(true);
  forgetLogin();
  expect(wasLoggedIn()).toBe(false);
});

it("is not known of a browser that keeps nothing, and nothing breaks by it", () => {
  const refuse = () => {
    throw new DOMException("denied", "SecurityError");
  };
  for (const call of ["getItem", "setItem", "removeItem"] as const) {
    vi.spyOn(Storage.prototype, call).mockImplementation(refuse);
  }
  keepLogin();
  forgetLogin();
  expect(wasLoggedIn()).toBe(false);
});
