import type { MouseEvent, ReactNode } from "react";
import { useNavigate } from "react-router";

const BASE = "/ui";

/** Lets the router follow the kit's links, which are plain anchors, without loading the console anew. */
export function Follow({ children }: { children: ReactNode }) {
  const navigate = useNavigate();
  const follow = (event: MouseEvent) => {
    const anchor = event.target instanceof Element ? event.target.closest("a") : null;
    if (!anchor || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (!anchor.hasAttribute("href")) return; // a button of the kit's that looks like a link
    if (anchor.target !== "" || anchor.hasAttribute("download")) return;
    const url = new URL(anchor.href);
    if (url.origin !== globalThis.location.origin || !url.pathname.startsWith(`${BASE}/`)) return;
    if (anchor.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    void navigate(url.pathname.slice(BASE.length) + url.search + url.hash);
  };
  // Anchors are what is clicked, or what Enter is pressed on: this only hears of it.
  // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
  return <div onClick={follow}>{children}</div>;
}
