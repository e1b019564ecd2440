// Writes an image's OCI tarball with another manifest and config; the layers are copied as they are.
//
// Usage: node pack.mjs OLD.tar DOCUMENTS NEW.tar
// DOCUMENTS: a folder with manifest.json and config.json.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { BLOCK, Tarball, place } from './tarball.mjs';

const [oldName, documents, newName] = process.argv.slice(2);
const CHUNK = 1 << 20;
const OCTAL_LIMIT = 8 ** 11;
const old = new Tarball(oldName);
const out = fs.openSync(newName, 'w');

function sizeField(size) {
  if (size < OCTAL_LIMIT) return Buffer.from(`${size.toString(8).padStart(11, '0')}\0`);
  const field = Buffer.alloc(12);
  field.writeBigUInt64BE(BigInt(size), 4);
  field[0] = 0x80;
  return field;
}

/** A header as POSIX ustar has it: a file of root's with mode 0644 and no time. */
function header(name, size) {
  const made = Buffer.alloc(BLOCK);
  made.write(name, 0);
  made.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  sizeField(size).copy(made, 124);
  made.write('00000000000\0' + ' '.repeat(8) + '0', 136);
  made.write('ustar\0' + '00', 257);
  const sum = made.reduce((total, byte) => total + byte, 0);
  made.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return made;
}

const pad = (size) => fs.writeSync(out, Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK));

function add(name, content) {
  fs.writeSync(out, header(name, content.length));
  fs.writeSync(out, content);
  pad(content.length);
}

function copy(name) {
  const { start, size } = old.entry(name);
  fs.writeSync(out, header(name, size));
  for (let done = 0; done < size; done += CHUNK) fs.writeSync(out, old.read(start + done, Math.min(CHUNK, size - done)));
  pad(size);
}

const digest = (content) => `sha256:${createHash('sha256').update(content).digest('hex')}`;
const json = (value) => Buffer.from(JSON.stringify(value));

const manifest = fs.readFileSync(path.join(documents, 'manifest.json'));
const config = fs.readFileSync(path.join(documents, 'config.json'));
const { mediaType, layers } = JSON.parse(manifest);
const places = layers.map((layer) => place(layer.digest));
add('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
const described = { mediaType, digest: digest(manifest), size: manifest.length };
add('index.json', json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [described] }));
// What `docker load` reads, of any age.
add('manifest.json', json([{ Config: place(digest(config)), RepoTags: null, Layers: places }]));
add(place(digest(manifest)), manifest);
add(place(digest(config)), config);
for (const name of new Set(places)) copy(name);
fs.writeSync(out, Buffer.alloc(2 * BLOCK));
