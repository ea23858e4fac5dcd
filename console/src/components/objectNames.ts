/** Where one is in a bucket that is looked at folder by folder. */
export interface Crumb {
  name: string;
  /** Empty for the bucket itself; else it ends in a slash. */
  prefix: string;
}

/** The way from the bucket down to a folder. */
export function crumbsOf(bucket: string, folder: string): Crumb[] {
  const crumbs: Crumb[] = [{ name: bucket, prefix: "" }];
  let prefix = "";
  for (const step of folder.split("/").slice(0, -1)) {
    prefix += `${step}/`;
    crumbs.push({ name: step === "" ? "/" : step, prefix });
  }
  return crumbs;
}

/** The folder that a key lies in, with its slash; empty at the top. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}

/** What a key or folder is called inside of the folder that is shown. */
export function nameIn(folder: string, key: string): string {
  const name = key.startsWith(folder) ? key.slice(folder.length) : key;
  return name === "" ? key : name;
}

const MANIFEST_ENDINGS = [".json", ".csv", ".csv.gz"];

/** Whether a key may be one of a manifest, by its end: what it is its first bytes tell. */
export function looksLikeManifest(key: string): boolean {
  const lower = key.toLowerCase();
  return MANIFEST_ENDINGS.some((ending) => lower.endsWith(ending));
}
