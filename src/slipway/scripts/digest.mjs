// What is in a file as a digest, read a piece at a time: a file may be larger than what Node reads at once.
import crypto from 'node:crypto';
import fs from 'node:fs';

const piece = Buffer.allocUnsafe(1 << 20);

export function digest(file) {
  const hash = crypto.createHash('sha256');
  const descriptor = fs.openSync(file);
  try {
    for (let read; (read = fs.readSync(descriptor, piece)) > 0; ) hash.update(piece.subarray(0, read));
  } finally {
    fs.closeSync(descriptor);
  }
  return hash.digest();
}
