import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";

interface EmptyProps {
  title: string;
  text?: string;
  actions?: ReactNode;
}

/** What a list shows that has nothing: why, and what to do. */
export function Empty({ title, text, actions }: EmptyProps) {
  return (
    <Box textAlign="center" margin={{ vertical: "l" }} color="inherit">
      <SpaceBetween size="s" alignItems="center">
        <Box variant="strong">{title}</Box>
        {text && <Box color="text-body-secondary">{text}</Box>}
        {actions}
      </SpaceBetween>
    </Box>
  );
}
