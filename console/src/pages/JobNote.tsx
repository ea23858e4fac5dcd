import Box from "@cloudscape-design/components/box";

import type { ListedJob } from "../api/types";
import { shortId } from "../components/jobActions";
import { type Translate, useT } from "../i18n";
import { type Formats, useFormats } from "../i18n/formats";
import { type Note, noteOf } from "./jobListView";

/** Below a job's status: why it does not run, or what is wrong with it. */
export function JobNote({ job }: { job: ListedJob }) {
  const t = useT();
  const formats = useFormats();
  const note = noteOf(job);
  if (!note) return null;
  const text = textOf(note, t, formats);
  return (
    <Box color="text-body-secondary">
      <span className="job-note" title={text}>
        {text}
      </span>
    </Box>
  );
}

function textOf(note: Note, t: Translate, formats: Formats): string {
  switch (note.kind) {
    case "hold":
      return t("jobs.note.hold", { bucket: note.bucket });
    case "waits-for":
      return t("jobs.note.waits-for", { job: shortId(note.jobId) });
    case "window":
      return t("jobs.note.window", { time: formats.time(note.until) });
    case "by-user":
      return t("jobs.note.by-user");
    case "failures":
      return t("jobs.note.failures");
  }
}
