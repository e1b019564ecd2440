// Tells what a build made.
//
// Usage: node facts.mjs TARBALLS LOGS FOUND
// TARBALLS: a folder with the OCI tarball NAME.tar of each image. LOGS: a folder with the logs of steps.
// Writes FOUND: {"images": {NAME: {"manifest": "…", "config": "…"}, …}, "logs": ["…", …]}. It prints nothing: what
// an exec prints is shown to whoever waits.
import fs from 'node:fs';
import path from 'node:path';
import { Tarball } from './tarball.mjs';

const [tarballs, logs, found] = process.argv.slice(2);
const files = (folder) => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);
const images = files(tarballs).map((file) => [
  path.parse(file).name,
  new Tarball(path.join(tarballs, file)).documents(),
]);
const texts = files(logs).map((file) => fs.readFileSync(path.join(logs, file), 'utf8'));
fs.writeFileSync(found, JSON.stringify({ images: Object.fromEntries(images), logs: texts }));
