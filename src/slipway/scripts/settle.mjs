// Makes files the same bytes of an image, whenever and wherever they were made: modes as Git keeps them, times that tell
// nothing of the build.
// Usage: node settle.mjs FOLDER...
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { digest } from './digest.mjs';

const BEGIN = 946684800; // 2000
const SPAN = 2 ** 28; // eight years and a half

/**
 * A file's time, made of what is in it. Web servers make an ETag of size and time (`send`, which Express and Next use): with
 * one time for all files a browser would keep an old one of the same size. And Next takes 0 for "now".
 */
function time(file) {
  return BEGIN + (digest(file).readUInt32BE(0) % SPAN);
}

export function settle(file) {
  const found = fs.lstatSync(file);
  if (found.isDirectory()) {
    for (const name of fs.readdirSync(file)) settle(path.join(file, name));
    fs.chmodSync(file, 0o755);
  } else if (found.isFile()) {
    fs.chmodSync(file, found.mode & 0o100 ? 0o755 : 0o644);
  }
  const seconds = found.isFile() ? time(file) : 0;
  fs.lutimesSync(file, seconds, seconds);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.argv.slice(2).forEach(settle);
