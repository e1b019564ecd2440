// An image's OCI tarball (an image layout in a tar archive). Only headers and small documents of it are read, no layer.
import fs from 'node:fs';

export const BLOCK = 512;
const REGULAR = ['0', '\0'];

const text = (field) => field.toString('latin1').split('\0')[0];

/** A number as tar writes it: octal, or from 8 GiB on in base 256 with the highest bit set. */
function number(field) {
  if (!(field[0] & 0x80)) return parseInt(text(field), 8) || 0;
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
}

/** The size in an extended header, `<length> size=<bytes>`: what does not fit an octal number. */
const extendedSize = (content) => Number(/^\d+ size=(\d+)$/m.exec(content.toString('latin1'))?.[1] ?? NaN);

/** The image of an index, which may list attestations beside it. */
const image = (manifests) => manifests.find((entry) => entry.platform?.architecture !== 'unknown') ?? manifests[0];

export const place = (digest) => `blobs/${digest.replace(':', '/')}`;

export class Tarball {
  constructor(name) {
    this.name = name;
    this.file = fs.openSync(name);
    this.entries = new Map(this.#entries());
  }

  read(start, size) {
    const content = Buffer.alloc(size);
    fs.readSync(this.file, content, 0, size, start);
    return content;
  }

  /** Every file in it: where it begins, and its size. */
  *#entries() {
    let extended = NaN;
    for (let offset = 0; ; ) {
      const header = this.read(offset, BLOCK);
      if (!header[0]) return;
      const kind = String.fromCharCode(header[156]);
      const start = offset + BLOCK;
      const size = kind !== 'x' && extended >= 0 ? extended : number(header.subarray(124, 136));
      extended = kind === 'x' ? extendedSize(this.read(start, size)) : NaN;
      if (REGULAR.includes(kind)) yield [text(header.subarray(0, 100)).replace(/^\.\//, ''), { start, size }];
      offset = start + Math.ceil(size / BLOCK) * BLOCK;
    }
  }

  entry(name) {
    const found = this.entries.get(name);
    if (!found) throw new Error(`${this.name} is no image tarball: it has no ${name}`);
    return found;
  }

  #text(name) {
    const { start, size } = this.entry(name);
    return this.read(start, size).toString();
  }

  /** The manifest and the config of its image, as they are written in it. */
  documents() {
    let [descriptor] = JSON.parse(this.#text('index.json')).manifests;
    for (;;) {
      const manifest = this.#text(place(descriptor.digest));
      const { manifests, config } = JSON.parse(manifest);
      if (!manifests) return { manifest, config: this.#text(place(config.digest)) };
      descriptor = image(manifests);
    }
  }
}
