import Box from "@cloudscape-design/components/box";

import { CopyText } from "../../components/CopyText";

/** The ETag of an inventory as stores write it, in quotes; small, so that it stands in one line. */
export function ETag({ of }: { of: string }) {
  return (
    <Box variant="span" fontSize="body-s">
      <CopyText text={`"${of}"`} />
    </Box>
  );
}
