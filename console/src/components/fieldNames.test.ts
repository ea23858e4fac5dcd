import { expect, it } from "vitest";

import en from "../i18n/en.json";
import zh from "../i18n/zh-CN.json";
import { withFieldsNamed } from "./fieldNames";

const nameIn = (texts: Record<string, string>) => (key: string) => texts[key] ?? null;

it.each([
  ["Manifest.Spec: none is there; look at it", "Column mapping of the manifest: none is there; look at it"],
  ["Manifest.Spec.Fields[2]: names no column", "Column mapping: names no column"],
  ["Manifest.Location: a/b: it is gone", "Manifest: a/b: it is gone"],
  ["Operation.COSPutObjectCopy.TargetResource: is gone", "Destination bucket: is gone"],
  ["PartCopyAboveBytes: too much", "Copy in parts above (MiB): too much"],
  ["Report.Bucket: is gone; Report.Prefix: is long", "Report bucket: is gone; Report prefix: is long"],
  ["NoSuchBucket: photos is gone", "NoSuchBucket: photos is gone"],
  ["none of 5 is there; 20% are allowed", "none of 5 is there; 20% are allowed"],
  ["it is of Manifest.Spec", "it is of Manifest.Spec"],
])("calls the fields of %j by their names", (said, named) => {
  expect(withFieldsNamed(said, nameIn(en))).toBe(named);
});

it.each([
  [
    "Manifest.Spec\uff1a\u5747\u4e0d\u5b58\u5728\uff1bReport.Bucket\uff1a\u65e0",
    "清单的列映射：均不存在；报告所在存储桶：无",
  ],
])("knows them behind the marks of Chinese", (said, named) => {
  expect(withFieldsNamed(said, nameIn(zh))).toBe(named);
});
