// Prints an id for the build of a front end, made of whatever goes into it: files, variables, Node's version. It is the
// same for the same build, on every machine, and another for any other.
// Usage: node buildid.mjs REPO [VARIABLE...]
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { digest } from './digest.mjs';

const [root, ...variables] = process.argv.slice(2);
const NOT_READ = new Set(['node_modules', '.next', '.git']);
const hash = crypto.createHash('sha256');
const add = (...parts) => hash.update(`${JSON.stringify(parts)}\n`);

function read(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, entry.name);
    const name = path.relative(root, file);
    if (entry.isSymbolicLink()) add(name, 'link', fs.readlinkSync(file));
    else if (entry.isFile()) add(name, digest(file).toString('hex'));
    else if (entry.isDirectory() && !NOT_READ.has(entry.name)) read(file);
  }
}

add(process.version);
for (const name of variables.sort()) add(name, process.env[name] ?? '');
read(root);
// Blockers of advertisements stop addresses with "ad" in them.
console.log(hash.digest('hex').slice(0, 24).replaceAll('a', 'g'));
