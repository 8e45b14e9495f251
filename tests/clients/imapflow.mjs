// Drives npm's imapflow against a host; argv: port, user, password, ca file.
// One JSON line for each step: {"step": NAME, ...what it saw}.
import fs from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.IMAPFLOW_FROM + "/package.json");
const { ImapFlow } = require("imapflow");
const [port, user, pass, ca] = process.argv.slice(2);

const say = (step, seen) =>
    console.log(JSON.stringify({ step, ...seen },
        (key, value) => typeof value === "bigint" ? String(value)
            : value instanceof Set ? [...value] : value));

const open = async (more) => {
    const client = new ImapFlow({
        host: "127.0.0.1", port: Number(port), secure: true, logger: false,
        auth: { user, pass },
        tls: { ca: fs.readFileSync(ca), checkServerIdentity: () => undefined },
        ...more,
    });
    await client.connect();
    return client;
};

const collect = async (from) => {
    const all = [];
    for await (const one of from)
        all.push(one);
    return all;
};

const message = (n) => Buffer.from(
    `From: a@posthof.test\r\nTo: b@posthof.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe_${n}?=\r\n` +
    `Message-ID: <flow${n}@posthof.test>\r\nMIME-Version: 1.0\r\n` +
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `\r\nText ${n}\r\n--b\r\nContent-Type: application/pdf; name="a.pdf"\r\n` +
    `Content-Disposition: attachment; filename="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n` +
    `${Buffer.from("PDF" + n).toString("base64")}\r\n--b--\r\n`);

const client = await open({ qresync: true });
say("connect", { enabled: client.enabled, capabilities: [...client.capabilities.keys()] });

await client.mailboxCreate(["Büro", "Ünter"]);
await client.mailboxSubscribe(["Büro", "Ünter"]);
say("list", { folders: (await client.list({ statusQuery: { messages: true } }))
    .map((f) => ({ path: f.path, use: f.specialUse, subscribed: f.subscribed,
        messages: f.status && f.status.messages })) });

let lock = await client.getMailboxLock("INBOX");
const appended = [];
for (let n = 1; n <= 5; n++)
    appended.push(await client.append("INBOX", message(n), ["$Label"],
        new Date(2024, 1, n, 12)));
await client.noop();
say("append", { uids: appended.map((a) => a.uid), exists: client.mailbox.exists });

const seen = await collect(client.fetch("1:*", { uid: true, flags: true,
    envelope: true, bodyStructure: true, size: true, internalDate: true,
    threadId: true }));
say("fetch", { messages: seen.map((m) => ({ uid: m.uid, subject: m.envelope.subject,
    from: m.envelope.from[0].address, size: m.size, flags: m.flags,
    modseq: m.modseq, email: m.emailId,
    parts: m.bodyStructure.childNodes.map((c) => c.type) })) });

const { content } = await client.download("2", "2");
let text = "";
for await (const piece of content)
    text += piece;
say("download", { text });

await client.messageFlagsAdd("1:2", ["\\Seen", "$Work"]);
await client.messageFlagsRemove({ uid: String(appended[0].uid) }, ["$Work"]);
say("search", {
    seen: await client.search({ seen: true }, { uid: true }),
    subject: await client.search({ header: { subject: "Grüße 3" } }, { uid: true }),
    either: await client.search({ or: [{ keyword: "$Work" }, { body: "Text 4" }] }, { uid: true }),
    since: await client.search({ since: new Date(2024, 1, 4) }, { uid: true }) });

const copied = await client.messageCopy("1:2", "Büro/Ünter");
const moved = await client.messageMove("3", "Büro/Ünter");
say("copy", { copied: [...copied.uidMap], moved: [...moved.uidMap] });
await client.messageDelete("1");
// With QRESYNC imapflow does not count mailbox.exists down.
say("delete", { exists: (await client.status("INBOX", { messages: true })).messages });

// Another session changes things while we are in IDLE.
const events = [];
client.on("exists", (e) => events.push(["exists", e.count]));
client.on("expunge", (e) => events.push(["expunge", e.uid || e.seq]));
client.on("flags", (e) => events.push(["flags", e.uid || e.seq, [...e.flags]]));
const other = await open();
const idle = client.idle();
await new Promise((done) => setTimeout(done, 300));
await other.append("INBOX", message(6));
let otherLock = await other.getMailboxLock("INBOX");
await other.messageFlagsAdd("1", ["\\Flagged"]);
await other.messageDelete("2");
for (let i = 0; i < 100 && events.length < 3; i++)
    await new Promise((done) => setTimeout(done, 50));
otherLock.release();
await client.noop();
await idle;
say("idle", { events });

const status = await client.status("Büro/Ünter", { messages: true, uidNext: true,
    uidValidity: true, unseen: true, highestModseq: true });
say("status", { status });
say("quota", { quota: await client.getQuota("INBOX") });
lock.release();

// What QRESYNC is for: what changed since.
lock = await client.getMailboxLock("Büro/Ünter");
const since = client.mailbox.highestModseq;
await client.messageFlagsAdd("2", ["\\Answered"]);
say("changed", { messages: (await collect(client.fetch("1:*", { uid: true, flags: true },
    { changedSince: since }))).map((m) => [m.uid, [...m.flags]]) });
lock.release();
await client.mailboxRename(["Büro", "Ünter"], ["Büro", "Über"]);
await client.mailboxDelete(["Büro", "Über"]);
await client.mailboxDelete("Büro");
say("folders", { left: (await client.list()).map((f) => f.path) });
await other.logout();
await client.logout();
say("end", {});
