// Tells in which files two root file systems differ, as JSON:
// {"differences": [[path, what], …], "counts": {what: 12}, "renewed": 3}.
// renewed: files that differ in nothing but the time which renewed.mjs gave them.
// Usage: node compare.mjs PUBLISHED REBUILT LIMIT   (no more differences than that are listed; all are counted)
import fs from 'node:fs';
import path from 'node:path';
import { digest } from './digest.mjs';

const [published, rebuilt, limit] = process.argv.slice(2);
const differences = [];
const counts = {};
let renewed = 0;
// Later than any time that settle.mjs makes; and what the app's own user may write.
const SETTLED = 946684800 + 2 ** 28;
const isRenewed = (entry) => entry.isFile() && entry.uid !== 0 && entry.mtimeMs / 1000 > SETTLED;

function note(name, what) {
  counts[what] = (counts[what] ?? 0) + 1;
  if (differences.length < Number(limit)) differences.push([name, what]);
}

const names = (folder) => new Set(fs.readdirSync(folder));
const kind = (entry) => entry.mode & fs.constants.S_IFMT;
const aspects = {
  mode: (a, b) => a.mode === b.mode,
  owner: (a, b) => a.uid === b.uid && a.gid === b.gid,
};

function compare(name) {
  const [first, second] = [published, rebuilt].map((root) => path.join(root, name));
  const [a, b] = [first, second].map((file) => fs.lstatSync(file));
  if (kind(a) !== kind(b)) return note(name, 'kind of file');
  const found = Object.keys(aspects).filter((aspect) => !aspects[aspect](a, b));
  if (a.isSymbolicLink() && fs.readlinkSync(first) !== fs.readlinkSync(second)) found.unshift('link target');
  if (a.isFile() && (a.size !== b.size || !digest(first).equals(digest(second)))) found.unshift('content');
  // A file's time is made of its content: it says nothing of its own then.
  else if (Math.floor(a.mtimeMs / 1000) !== Math.floor(b.mtimeMs / 1000)) {
    if (isRenewed(a) && isRenewed(b)) renewed += 1;
    else found.push('time');
  }
  if (found.length) note(name, found.join(', '));
  if (a.isDirectory()) inside(name);
}

function inside(folder) {
  const [mine, other] = [published, rebuilt].map((root) => names(path.join(root, folder)));
  for (const name of [...new Set([...mine, ...other])].sort()) {
    const file = path.join(folder, name);
    if (!other.has(name)) note(file, 'only in the published image');
    else if (!mine.has(name)) note(file, 'only in the rebuilt image');
    else compare(file);
  }
}

inside('');
console.log(JSON.stringify({ differences, counts, renewed }));
