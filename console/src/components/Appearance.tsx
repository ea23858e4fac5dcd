import { useEffect } from "react";

import { usePreferences } from "../preferences";

const DARK = "(prefers-color-scheme: dark)";

/** Gives the page the theme and density that the user chose, by the classes that the kit's styles look for. */
export function Appearance() {
  const { theme, density } = usePreferences().preferences;
  useEffect(() => {
    const system = globalThis.matchMedia(DARK);
    const show = () => {
      const isDark = theme === "dark" || (theme === "system" && system.matches);
      document.body.classList.toggle("awsui-dark-mode", isDark);
    };
    show();
    system.addEventListener("change", show);
    return () => {
      system.removeEventListener("change", show);
    };
  }, [theme]);
  useEffect(() => {
    document.body.classList.toggle("awsui-compact-mode", density === "compact");
  }, [density]);
  return null;
}
