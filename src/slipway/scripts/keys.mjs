// Makes the keys of a front end's preview mode of the key of its server actions, where one is given
// (NEXT_SERVER_ACTIONS_ENCRYPTION_KEY): otherwise Next makes both by chance, and each build is another.
// Usage: node keys.mjs               see that the key is one
//        node keys.mjs OUTPUT-FOLDER put them in place of those that Next made (the app's .next)
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const [dist] = process.argv.slice(2);
const given = process.env.NEXT_SERVER_ACTIONS_ENCRYPTION_KEY;
const key = Buffer.from(given ?? '', 'base64');

if (!dist && ![16, 24, 32].includes(key.length)) {
  console.error('the key of the server actions is no AES key in Base64: make one with `openssl rand -base64 32`');
  process.exit(1);
}

function made({ previewModeId, previewModeSigningKey, previewModeEncryptionKey }) {
  const purposes = { 'preview mode id': previewModeId, 'preview mode signing': previewModeSigningKey };
  purposes['preview mode encryption'] = previewModeEncryptionKey;
  return Object.entries(purposes)
    .filter(([, old]) => /^[0-9a-f]{32,}$/.test(old))
    .map(([purpose, old]) => {
      const bytes = crypto.hkdfSync('sha256', key, '', `slipway: ${purpose}`, old.length / 2);
      return [old, Buffer.from(bytes).toString('hex')];
    });
}

function replace(folder, pairs) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) replace(file, pairs);
    if (!entry.isFile()) continue;
    const before = fs.readFileSync(file);
    if (!pairs.some(([old]) => before.includes(old))) continue;
    fs.writeFileSync(file, pairs.reduce((text, [old, now]) => text.replaceAll(old, now), before.toString('latin1')), 'latin1');
  }
}

const record = path.join(dist ?? '', 'prerender-manifest.json');
if (dist && given && fs.existsSync(record)) {
  const { preview = {} } = JSON.parse(fs.readFileSync(record, 'utf8'));
  replace(dist, made(preview));
}
