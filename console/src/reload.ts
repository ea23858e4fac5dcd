const KEY = "cosbatch.reloaded";
const AGAIN_MS = 60_000;

/**
 * Loads the page anew where a part of it is missing: after an upgrade of the service the parts have other names. Once a
 * minute at most, so that a part that is truly gone does not reload the page for ever; and not while nothing answers,
 * for then there would be no page at all.
 */
export function reloadAfterUpgrade(window: Window): void {
  window.addEventListener("vite:preloadError", () => {
    const last = Number(window.sessionStorage.getItem(KEY) ?? 0);
    if (Date.now() - last < AGAIN_MS) return;
    void answers(window).then((doesAnswer) => {
      if (!doesAnswer) return;
      window.sessionStorage.setItem(KEY, String(Date.now()));
      window.location.reload();
    });
  });
}

async function answers(window: Window): Promise<boolean> {
  try {
    return (await window.fetch(import.meta.env.BASE_URL, { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
