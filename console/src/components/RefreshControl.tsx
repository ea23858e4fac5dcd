import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import ToggleButton from "@cloudscape-design/components/toggle-button";
import Box from "@cloudscape-design/components/box";

import { useT } from "../i18n";
import { useLive } from "./live";
import { useNow } from "./RelativeTime";

interface RefreshControlProps {
  /** When what is shown was told, in milliseconds; 0: not yet. */
  updatedAt: number;
  /** Whether it is being told for the first time. */
  isLoading?: boolean;
  onRefresh: () => void;
}

/** When the page was brought up to date, a button to do so now, and one that stops it from doing so by itself. */
export function RefreshControl({ updatedAt, isLoading = false, onRefresh }: RefreshControlProps) {
  const t = useT();
  const { isPaused, setPaused } = useLive();
  const now = useNow(1_000);
  const seconds = Math.max(0, Math.floor((now - updatedAt) / 1_000));
  return (
    <SpaceBetween direction="horizontal" size="xs" alignItems="center">
      {updatedAt > 0 && (
        <Box fontSize="body-s" color="text-body-secondary">
          {t("refresh.updated", { seconds })}
        </Box>
      )}
      <ToggleButton
        variant="icon"
        iconName="pause"
        pressedIconName="play"
        pressed={isPaused}
        ariaLabel={t("refresh.pause")}
        onChange={({ detail }) => {
          setPaused(detail.pressed);
        }}
      />
      <Button iconName="refresh" ariaLabel={t("refresh.now")} loading={isLoading} onClick={onRefresh} />
    </SpaceBetween>
  );
}
