// Tells folders by what Git would keep of them: paths, contents, links and the executable bit; no time, no owner.
// Usage: node inputs.mjs FOLDER   (each folder below it is told by itself; prints JSON)
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

function* entries(folder, below = '') {
  const names = fs.readdirSync(path.join(folder, below), { withFileTypes: true });
  for (const entry of names.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))) {
    const name = path.join(below, entry.name);
    if (entry.isDirectory()) yield* entries(folder, name);
    else yield [name, entry];
  }
}

/** Of a file of any size, a piece at a time. */
function contents(file) {
  const hash = crypto.createHash('sha256');
  const opened = fs.openSync(file);
  const piece = Buffer.alloc(1 << 20);
  for (let size; (size = fs.readSync(opened, piece)); ) hash.update(piece.subarray(0, size));
  fs.closeSync(opened);
  return hash.digest('hex');
}

function digest(folder) {
  const hash = crypto.createHash('sha256');
  for (const [name, entry] of entries(folder)) {
    const file = path.join(folder, name);
    const link = entry.isSymbolicLink();
    const kind = link ? 'l' : fs.statSync(file).mode & 0o100 ? 'x' : 'f';
    hash.update(`${kind}\0${name}\0${link ? fs.readlinkSync(file) : contents(file)}\0`);
  }
  return hash.digest('hex');
}

const folder = process.argv[2];
const digests = Object.fromEntries(fs.readdirSync(folder).map((name) => [name, digest(path.join(folder, name))]));
console.log(JSON.stringify({ node: process.version, platform: `${process.platform}/${process.arch}`, digests }));
