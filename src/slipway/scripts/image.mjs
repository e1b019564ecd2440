// Prints what an OCI image tarball holds, as JSON: {"digest", "config", "layers": [{"digest", "size"}], "size"}.
// Sizes are compressed, in bytes. Reads headers and small blobs only. Usage: node image.mjs FILE
import fs from 'node:fs';

const file = fs.openSync(process.argv[2], 'r');
const read = (position, length) => {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = fs.readSync(file, buffer, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
};
const text = (buffer) => buffer.toString('utf8').replace(/\0.*$/s, '');

const entries = new Map();
let long = null;
for (let position = 0; ; ) {
  const header = read(position, 512);
  if (header.length < 512 || header.every((byte) => byte === 0)) break;
  const size = parseInt(text(header.subarray(124, 136)).trim() || '0', 8);
  const kind = String.fromCharCode(header[156]);
  const prefix = text(header.subarray(257, 263)).startsWith('ustar') ? text(header.subarray(345, 500)) : '';
  const plain = text(header.subarray(0, 100));
  if (kind === 'L') long = text(read(position + 512, size));
  else if (kind === 'x') long = /\d+ path=(.*)\n/.exec(read(position + 512, size).toString('utf8'))?.[1] ?? null;
  else {
    entries.set((long ?? (prefix ? `${prefix}/${plain}` : plain)).replace(/^\.\//, ''), { position: position + 512, size });
    long = null;
  }
  position += 512 + Math.ceil(size / 512) * 512;
}

const json = (name) => {
  const entry = entries.get(name);
  if (!entry) throw new Error(`the image tarball has no ${name}`);
  return JSON.parse(read(entry.position, entry.size).toString('utf8'));
};
const blob = (digest) => json(`blobs/${digest.replace(':', '/')}`);

let descriptor = json('index.json').manifests[0];
let content = blob(descriptor.digest);
while (content.manifests) {
  descriptor = content.manifests.find((one) => one.platform?.architecture !== 'unknown') ?? content.manifests[0];
  content = blob(descriptor.digest);
}
const layers = content.layers.map(({ digest, size }) => ({ digest, size }));
console.log(
  JSON.stringify({
    digest: descriptor.digest,
    config: content.config.digest,
    layers,
    size: layers.reduce((sum, layer) => sum + layer.size, content.config.size),
  }),
);
