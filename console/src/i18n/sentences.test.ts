import { describe, expect, it } from "vitest";

import { retellingOf } from "./sentences";
import en from "./sentences.en.json";
import zh from "./sentences.zh-CN.json";

const chinese = retellingOf(zh, { colon: "：", semicolon: "；" }, { Active: "执行中" });
const english = retellingOf(en, { colon: ": ", semicolon: "; " });
const PLACES = /\{\d+\}/g;

/** A sentence with values that are no words of anybody. */
function filled(said: string): string {
  return said.replaceAll(PLACES, (place) => `<${place.slice(1, -1)}>`);
}

it("knows each of the service's sentences as itself", () => {
  const apart = Object.entries(zh).filter(([said]) => !said.includes("}{"));
  expect(apart.map(([said]) => chinese.retold(filled(said)))).toEqual(apart.map(([, text]) => filled(text)));
});

describe("in Chinese", () => {
  it.each([
    ["an upload of b/2025/a b.jpg was begun and aborted", "已试发起 b/2025/a b.jpg 的上传并终止"],
    [
      "the list of what failed in job 01a2 with NoSuchKey can be read: the service has kept it",
      "任务 01a2 的失败对象列表（错误码 NoSuchKey）可读取：服务仍保留该列表",
    ],
    [
      "tagging-copy: a seaweedfs store does not do it by itself; it is emulated at the cost of 2 more requests for each object: get_tagging, put_tagging",
      "tagging-copy：seaweedfs 存储不直接支持，每个对象需要 2 次额外请求：get_tagging, put_tagging",
    ],
    [
      "photos: it keeps versions: what is written over or deleted stays as an earlier version",
      "photos：已启用版本控制：被覆盖或删除的对象会保留为历史版本",
    ],
    [
      "photos has object lock, and keeps what is written for 30 days (GOVERNANCE): that stands in no way of this job",
      "photos 已启用对象锁定，写入的对象保留 30 天（GOVERNANCE），不影响本任务",
    ],
    [
      "the store does not answer: HEAD photos: ConnectTimeout: no connection with 10.0.0.1:80 within 5 s",
      "存储没有响应：HEAD photos: ConnectTimeout：5 秒内未能与 10.0.0.1:80 建立连接",
    ],
    ["is missing; add it", "缺少此项；请添加"],
    [
      "the job cannot be made\n  RoleArn: is no role that is registered here (it is 'x'); register it first, or name one of those that are",
      "无法创建任务\n  RoleArn：不是此处登记的角色（值为 'x'）；请先登记，或选择已登记的角色",
    ],
    [
      "manifest read: may; source read: may not; report write: not tested",
      "读取清单：允许；读取源对象：拒绝；写入报告：未检测",
    ],
    [
      "is named by job 01a2, which is Active; role arn:x; and 3 more",
      "正在使用：任务 01a2（执行中）；角色 arn:x；另有 3 个",
    ],
    [
      "user mei is a viewer and may not change jobs; that takes the role operator",
      "用户 mei 的权限为 viewer，不能修改任务；需要 operator 权限",
    ],
    ["failed: the bucket says\nno", "未投递：the bucket says\nno"],
  ])("says %s", (said, text) => {
    expect(chinese.retold(said)).toBe(text);
  });

  it("leaves what others have said as it is", () => {
    expect(chinese.retold("the store says no to GET a/b: AccessDenied: Access Denied.")).toBe(
      "存储拒绝了 GET a/b：AccessDenied：Access Denied.",
    );
    for (const text of ["Access Denied.", "10 -> 20", "http://127.0.0.1:1"]) {
      expect(chinese.retold(text)).toBe(text);
    }
    expect(chinese.retold("failed is there")).toBe("failed 存在");
  });

  it("takes nothing for the service's words that a user is likely to have written", () => {
    for (const text of ["wrong bucket", "asked for it", "to save money", "from Lin", "the old one is in archive"]) {
      expect(chinese.retoldOfAnybody(text)).toBe(text);
    }
    expect(chinese.retoldOfAnybody("paused by user")).toBe("用户暂停");
    expect(chinese.retoldOfAnybody("outside its windows until 2026-11-26T14:00:00Z")).toContain("2026-11-26T14:00:00Z");
  });
});

describe("in English", () => {
  it.each([
    ["asked for", "Asked for"],
    ["pre-empted by job 01a2-b, which has priority 50", "Pre-empted by job 01a2-b, which has priority 50"],
    [
      "awaiting confirmation: 1000 objects or versions are to be deleted",
      "Waits for confirmation: 1000 objects or versions are to be deleted",
    ],
    ["failed: the bucket says\nno", "Not delivered: the bucket says\nno"],
    ["photos is there", "photos is there"],
  ])("says %s", (said, text) => {
    expect(english.retold(said)).toBe(text);
  });
});
