import type { Page } from "@playwright/test";

/**
 * What is too wide or cut off: how far, in CSS pixels, the document itself can be scrolled to the side, and texts that
 * somebody who sees the page cannot read to their end, for a box around them neither scrolls nor tells them whole in its
 * title. The last breadcrumb is the page's heading once more: it may be short where that is whole.
 */
export async function unreadable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const TOLERANCE_PX = 2;
    const boxes = new Map<Element, { style: CSSStyleDeclaration; frame: DOMRect }>();
    return [...sideways(), ...[...cutOff()].map((text) => `cuts off: ${text}`)];

    function sideways(): string[] {
      const root = document.scrollingElement ?? document.documentElement;
      const before = root.scrollLeft;
      root.scrollLeft = 10_000;
      const moved = Math.abs(root.scrollLeft);
      root.scrollLeft = before;
      return moved === 0 ? [] : [`scrolls to the side by ${moved} px`];
    }

    function cutOff(): Set<string> {
      const found = new Set<string>();
      const heading = document.querySelector("#content h1")?.textContent ?? "";
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const text = texts.currentNode;
        const said = (text.textContent ?? "").trim();
        const parent = text.parentElement;
        if (parent?.closest("nav ol") && heading.includes(said)) continue;
        if (said === "" || !parent?.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        const box = range.getBoundingClientRect();
        if (box.width > 0 && box.height > 0 && isCut(parent, box)) found.add(said.slice(0, 80));
      }
      return found;
    }

    function isCut(from: Element, box: DOMRect): boolean {
      for (let around: Element | null = from; around && around !== document.body; around = around.parentElement) {
        const { style, frame } = boxOf(around);
        if (frame.width <= 2 || frame.height <= 2 || style.clipPath !== "none") return false; // for screen readers
        if (around.hasAttribute("title")) return false;
        if (style.overflowX === "auto" || style.overflowX === "scroll") return false;
        if (style.overflowX !== "hidden" && style.overflowX !== "clip") continue;
        if (box.right > frame.right + TOLERANCE_PX || box.left < frame.left - TOLERANCE_PX) return true;
        if (box.bottom > frame.bottom + box.height / 2 && style.overflowY !== "auto") return true;
      }
      return false;
    }

    /** Texts stand in the same boxes: each of them is asked once. */
    function boxOf(element: Element): { style: CSSStyleDeclaration; frame: DOMRect } {
      let box = boxes.get(element);
      if (!box) {
        box = { style: getComputedStyle(element), frame: element.getBoundingClientRect() };
        boxes.set(element, box);
      }
      return box;
    }
  });
}

/** What has another place or size in the other theme, which is shown for less than a frame. */
export async function movedByTheme(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const parts = [...document.body.querySelectorAll("*")];
    const places = () => parts.map((part) => part.getBoundingClientRect());
    const usual = places();
    document.body.classList.toggle("awsui-dark-mode");
    const other = places();
    document.body.classList.toggle("awsui-dark-mode");
    return parts
      .filter((_, index) => hasMoved(usual[index], other[index]))
      .map(({ outerHTML }) => outerHTML.slice(0, 120));

    function hasMoved(one?: DOMRect, two?: DOMRect): boolean {
      return one?.x !== two?.x || one?.y !== two?.y || one?.width !== two?.width || one?.height !== two?.height;
    }
  });
}

/**
 * All that can be read or heard on a page: texts, and what fields and buttons are called. Each once; of the title what
 * stands before the product's name, as it stands on the page itself.
 */
export async function said(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const all = new Set<string>([document.title.replace(/ - cosbatch$/, "")]);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const parent = texts.currentNode.parentElement;
      if (!parent || parent.closest("noscript, script, style")) continue;
      if (parent.checkVisibility()) all.add((texts.currentNode.textContent ?? "").trim());
    }
    for (const element of document.body.querySelectorAll("[aria-label], [title], [placeholder], [aria-valuetext]")) {
      if (!element.checkVisibility()) continue;
      for (const name of ["aria-label", "title", "placeholder", "aria-valuetext"]) {
        all.add((element.getAttribute(name) ?? "").trim());
      }
    }
    all.delete("");
    return [...all];
  });
}
